"""The time line of each service, derived: recorded changes, imported spans in their gaps, corrections over both."""

from __future__ import annotations

import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch ``[from_ms, to_ms)`` in one state. ``to_ms`` None: it goes on."""

    from_ms: int
    to_ms: int | None
    state: str
    seen_ms: int | None = None
    reason: str = ""
    source: str = "probe"
    outage: int | None = None


def extend(db: sqlite3.Connection, service: int, changes: Sequence[tuple[int, str, int | None, str]]) -> None:
    """Take changes (at_ms, state, seen_ms, reason) that have just been recorded into a service's time line."""
    if not changes:
        return
    if _reach_back(db, service, [at_ms for at_ms, *_ in changes]):
        rebuild(db, service)
        return
    for at_ms, state, seen_ms, reason in changes:
        last = db.execute(
            "SELECT from_ms, state, outage, source FROM spans WHERE service = ? ORDER BY from_ms DESC LIMIT 1",
            (service,),
        ).fetchone()
        if last is None or at_ms <= last[0] or last[3] != "probe":
            rebuild(db, service)
            return
        from_ms, last_state, outage, _ = last
        if last_state == state:
            continue
        goes_on = state == "unknown" or (state == "down" and last_state == "unknown")
        under_way = _outage(state, at_ms, outage if goes_on else None)
        db.execute("UPDATE spans SET to_ms = ? WHERE service = ? AND from_ms = ?", (at_ms, service, from_ms))
        insert(db, service, [Span(at_ms, None, state, seen_ms, reason, "probe", under_way)])


def _reach_back(db: sqlite3.Connection, service: int, instants: list[int]) -> bool:
    """Whether changes at these instants lie before others, or before the end of what was imported."""
    if any(later <= earlier for earlier, later in pairwise(instants)):
        return True
    since, imported_ms = db.execute(
        "SELECT (SELECT count(*) FROM changes WHERE service = ?1 AND at_ms >= ?2),"
        " (SELECT to_ms FROM imported_spans WHERE service = ?1 ORDER BY from_ms DESC LIMIT 1)",
        (service, instants[0]),
    ).fetchone()
    return since > len(instants) or (imported_ms is not None and imported_ms > instants[0])


def rebuild(db: sqlite3.Connection, service: int) -> None:
    """Derive the whole time line of a service again."""
    db.execute("DELETE FROM spans WHERE service = ?", (service,))
    insert(db, service, derived(db, service))


def derived(db: sqlite3.Connection, service: int) -> list[Span]:
    """The time line of a service: tiled from the first that is known of it on, outages named."""
    return _with_outages(_tiled(_corrected(from_facts(db, service), _corrections(db, service))))


def from_facts(db: sqlite3.Connection, service: int) -> list[Span]:
    """What was recorded and imported of a service, as if nobody had corrected it; outages are not named."""
    changes = db.execute(
        "SELECT at_ms, state, seen_ms, reason FROM changes WHERE service = ? ORDER BY at_ms, key", (service,)
    )
    imported = [
        Span(from_ms, to_ms, state, None, "imported", "import")
        for from_ms, to_ms, state in db.execute(
            "SELECT from_ms, to_ms, state FROM imported_spans WHERE service = ? ORDER BY from_ms", (service,)
        )
    ]
    return _merged(_tiled(_overlaid(_recorded(changes), imported)))


def meeting(from_ms: int, to_ms: int | None, others: Sequence[Span], starts: Sequence[int]) -> Span | None:
    """One of the other spans (in order, without overlaps, beginning at ``starts``) that overlaps ``[from, to)``."""
    before = len(others) if to_ms is None else bisect_left(starts, to_ms)
    if before == 0:
        return None
    last = others[before - 1]
    return last if last.to_ms is None or last.to_ms > from_ms else None


def insert(db: sqlite3.Connection, service: int, spans: Iterable[Span]) -> None:
    db.executemany(
        "INSERT INTO spans (service, from_ms, to_ms, state, seen_ms, reason, source, outage)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(service, s.from_ms, s.to_ms, s.state, s.seen_ms, s.reason, s.source, s.outage) for s in spans],
    )


def _corrections(db: sqlite3.Connection, service: int) -> list[Span]:
    """Those in force, in the order of entry."""
    return [
        Span(from_ms, to_ms, state, None, reason, "correction")
        for from_ms, to_ms, state, reason in db.execute(
            "SELECT from_ms, to_ms, state, reason FROM corrections WHERE service = ?"
            " AND key NOT IN (SELECT correction FROM correction_withdrawals) ORDER BY key",
            (service,),
        )
    ]


