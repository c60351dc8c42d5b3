"""Months are computed in a process of its own (monitor.ledger.answering): the agent's interpreter is for its probes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from monitor.ledger.answering import ANSWER, LENGTH, Services
from monitor.ledger.freezing import Computed
from monitor.sla.months import Month
from monitor.store.database import StoreError

_AHEAD = 16
"""Portions that are computed before they are asked for."""


class Computing:
    """Asks a process what is due; to be used by ``async with``. It ends with the agent, however that ends."""

    def __init__(self, database: Path, now_ms: int, month: Month | None) -> None:
        """``month``: that one alone; None: every month."""
        self._database = database
        self._question = now_ms, month
        self._process: Process | None = None

    async def __aenter__(self) -> Computing:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "monitor.ledger.answering", str(self._database)),
            stdin=PIPE,
            stdout=PIPE,
            limit=_AHEAD * ANSWER,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            start_new_session=True,  # Ctrl-C is for the agent
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._running()
        with contextlib.suppress(ProcessLookupError):
            process.kill()  # it only reads
        await process.communicate()  # closes its pipes, too

    async def due(self, portions: Iterable[Services]) -> AsyncIterator[tuple[Services, Computed]]:
        """For each portion of services the months that are due, ready to be frozen. Raises StoreError.

        The next ones are computed while one is used.
        """
        asked: deque[Services] = deque()
        for services in portions:
            self._ask(services)
            asked.append(services)
            await asyncio.sleep(0)  # probes first
            if len(asked) > _AHEAD:
                yield asked.popleft(), await self._answer()
        while asked:
            yield asked.popleft(), await self._answer()

    def _ask(self, services: Services) -> None:
        """Without waiting until it is read: the process may be writing its answer to the one before."""
        stdin = self._running().stdin
        assert stdin is not None
        stdin.write(pickle.dumps((*self._question, [replace(one, checks=()) for one in services])))

    async def _answer(self) -> Computed:
        stdout = self._running().stdout
        assert stdout is not None
        try:
            length = int.from_bytes(await stdout.readexactly(LENGTH), "big")
            answer = pickle.loads(await stdout.readexactly(length))  # noqa: S301 - our own process
        except (OSError, EOFError) as error:
            raise StoreError("the process that computes months has ended; see what it wrote") from error
        if isinstance(answer, str):
            raise StoreError(answer)
        assert isinstance(answer, Computed)
        return answer

    def _running(self) -> Process:
        assert self._process is not None, "to be used by async with"
        return self._process
