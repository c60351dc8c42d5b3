"""Windows that come back, on the local clock."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from monitor.sla.months import local_iso, local_ms, midnight_ms, parse_instant
from monitor.sla.recurring import OCCURRENCES, occurrences

ZONE = ZoneInfo("Europe/Luxembourg")
HOUR_MS = 3_600_000
SPRINGS = {date(2025, 3, 30), date(2026, 3, 29), date(2027, 3, 28)}
"""Days with an hour that is skipped, in which no first window can be given."""
RULES = st.from_regex(
    r"((FREQ|INTERVAL|BYDAY|BYMONTHDAY|BYMONTH|BYSETPOS|BYWEEKNO|WKST|COUNT)="
    r"(DAILY|WEEKLY|MONTHLY|YEARLY|SECONDLY|MO|2TU|-1SU|-?[0-9]{1,2}|,){0,2};?){0,5}",
    fullmatch=True,
)


def at(text: str) -> int:
    return parse_instant(text, ZONE)


def named(rule: str, begin: str, end: str, until: str) -> list[tuple[str, float]]:
    """The beginning of each window, and its length in hours."""
    found = occurrences(rule, (at(begin), at(end)), at(until), ZONE)
    return [(local_iso(from_ms, ZONE), (to_ms - from_ms) / HOUR_MS) for from_ms, to_ms in found]


def test_a_nightly_window_has_its_real_length_when_summer_time_ends() -> None:
    assert named("FREQ=DAILY", "2026-10-23T22:00", "2026-10-24T06:00", "2026-10-26") == [
        ("2026-10-23T22:00:00+02:00", 8),
        ("2026-10-24T22:00:00+02:00", 9),
        ("2026-10-25T22:00:00+01:00", 8),
    ]


def test_a_window_in_the_hour_that_is_skipped_does_not_take_place() -> None:
    assert named("FREQ=DAILY", "2026-03-28T02:15", "2026-03-28T02:45", "2026-03-31") == [
        ("2026-03-28T02:15:00+01:00", 0.5),
        ("2026-03-30T02:15:00+02:00", 0.5),
    ]


def test_one_that_begins_in_the_hour_that_is_skipped_begins_when_the_clock_has_passed_it() -> None:
    assert named("FREQ=DAILY", "2026-03-28T02:15", "2026-03-28T04:00", "2026-03-30")[1] == (
        "2026-03-29T03:00:00+02:00",
        1,
    )


def test_the_last_sunday_of_each_quarter() -> None:
    rule = "FREQ=MONTHLY;INTERVAL=3;BYDAY=-1SU"
    assert [begin[:10] for begin, _ in named(rule, "2026-01-25T01:00", "2026-01-25T05:00", "2027-01-01")] == [
        "2026-01-25",
        "2026-04-26",
        "2026-07-26",
        "2026-10-25",
    ]


def test_none_begins_at_the_end_or_after_it() -> None:
    assert len(named("FREQ=DAILY", "2026-05-01T10:00", "2026-05-01T11:00", "2026-05-03T10:00")) == 2
    assert len(named("FREQ=DAILY", "2026-05-01T10:00", "2026-05-01T11:00", "2026-05-03T10:01")) == 3


@settings(max_examples=150, deadline=None)
@given(
    day=st.dates(date(2025, 1, 1), date(2027, 12, 31)),
    begin=st.integers(0, 1439),
    length=st.integers(1, 3000),
    every=st.integers(1, 9),
    days=st.integers(1, 200),
)
def test_every_so_many_days_agrees_with_a_walk_over_the_days(
    day: date, begin: int, length: int, every: int, days: int
) -> None:
    def window(on: date) -> tuple[int, int]:
        later, minute = divmod(begin + length, 1440)
        return local_ms(on, begin, ZONE), local_ms(on + timedelta(later), minute, ZONE)

    until_ms = midnight_ms(day + timedelta(days), ZONE)
    walked = [window(day + timedelta(n)) for n in range(0, days, every)]
    assume(day not in SPRINGS and day + timedelta((begin + length) // 1440) not in SPRINGS)
    found = occurrences(f"FREQ=DAILY;INTERVAL={every}", walked[0], until_ms, ZONE)
    assert found == [one for one in walked if one[0] < one[1]]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=HOURLY", "a frequency of DAILY"),
        ("FREQ=DAILY;COUNT=3", "not 'COUNT'"),
        ("FREQ=DAILY;UNTIL=20270101", "not 'UNTIL'"),
        ("FREQ=DAILY;INTERVAL=0", "an interval of 1"),
        ("BYDAY=MO", "expected a"),
        ("FREQ=WEEKLY;BYDAY=XX", "a rule such as"),
        ("every sunday", "a rule such as"),
        ("", "a rule such as"),
        ("FREQ=WEEKLY;BYDAY=MO", "a first window"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "names no window"),
        ("FREQ=DAILY", f"at most {OCCURRENCES}"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rule: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        named(rule, "2026-01-25T01:00", "2026-01-25T05:00", "2035-01-01")


@settings(max_examples=200, deadline=5_000)
@given(RULES.map("FREQ=DAILY;".__add__) | RULES)
def test_any_text_gives_windows_or_says_what_was_expected(text: str) -> None:
    try:
        found = named(text, "2026-01-25T01:00", "2026-01-25T05:00", "2028-01-01")
    except ValueError:
        return
    assert 1 <= len(found) <= OCCURRENCES
