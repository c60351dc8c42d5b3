"""Time-outs counted in attended time.

An answer that reached the socket in time is an answer, however late the loop read it; a late loop is our
fault. While deadlines run, one timer per loop measures how far the loop lags behind. A deadline is put off by
the time in which the loop attended to nothing, and before it is declared the loop polls its sockets a few
turns more, because asyncio runs the timers of a turn before the tasks that the data of the same turn wakes.
A loop that was away for longer than the whole time-out cannot tell a silent target from a missed answer: such
a probe says nothing of the target.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Mapping
from types import TracebackType

from probes.outcome import Outcome, Verdict

TICK_S = 0.02
"""How often the lag is measured, in seconds: a shorter stall may go unseen."""

TOLERANCE_S = 0.005
"""Lag up to this is the usual one (timers are whole milliseconds, other callbacks run) and is not counted."""

_RESOLVER_SHARE = 0.1

LAST_TURNS = 8
"""Turns of the loop between the end of the time and its declaration: enough for socket → parser → task."""

_WATCHES: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Watch] = weakref.WeakKeyDictionary()


class _Watch:
    """Adds up for how long one loop was stalled. Ticks only while somebody looks."""

    __slots__ = ("_due", "_loop", "_stalled", "_ticking", "watchers")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = weakref.proxy(loop)
        self._stalled = 0.0
        self._due = 0.0
        self._ticking = False
        self.watchers = 0

    def start(self) -> None:
        self.watchers += 1
        if not self._ticking:
            self._ticking = True
            self._next()

    def stalled(self, now: float) -> float:
        """Seconds of stall since the beginning, with the one that the next tick will find."""
        if not self._ticking:
            return self._stalled
        return self._stalled + max(0.0, now - self._due - TOLERANCE_S)

    def _tick(self) -> None:
        self._stalled = self.stalled(self._loop.time())
        if self.watchers:
            self._next()
        else:
            self._ticking = False

    def _next(self) -> None:
        self._due = self._loop.time() + TICK_S
        self._loop.call_at(self._due, self._tick)


def _watch(loop: asyncio.AbstractEventLoop) -> _Watch:
    watch = _WATCHES.get(loop)
    if watch is None:
        watch = _WATCHES[loop] = _Watch(loop)
    return watch


class Deadline:
    """Calls ``on_expiry`` once ``timeout_s`` seconds of attended time have passed, unless cancelled before.

    It is put off by the stalls of the loop, but no further than the time-out once more.
    """

    __slots__ = ("_loop", "_on_expiry", "_stalled_before", "_start", "_timer", "_watch", "timeout_s")

    def __init__(self, timeout_s: float, on_expiry: Callable[[], object]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_expiry = on_expiry
        self.timeout_s = timeout_s
        self._watch: _Watch | None = _watch(self._loop)
        self._watch.start()
        self._start = self._loop.time()
        self._stalled_before = self._watch.stalled(self._start)
        self._timer: asyncio.Handle = self._loop.call_at(self._start + timeout_s, self._expire)

    @property
    def stalled_s(self) -> float:
        """Seconds for which the loop was stalled since the deadline began."""
        return _watch(self._loop).stalled(self._loop.time()) - self._stalled_before

    @property
    def unattended(self) -> bool:
        """The loop was away for longer than the whole time-out: silence proves nothing."""
        return self.stalled_s > self.timeout_s

    def cancel(self) -> None:
        """Stop. Harmless when repeated, and after the expiry."""
        self._timer.cancel()
        if self._watch is not None:
            self._watch.watchers -= 1
            self._watch = None

    def _expire(self) -> None:
        due = self._start + self.timeout_s + min(self.stalled_s, self.timeout_s)
        if self._loop.time() < due and not self.unattended:
            self._timer = self._loop.call_at(due, self._expire)
        else:
            self._look_again(LAST_TURNS)

    def _look_again(self, turns: int) -> None:
        if turns:
            self._timer = self._loop.call_soon(self._look_again, turns - 1)
        else:
            self.cancel()
            self._on_expiry()


class Expired(Exception):
    """The block under ``attended`` met its deadline. Not a TimeoutError: the kernel raises those, too."""


class attended:
    """``async with attended(4.0) as deadline:`` cancels the block at its Deadline and raises Expired."""

    __slots__ = ("_block", "_ending", "_timeout_s", "deadline")

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._ending = False

    async def __aenter__(self) -> Deadline:
        self._block = asyncio.timeout(None)
        await self._block.__aenter__()
        self.deadline = Deadline(self._timeout_s, self.end)
        return self.deadline

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.deadline.cancel()
        try:
            await self._block.__aexit__(kind, error, trace)
        except TimeoutError:
            raise Expired from None

    def end(self) -> None:
        """Cancel the block now, as its deadline would."""
        if not self._ending:
            self._ending = True
            self._block.reschedule(0)


def silence(
    deadline: Deadline, sent_ns: int, detail: Mapping[str, object], *, resolve_s: float = 0.0
) -> Outcome:
    """The outcome of a probe whose deadline expired.

    BAD "timeout" if the target had the time to answer; NOT_ASKED where the loop was away, or the resolver used
    up more than a tenth of the time (``resolve_s``), so that a slow target may just have been cut short.
    """
    if deadline.unattended:
        late = {**detail, "loop_stalled_s": round(deadline.stalled_s, 3)}
        return Outcome(Verdict.NOT_ASKED, sent_ns, "loop was late", detail=late)
    if resolve_s > deadline.timeout_s * _RESOLVER_SHARE:
        slow = {**detail, "resolve_s": round(resolve_s, 3)}
        return Outcome(Verdict.NOT_ASKED, sent_ns, "resolver was slow", detail=slow)
    return Outcome(Verdict.BAD, sent_ns, "timeout", detail=detail)
