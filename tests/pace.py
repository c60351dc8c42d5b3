"""How long something takes, told so that no busy machine fails a test.

A limit in seconds lies far beyond the truth, and below what the mistake would take that the test is there for.
What must be near the truth is counted in CPU time of the own thread, which nobody else can use up.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator

from probes.outcome import Outcome, Verdict

SOON_S = 3.0
"""Below every time-out that is the default, and each of the tests that has to be cut short."""


TRIES = 20


@contextlib.contextmanager
def lasting(least_s: float = 0.0, most_s: float = SOON_S) -> Iterator[None]:
    """Fails when what is inside takes less, or as long or longer."""
    began = time.monotonic()
    yield
    took_s = time.monotonic() - began
    assert least_s <= took_s < most_s, f"it took {took_s:.3f} s"


async def longest_turn_s(task: asyncio.Future[object]) -> float:
    """The most CPU time, in seconds, that this thread took between two turns of its loop until the task was done."""
    longest, last = 0.0, time.thread_time()
    while not task.done():
        await asyncio.sleep(0)
        now = time.thread_time()
        longest, last = max(longest, now - last), now
    return longest


def not_good(probe: Callable[[], Outcome]) -> Outcome:
    """The first outcome that is not good, of some tries: a loop that was late itself finds nobody slow."""
    outcomes = (probe() for _ in range(TRIES))
    return next(outcome for outcome in outcomes if outcome.verdict is not Verdict.GOOD)
