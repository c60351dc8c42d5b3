"""Writing while no agent runs: for commands, one transaction at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from monitor.store import facts
from monitor.store.database import WriterLock, open_for_writing

Transaction = Callable[[Callable[[sqlite3.Connection], Any]], Any]


@contextmanager
def writing(path: Path, now_ms: int) -> Iterator[Transaction]:
    """The right to write: call what it gives with a task, and it is committed as a whole, or not at all.

    What a dead agent left open is ended first. Raises InUse while an agent runs, StoreError, and whatever
    the task raises.
    """
    lock = WriterLock(path)
    try:
        db = open_for_writing(path)
        try:
            _in_transaction(db, lambda db: facts.end_dead_runs(db, now_ms))
            yield lambda task: _in_transaction(db, task)
        finally:
            db.close()
    finally:
        lock.release()


def _in_transaction(db: sqlite3.Connection, task: Callable[[sqlite3.Connection], Any]) -> Any:
    db.execute("BEGIN IMMEDIATE")
    try:
        result = task(db)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return result
