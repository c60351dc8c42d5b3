"""Calendar months and instants, in zones with all kinds of clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.sla.months import Month, bounds, from_ms, local_iso, midnight_ms, month_of, parse_instant
from tests.sla.test_against_brute_force import ZONES

LUXEMBOURG = ZoneInfo("Europe/Luxembourg")
HOUR_MS = 3_600_000
_ALMOST = (
    r"[0-9]{4}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9](:[0-6][0-9]([.,][0-9]{0,9})?)?"
    r"([+-][0-2][0-9]:[0-6][0-9]|Z)?"
)


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).astimezone(UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("month", "zone", "hours"),
    [
        ("2026-03", "Europe/Luxembourg", 743),
        ("2026-10", "Europe/Luxembourg", 745),
        ("2026-02", "Europe/Luxembourg", 672),
        ("2028-02", "Europe/Luxembourg", 696),
        ("2026-12", "Europe/Luxembourg", 744),
        ("2026-10", "Asia/Kathmandu", 744),
        ("2026-04", "Australia/Sydney", 721),
        ("2026-04", "Australia/Lord_Howe", 720.5),
        ("2011-12", "Pacific/Apia", 720),  # the 30th was left out
    ],
)
def test_a_month_has_its_real_length(month: str, zone: str, hours: float) -> None:
    first, last = bounds(Month.parse(month), ZoneInfo(zone))
    assert last - first == hours * HOUR_MS


def test_a_month_is_from_local_midnight_to_local_midnight() -> None:
    window = bounds(Month(2026, 10), LUXEMBOURG)
    assert window == (ms("2026-10-01T00:00:00+02:00"), ms("2026-11-01T00:00:00+01:00"))


@pytest.mark.parametrize(
    ("day", "zone", "first"),
    [
        (date(2026, 3, 29), "Asia/Beirut", "2026-03-29T01:00:00+03:00"),  # midnight is skipped
        (date(2026, 9, 6), "America/Santiago", "2026-09-06T01:00:00-03:00"),
        (date(1919, 3, 31), "America/Toronto", "1919-03-31T00:30:00-04:00"),  # from 23:30 to 00:30
        (date(2026, 11, 1), "America/Havana", "2026-11-01T00:00:00-04:00"),  # midnight comes twice
        (date(2011, 12, 31), "Pacific/Apia", "2011-12-31T00:00:00+14:00"),
    ],
)
def test_a_day_begins_with_its_first_instant(day: date, zone: str, first: str) -> None:
    assert midnight_ms(day, ZoneInfo(zone)) == ms(first)


@given(st.integers(0, 4_000_000_000_000), st.sampled_from([*ZONES, ZoneInfo("America/St_Johns")]))
def test_every_instant_lies_in_its_month(instant: int, zone: ZoneInfo) -> None:
    first, last = bounds(month_of(instant, zone), zone)
    assert first <= instant < last


def test_an_instant_of_a_midnight_that_is_taken_back_lies_in_the_month_that_began_then() -> None:
    zone = ZoneInfo("America/St_Johns")
    first, _ = bounds(Month(2009, 11), zone)  # at 00:01 the clocks went back to 23:01 of October
    assert local_iso(first + 90_000, zone) == "2009-10-31T23:01:30-03:30"
    assert month_of(first + 90_000, zone) == Month(2009, 11)


@given(st.integers(1971, 9997), st.integers(1, 12), st.sampled_from(ZONES))
def test_months_follow_each_other_without_a_gap(year: int, number: int, zone: ZoneInfo) -> None:
    month = Month(year, number)
    assert month.next.previous == month < month.next
    assert bounds(month, zone)[1] == bounds(month.next, zone)[0]
    assert Month.parse(str(month)) == month


@pytest.mark.parametrize(
    "text",
    ["", "2026", "2026-13", "2026-00", "2026-1", "26-10", "2026-10-01", "1970-12", "9999-01", "２０２６-10"],
)
def test_what_is_no_month_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match="expected a month such as 2026-10"):
        Month.parse(text)


def test_an_instant_is_written_with_its_offset_and_with_milliseconds_where_it_has_some() -> None:
    midnight = ms("2026-10-01T00:00:00+02:00")
    assert local_iso(midnight, LUXEMBOURG) == "2026-10-01T00:00:00+02:00"
    assert local_iso(midnight + 123, LUXEMBOURG) == "2026-10-01T00:00:00.123+02:00"
    assert local_iso(midnight + 100, LUXEMBOURG) == "2026-10-01T00:00:00.100+02:00"


@given(st.integers(-3_000_000_000_000, 4_000_000_000_000), st.sampled_from(sorted(available_timezones())))
@example(1_257_042_690_000, "America/St_Johns")  # a minute after the hour the clocks went back
@example(63_589_000_000, "Africa/Monrovia")  # the last zone that was off by seconds: 44 minutes and 30
@example(-1_009_840_530_000, "Europe/Amsterdam")  # twenty minutes ahead
def test_an_instant_is_written_as_datetime_writes_it_in_every_zone(instant: int, name: str) -> None:
    for at_ms in (instant, instant // 1000 * 1000, instant + 900_000):
        precision = "milliseconds" if at_ms % 1000 else "seconds"
        local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)).astimezone(ZoneInfo(name))
        assert local_iso(at_ms, ZoneInfo(name)) == local.isoformat(timespec=precision)


@given(st.integers(31_622_400_000, 253_339_000_000_000), st.sampled_from(ZONES))
def test_what_is_written_is_read_back_to_the_millisecond(instant: int, zone: ZoneInfo) -> None:
    assert parse_instant(local_iso(instant, zone), LUXEMBOURG) == instant


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-10-01T00:00:00+02:00", "2026-10-01T00:00:00+02:00"),
        ("2026-10-01T00:00:00Z", "2026-10-01T00:00:00+00:00"),
        ("2026-10-01T00:00:00", "2026-10-01T00:00:00+02:00"),
        ("2026-10-01 08:30", "2026-10-01T08:30:00+02:00"),
        ("2026-10-01", "2026-10-01T00:00:00+02:00"),
        ("2026-12-01T00:00:00.250", "2026-12-01T00:00:00.250+01:00"),
        ("2026-12-01T00:00:00.250000000", "2026-12-01T00:00:00.250+01:00"),
        ("2026-10-25T02:30:00", "2026-10-25T02:30:00+02:00"),  # there are two: the earlier
        ("2026-10-25T02:30:00+01:00", "2026-10-25T02:30:00+01:00"),
    ],
)
def test_an_instant_without_offset_is_in_the_contracts_zone(text: str, instant: str) -> None:
    assert parse_instant(text, LUXEMBOURG) == ms(instant)


@given(st.text() | st.text("0123456789-:.,TZW+ ", max_size=40) | st.from_regex(_ALMOST, fullmatch=True))
def test_nonsense_is_refused_and_nothing_else_happens(text: str) -> None:
    try:
        instant = parse_instant(text, LUXEMBOURG)
    except ValueError:
        return
    assert parse_instant(local_iso(instant, LUXEMBOURG), LUXEMBOURG) == instant


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("yesterday", "expected an instant such as"),
        ("", "expected an instant such as"),
        ("2026-02-30T00:00:00", "expected an instant such as"),
        ("2026-03-29T02:30:00", "skips"),
        ("2026-10-01T00:00:00.1234", "whole milliseconds"),
        ("2026-10-01T00:00:00.12300001", "whole milliseconds"),
        ("2026-10-01T00:00:00+00:00:00.0005", "whole milliseconds"),
        ("1970-12-31T00:00:00", "a year from 1971"),
        ("9999-01-01T00:00:00Z", "a year from 1971"),
    ],
)
def test_what_is_no_instant_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_instant(text, LUXEMBOURG)


@given(st.datetimes(datetime(1971, 1, 2), datetime(2037, 12, 30)), st.sampled_from(ZONES))
def test_a_local_time_is_the_first_instant_at_which_the_zone_shows_it_or_is_skipped(
    naive: datetime, zone: ZoneInfo
) -> None:
    naive = naive.replace(microsecond=naive.microsecond // 1000 * 1000)
    day_ms = 24 * HOUR_MS
    about = ms(naive.isoformat() + "+00:00")
    offsets = {
        from_ms(about + shift, zone).utcoffset() for shift in (-day_ms, -day_ms // 2, 0, day_ms // 2, day_ms)
    }
    shown = sorted(
        instant
        for instant in (
            about - offset // timedelta(milliseconds=1) for offset in offsets if offset is not None
        )
        if from_ms(instant, zone).replace(tzinfo=None) == naive
    )
    if shown:
        assert parse_instant(naive.isoformat(), zone) == shown[0]
    else:
        with pytest.raises(ValueError, match="skips"):
            parse_instant(naive.isoformat(), zone)
