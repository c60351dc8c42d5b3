"""What Uptime Kuma recorded of a monitor, in its SQLite file (versions 1 and 2)."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from monitor.imports.errors import SourceError
from monitor.imports.seen import Seen
from monitor.sla.months import to_ms

_UP, _PENDING = 1, 2
_STATES = {0: "down", 1: "up", 2: None, 3: None}
"""Of a heartbeat's status. Pending is a failure that is being asked again, maintenance was not asked: neither says
that the service was up or down."""

_LATE_S = 60
"""How much later than its interval a heartbeat may come."""


@dataclass(frozen=True, slots=True)
class _Monitor:
    key: int
    interval_s: int
    retry_s: int

    def holds_ms(self, status: int) -> int:
        """How long a heartbeat says how it is, where no other follows.

        Its time is the one at which it asked, and the interval is waited for after the answer: one that failed
        may have lasted for the time-out, four fifths of the interval.
        """
        late_s = _LATE_S if status == _UP else max(_LATE_S, self.interval_s * 4 // 5)
        return (max(self.interval_s, self.retry_s) + late_s) * 1000


def recorded(file: Path, monitor: str) -> list[Seen]:
    """The heartbeats of the monitor with that name or number. Raises SourceError.

    Where a failure was confirmed after pending heartbeats, it began with the first of these: that is when the
    service was first seen not to answer (SLA.md §3).
    """
    if not file.is_file():
        raise SourceError(f"{file}: expected the file of Uptime Kuma, such as kuma.db")
    try:
        found, rows = _read(file.resolve(), monitor)
    except sqlite3.Error as error:
        raise SourceError(f"{file}: expected the file of Uptime Kuma: {error}") from None
    return _confirmed([(_instant(file, time), _status(file, status)) for time, status in rows], found)


def _read(file: Path, monitor: str) -> tuple[_Monitor, list[tuple[object, object]]]:
    """The monitor, and the times and states of its heartbeats.

    Uptime Kuma's log (WAL) is beside the file while it runs, and after it was killed; what is in it counts. Where
    there is none the file is complete. SQLite would make a log and leave it there, for which the folder must
    be writable, and which Uptime Kuma may then not write: so it is told that nothing changes.
    """
    log = file.with_name(f"{file.name}-wal")
    at_rest = not log.exists()
    address = f"{file.as_uri()}?mode=ro{'&immutable=1' if at_rest else ''}"
    with closing(sqlite3.connect(address, uri=True)) as db:
        found = _monitor(db, file, monitor)
        rows = db.execute(
            "SELECT time, status FROM heartbeat WHERE monitor_id = ? ORDER BY time, id", (found.key,)
        ).fetchall()
    started_meanwhile = at_rest and log.exists()
    return _read(file, monitor) if started_meanwhile else (found, rows)


def _monitor(db: sqlite3.Connection, file: Path, monitor: str) -> _Monitor:
    found = db.execute(
        "SELECT id, name, interval, coalesce(retry_interval, 0) FROM monitor WHERE ? IN (name, CAST(id AS TEXT))",
        (monitor,),
    ).fetchall()
    if len(found) == 1:
        key, _, interval_s, retry_s = found[0]
        return _Monitor(key, int(interval_s), int(retry_s))
    if found:
        told = ", ".join(f"{name} ({key})" for key, name, *_ in found)
        raise SourceError(
            f"{file}: expected one monitor, and {monitor!r} are several: {told}; give its number"
        )
    names = [
        f"{name} ({key})" for key, name in db.execute("SELECT id, name FROM monitor ORDER BY id LIMIT 20")
    ]
    raise SourceError(
        f"{file}: expected one of its monitors, not {monitor!r}: {', '.join(names) or 'it has none'}"
    )


def _instant(file: Path, text: object) -> int:
    try:
        return to_ms(datetime.fromisoformat(str(text)).replace(tzinfo=UTC))
    except ValueError:
        raise SourceError(f"{file}: expected heartbeats with their time in UTC, not {text!r}") from None


def _status(file: Path, status: object) -> int:
    if isinstance(status, int) and status in _STATES:
        return status
    raise SourceError(
        f"{file}: expected heartbeats that are down, up, pending or in maintenance (0 to 3), not {status!r}"
    )


def _confirmed(rows: list[tuple[int, int]], monitor: _Monitor) -> list[Seen]:
    seen: list[Seen] = []
    pending: list[int] = []
    for at_ms, status in rows:
        if status == _PENDING:
            pending.append(at_ms)
            continue
        state = _STATES[status] or "unknown"
        seen += _pending(pending, state if state == "down" else "unknown", monitor)
        pending.clear()
        seen.append(Seen(at_ms, state, monitor.holds_ms(status)))
    # what is pending at the end nobody knows yet: a later import may
    return seen + [Seen(at_ms, "unknown", 0) for at_ms in pending[:1]]


def _pending(instants: list[int], state: str, monitor: _Monitor) -> list[Seen]:
    return [Seen(at_ms, state, monitor.holds_ms(_PENDING)) for at_ms in instants]
