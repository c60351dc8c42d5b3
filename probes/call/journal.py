"""What must outlive the process: how many calls a destination got within the hour, and which are not over.

One SQLite file for all processes that share the folder. Whose a call is says a lock on one byte of a file beside
it: the lock ends with the process, however that ends, and then the next one takes over what was left open.
"""

from __future__ import annotations

import fcntl
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

HOUR_S = 3_600.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS begun (destination TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS begun_by_destination ON begun (destination, at);
CREATE TABLE IF NOT EXISTS open (call_id TEXT PRIMARY KEY, owner INTEGER NOT NULL, record TEXT NOT NULL) WITHOUT ROWID;
"""
_BUSY_S = 2.0


class JournalFailed(OSError):
    """The journal cannot be read or written: without it there must be no call."""


class Spent(OSError):
    """The calls of this hour are used up. ``wait_s``: seconds until there may be another one."""

    def __init__(self, wait_s: float) -> None:
        super().__init__("calls per hour used up")
        self.wait_s = wait_s


class Journal:
    """Blocking, and of one thread at a time. Raises JournalFailed from every method.

    ``folder`` None: nothing outlives this object. ``now``: seconds of Unix time.
    """

    def __init__(self, folder: Path | None = None, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._owner = secrets.randbits(62)
        self._locks: IO[bytes] | None = None
        if folder is not None:
            self._locks = (folder / "owners").open("ab")
            self._locked(self._owner)
        with _reported():
            name = ":memory:" if folder is None else folder / "calls.sqlite"
            self._base = sqlite3.connect(name, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
            self._use_wal()
            self._base.execute("PRAGMA synchronous = FULL")
            self._base.executescript(_SCHEMA)

    def _use_wal(self) -> None:
        """SQLite does not wait where two processes do this at once, whatever its timeout is."""
        until = time.monotonic() + _BUSY_S
        while True:
            try:
                self._base.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(0.01)

    def begin(self, call_id: str, record: str, destination: str, per_hour: int) -> None:
        """Note that a call is about to be made. Raises Spent where that would be one too many.

        A clock that was set back does not make room: what lies ahead of it counts as begun now.
        """
        now = self._now()
        with self._transaction() as base:
            base.execute("UPDATE begun SET at = ? WHERE at > ?", (now, now))
            base.execute("DELETE FROM begun WHERE at <= ?", (now - HOUR_S,))
        with self._transaction() as base:
            found = base.execute(
                "SELECT at FROM begun WHERE destination = ? ORDER BY at DESC LIMIT ?", (destination, per_hour)
            ).fetchall()
            if len(found) >= per_hour:
                raise Spent(found[-1][0] + HOUR_S - now)
            base.execute("INSERT INTO begun VALUES (?, ?)", (destination, now))
            base.execute("INSERT INTO open VALUES (?, ?, ?)", (call_id, self._owner, record))

    def update(self, call_id: str, record: str) -> None:
        """The call has come further."""
        with self._transaction() as base:
            base.execute("UPDATE open SET record = ? WHERE call_id = ?", (record, call_id))

    def end(self, call_id: str) -> None:
        """The call is over."""
        with self._transaction() as base:
            base.execute("DELETE FROM open WHERE call_id = ?", (call_id,))

    def take_over(self) -> dict[str, str]:
        """The calls that processes left open which are no more, by Call-ID. They are ours now."""
        with self._transaction() as base:
            owners = [owner for (owner,) in base.execute("SELECT DISTINCT owner FROM open")]
            gone = [owner for owner in owners if owner != self._owner and self._is_gone(owner)]
            left: dict[str, str] = {}
            for owner in gone:
                left |= base.execute("SELECT call_id, record FROM open WHERE owner = ?", (owner,)).fetchall()
                base.execute("UPDATE open SET owner = ? WHERE owner = ?", (self._owner, owner))
            return left

    def close(self) -> None:
        """What is still open is left to whoever comes next."""
        self._base.close()
        if self._locks is not None:
            self._locks.close()

    def _is_gone(self, owner: int) -> bool:
        if self._locks is None or not self._locked(owner):
            return False
        fcntl.lockf(self._locks, fcntl.LOCK_UN, 1, owner)
        return True

    def _locked(self, owner: int) -> bool:
        assert self._locks is not None
        try:
            fcntl.lockf(self._locks, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, owner)
        except BlockingIOError:
            return False
        return True

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with _reported():
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield self._base
            except BaseException:
                self._base.execute("ROLLBACK")
                raise
            self._base.execute("COMMIT")


@contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise JournalFailed(f"journal of calls: {error}") from error
