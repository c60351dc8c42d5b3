"""The journal, kept by a thread of its own: the loop must not wait for a disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from probes.call.journal import Journal
from probes.call.record import NotARecord, Record, read

T = TypeVar("T")


class Book:
    """Made inside a running loop. Every method raises OSError where the journal cannot be written."""

    def __init__(self) -> None:
        self._journal: Journal | None = None
        self._failure: OSError | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="calls")

    def open(self, folder: Path) -> dict[str, Record]:
        """Keep it in this folder from now on; the calls that were left open there, by Call-ID."""
        try:
            self._journal = Journal(folder)
        except OSError as error:
            self._failure = error  # a journal that forgets is no substitute for the one that was wanted
            raise
        left = {}
        for call_id, text in self._journal.take_over().items():
            try:
                left[call_id] = read(text)
            except NotARecord:
                self._journal.end(call_id)
        return left

    async def begin(self, call_id: str, record: Record, destination: str, per_hour: int) -> None:
        """Raises Spent where the call would be one too many."""
        await self._do(lambda journal: journal.begin(call_id, record.write(), destination, per_hour))

    async def update(self, call_id: str, record: Record) -> None:
        await self._do(lambda journal: journal.update(call_id, record.write()))

    async def end(self, call_id: str) -> None:
        await self._do(lambda journal: journal.end(call_id))

    async def close(self) -> None:
        """What was begun is finished first."""
        await asyncio.to_thread(self._thread.shutdown)
        if self._journal is not None:
            self._journal.close()

    async def _do(self, work: Callable[[Journal], T]) -> T:
        if self._failure is not None:
            raise self._failure
        if self._journal is None:
            self._journal = Journal()
        journal = self._journal
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, journal)
