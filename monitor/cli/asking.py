"""A prober at work outside the agent: once or on a beat, until it is enough or somebody presses Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from probes.outcome import Outcome
from probes.prober import Options, Prober, Remembering
from probes.trace import Trace, traced

if TYPE_CHECKING:
    from rich.text import Text

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_PATIENCE_S = 5.0
"""How long a probe may take to end after its prober was closed."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A probe that was made: when it was sent (milliseconds of UTC), and its log where one was wanted."""

    target: str
    outcome: Outcome
    sent_ms: int
    begun_ns: int
    trace: Trace | None

    @property
    def record(self) -> dict[str, object]:
        """For programs."""
        from monitor.cli.outcome_view import as_record, log_record  # noqa: PLC0415

        record = as_record(self.target, self.outcome, self.sent_ms)
        return record if self.trace is None else record | {"log": log_record(self.trace, self.begun_ns)}

    def log_lines(self) -> Iterator[Text]:
        from monitor.cli.outcome_view import log_lines  # noqa: PLC0415

        return iter(()) if self.trace is None else log_lines(self.trace, self.begun_ns)


@dataclass(frozen=True, slots=True)
class Asker:
    """What is asked, and how."""

    target: str
    prober: type[Prober[Any, Any]]
    parsed: object
    options: Options
    verbose: bool

    async def ask(self, count: int, interval_ms: int, take: Callable[[Asked], None]) -> None:
        """Ask ``count`` times (0: without end), each ``interval_ms`` after the one before began, or when that
        has ended. SIGINT or SIGTERM ends it: a probe under way is broken off and not taken."""
        under_way: set[asyncio.Future[Outcome]] = set()
        with _stop_at_signals() as stop:
            one = self.prober()
            try:
                if isinstance(one, Remembering):
                    one.remember_in(_folder(self.prober))
                await self._ask_on_the_beat(one, count, interval_ms, take, stop, under_way)
            finally:
                await one.close()  # it ends what a probe has begun, such as a call
                if under_way:
                    await asyncio.wait(under_way, timeout=_PATIENCE_S)

    async def _ask_on_the_beat(
        self,
        one: Prober[Any, Any],
        count: int,
        interval_ms: int,
        take: Callable[[Asked], None],
        stop: asyncio.Future[None],
        under_way: set[asyncio.Future[Outcome]],
    ) -> None:
        number, due_ns = 0, time.monotonic_ns()
        while not stop.done():
            begun_ns = time.monotonic_ns()
            with traced() if self.verbose else contextlib.nullcontext() as trace:
                probing = asyncio.ensure_future(one.probe(self.parsed, self.options))
            under_way.add(probing)
            either: tuple[asyncio.Future[Any], ...] = (probing, stop)
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not probing.done():
                return
            under_way.discard(probing)
            take(self._asked(probing.result(), begun_ns, trace))
            number += 1
            if number == count:
                return
            due_ns = max(due_ns + interval_ms * 1_000_000, time.monotonic_ns())
            await asyncio.wait([stop], timeout=(due_ns - time.monotonic_ns()) / 1e9)

    def _asked(self, outcome: Outcome, begun_ns: int, trace: Trace | None) -> Asked:
        ago_ns = time.monotonic_ns() - outcome.sent_ns
        return Asked(self.target, outcome, (time.time_ns() - ago_ns) // 1_000_000, begun_ns, trace)


@contextlib.contextmanager
def _stop_at_signals() -> Iterator[asyncio.Future[None]]:
    """A future that is done after the first signal; the second one does what it always does."""
    loop = asyncio.get_running_loop()
    stop: asyncio.Future[None] = loop.create_future()

    def stopped() -> None:
        release()
        if not stop.done():
            stop.set_result(None)

    def release() -> None:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)

    for number in _SIGNALS:
        loop.add_signal_handler(number, stopped)
    try:
        yield stop
    finally:
        release()


def _folder(prober: type[Prober[Any, Any]]) -> Path:
    """Where a prober keeps what outlives this process: below the state directory of the user who asks."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    folder = Path(state) / "ringback" / prober.schemes[0]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
