"""What a named sensor is: which objects it reads, what figures they make, and which of them are bad by default."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from probes.snmp.pdu import Oid


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of each row, or of a sensor without rows."""

    name: str
    """With its unit, such as in_errors_per_second."""

    help: str
    oids: tuple[Oid, ...] = ()
    """Columns of a table, otherwise objects: the first one that the agent has counts."""

    scale: float = 1
    rate: bool = False
    """It counts up: what matters is by how much a second."""

    restart: bool = False
    """It is no object: 1 where the agent was initialised since the last probe, otherwise 0."""

    words: Mapping[int, str] = field(default_factory=dict)
    """What its values are called, where they are not quantities."""

    exponent: tuple[Oid, Oid] | None = None
    """Columns of entPhySensorScale and entPhySensorPrecision (RFC 3433), by which the value is to be read."""

    @property
    def columns(self) -> tuple[Oid, ...]:
        return self.oids + (self.exponent or ())


@dataclass(frozen=True, slots=True)
class Sensor:
    """A figure that the agent lacks is left out; a row without the first one is no row."""

    name: str
    figures: tuple[Figure, ...]
    prefix: str = ""
    """Of its figures, in the names of metrics."""

    label: tuple[Oid, ...] = ()
    """Columns that name the rows: the first that is not empty counts. Without any, the sensor has no rows."""

    only: tuple[Oid, int] | None = None
    """A column, and the value in it of the rows that count; the others are left out."""

    otherwise: str = ""
    """What is degraded about a row that does not count and is asked for by name; empty: it is no row at all."""

    discontinuity: Oid | None = None
    """Column of the time at which the counters of a row were last set back (RFC 2863)."""

    degraded: Mapping[str, str] = field(default_factory=dict)
    bad: Mapping[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[Oid, ...]:
        """All that is read of a row, each once, the labels first."""
        return tuple(dict.fromkeys(self._columns()))

    @property
    def needs_uptime(self) -> bool:
        """Whether a restart of the agent matters: its counters then begin anew."""
        return any(figure.rate or figure.restart for figure in self.figures)

    def _columns(self) -> Iterator[Oid]:
        yield from self.label
        if self.only:
            yield self.only[0]
        if self.discontinuity:
            yield self.discontinuity
        for figure in self.figures:
            yield from figure.columns
