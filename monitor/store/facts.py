"""Writing what the agent saw. Every function works inside its caller's transaction on the writing connection."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from monitor.store import spans
from monitor.track.states import CheckChange
from monitor.track.tracker import Statement


@dataclass(frozen=True, slots=True)
class Run:
    """One life of the agent. Its instants are ``started_ms`` plus monotonic time (see monitor.timeline)."""

    key: int
    uid: str


class Keys:
    """The integer keys of services and checks, made as they are met."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._services: dict[str, int] = {}
        self._checks: dict[tuple[str, str], int] = {}

    def service(self, service: str) -> int:
        key = self._services.get(service)
        if key is None:
            key = self._services[service] = service_key(self._db, service)
        return key

    def check(self, service: str, check: str) -> int:
        key = self._checks.get((service, check))
        if key is None:
            owner = self.service(service)
            self._db.execute("INSERT OR IGNORE INTO checks (service, name) VALUES (?, ?)", (owner, check))
            (key,) = self._db.execute(
                "SELECT key FROM checks WHERE service = ? AND name = ?", (owner, check)
            ).fetchone()
            self._checks[(service, check)] = key
        return key

    def forget(self) -> None:
        """After a rollback: what was made in the transaction is gone."""
        self._services.clear()
        self._checks.clear()


def service_key(db: sqlite3.Connection, service: str) -> int:
    """The key of a service, made if it is new."""
    db.execute("INSERT OR IGNORE INTO services (id) VALUES (?)", (service,))
    (key,) = db.execute("SELECT key FROM services WHERE id = ?", (service,)).fetchone()
    return int(key)


def begin_run(db: sqlite3.Connection, vantage: str, version: str, started_ms: int) -> Run:
    """A new life of the agent; call end_dead_runs first."""
    uid = str(uuid.uuid4())
    cursor = db.execute(
        "INSERT INTO runs (uid, vantage, version, started_ms, heartbeat_ms) VALUES (?, ?, ?, ?, ?)",
        (uid, vantage, version, started_ms, started_ms),
    )
    return Run(int(cursor.lastrowid or 0), uid)


def end_dead_runs(db: sqlite3.Connection, now_ms: int) -> None:
    """Say of every service still held in a known state that it is unknown since its last run's coverage ended.

    Where answers were pending when the run died, unknown since the first of them.
    """
    open_spans = db.execute(
        "SELECT service, (SELECT max(at_ms) FROM changes WHERE changes.service = spans.service)"
        " FROM spans WHERE to_ms IS NULL AND state <> 'unknown'"
    ).fetchall()
    last = db.execute("SELECT key, heartbeat_ms, stopped_ms FROM runs ORDER BY key DESC LIMIT 1").fetchone()
    if last is not None:
        run, covered_ms, stopped_ms = last
        reason = "agent not running" if stopped_ms is None else "agent stopped"
        for service, changed_ms in open_spans:
            (since_ms,) = db.execute(
                'SELECT min(since_ms) FROM pending JOIN checks ON checks.key = pending."check" WHERE service = ?',
                (service,),
            ).fetchone()
            at_ms = max(changed_ms, min(covered_ms, since_ms or covered_ms))
            change = (at_ms, "unknown", at_ms, reason)
            db.execute(
                "INSERT INTO changes (run, service, at_ms, state, seen_ms, reason, recorded_ms)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (run, service, *change, now_ms),
            )
            spans.extend(db, service, [change])
    db.execute("DELETE FROM pending")


def covered_to(db: sqlite3.Connection) -> int | None:
    """The latest instant that any run covers; None before the first run."""
    (latest,) = db.execute("SELECT max(heartbeat_ms) FROM runs").fetchone()
    return int(latest) if latest is not None else None


def open_outages(db: sqlite3.Connection) -> dict[str, int]:
    """The first bad instant of each outage that nobody has seen end, by service."""
    rows = db.execute(
        "SELECT services.id, outage FROM spans JOIN services ON services.key = spans.service"
        " WHERE to_ms IS NULL AND outage IS NOT NULL"
    )
    return dict(rows.fetchall())


