"""Clocks that run in handling hours only, in local time, against a walk minute by minute."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sla.hours import Deadlines, WeeklyHours, deadline, deadlines, used
from monitor.sla.months import local_iso, parse_instant
from monitor.sla.plans import Plan
from tests.sla.brute_force import HandlingClock
from tests.sla.plans import ADVANCED, BASIC, ENTERPRISE, MON_FRI, MON_SUN, OFFICE, RETAIL, STANDARD, weekly

HOUR_MS = 3_600_000
MINUTE_MS = 60_000
LUXEMBOURG = ZoneInfo("Europe/Luxembourg")
WORKDAYS = weekly(MON_FRI, "08:00", "18:00")
ALWAYS = weekly(MON_SUN, "00:00", "24:00")


def due(
    reported: str, budget_h: float, hours: WeeklyHours = WORKDAYS, holidays: tuple[date, ...] = ()
) -> str:
    at_ms = deadline(
        parse_instant(reported, LUXEMBOURG), int(budget_h * HOUR_MS), hours, LUXEMBOURG, holidays
    )
    return local_iso(at_ms, LUXEMBOURG)


def test_eight_hours_of_handling_spread_over_days() -> None:
    """The source's example: 8 h are no 8 hours of the calendar. 2026-10-16 is a Friday."""
    assert due("2026-10-16T16:00:00", 8) == "2026-10-19T14:00:00+02:00"


def test_a_report_outside_the_hours_starts_the_clock_when_they_open() -> None:
    assert due("2026-10-17T03:00:00", 4) == "2026-10-19T12:00:00+02:00"
    assert due("2026-10-16T18:00:00", 4) == "2026-10-19T12:00:00+02:00"
    assert due("2026-10-16T07:59:59.999", 4) == "2026-10-16T12:00:00+02:00"


def test_a_deadline_at_the_very_end_of_a_window_stays_there() -> None:
    assert due("2026-10-16T16:00:00", 2) == "2026-10-16T18:00:00+02:00"
    assert due("2026-10-16T08:00:00", 10) == "2026-10-16T18:00:00+02:00"


def test_a_window_has_its_real_length_when_clocks_change() -> None:
    assert due("2026-03-29T00:00:00", 23, ALWAYS) == "2026-03-30T00:00:00+02:00"
    assert due("2026-10-25T00:00:00", 25, ALWAYS) == "2026-10-26T00:00:00+01:00"
    night = weekly(MON_SUN, "01:00", "04:00")
    assert due("2026-03-29T00:00:00", 2, night) == "2026-03-29T04:00:00+02:00"
    assert due("2026-10-25T00:00:00", 4, night) == "2026-10-25T04:00:00+01:00"


def test_a_window_that_the_clocks_skip_is_not_there() -> None:
    skipped = weekly(MON_SUN, "02:00", "03:00")
    assert due("2026-03-29T00:00:00", 1, skipped) == "2026-03-30T03:00:00+02:00"


def test_public_holidays_are_no_handling_days_but_around_the_clock() -> None:
    national_day = (date(2026, 6, 23),)
    assert due("2026-06-22T17:00:00", 2, holidays=national_day) == "2026-06-24T09:00:00+02:00"
    retail = weekly(MON_SUN, "08:00", "18:00")
    assert due("2026-06-22T17:00:00", 2, retail, national_day) == "2026-06-24T09:00:00+02:00"
    assert due("2026-06-22T23:00:00", 2, ALWAYS, national_day) == "2026-06-23T01:00:00+02:00"


def test_several_windows_a_day_add_up() -> None:
    split = WeeklyHours(dict.fromkeys(MON_FRI, ((480, 720), (780, 1080))))
    assert due("2026-10-16T11:00:00", 2, split) == "2026-10-16T14:00:00+02:00"


@pytest.mark.parametrize("hours", [WeeklyHours({}), WeeklyHours({0: ()})])
def test_hours_that_never_come_are_refused(hours: WeeklyHours) -> None:
    with pytest.raises(ValueError, match="never come"):
        due("2026-10-16T11:00:00", 1, hours)


def test_hours_that_holidays_use_up_are_refused() -> None:
    first = date(2026, 10, 12)
    mondays = tuple(first + timedelta(weeks=week) for week in range(600))
    with pytest.raises(ValueError, match="never come"):
        due("2026-10-16T11:00:00", 1, weekly(range(1), "08:00", "18:00"), mondays)


def test_a_deadline_past_the_last_year_is_refused_as_one_that_never_comes() -> None:
    assert due("9998-12-31T10:00:00", 2) == "9998-12-31T12:00:00+01:00"
    with pytest.raises(ValueError, match="never come"):
        due("9998-12-31T10:00:00", 24)


@pytest.mark.parametrize(
    ("plan", "mrt", "tti", "ttr"),
    [
        (BASIC, "2026-10-27T13:00:00+01:00", "2026-11-05T12:00:00+01:00", "2026-11-05T12:00:00+01:00"),
        (STANDARD, "2026-10-19T17:00:00+02:00", "2026-10-21T11:00:00+02:00", "2026-10-21T11:00:00+02:00"),
        (OFFICE, "2026-10-16T18:00:00+02:00", "2026-10-19T12:00:00+02:00", "2026-10-19T14:00:00+02:00"),
        (RETAIL, "2026-10-16T18:00:00+02:00", "2026-10-17T12:00:00+02:00", "2026-10-17T14:00:00+02:00"),
        (ENTERPRISE, "2026-10-16T17:00:00+02:00", "2026-10-17T08:00:00+02:00", "2026-10-17T10:00:00+02:00"),
        (ADVANCED, "2026-10-16T16:00:00+02:00", "2026-10-16T19:00:00+02:00", "2026-10-16T21:00:00+02:00"),
    ],
    ids=lambda value: getattr(value, "key", None),
)
def test_each_plan_has_its_deadlines(plan: Plan, mrt: str, tti: str, ttr: str) -> None:
    """Reported on a Friday at 14:00."""
    reported_ms = parse_instant("2026-10-16T14:00:00", LUXEMBOURG)
    budgets = (plan.mrt_ms, plan.tti_ms, plan.ttr_ms)
    found = deadlines(budgets, reported_ms, plan.fault_hours, LUXEMBOURG)
    assert found == Deadlines(*(parse_instant(text, LUXEMBOURG) for text in (mrt, tti, ttr)))


