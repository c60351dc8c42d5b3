"""What is known of services in a window of time, read from the derived time lines."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import TypeVar

T = TypeVar("T")

FRESH_MS = 15_000
"""A run whose heartbeat is older than this is dead: three heartbeats were missed."""

_TOUCHING = """
    FROM spans INDEXED BY spans_not_up WHERE service = ?1 AND state <> 'up' AND from_ms < ?3
    AND from_ms >= coalesce((SELECT from_ms FROM spans INDEXED BY spans_not_up WHERE service = ?1
        AND state <> 'up' AND from_ms < ?2 ORDER BY from_ms DESC LIMIT 1), ?2)"""
"""Of the spans that began before the window only the last one can reach into it."""

_DOWN = f"SELECT from_ms, to_ms, outage {_TOUCHING} AND state = 'down' ORDER BY from_ms"
_NOT_UP = f"SELECT from_ms, to_ms, CASE state WHEN 'down' THEN outage END {_TOUCHING} ORDER BY from_ms"
_DOUBTFUL = f"SELECT from_ms, to_ms, state {_TOUCHING} AND state <> 'down' ORDER BY from_ms"
_PIECES = """
    SELECT from_ms, to_ms, state, seen_ms, reason, source, outage FROM spans
    WHERE service = ? AND from_ms >= ? ORDER BY from_ms"""
_ENDS = """
    SELECT (SELECT from_ms FROM spans WHERE service = ?1 ORDER BY from_ms LIMIT 1), from_ms, to_ms, state
    FROM spans WHERE service = ?1 ORDER BY from_ms DESC LIMIT 1"""

_WORD = itemgetter(2)

Stretch = tuple[int, int, T]
"""From, to, and a word on it. A plain tuple: a month has half a million of them."""

_Piece = tuple[int, int | None, str, int | None, str, str, int | None]
"""A span as ``_PIECES`` reads it."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """A service in ``[from_ms, to_ms)``: what was not up, in order. The rest of the window was up.

    Stretches may begin before the window and end after it.
    """

    from_ms: int
    to_ms: int
    down: list[Stretch[int]]
    """Each with the first instant of its outage."""
    degraded: list[tuple[int, int]]
    unknown: list[tuple[int, int]]
    blips: int
    """Those that began in the window."""


@dataclass(frozen=True, slots=True)
class Outage:
    """An outage with its four instants; those that nobody saw are None."""

    last_good_ms: int | None
    first_bad_ms: int
    last_bad_ms: int | None
    first_good_ms: int | None
    """None: it is open, or nobody saw its end yet."""
    down_ms: int
    """The time that counts: that in which it was known to be down."""
    reason: str
    source: str
    """``probe``, ``import`` or ``correction``: of its beginning."""

    @property
    def open(self) -> bool:
        return self.first_good_ms is None

    @property
    def least_ms(self) -> int | None:
        """From the first bad answer to the last one: so long it was down at least, as far as it was watched."""
        return None if self.last_bad_ms is None else self.last_bad_ms - self.first_bad_ms

    @property
    def most_ms(self) -> int | None:
        """From the last good answer before to the first one after."""
        if self.last_good_ms is None or self.first_good_ms is None:
            return None
        return self.first_good_ms - self.last_good_ms


@dataclass(frozen=True, slots=True)
class LastRun:
    """The agent's latest life."""

    vantage: str
    version: str
    started_ms: int
    heartbeat_ms: int
    stopped_ms: int | None


