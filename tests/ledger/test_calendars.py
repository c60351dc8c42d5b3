"""Exclusions from a calendar."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.ledger.calendar_file import parse_calendar
from monitor.ledger.calendars import ImportCalendar
from monitor.ledger.errors import LedgerError
from monitor.ledger.request import checked
from monitor.sla.months import local_iso
from monitor.store.exclusions import everything
from tests.ledger.books import LUXEMBOURG, OUTAGE, Book, at, line

UNTIL = at("2027-01-01")
ZONED = "TZID=Europe/Luxembourg"
WORKS = (
    f"DTSTART;{ZONED}:20261010T100000",
    f"DTEND;{ZONED}:20261010T110000",
)


def event(*lines: str, uid: str = "a", summary: str = "Works") -> bytes:
    return "\r\n".join(
        ["BEGIN:VEVENT", f"UID:{uid}", f"SUMMARY:{summary}", *lines, "END:VEVENT", ""]
    ).encode()


def calendar(*events: bytes) -> bytes:
    return b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + b"".join(events) + b"END:VCALENDAR\r\n"


def windows(*events: bytes) -> list[tuple[str, str]]:
    return [
        (local_iso(begin, LUXEMBOURG)[:16], local_iso(end, LUXEMBOURG)[:16])
        for one in parse_calendar(calendar(*events), LUXEMBOURG, UNTIL)
        for begin, end in one.windows
    ]


def bring_in(book: Book, *events: bytes, subject: str = "acme-trunk") -> dict[str, Any]:
    planned = parse_calendar(calendar(*events), LUXEMBOURG, UNTIL)
    fields = {
        "scope": "service",
        "subject": subject,
        "exclusion_class": "maintenance",
        "author": "noc",
        "until_ms": UNTIL,
        "events": [asdict(one) for one in planned],
    }
    return book.ask(checked(ImportCalendar, fields))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (WORKS, [("2026-10-10T10:00", "2026-10-10T11:00")]),
        (("DTSTART:20261010T080000Z", "DURATION:PT2H"), [("2026-10-10T10:00", "2026-10-10T12:00")]),
        (("DTSTART:20261010T080000", "DURATION:PT2H"), [("2026-10-10T08:00", "2026-10-10T10:00")]),
        (("DTSTART;VALUE=DATE:20261025",), [("2026-10-25T00:00", "2026-10-26T00:00")]),
        (("DTSTART;VALUE=DATE:20270201",), []),
        ((*WORKS, "STATUS:CANCELLED"), []),
        (
            (*WORKS, "RRULE:FREQ=WEEKLY;COUNT=3", f"EXDATE;{ZONED}:20261017T100000"),
            [("2026-10-10T10:00", "2026-10-10T11:00"), ("2026-10-24T10:00", "2026-10-24T11:00")],
        ),
        (
            (*WORKS, "RRULE:FREQ=MONTHLY;UNTIL=20261110T090000Z"),
            [("2026-10-10T10:00", "2026-10-10T11:00"), ("2026-11-10T10:00", "2026-11-10T11:00")],
        ),
    ],
)
def test_an_event_gives_the_windows_in_which_it_takes_place(
    lines: tuple[str, ...], expected: list[tuple[str, str]]
) -> None:
    assert windows(event(*lines)) == expected


def test_one_time_of_an_event_that_comes_back_may_be_moved() -> None:
    moved = event(
        f"RECURRENCE-ID;{ZONED}:20261017T100000",
        f"DTSTART;{ZONED}:20261018T100000",
        f"DTEND;{ZONED}:20261018T110000",
    )
    assert windows(event(*WORKS, "RRULE:FREQ=WEEKLY;COUNT=2"), moved) == [
        ("2026-10-10T10:00", "2026-10-10T11:00"),
        ("2026-10-18T10:00", "2026-10-18T11:00"),
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "iCalendar"),
        (b"hello", "iCalendar"),
        (calendar(), "that has events"),
        (calendar(event("DTSTART:20261010T080000Z")), "event a: expected DTEND or DURATION"),
        (calendar(event("DTSTART:20261010T080000Z", "DTEND:20261010T080000Z")), "begins before it ends"),
        (calendar(event(*WORKS, "RRULE:FREQ=HOURLY")), "a frequency of DAILY"),
        (calendar(event(*WORKS, "RRULE:FREQ=WEEKLY;BYDAY=MO")), "a first window"),
        (calendar(event(*WORKS, "RDATE:20261011T080000Z")), "no RDATE"),
        (calendar(event("DTSTART;TZID=Nowhere/X:20261010T080000", "DURATION:PT1H")), "Nowhere/X"),
        (calendar(event(*WORKS, summary="")), "expected a SUMMARY"),
        (calendar(event("DTSTART:garbage", "DURATION:PT1H")), "event a: "),
    ],
)
def test_a_calendar_that_cannot_be_taken_over_says_why(content: bytes, expected: str) -> None:
    with pytest.raises(LedgerError, match=expected):
        parse_calendar(content, LUXEMBOURG, UNTIL)


@settings(max_examples=300, deadline=5_000)
@given(at_byte=st.integers(0, 400), byte=st.integers(0, 255))
def test_a_damaged_calendar_is_read_or_refused(at_byte: int, byte: int) -> None:
    content = bytearray(calendar(event(*WORKS, "RRULE:FREQ=WEEKLY;COUNT=3"), event(*WORKS, uid="b")))
    content[at_byte % len(content)] = byte
    try:
        parse_calendar(bytes(content), LUXEMBOURG, UNTIL)
    except LedgerError:
        return


def test_a_calendar_is_brought_in_once_and_revises_the_month_it_touches(book: Book) -> None:
    book.bring_in(*(line(*span) for span in OUTAGE))
    book.freeze()
    weekly = event(*WORKS, "RRULE:FREQ=WEEKLY;COUNT=3")
    first = bring_in(book, weekly)
    assert (first["entered"], first["withdrawn"], first["known"]) == (3, 0, 0)
    assert [one["difference"]["down_ms"] for one in first["revised"]] == [[7_200_000, 3_600_000]]
    assert {(one.reason, one.author) for one in everything(book.db)} == {("Works", "noc")}
    again = bring_in(book, weekly)
    assert (again["entered"], again["withdrawn"], again["known"], again["revised"]) == (0, 0, 3, [])


def test_what_was_entered_for_an_event_that_was_moved_or_cancelled_is_withdrawn(book: Book) -> None:
    bring_in(book, event(*WORKS), event(*WORKS, uid="b"))
    later = event("DTSTART:20261011T080000Z", "DTEND:20261011T090000Z")
    moved = bring_in(book, later, event(*WORKS, "STATUS:CANCELLED", uid="b"))
    assert (moved["entered"], moved["withdrawn"]) == (1, 2)
    in_force = [one.from_ms for one in everything(book.db) if one.withdrawn is None]
    assert in_force == [at("2026-10-11T10:00")]


def test_events_that_the_file_does_not_have_and_exclusions_by_hand_are_left_alone(book: Book) -> None:
    book.exclude("2026-10-10T10:00", "2026-10-10T11:00")
    bring_in(book, event(*WORKS))
    assert bring_in(book, event(*WORKS, uid="b"))["withdrawn"] == 0
    assert len(everything(book.db)) == 3