def test_a_plan_that_says_nothing_of_hours_or_of_a_clock_is_taken_at_its_word() -> None:
    found = deadlines((HOUR_MS, None, 24 * HOUR_MS), 0, None, LUXEMBOURG)
    assert found == Deadlines(HOUR_MS, None, 24 * HOUR_MS)


def test_time_is_used_up_in_the_hours_only() -> None:
    friday, monday = (
        parse_instant(text, LUXEMBOURG) for text in ("2026-10-16T17:00:00", "2026-10-19T09:30:00")
    )
    assert used(friday, monday, WORKDAYS, LUXEMBOURG) == 2.5 * HOUR_MS
    assert used(friday, friday, WORKDAYS, LUXEMBOURG) == 0
    assert used(friday, friday + 1, WORKDAYS, LUXEMBOURG) == 1
    assert used(monday, friday, WORKDAYS, LUXEMBOURG) == 0


def test_a_clock_that_runs_for_decades_is_counted_to_its_end() -> None:
    begin, end = (parse_instant(f"{year}-01-01", LUXEMBOURG) for year in (1990, 2026))
    assert used(begin, end, ALWAYS, LUXEMBOURG) == end - begin


def test_a_window_open_when_midnight_is_taken_back_is_counted_in_full() -> None:
    """In St. John's 2009 the clocks went back at 00:01 of November 1st, so October had a second hour from 23:01."""
    zone = ZoneInfo("America/St_Johns")
    midnight = parse_instant("2009-11-01T00:00:00-02:30", zone)
    assert used(midnight - HOUR_MS, midnight + HOUR_MS, ALWAYS, zone) == 2 * HOUR_MS
    assert used(midnight, midnight + 90_000, weekly(range(6, 7), "00:00", "24:00"), zone) == 90_000
    assert deadline(midnight - HOUR_MS, 2 * HOUR_MS, ALWAYS, zone) == midnight + HOUR_MS


zones = st.sampled_from(
    [
        (ZoneInfo(name), datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(name)))
        for name, day in (
            ("Europe/Luxembourg", "2026-03-29"),
            ("Europe/Luxembourg", "2026-10-25"),
            ("Europe/London", "2026-10-25"),
            ("America/New_York", "2026-03-08"),
            ("Australia/Lord_Howe", "2026-04-05"),
            ("Australia/Lord_Howe", "2026-10-04"),
            ("America/Santiago", "2026-09-06"),
            ("America/Havana", "2026-11-01"),
            ("Asia/Kathmandu", "2026-06-15"),
        )
    ]
)
minutes = st.integers(0, 48).map(lambda half_hours: half_hours * 30) | st.integers(0, 1440)
open_days = st.sets(minutes, min_size=2, max_size=4).map(
    lambda found: tuple(zip(sorted(found)[::2], sorted(found)[1::2], strict=False))
)
weeks = st.dictionaries(st.integers(0, 6), open_days | st.just(((0, 1440),)), min_size=3).filter(
    lambda days: sum(end - begin for stretches in days.values() for begin, end in stretches) >= 600
)
near_the_change = st.integers(-2 * 24 * HOUR_MS, 24 * HOUR_MS)
days_off = st.sets(st.integers(-1, 2), max_size=2)


@given(zones, near_the_change, weeks, days_off, st.integers(1, 9 * HOUR_MS))
def test_a_deadline_is_where_a_walk_minute_by_minute_ends(
    zone_and_day: tuple[ZoneInfo, datetime],
    offset_ms: int,
    week: dict[int, tuple[tuple[int, int], ...]],
    off: set[int],
    budget_ms: int,
) -> None:
    zone, day = zone_and_day
    reported_ms = int(day.timestamp()) * 1000 + offset_ms
    holidays = {day.date() + timedelta(days=number) for number in off}
    clock = HandlingClock(week, zone, holidays)
    due_ms = deadline(reported_ms, budget_ms, WeeklyHours(week), zone, holidays)
    assert due_ms == clock.deadline(reported_ms, budget_ms)
    assert used(reported_ms, due_ms, WeeklyHours(week), zone, holidays) == budget_ms


@given(zones, near_the_change, weeks, days_off, st.integers(0, 72 * 60))
def test_what_is_used_is_what_a_walk_minute_by_minute_counts(
    zone_and_day: tuple[ZoneInfo, datetime],
    offset_ms: int,
    week: dict[int, tuple[tuple[int, int], ...]],
    off: set[int],
    length: int,
) -> None:
    zone, day = zone_and_day
    from_ms = int(day.timestamp()) * 1000 + offset_ms
    to_ms = (from_ms // MINUTE_MS + 1 + length) * MINUTE_MS
    holidays = {day.date() + timedelta(days=number) for number in off}
    expected = HandlingClock(week, zone, holidays).used(from_ms, to_ms)
    assert used(from_ms, to_ms, WeeklyHours(week), zone, holidays) == expected
