"""Writing while no agent runs: for commands, one transaction at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.store import facts, seals
from monitor.store.database import WriterLock, open_for_writing

if TYPE_CHECKING:
    from monitor.store.signing_key import SigningKey

Transaction = Callable[[Callable[[sqlite3.Connection], Any]], Any]


@contextmanager
def writing(path: Path, now_ms: int, key: SigningKey | None = None) -> Iterator[Transaction]:
    """The right to write: call what it gives with a task, and it is committed as a whole, or not at all.

    What a dead agent left open is ended first; at the end what is new is sealed with ``key``. Raises InUse
    while an agent runs, StoreError, and whatever the task raises.
    """
    lock = WriterLock(path)
    try:
        db = open_for_writing(path)
        try:
            _in_transaction(db, lambda db: facts.end_dead_runs(db, now_ms))
            yield lambda task: _in_transaction(db, task)
            while key is not None and _in_transaction(db, partial(seals.seal, key=key, now_ms=now_ms)):
                pass
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
