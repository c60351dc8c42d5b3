"""The file of ``ringback import history``: JSON Lines to records, or to what is wrong with them. Pure."""

from __future__ import annotations

import difflib
import json
import zoneinfo
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter
from typing import Any

from monitor.sla.months import local_iso, parse_instant
from monitor.store.exclusions import CLASSES, parse_reason

STATES = ("up", "degraded", "down", "unknown")
MISTAKES_SHOWN = 20
LINE_LIMIT = 16_384
"""Bytes in a line at most."""

_SPAN_KEYS = frozenset({"service", "state", "from", "to"})
_EXCLUSION_KEYS = frozenset({"service", "exclusion", "from", "to", "reason"})


@dataclass(frozen=True, slots=True)
class HistorySpan:
    """A service was in ``state`` in ``[from_ms, to_ms)``; it stands in that line, counted from 1."""

    line: int
    service: str
    state: str
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class HistoryExclusion:
    """``[from_ms, to_ms)`` of a service does not count against its provider."""

    line: int
    service: str
    exclusion_class: str
    from_ms: int
    to_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class History:
    """What a file says: spans by service, in order and without overlaps, and exclusions."""

    spans: Mapping[str, tuple[HistorySpan, ...]]
    exclusions: tuple[HistoryExclusion, ...]


class HistoryErrors(Exception):
    """The history cannot be brought in; one message for each bad line, the first ones of very many."""

    def __init__(self, mistakes: Iterable[str], more: bool = False) -> None:
        self.mistakes = (*mistakes, *(("and more",) if more else ()))
        super().__init__("\n".join(self.mistakes))


def parse_history(lines: Iterable[bytes], zones: Mapping[str, str], now_ms: int) -> History:
    """The records of a file. ``zones`` gives each known service's time zone (IANA name).

    Raises HistoryErrors with the number of every bad line, up to MISTAKES_SHOWN. What has not happened yet
    (after ``now_ms``) is no history; exclusions may lie ahead.
    """
    parser = _Parser(zones, now_ms)
    spans: dict[str, list[HistorySpan]] = {}
    exclusions: list[HistoryExclusion] = []
    mistakes: list[str] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = parser.record(number, line)
        except ValueError as error:
            mistakes.append(f"line {number}: {error}")
            if len(mistakes) == MISTAKES_SHOWN:
                raise HistoryErrors(mistakes, more=True) from None
            continue
        if isinstance(record, HistorySpan):
            spans.setdefault(record.service, []).append(record)
        else:
            exclusions.append(record)
    for of_service in spans.values():
        of_service.sort(key=attrgetter("from_ms"))
        mistakes += _overlaps(of_service, parser.zone(of_service[0].service))
    if mistakes:
        raise HistoryErrors(mistakes[:MISTAKES_SHOWN], more=len(mistakes) > MISTAKES_SHOWN)
    return History({service: tuple(found) for service, found in spans.items()}, tuple(exclusions))


def _overlaps(ordered: list[HistorySpan], zone: zoneinfo.ZoneInfo) -> list[str]:
    """The lines that contradict (or repeat) one that begins no later."""
    return [
        f"line {max(one.line, other.line)}: {other.service}: expected spans that do not overlap:"
        f" {described(other, zone)} and, in line {min(one.line, other.line)}, {described(one, zone)}"
        for one, other in pairwise(ordered)
        if other.from_ms < one.to_ms
    ]


def described(span: HistorySpan, zone: zoneinfo.ZoneInfo) -> str:
    return f"{span.state} from {local_iso(span.from_ms, zone)} to {local_iso(span.to_ms, zone)}"


class _Parser:
    def __init__(self, zones: Mapping[str, str], now_ms: int) -> None:
        self._zones = {service: zoneinfo.ZoneInfo(zone) for service, zone in zones.items()}
        self._now_ms = now_ms
        self._decoder = json.JSONDecoder(object_pairs_hook=_no_duplicates, parse_constant=_no_constants)

    def zone(self, service: str) -> zoneinfo.ZoneInfo:
        return self._zones[service]

    def record(self, number: int, line: bytes) -> HistorySpan | HistoryExclusion:
        """The record in a line. Raises ValueError with what was expected."""
        found = self._object(line)
        is_exclusion = "exclusion" in found
        _check_keys(found, _EXCLUSION_KEYS if is_exclusion else _SPAN_KEYS)
        service = found["service"]
        if not isinstance(service, str) or service not in self._zones:
            raise ValueError(
                f"expected a service of the configuration, not {service!r:.80}{self._hint(service)}"
            )
        zone = self._zones[service]
        from_ms, to_ms = self._instant("from", found, zone), self._instant("to", found, zone)
        if from_ms >= to_ms:
            raise ValueError(f"expected 'from' before 'to', not {found['from']} and {found['to']}")
        if is_exclusion:
            name = _one_of(CLASSES, "exclusion", found)
            return HistoryExclusion(number, service, name, from_ms, to_ms, parse_reason(found["reason"]))
        if to_ms > self._now_ms:
            raise ValueError(f"expected a span of the past: {found['to']} is still to come")
        return HistorySpan(number, service, _one_of(STATES, "state", found), from_ms, to_ms)

    def _object(self, line: bytes) -> dict[str, Any]:
        if len(line) > LINE_LIMIT:
            raise ValueError(f"expected at most {LINE_LIMIT} bytes in a line")
        try:
            found = self._decoder.decode(line.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise ValueError(f"expected UTF-8: byte {error.start + 1} is none") from None
        except json.JSONDecodeError as error:
            raise ValueError(f"expected a JSON object: {error.msg} at column {error.colno}") from None
        except RecursionError:
            raise ValueError("expected a JSON object, not one nested without end") from None
        if not isinstance(found, dict):
            raise ValueError("expected a JSON object")
        return found

    def _instant(self, key: str, found: Mapping[str, Any], zone: zoneinfo.ZoneInfo) -> int:
        try:
            return parse_instant(found[key], zone)
        except ValueError as error:
            raise ValueError(f"{key!r}: {error}") from None

    def _hint(self, service: object) -> str:
        close = difflib.get_close_matches(str(service)[:80], self._zones, n=1)
        return f"; did you mean {close[0]!r}?" if close else ""


def _check_keys(found: Mapping[str, Any], expected: frozenset[str]) -> None:
    for key in found:
        if key not in expected:
            close = difflib.get_close_matches(key, expected, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"expected {', '.join(sorted(expected))}"
            raise ValueError(f"unknown key {key!r:.80}; {hint}")
    if missing := expected - found.keys():
        raise ValueError(f"expected the key {min(missing)!r}")


def _one_of(words: tuple[str, ...], key: str, found: Mapping[str, Any]) -> str:
    if found[key] not in words:
        raise ValueError(f"{key!r}: expected one of {', '.join(words)}, not {found[key]!r:.80}")
    return str(found[key])


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("expected each key once")
    return found


def _no_constants(word: str) -> None:
    raise ValueError(f"expected JSON, which has no {word}")
