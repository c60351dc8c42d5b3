"""Months are computed in a process of its own: the agent's interpreter is for its probes."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pickle
import sqlite3
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from monitor.config.values import ServiceConfig
from monitor.ledger.freezing import Computed, compute
from monitor.sla.months import Month
from monitor.store.database import StoreError, open_for_reading

NICE = 10
"""How far the process stands back where there is no processor for all."""

_LENGTH = 4
"""Bytes before each answer."""

_AHEAD = 16
"""Portions that are computed before they are asked for."""

_ANSWER = 1 << 20
"""Bytes of an answer, at a high estimate: there is room for it, so that the process can go on."""

Services = Sequence[ServiceConfig]

_Question = tuple[int, Month | None]


class Computing:
    """Asks a process what is due; to be used by ``async with``. It ends with the agent, however that ends."""

    def __init__(self, database: Path, now_ms: int, month: Month | None) -> None:
        """``month``: that one alone; None: every month."""
        self._database = database
        self._question: _Question = now_ms, month
        self._process: Process | None = None

    async def __aenter__(self) -> Computing:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "monitor.ledger.computing", str(self._database)),
            stdin=PIPE,
            stdout=PIPE,
            limit=_AHEAD * _ANSWER,
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
            length = int.from_bytes(await stdout.readexactly(_LENGTH), "big")
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


def _answer_all(database: Path) -> None:
    """The process: answers until nobody asks any more. An error is its last answer."""
    with contextlib.suppress(OSError):
        os.nice(NICE)
    # sys.stdout may be unbuffered (PYTHONUNBUFFERED), and then it drops the rest of a write that a stop cut in two
    with open(1, "wb", closefd=False) as answers:
        with contextlib.suppress(OSError):
            fcntl.fcntl(answers, fcntl.F_SETPIPE_SZ, _ANSWER)
        try:
            with closing(open_for_reading(database)) as db:
                for now_ms, month, services in _questions():
                    db.execute("BEGIN")  # each time as the database is then
                    _tell(answers, compute(db, services, now_ms, month))
                    db.execute("ROLLBACK")
        except (StoreError, sqlite3.Error) as error:
            _tell(answers, str(error))


def _questions() -> Iterator[tuple[int, Month | None, Services]]:
    with contextlib.suppress(EOFError):
        while True:
            yield pickle.load(sys.stdin.buffer)  # noqa: S301 - from the agent


def _tell(answers: BinaryIO, answer: Computed | str) -> None:
    pickled = pickle.dumps(answer)
    answers.write(len(pickled).to_bytes(_LENGTH, "big") + pickled)
    answers.flush()


if __name__ == "__main__":
    _answer_all(Path(sys.argv[1]))