def _corrected(line: list[Span], corrections: list[Span]) -> list[Span]:
    """A correction counts in the place of whatever was known of its stretch; of two the later one."""
    holding: list[Span] = []
    for correction in corrections:
        holding = [piece for span in holding for piece in _without(span, [correction], [correction.from_ms])]
        holding.append(correction)
    return _laid_over(line, sorted(holding, key=lambda span: span.from_ms))


def _recorded(changes: Iterable[tuple[int, str, int | None, str]]) -> list[Span]:
    latest = {at_ms: (state, seen_ms, reason) for at_ms, state, seen_ms, reason in changes}
    turns = sorted(latest.items())
    ends = [at_ms for at_ms, _ in turns[1:]]
    return [Span(at_ms, end, *what) for (at_ms, what), end in zip_longest(turns, ends)]


def _overlaid(recorded: list[Span], imported: list[Span]) -> list[Span]:
    """Imported spans count where nothing was recorded; what was recorded as known stands.

    Both lines are in order and without overlaps. An import is checked against what was recorded when it is
    made; an imported span that later records reach back into is left aside.
    """
    known = [span for span in recorded if span.state != "unknown"]
    starts = [span.from_ms for span in known]
    free = [span for span in imported if meeting(span.from_ms, span.to_ms, known, starts) is None]
    return _laid_over(recorded, free)


def _laid_over(line: list[Span], upper: list[Span]) -> list[Span]:
    """The upper spans, and what they leave of the line; both are in order and without overlaps."""
    starts = [span.from_ms for span in upper]
    pieces = [piece for span in line for piece in _without(span, upper, starts)]
    return sorted([*pieces, *upper], key=lambda span: span.from_ms)


def _without(span: Span, holes: list[Span], starts: list[int]) -> Iterator[Span]:
    """What the holes leave of a span."""
    at_ms = span.from_ms
    for index in range(max(bisect_right(starts, at_ms) - 1, 0), len(holes)):
        hole = holes[index]
        if hole.to_ms is None or (span.to_ms is not None and hole.from_ms >= span.to_ms):
            break
        if hole.from_ms > at_ms:
            yield replace(_since(span, at_ms), to_ms=hole.from_ms)
        at_ms = max(at_ms, hole.to_ms)
    if span.to_ms is None or at_ms < span.to_ms:
        yield _since(span, at_ms)


def _since(span: Span, at_ms: int) -> Span:
    """The rest of a span from an instant on; what was seen last before that, nobody says."""
    return span if at_ms == span.from_ms else replace(span, from_ms=at_ms, seen_ms=None)


def _tiled(line: list[Span]) -> list[Span]:
    """What no span covers is unknown."""
    tiles: list[Span] = []
    for span in line:
        if tiles and tiles[-1].to_ms is not None and tiles[-1].to_ms < span.from_ms:
            tiles.append(Span(tiles[-1].to_ms, span.from_ms, "unknown", None, "not covered", span.source))
        tiles.append(span)
    return tiles


def _merged(line: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in line:
        if merged and merged[-1].state == span.state and merged[-1].source == span.source:
            merged[-1] = replace(merged[-1], to_ms=span.to_ms)
        else:
            merged.append(span)
    return merged


def _with_outages(line: list[Span]) -> list[Span]:
    """Name the outage of each stretch of down by its first instant.

    Unknown time does not end an outage that we recorded: nobody saw it end. In an imported history, and of
    corrections, each span is its source's own word, so there only contiguous stretches of down are one outage.
    """
    named: list[Span] = []
    outage: int | None = None
    for span in line:
        previous = named[-1] if named else None
        contiguous = previous is not None and previous.state == "down"
        recorded = previous is not None and previous.source == span.source == "probe"
        if not (span.state == "unknown" and recorded) and not (
            span.state == "down" and (contiguous or recorded)
        ):
            outage = None
        outage = _outage(span.state, span.from_ms, outage)
        named.append(span if outage is None else replace(span, outage=outage))
    return named


def _outage(state: str, from_ms: int, under_way: int | None) -> int | None:
    if state == "down":
        return under_way if under_way is not None else from_ms
    return under_way if state == "unknown" else None
