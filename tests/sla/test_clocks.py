"""The clocks of a reported problem, against a walk minute by minute."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sla.clocks import CLOCKS, Clock, ClockName, Course, Handling, clocks
from monitor.sla.hours import WeeklyHours
from monitor.sla.months import local_iso, parse_instant
from monitor.sla.plans import Plan
from tests.sla.brute_force import MINUTE_MS, HandlingClock
from tests.sla.plans import ENTERPRISE, OFFICE, PLANS
from tests.sla.test_hours import HOUR_MS, LUXEMBOURG, near_the_change, weeks, zones


def at(text: str) -> int:
    return parse_instant(text, LUXEMBOURG)


def of_plan(plan: Plan) -> Handling:
    return Handling((plan.mrt_ms, plan.tti_ms, plan.ttr_ms), plan.fault_hours, LUXEMBOURG)


def seen(course: Course, now: str, plan: Plan = ENTERPRISE) -> dict[ClockName, Clock]:
    return {clock.name: clock for clock in clocks(course, of_plan(plan), at(now))}


def test_each_clock_is_running_met_breached_or_breached_and_running() -> None:
    """Enterprise, 07–19 every day: due at 17:00, at 08:00 and at 10:00 of the next day."""
    course = Course(at("2026-10-16T14:00"), acknowledged_ms=at("2026-10-16T16:00"))
    running = seen(course, "2026-10-16T22:00")
    assert [running[name].status for name in CLOCKS] == ["met", "running", "running"]
    assert [running[name].used_ms / HOUR_MS for name in CLOCKS] == [2, 5, 5]
    assert [running[name].left_ms / HOUR_MS for name in CLOCKS] == [1, 1, 3]
    late = seen(course, "2026-10-17T08:30")
    assert [late[name].status for name in CLOCKS] == ["met", "breached and running", "running"]
    assert (late["tti"].left_ms, late["tti"].deadline_ms) == (-HOUR_MS / 2, at("2026-10-17T08:00"))
    over = Course(course.reported_ms, course.acknowledged_ms, at("2026-10-17T09:00"), at("2026-10-17T10:00"))
    assert [seen(over, "2026-12-01")[name].status for name in CLOCKS] == ["met", "breached", "met"]


def test_a_clock_stopped_at_its_deadline_is_met_and_a_millisecond_later_it_is_breached() -> None:
    reported_ms, due_ms = at("2026-10-16T14:00"), at("2026-10-16T17:00")
    for late_ms, status in ((0, "met"), (1, "breached")):
        assert seen(Course(reported_ms, due_ms + late_ms), "2026-12-01")["mrt"].status == status


def test_a_deadline_at_the_end_of_the_hours_is_passed_in_the_night() -> None:
    """Nothing more was used by the evening, but it was due when the hours ended."""
    course = Course(at("2026-10-16T14:00"), at("2026-10-16T19:30"))
    clock = seen(course, "2026-12-01", OFFICE)["mrt"]
    assert (local_iso(clock.deadline_ms or 0, LUXEMBOURG), clock.left_ms) == ("2026-10-16T18:00:00+02:00", 0)
    assert clock.status == "breached"


def test_what_comes_later_stops_the_earlier_clocks() -> None:
    resolved = seen(Course(at("2026-10-16T14:00"), resolved_ms=at("2026-10-16T17:30")), "2026-12-01")
    assert [resolved[name].stopped_ms for name in CLOCKS] == [at("2026-10-16T17:30")] * 3
    assert [resolved[name].status for name in CLOCKS] == ["breached", "met", "met"]


def test_a_clock_of_which_nothing_was_agreed_is_not_there() -> None:
    handling = Handling((None, HOUR_MS, None), None, LUXEMBOURG)
    (clock,) = clocks(Course(0), handling, HOUR_MS)
    assert (clock.name, clock.left_ms, clock.status) == ("tti", 0, "running")


def test_hours_that_never_come_are_never_breached() -> None:
    (clock,) = clocks(Course(0), Handling((HOUR_MS, None, None), WeeklyHours({}), LUXEMBOURG), 1 << 40)
    assert (clock.deadline_ms, clock.used_ms, clock.status) == (None, 0, "running")


lengths = st.integers(0, 3 * 24 * 60)
stops = st.none() | lengths
agreed = st.none() | st.integers(1, 9 * HOUR_MS)
of_plans = st.sampled_from([dict(plan.fault_hours.days) for plan in PLANS if plan.fault_hours is not None])


@given(
    zones,
    near_the_change,
    weeks | of_plans,
    st.sets(st.integers(-2, 4), max_size=3),
    st.tuples(agreed, agreed, agreed),
    st.tuples(stops, stops, stops),
    lengths,
)
def test_the_clocks_are_where_a_walk_minute_by_minute_finds_them(
    zone_and_day: tuple[ZoneInfo, datetime],
    offset_ms: int,
    week: dict[int, tuple[tuple[int, int], ...]],
    off: set[int],
    agreed_ms: tuple[int | None, int | None, int | None],
    after: tuple[int | None, int | None, int | None],
    length: int,
) -> None:
    zone, day = zone_and_day
    reported_ms = int(day.timestamp()) * 1000 + offset_ms
    holidays: set[date] = {day.date() + timedelta(days=number) for number in off}
    first_ms = (reported_ms // MINUTE_MS + 1) * MINUTE_MS
    given_ms = sorted(first_ms + minutes * MINUTE_MS for minutes in after if minutes is not None)
    stages = [None if minutes is None else given_ms.pop(0) for minutes in after]
    now_ms = max(first_ms + length * MINUTE_MS, *(at_ms or 0 for at_ms in stages))
    walk = HandlingClock(week, zone, holidays)
    found = clocks(
        Course(reported_ms, *stages), Handling(agreed_ms, WeeklyHours(week), zone, holidays), now_ms
    )
    assert [clock.name for clock in found] == [
        name for name, agreed in zip(CLOCKS, agreed_ms, strict=True) if agreed is not None
    ]
    for clock in found:
        stopped = [at_ms for at_ms in stages[CLOCKS.index(clock.name) :] if at_ms is not None]
        until_ms = stopped[0] if stopped else now_ms
        due_ms = walk.deadline(reported_ms, clock.agreed_ms)
        used_ms = walk.used(reported_ms, until_ms)
        assert (clock.deadline_ms, clock.used_ms) == (due_ms, used_ms)
        assert clock.left_ms == clock.agreed_ms - used_ms
        words = ("running", "breached and running") if not stopped else ("met", "breached")
        assert clock.status == words[until_ms > due_ms]
        if used_ms != clock.agreed_ms:
            assert clock.breached == (used_ms > clock.agreed_ms)


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.key)
def test_every_plan_has_its_three_clocks(plan: Plan) -> None:
    assert tuple(seen(Course(at("2026-03-27T15:00")), "2026-03-27T15:00", plan)) == CLOCKS
