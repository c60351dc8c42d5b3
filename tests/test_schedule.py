"""When checks run: spread over their interval, never early by more than a slot, never forgotten."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from itertools import pairwise

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from hypothesis import given
from hypothesis import strategies as st

from monitor.schedule import SLOT_MS, Schedule, Scheduled, Wheel


def started(_: int) -> None:
    """A check that comes back at once."""


def turn_until(
    wheel: Wheel, from_ms: int, to_ms: int, every_ms: int = SLOT_MS
) -> list[tuple[int, Scheduled]]:
    runs = []
    for now_ms in range(from_ms, to_ms, every_ms):
        runs += [(now_ms, one) for one, _ in wheel.turn(now_ms)]
    return runs


def test_checks_of_one_interval_are_spread_over_it_evenly():
    wheel = Wheel()
    for _ in range(1_000):
        wheel.place(Scheduled(10_000, started), 0, 1_000)
    turn_until(wheel, 0, 10_000)
    runs = turn_until(wheel, 10_000, 20_000)
    assert len(runs) == 1_000
    assert max(Counter(now_ms for now_ms, _ in runs).values()) <= 13, "ten a slot would be perfect"


def test_a_few_checks_are_all_seen_within_the_first_second():
    wheel = Wheel()
    for _ in range(5):
        wheel.place(Scheduled(30_000, started), 0, 5)
    assert len({one for _, one in turn_until(wheel, 0, 1_000)}) == 5


@given(st.integers(200, 60_000), st.integers(0, 10**9))
def test_every_check_runs_once_an_interval_within_a_slot(interval_ms, now_ms):
    wheel = Wheel()
    check = Scheduled(interval_ms, started)
    wheel.turn(now_ms)
    wheel.place(check, now_ms, 1)
    first_ms = turn_until(wheel, now_ms, now_ms + interval_ms + SLOT_MS)[-1][0]
    runs = [at for at, _ in turn_until(wheel, first_ms + SLOT_MS, first_ms + 6 * interval_ms + 2 * SLOT_MS)]
    gaps = [b - a for a, b in pairwise(runs)]
    assert all(abs(gap - interval_ms) <= SLOT_MS for gap in gaps)


def test_a_hastened_check_runs_when_asked_and_then_returns_to_its_own_turns():
    wheel = Wheel()
    check = Scheduled(10_000, started)
    wheel.turn(0)
    wheel.place(check, 0, 1)
    turn_until(wheel, SLOT_MS, 1_000)
    wheel.hasten(check, 3_000)
    assert [at for at, _ in turn_until(wheel, 1_000, 9_900)] == [3_000]
    assert [at for at, _ in turn_until(wheel, 9_900, 25_000)] == [10_000, 20_000]


def test_hastening_never_delays():
    wheel = Wheel()
    check = Scheduled(1_000, started)
    wheel.turn(0)
    wheel.place(check, 0, 1)
    due_ms = check.due_ms
    wheel.hasten(check, due_ms + 5_000)
    assert check.due_ms == due_ms


def test_after_a_stall_what_was_due_runs_once_and_says_since_when():
    wheel = Wheel()
    check = Scheduled(1_000, started)
    wheel.turn(0)
    wheel.place(check, 0, 1)
    turn_until(wheel, SLOT_MS, 500)
    ((late, due_ms),) = wheel.turn(7_300)
    assert (late, due_ms) == (check, 1_000)
    assert check.overdue(7_300 - due_ms)
    assert not check.overdue(400)


def test_a_removed_check_runs_no_more():
    wheel = Wheel()
    check = Scheduled(1_000, started)
    wheel.place(check, 0, 1)
    wheel.remove(check)
    assert turn_until(wheel, 0, 5_000) == []


def test_the_jobs_turn_the_wheel_on_real_time_and_measure_their_lateness():
    async def scenario() -> tuple[list[int], list[float]]:
        late: list[float] = []
        runs: list[int] = []
        scheduler = AsyncIOScheduler(timezone="UTC")
        schedule = Schedule(scheduler, late.append)
        schedule.wheel.place(Scheduled(200, runs.append), time.monotonic_ns() // 1_000_000, 1)
        schedule.begin()
        scheduler.start()
        deadline = time.monotonic() + 10
        while len(runs) < 5 and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        schedule.pause()
        scheduler.shutdown(wait=False)
        return runs, late

    runs, late = asyncio.run(scenario())
    assert len(runs) >= 5
    assert len(late) == len(runs)
