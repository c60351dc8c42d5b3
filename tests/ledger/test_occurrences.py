"""Windows that come again: by a rule, and in a calendar file."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.ledger.errors import LedgerError
from monitor.ledger.excluding import MOST
from monitor.ledger.occurrences import in_calendar, repeated
from monitor.sla.months import from_ms, local_ms, parse_instant

LUXEMBOURG = ZoneInfo("Europe/Luxembourg")


def at(text: str) -> int:
    return parse_instant(text, LUXEMBOURG)


def windows(rule: str, start: str, end: str, until: str) -> list[tuple[str, str]]:
    found = repeated(rule, (at(start), at(end)), at(until), LUXEMBOURG, "works")
    return [
        (from_ms(one.from_ms, LUXEMBOURG).isoformat(), from_ms(one.to_ms, LUXEMBOURG).isoformat())
        for one in found
    ]


def test_a_window_keeps_its_local_time_where_clocks_change() -> None:
    assert windows("FREQ=WEEKLY;BYDAY=SU", "2026-10-18T01:00", "2026-10-18T05:00", "2026-11-02") == [
        ("2026-10-18T01:00:00+02:00", "2026-10-18T05:00:00+02:00"),
        ("2026-10-25T01:00:00+02:00", "2026-10-25T05:00:00+01:00"),  # five hours long
        ("2026-11-01T01:00:00+01:00", "2026-11-01T05:00:00+01:00"),
    ]


@given(
    st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    st.integers(0, 23 * 60),
    st.integers(1, 600),
    st.integers(1, 14),
    st.sampled_from(("Europe/Luxembourg", "America/New_York", "Australia/Lord_Howe", "UTC")),
)
def test_every_so_many_days_is_a_walk_over_the_days(
    day: date, minute: int, length: int, every: int, name: str
) -> None:
    zone = ZoneInfo(name)
    first = (
        local_ms(day, minute, zone),
        local_ms(day + timedelta(days=(minute + length) // 1440), (minute + length) % 1440, zone),
    )
    start, end = (from_ms(instant_ms, zone).replace(tzinfo=None) for instant_ms in first)
    until_ms = local_ms(day + timedelta(days=200), 0, zone)
    found = repeated(f"FREQ=DAILY;INTERVAL={every}", first, until_ms, zone, "works") if start < end else []
    expected = []
    for number in range(0, 200, every):
        begun, ended = start + timedelta(days=number), end + timedelta(days=number)
        if begun < from_ms(until_ms, zone).replace(tzinfo=None):
            window = tuple(local_ms(one.date(), one.hour * 60 + one.minute, zone) for one in (begun, ended))
            expected += [window] if window[0] < window[1] else []
    if found:
        assert [(one.from_ms, one.to_ms) for one in found] == expected


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("FREQ=SECONDLY", "expected a rule of days, weeks, months or years"),
        ("every sunday", "expected a rule of days"),
        ("FREQ=DAILY;UNTIL=20261101T000000Z", "without UNTIL"),
        ("FREQ=WEEKLY;BYDAY=XX", "expected a rule of RFC 5545"),
        ("FREQ=DAILY;COUNT=5000", f"expected {MOST} windows at most"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "there is none"),
    ],
)
def test_a_rule_that_makes_no_sense_is_told(rule: str, told: str) -> None:
    with pytest.raises(LedgerError, match=told):
        windows(rule, "2026-10-18T02:00", "2026-10-18T04:00", "2036-01-01")


def calendar(*events: str) -> bytes:
    body = "".join(f"BEGIN:VEVENT\nDTSTAMP:20260101T000000Z\n{event}\nEND:VEVENT\n" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\n{body}END:VCALENDAR\n".replace(
        "\n", "\r\n"
    ).encode()


def events(content: bytes) -> list[tuple[datetime, datetime, str]]:
    found = in_calendar(content, (at("2026-10-01"), at("2026-11-15")), LUXEMBOURG)
    return [(from_ms(one.from_ms, LUXEMBOURG), from_ms(one.to_ms, LUXEMBOURG), one.reason) for one in found]


def test_events_are_read_with_their_rules_exceptions_and_zones() -> None:
    content = calendar(
        "UID:a\nSUMMARY:Weekly works\nDTSTART;TZID=Europe/Luxembourg:20261011T020000\nDURATION:PT2H\n"
        "RRULE:FREQ=WEEKLY;COUNT=4\nEXDATE;TZID=Europe/Luxembourg:20261018T020000",
        "UID:b\nSUMMARY:Whole day\nDTSTART;VALUE=DATE:20261025\nDTEND;VALUE=DATE:20261026",
        "UID:c\nSUMMARY:Floating\nDTSTART:20261030T120000\nDTEND:20261030T130000",
        "UID:d\nSUMMARY:Off\nSTATUS:CANCELLED\nDTSTART:20261030T120000Z\nDTEND:20261030T130000Z",
        "UID:e\nSUMMARY:Another year\nDTSTART:20251030T120000Z\nDTEND:20251030T130000Z",
    )
    told = [(start.isoformat(), end - start, reason) for start, end, reason in events(content)]
    hours = timedelta(hours=1)
    assert told == [
        ("2026-10-11T02:00:00+02:00", 2 * hours, "Weekly works"),
        ("2026-10-25T00:00:00+02:00", 24 * hours, "Whole day"),
        ("2026-10-25T02:00:00+02:00", 2 * hours, "Weekly works"),
        ("2026-10-30T12:00:00+01:00", hours, "Floating"),
        ("2026-11-01T02:00:00+01:00", 2 * hours, "Weekly works"),
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no calendar",
        b"\xff\xfe",
        calendar("UID:a\nDTSTART:yesterday"),
        b"BEGIN:VCALENDAR\nBEGIN:VEVENT\n",
    ],
)
def test_a_file_that_is_no_calendar_is_told(content: bytes) -> None:
    with pytest.raises(LedgerError, match="expected"):
        events(content)


def test_an_event_without_a_length_is_named() -> None:
    with pytest.raises(LedgerError, match="event 'odd': expected one that begins before it ends"):
        events(calendar("UID:odd\nDTSTART:20261030T120000Z"))
