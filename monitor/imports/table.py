"""A table (CSV) of states or of changes, such as Icinga's state history, by a file that says which column is what.

The mapping is YAML::

    delimiter: ";"                      # default ,
    columns: {service: host, state: hard_state, at: event_time}
    time: iso                           # iso (default), unix, unix_ms, or a format of strptime
    timezone: Europe/Luxembourg         # of times without an offset; default that of the service
    states: {"0": up, "1": degraded, "2": down, "3": unknown}
    services: {pbx01: acme-pbx}         # names there: services here; others are passed over
    until: "2026-11-01T00:00:00+01:00"  # up to when the last change holds

A row with ``from`` and ``to`` is a span; one with ``at`` is a change, which holds until the next of its service.
"""

from __future__ import annotations

import csv
import io
import zoneinfo
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from monitor.imports.errors import SourceError
from monitor.imports.seen import Span
from monitor.sla.months import parse_instant, to_ms

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

State = Literal["up", "degraded", "down", "unknown"]


class Columns(BaseModel):
    """The names of columns, as in the table's first line."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    service: str | None = None
    state: str
    at: str | None = None
    from_: str | None = Field(default=None, alias="from")
    to: str | None = None

    @model_validator(mode="after")
    def _spans_or_changes(self) -> Columns:
        if (self.at is None) == (self.from_ is None) or (self.from_ is None) != (self.to is None):
            raise ValueError("expected columns 'from' and 'to' for spans, or 'at' for changes")
        return self


class Mapped(BaseModel):
    """A mapping file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: Columns
    states: dict[str, State]
    services: dict[str, str]
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    time: str = "iso"
    timezone: str | None = None
    until: str | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Mapped:
        if self.columns.service is None and len(self.services) != 1:
            raise ValueError("expected columns.service, or one service under services that all rows are of")
        if self.columns.at is not None and self.until is None:
            raise ValueError("expected until: up to when the last change of each service holds")
        if self.timezone is not None and self.timezone not in zoneinfo.available_timezones():
            raise ValueError(f"expected a timezone such as Europe/Luxembourg, not {self.timezone!r}")
        return self


def parse_mapping(text: str, name: str) -> Mapped:
    """Raises SourceError with every mistake; ``name`` is the file's."""
    try:
        return Mapped.model_validate(yaml.load(text, yaml.BaseLoader))  # noqa: S506 (it makes strings, lists and mappings only)
    except (yaml.YAMLError, RecursionError) as error:
        raise SourceError(f"{name}: expected YAML: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        told = [
            f"{name}: {'.'.join(map(str, one['loc'])) or 'the file'}: {one['msg'].removeprefix('Value error, ')}"
            for one in error.errors(include_url=False)
        ]
        raise SourceError("\n".join(told)) from None


def spans_of(content: bytes, mapping: Mapped, zones: Mapping[str, str], name: str) -> dict[str, list[Span]]:
    """The spans of each service, in the order of time. ``zones`` gives each known service's time zone.

    Raises SourceError, with the line of what makes no sense.
    """
    unknown = sorted(set(mapping.services.values()) - set(zones))
    if unknown:
        raise SourceError(f"services: expected services of the configuration, not {', '.join(unknown)}")
    reader = _Rows(mapping, zones, name)
    found: dict[str, list[tuple[int, int | None, str]]] = {}
    for service, start, end, state in reader.rows(content):
        found.setdefault(service, []).append((start, end, state))
    return {service: reader.spans(service, rows) for service, rows in found.items()}


class _Rows:
    def __init__(self, mapping: Mapped, zones: Mapping[str, str], name: str) -> None:
        self._mapping = mapping
        self._zones = {
            service: zoneinfo.ZoneInfo(mapping.timezone or zones[service])
            for service in mapping.services.values()
        }
        self._name = name

    def rows(self, content: bytes) -> Iterator[tuple[str, int, int | None, str]]:
        """Service, from, to (None: a change) and state of each row that is of a service of ours."""
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise SourceError(f"{self._name}: expected UTF-8: byte {error.start + 1} is none") from None
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=self._mapping.delimiter, strict=True)
        try:
            self._check_columns(reader.fieldnames or ())
            for row in reader:
                one = self._row(row)
                if one is not None:
                    yield one
        except (csv.Error, ValueError, OverflowError) as error:
            raise SourceError(f"{self._name}: line {reader.line_num}: {error}") from None

    def _check_columns(self, there: object) -> None:
        wanted = [name for name in self._mapping.columns.model_dump().values() if name is not None]
        missing = [name for name in wanted if name not in list(there)]  # type: ignore[call-overload]
        if missing:
            raise ValueError(f"expected columns {', '.join(wanted)}; there is no {', '.join(missing)}")

    def _row(self, row: Mapping[str, str | None]) -> tuple[str, int, int | None, str] | None:
        mapping, columns = self._mapping, self._mapping.columns
        if columns.service is None:
            (service,) = mapping.services.values()
        else:
            known = mapping.services.get(_cell(row, columns.service))
            if known is None:
                return None
            service = known
        word = _cell(row, columns.state)
        state = mapping.states.get(word)
        if state is None:
            raise ValueError(
                f"expected a state that the mapping knows ({', '.join(mapping.states)}), not {word!r:.80}"
            )
        zone = self._zones[service]
        if columns.at is not None:
            return service, self._instant(_cell(row, columns.at), zone), None, state
        start = self._instant(_cell(row, columns.from_ or ""), zone)
        end = self._instant(_cell(row, columns.to or ""), zone)
        if start >= end:
            raise ValueError("expected a row that begins before it ends")
        return service, start, end, state

    def _instant(self, text: str, zone: zoneinfo.ZoneInfo) -> int:
        form = self._mapping.time
        if form == "iso":
            return parse_instant(text, zone)
        if form in ("unix", "unix_ms"):
            factor = 1000 if form == "unix" else 1
            instant_ms = round(float(text) * factor)
            return to_ms(_EPOCH + timedelta(milliseconds=instant_ms))
        read = datetime.strptime(text, form)
        return parse_instant(read.isoformat(), zone)

    def spans(self, service: str, rows: list[tuple[int, int | None, str]]) -> list[Span]:
        """In the order of time; changes hold until the next."""
        rows.sort(key=lambda row: row[0])
        if self._mapping.columns.at is None:
            return [Span(start, end or start, state) for start, end, state in rows]
        try:
            until_ms = self._instant_of_until(service)
        except ValueError as error:
            raise SourceError(f"until: {error}") from None
        ends = [*(later[0] for _, later in pairwise(rows)), until_ms]
        return [
            Span(start, end, state)
            for (start, _, state), end in zip(rows, ends, strict=True)
            if start < min(end, until_ms)
        ]

    def _instant_of_until(self, service: str) -> int:
        return parse_instant(self._mapping.until or "", self._zones[service])


def _cell(row: Mapping[str, str | None], column: str) -> str:
    value = row.get(column)
    if value is None:
        raise ValueError(f"expected a value for {column}")
    return value.strip()
