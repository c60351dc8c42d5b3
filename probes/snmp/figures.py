"""From the cells of a row to its figures: units, decimal exponents, rates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from probes.snmp.pdu import Binding, Oid
from probes.snmp.rates import BITS, Count, Reading, rate, restarted
from probes.snmp.sensor import Figure, Sensor

LONGEST_NAME = 128
"""Characters of a row's name that are kept."""

_UNITS = 9  # entPhySensorScale (RFC 3433): units; each step is a factor of 1000
_SCALES = range(1, 18)
_PRECISIONS = range(-8, 10)

Cells = Mapping[Oid, Binding]
"""By column, or by object of a sensor without rows; what is missing is left out."""

Figures = Mapping[str, int | float]


@dataclass(frozen=True, slots=True)
class Row:
    """``name`` is empty where the sensor has no rows."""

    name: str
    cells: Cells


def counted(sensor: Sensor, row: Row) -> bool:
    """Whether a row has what makes it one, and is of those that count."""
    return _number(sensor.figures[0], row.cells) is not None and in_use(sensor, row)


def in_use(sensor: Sensor, row: Row) -> bool:
    """Whether a row is of those that count: not switched off, not another kind of thing."""
    if sensor.only is None:
        return True
    column, wanted = sensor.only
    cell = row.cells.get(column)
    return cell is not None and cell.value == wanted


def counts(sensor: Sensor, rows: list[Row]) -> dict[tuple[str, str], Count]:
    """The counters of the rows, for the next reading to be compared with."""
    return {
        (row.name, figure.name): count
        for row in rows
        for figure in sensor.figures
        if figure.rate and (count := _count(sensor, figure, row.cells)) is not None
    }


def figures(sensor: Sensor, row: Row, before: Reading | None, now: Reading) -> Figures:
    """What is known of a row; a figure that the agent lacks, or that takes two readings, is left out."""
    return dict(_figures(sensor, row, before, now))


def _figures(
    sensor: Sensor, row: Row, before: Reading | None, now: Reading
) -> Iterator[tuple[str, int | float]]:
    for figure in sensor.figures:
        value: int | float | None
        if figure.restart:
            value = None if before is None else int(restarted(before, now))
        elif figure.rate:
            value = None if before is None else rate(before, now, (row.name, figure.name))
        else:
            value = _number(figure, row.cells)
        if value is not None:
            yield figure.name, _scaled(value, figure.scale)


def _number(figure: Figure, cells: Cells) -> int | float | None:
    cell = _first(figure, cells)
    if cell is None or not isinstance(cell.value, int):
        return None
    if figure.exponent is None:
        return cell.value
    scale, precision = (cells.get(column) for column in figure.exponent)
    if scale is None or precision is None or scale.value not in _SCALES or precision.value not in _PRECISIONS:
        return None
    return shifted(cell.value, int(scale.value), int(precision.value))


def shifted(value: int, scale: int, precision: int) -> float:
    """The value in units, by entPhySensorScale and entPhySensorPrecision: how many of its digits stand behind the
    decimal point; a negative one speaks of accuracy alone (RFC 3433 §2)."""
    return float(value * 10.0 ** (3 * (scale - _UNITS) - max(0, precision)))


def _count(sensor: Sensor, figure: Figure, cells: Cells) -> Count | None:
    cell = _first(figure, cells)
    if cell is None or not isinstance(cell.value, int) or cell.kind not in BITS:
        return None
    since = cells.get(sensor.discontinuity) if sensor.discontinuity else None
    return Count(cell.value, BITS[cell.kind], since.value if since else None)


def _first(figure: Figure, cells: Cells) -> Binding | None:
    """Of the first of its objects that the agent has."""
    return next((cells[oid] for oid in figure.oids if oid in cells), None)


def _scaled(value: int | float, scale: float) -> int | float:
    return value if scale == 1 and isinstance(value, int) else round(value * scale, 6)
