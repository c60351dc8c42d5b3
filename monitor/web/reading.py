"""Reading the database off the loop: read-only connections in threads, a few at a time."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from monitor.store.database import StoreError, open_for_reading

T = TypeVar("T")
Query = Callable[[sqlite3.Connection, int], T]
"""Called with a connection in a transaction and the instant that is now, in ms of UTC."""

READERS = 2
"""Threads that read at once."""

WAITING = 30
"""Requests that wait for one at most; more are told to come back."""


class Unreadable(Exception):
    """The database cannot be read now; the message says why."""


class Reader:
    """Runs queries on the database as it stands."""

    def __init__(self, database: Path, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._now_ms = now_ms
        self._free = asyncio.Semaphore(READERS)
        self._asked = 0

    async def read(self, query: Query[T]) -> T:
        """What the query finds. Raises Unreadable, and whatever the query itself raises."""
        if self._asked >= READERS + WAITING:
            raise Unreadable("too many requests at once")
        self._asked += 1
        try:
            async with self._free:
                return await asyncio.to_thread(self._run, query)
        finally:
            self._asked -= 1

    def _run(self, query: Query[T]) -> T:
        try:
            with closing(open_for_reading(self._database)) as db:
                db.execute("BEGIN")
                return query(db, self._now_ms())
        except (StoreError, sqlite3.Error) as error:
            raise Unreadable(str(error)) from error
