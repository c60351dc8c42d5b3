"""Bringing a history in: its records into the facts, all of them or none."""

from __future__ import annotations

import sqlite3
import uuid
import zoneinfo
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from monitor.sla.intervals import Interval, subtract
from monitor.store import exclusions, facts, spans
from monitor.store.history_file import (
    MISTAKES_SHOWN,
    History,
    HistoryErrors,
    HistoryExclusion,
    HistorySpan,
    described,
)
from monitor.store.spans import Span


@dataclass(frozen=True, slots=True)
class Imported:
    """What was new, and how many records were there already."""

    spans: int
    exclusions: int
    known: int
    touched: Mapping[str, tuple[int, int]]
    """For each service of which something is new, the window ``[from, to)`` of milliseconds that it lies in."""


def import_history(
    db: sqlite3.Connection, history: History, source: str, zones: Mapping[str, str], now_ms: int
) -> Imported:
    """Write a history down, within the caller's transaction; ``source`` says where it comes from.

    What an earlier import says as well is passed over, also where that is a part of a span: a source that has grown
    can be brought in again. Raises HistoryErrors, and the caller rolls back, where a span contradicts an earlier
    import or overlaps what the agent saw itself. Where no agent runs, call facts.end_dead_runs first: an open span
    of a dead run reaches into the future.
    """
    new_spans: dict[str, list[HistorySpan]] = {}
    mistakes: list[str] = []
    for service, found in history.spans.items():
        there = _there(db, service, found[0].from_ms, max(span.to_ms for span in found))
        new_spans[service] = _unknown_yet(found, there)
        mistakes += _contradictions(new_spans[service], there, zoneinfo.ZoneInfo(zones[service]))
    if mistakes:
        raise HistoryErrors(mistakes[:MISTAKES_SHOWN], more=len(mistakes) > MISTAKES_SHOWN)
    new_exclusions = [one for one in history.exclusions if _add_exclusion(db, one, source, now_ms)]
    _add_spans(db, new_spans, source, now_ms)
    new: list[HistorySpan | HistoryExclusion] = [*chain.from_iterable(new_spans.values()), *new_exclusions]
    total = sum(map(len, history.spans.values())) + len(history.exclusions)
    known = total - len({record.line for record in new})
    return Imported(len(new) - len(new_exclusions), len(new_exclusions), known, _windows(new))


def _unknown_yet(found: Iterable[HistorySpan], there: Iterable[Span]) -> list[HistorySpan]:
    """The spans, and the parts of spans, that no earlier import says as well."""
    agreed: dict[str, list[Interval]] = {}
    for span in there:
        if span.source == "import" and span.to_ms is not None:
            agreed.setdefault(span.state, []).append((span.from_ms, span.to_ms))
    claimed: dict[str, list[HistorySpan]] = {}
    for one in found:
        claimed.setdefault(one.state, []).append(one)
    new = []
    for state, own in claimed.items():
        starts = [one.from_ms for one in own]
        for from_ms, to_ms in subtract([(one.from_ms, one.to_ms) for one in own], agreed.get(state, ())):
            new.append(replace(own[bisect_right(starts, from_ms) - 1], from_ms=from_ms, to_ms=to_ms))
    return sorted(new, key=lambda one: one.from_ms)


def _contradictions(new: Iterable[HistorySpan], there: Sequence[Span], zone: zoneinfo.ZoneInfo) -> list[str]:
    """A message for each span that overlaps what is there and says something else."""
    starts = [span.from_ms for span in there]
    mistakes = []
    for span in new:
        other = spans.meeting(span.from_ms, span.to_ms, there, starts)
        if other is not None:
            end = other.to_ms if other.to_ms is not None else span.to_ms
            told = described(HistorySpan(0, span.service, other.state, other.from_ms, end), zone)
            mistakes.append(
                f"line {span.line}: {span.service}: expected a span that contradicts nothing known:"
                f" {described(span, zone)} overlaps {told} ({other.reason})"
            )
    return mistakes


def _there(db: sqlite3.Connection, service: str, from_ms: int, to_ms: int) -> list[Span]:
    """What is known of a service in a window: imported, or seen by the agent."""
    imported = db.execute(
        "SELECT from_ms, to_ms, state, source FROM imported_spans JOIN services ON services.key = service"
        " JOIN imports ON imports.key = import WHERE id = ? AND from_ms < ? AND to_ms > ?",
        (service, to_ms, from_ms),
    )
    there = [
        Span(start, end, state, None, f"imported from {source}", "import")
        for start, end, state, source in imported
    ]
    key = facts.service_key(db, service)
    there += [
        replace(span, reason="seen by the agent")
        for span in spans.from_facts(db, key)
        if span.source == "probe" and span.state != "unknown"
        if span.from_ms < to_ms and (span.to_ms is None or span.to_ms > from_ms)
    ]
    return sorted(there, key=lambda span: span.from_ms)


def _add_spans(
    db: sqlite3.Connection, new: Mapping[str, Sequence[HistorySpan]], source: str, now_ms: int
) -> None:
    if not any(new.values()):
        return
    cursor = db.execute(
        "INSERT INTO imports (uid, source, imported_ms) VALUES (?, ?, ?)", (str(uuid.uuid4()), source, now_ms)
    )
    for service, found in new.items():
        if found:
            key = facts.service_key(db, service)
            db.executemany(
                "INSERT INTO imported_spans (import, service, state, from_ms, to_ms) VALUES (?, ?, ?, ?, ?)",
                [(cursor.lastrowid, key, span.state, span.from_ms, span.to_ms) for span in found],
            )
            spans.rebuild(db, key)


def _add_exclusion(db: sqlite3.Connection, found: HistoryExclusion, source: str, now_ms: int) -> bool:
    content = ("service", found.service, found.exclusion_class, found.from_ms, found.to_ms, found.reason)
    uid = exclusions.content_uid(*content)
    return exclusions.add(db, exclusions.Exclusion(uid, *content, f"import of {source}", now_ms))


def _windows(records: Sequence[HistorySpan | HistoryExclusion]) -> dict[str, tuple[int, int]]:
    windows: dict[str, tuple[int, int]] = {}
    for record in records:
        from_ms, to_ms = windows.get(record.service, (record.from_ms, record.to_ms))
        windows[record.service] = min(from_ms, record.from_ms), max(to_ms, record.to_ms)
    return windows