def remembered_states(db: sqlite3.Connection) -> dict[tuple[str, str], str]:
    """The last known state (never unknown) of each check, by (service, check)."""
    rows = db.execute(
        'SELECT services.id, checks.name, (SELECT state FROM check_changes WHERE "check" = checks.key'
        " AND state <> 'unknown' ORDER BY at_ms DESC, key DESC LIMIT 1)"
        " FROM checks JOIN services ON services.key = checks.service"
    )
    return {(service, check): state for service, check, state in rows if state is not None}


def beat(db: sqlite3.Connection, run: Run, covered_ms: int) -> None:
    """Coverage of the run reaches to ``covered_ms``."""
    db.execute("UPDATE runs SET heartbeat_ms = max(heartbeat_ms, ?) WHERE key = ?", (covered_ms, run.key))


def stop_run(db: sqlite3.Connection, run: Run, stopped_ms: int) -> None:
    """The run ended in order; whatever was in flight was not asked."""
    db.execute(
        "UPDATE runs SET heartbeat_ms = max(heartbeat_ms, ?), stopped_ms = ? WHERE key = ?",
        (stopped_ms, stopped_ms, run.key),
    )


def record_clock_step(db: sqlite3.Connection, run: Run | None, at_ms: int, step_ms: int) -> None:
    """The host's clock jumped by ``step_ms`` at ``at_ms``."""
    if run is not None:
        db.execute(
            "INSERT INTO clock_steps (run, at_ms, step_ms) VALUES (?, ?, ?)", (run.key, at_ms, step_ms)
        )


def record(db: sqlite3.Connection, run: Run, keys: Keys, statement: Statement, now_ms: int) -> None:
    """Write what became known of one check and its service."""
    service = keys.service(statement.service)
    check = keys.check(statement.service, statement.check) if statement.check is not None else None
    for turn in statement.service_changes:
        db.execute(
            'INSERT INTO changes (run, service, at_ms, state, seen_ms, "check", reason, recorded_ms)'
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (run.key, service, turn.at_ms, turn.state.word, turn.seen_ms, check, turn.reason, now_ms),
        )
    spans.extend(
        db, service, [(t.at_ms, t.state.word, t.seen_ms, t.reason) for t in statement.service_changes]
    )
    if check is not None:
        _record_check(db, run, service, check, statement, now_ms)
    else:  # the service is watched anew, or no more: what its checks had pending is void
        db.execute(
            'DELETE FROM pending WHERE "check" IN (SELECT key FROM checks WHERE service = ?)', (service,)
        )


def _record_check(
    db: sqlite3.Connection, run: Run, service: int, check: int, statement: Statement, now_ms: int
) -> None:
    for change in statement.check_changes:
        _record_check_change(db, run, check, change, now_ms)
    if (blip := statement.blip) is not None:
        db.execute(
            'INSERT INTO blips (run, service, "check", last_good_ms, first_bad_ms, last_bad_ms, first_good_ms, reason)'
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (run.key, service, check, *dataclasses.astuple(blip)),
        )
    if statement.pending_ms is None:
        db.execute('DELETE FROM pending WHERE "check" = ?', (check,))
    else:
        db.execute(
            'INSERT OR REPLACE INTO pending ("check", since_ms) VALUES (?, ?)', (check, statement.pending_ms)
        )


def _record_check_change(
    db: sqlite3.Connection, run: Run, check: int, change: CheckChange, now_ms: int
) -> None:
    cursor = db.execute(
        'INSERT INTO check_changes (run, "check", at_ms, state, seen_ms, reason, recorded_ms)'
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (run.key, check, change.at_ms, change.state.word, change.seen_ms, change.reason, now_ms),
    )
    db.executemany(
        "INSERT INTO evidence (check_change, sent_ms, verdict, reason, round_trip_us, detail)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        _evidence(int(cursor.lastrowid or 0), change),
    )


def _evidence(check_change: int, change: CheckChange) -> Iterable[tuple[object, ...]]:
    for seen in change.evidence:
        outcome = seen.outcome
        round_trip = outcome.round_trip_s
        yield (
            check_change,
            seen.at_ms,
            outcome.verdict.word,
            outcome.reason,
            None if round_trip is None else round(round_trip * 1e6),
            json.dumps(dict(outcome.detail), ensure_ascii=False) if outcome.detail else None,
        )
