"""Bringing a history in: its records into the facts, all of them or none."""

from __future__ import annotations

import sqlite3
import uuid
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

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

    What is known already in the same words is passed over. Raises HistoryErrors, and the caller rolls back,
    where a span contradicts an earlier import or overlaps what the agent saw itself. Where no agent runs,
    call facts.end_dead_runs first: an open span of a dead run reaches into the future.
    """
    new_spans: dict[str, list[HistorySpan]] = {}
    mistakes: list[str] = []
    for service, found in history.spans.items():
        new_spans[service], problems = _unknown_yet(db, service, found, zoneinfo.ZoneInfo(zones[service]))
        mistakes += problems
    if mistakes:
        raise HistoryErrors(mistakes[:MISTAKES_SHOWN], more=len(mistakes) > MISTAKES_SHOWN)
    new_exclusions = [one for one in history.exclusions if _add_exclusion(db, one, source, now_ms)]
    _add_spans(db, new_spans, source, now_ms)
    total = sum(map(len, history.spans.values())) + len(history.exclusions)
    new: list[HistorySpan | HistoryExclusion] = [*chain.from_iterable(new_spans.values()), *new_exclusions]
    count = len(new) - len(new_exclusions)
    return Imported(count, len(new_exclusions), total - len(new), _windows(new))


def _unknown_yet(
    db: sqlite3.Connection, service: str, found: Sequence[HistorySpan], zone: zoneinfo.ZoneInfo
) -> tuple[list[HistorySpan], list[str]]:
    """The spans that are new, and a message for each one that contradicts what is there."""
    there = _there(db, service, found[0].from_ms, max(span.to_ms for span in found))
    starts = [span.from_ms for span in there]
    same = {(span.from_ms, span.to_ms, span.state) for span in there if span.source == "import"}
    new = [span for span in found if (span.from_ms, span.to_ms, span.state) not in same]
    mistakes = []
    for span in new:
        other = spans.meeting(span.from_ms, span.to_ms, there, starts)
        if other is not None:
            end = other.to_ms if other.to_ms is not None else span.to_ms
            told = described(HistorySpan(0, service, other.state, other.from_ms, end), zone)
            mistakes.append(
                f"line {span.line}: {service}: expected a span that overlaps nothing known:"
                f" {described(span, zone)} overlaps {told} ({other.reason})"
            )
    return new, mistakes


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