class Timelines:
    """Reads time lines as they stand at ``now_ms``; one transaction of the connection, please.

    An open span reaches to now while the agent is alive. Of a dead agent it reaches to the last heartbeat,
    or to the first answer that no state accounts for, and what follows is unknown.
    """

    def __init__(self, db: sqlite3.Connection, now_ms: int) -> None:
        self._db = db
        self.now_ms = now_ms
        self.last_run = last_run(db)
        self.alive = is_alive(self.last_run, now_ms)
        self._keys: dict[str, int | None] = {}
        self._known: dict[str, tuple[int, int]] = {}

    def timeline(self, service: str, from_ms: int, to_ms: int) -> Timeline:
        """The service in ``[from_ms, to_ms)``; nothing after now is known."""
        begin_ms, end_ms = self.known(service)
        if begin_ms >= to_ms or end_ms <= from_ms:
            return Timeline(from_ms, to_ms, [], [], [(from_ms, to_ms)], 0)
        window = (self._key(service), from_ms, to_ms)
        not_up = self._db.execute(_NOT_UP, window).fetchall()
        doubtful = []
        if None in map(_WORD, not_up):  # for most services the one query tells all
            not_up = [row for row in not_up if row[2] is not None]
            doubtful = _ended(self._db.execute(_DOUBTFUL, window).fetchall(), from_ms, end_ms)
        down = _ended(not_up, from_ms, end_ms)
        unknown = [(start, end) for start, end, state in doubtful if state == "unknown"]
        degraded = [(start, end) for start, end, state in doubtful if state == "degraded"]
        if begin_ms > from_ms:
            unknown.insert(0, (from_ms, begin_ms))
        if end_ms < to_ms:
            unknown.append((end_ms, to_ms))
        return Timeline(from_ms, to_ms, down, degraded, unknown, self._blips(window))

    def known(self, service: str) -> tuple[int, int]:
        """From the first fact of a service to where its time line ends as of now; empty without facts."""
        known = self._known.get(service)
        if known is None:
            known = self._known[service] = self._ends(self._key(service))
        return known

    def _ends(self, key: int | None) -> tuple[int, int]:
        ends = self._db.execute(_ENDS, (key,)).fetchone()
        if ends is None:
            return 0, 0
        begin_ms, from_ms, to_ms, state = ends
        if to_ms is None:
            to_ms = self.now_ms if state == "unknown" else max(from_ms, self._horizon(key))
        return begin_ms, min(to_ms, self.now_ms)

    def outages(self, service: str, from_ms: int, to_ms: int) -> list[Outage]:
        """The outages that touch the window, whole, in order."""
        key = self._key(service)
        if key is None:
            return []
        end_ms = self.known(service)[1]
        rows = self._db.execute(_DOWN, (key, from_ms, to_ms)).fetchall()
        names = sorted({outage for _, _, outage in _ended(rows, from_ms, end_ms)})
        pieces = self._db.execute(_PIECES, (key, names[0])) if names else iter(())
        piece, found = next(pieces, None), []
        for name in names:
            while piece is not None and piece[6] != name:
                piece = next(pieces, None)
            own: list[_Piece] = []
            while piece is not None and piece[6] == name:
                own.append(piece)
                piece = next(pieces, None)
            found.append(_outage(name, own, piece, end_ms))
        return found

    def state(self, service: str) -> tuple[str, int | None, str]:
        """The state of a service now, since when, and why."""
        key = self._key(service)
        row = self._db.execute(
            "SELECT from_ms, to_ms, state, reason FROM spans WHERE service = ? ORDER BY from_ms DESC LIMIT 1",
            (key,),
        ).fetchone()
        if row is None:
            return "unknown", None, "never watched"
        from_ms, to_ms, state, reason = row
        end_ms = self.known(service)[1]
        if end_ms < self.now_ms:
            return "unknown", end_ms, "agent not running" if to_ms is None else "not covered"
        return state, from_ms, reason

    def _key(self, service: str) -> int | None:
        """None: nothing was ever written of it."""
        if service not in self._keys:
            row = self._db.execute("SELECT key FROM services WHERE id = ?", (service,)).fetchone()
            self._keys[service] = None if row is None else row[0]
        return self._keys[service]

    def _horizon(self, key: int | None) -> int:
        """Where an open span ends as of now."""
        if self.alive or self.last_run is None:
            return self.now_ms
        covered_ms = self.last_run.heartbeat_ms
        return min(covered_ms, self._pending.get(key, covered_ms)) if key is not None else covered_ms

    @cached_property
    def _pending(self) -> dict[int, int]:
        """Since when each service has answers that no state accounts for."""
        rows = self._db.execute(
            'SELECT service, min(since_ms) FROM pending CROSS JOIN checks ON checks.key = "check" GROUP BY service'
        )
        return dict(rows.fetchall())

    def _blips(self, window: tuple[int | None, int, int]) -> int:
        (count,) = self._db.execute(
            "SELECT count(*) FROM blips WHERE service = ? AND first_bad_ms >= ? AND first_bad_ms < ?", window
        ).fetchone()
        return int(count)


def _outage(first_bad_ms: int, pieces: list[_Piece], following: _Piece | None, end_ms: int) -> Outage:
    """An outage of its spans and the one that ends it."""
    last_good_ms, reason, source = pieces[0][3:6]
    last = pieces[-1]
    down_ms = sum(
        max(0, (end_ms if to_ms is None else min(to_ms, end_ms)) - from_ms)
        for from_ms, to_ms, state, *_ in pieces
        if state == "down"
    )
    last_bad_ms, first_good_ms = None, None
    if last[5] != "probe":
        first_good_ms = last[1]  # its source's word, whatever follows
    elif following is not None and following[2] != "unknown":
        first_good_ms, last_bad_ms = following[0], following[3]
    return Outage(last_good_ms, first_bad_ms, last_bad_ms, first_good_ms, down_ms, reason, source)


def _ended(rows: list[Stretch[T]], from_ms: int, end_ms: int) -> list[Stretch[T]]:
    """Rows in order, without those that end before the window; the one that goes on ends at ``end_ms``."""
    if rows and rows[-1][1] is None:
        start, _, word = rows[-1]
        rows[-1] = (start, end_ms, word)
        if start >= end_ms:
            del rows[-1]
    if rows and rows[0][1] <= from_ms:
        del rows[0]
    return rows


def last_run(db: sqlite3.Connection) -> LastRun | None:
    """The agent's latest life; None before the first."""
    row = db.execute(
        "SELECT vantage, version, started_ms, heartbeat_ms, stopped_ms FROM runs ORDER BY key DESC LIMIT 1"
    ).fetchone()
    return None if row is None else LastRun(*row)


def is_alive(run: LastRun | None, now_ms: int) -> bool:
    """Whether the run has not stopped and its heartbeat is fresh."""
    return run is not None and run.stopped_ms is None and now_ms - run.heartbeat_ms <= FRESH_MS
