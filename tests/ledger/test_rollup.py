"""Availability of a month and of any window, from what is in the database."""

from __future__ import annotations

import pytest

from monitor.ledger.rollup import Ledger
from monitor.sla.availability import left_ms
from monitor.sla.credit import NoCredit
from monitor.sla.months import Month, bounds
from tests.ledger.books import LUXEMBOURG, OUTAGE, SERVICES, Book, at, line
from tests.store.recorded import changed, run

EXAMPLE = {
    "service": "acme-trunk",
    "plan": "mixvoip/enterprise",
    "from": "2026-10-01T00:00:00+02:00",
    "to": "2026-11-01T00:00:00+01:00",
    "total_ms": 2682000000,
    "down_ms": 7200000,
    "degraded_ms": 0,
    "excluded_ms": 0,
    "unknown_ms": 0,
    "outages": 1,
    "blips": 0,
    "coverage": "1",
    "availability": "0.99731543",
    "guarantee": "0.9990",
    "allowed_down_ms": 2682000,
    "breach": True,
    "complete": True,
    "credit": {
        "currency": "EUR",
        "fee": "100.00",
        "rate_per_hour": "0.30",
        "hours": "2",
        "uncapped": "60.00",
        "cap": "100.00",
        "amount": "60.00",
    },
}


def test_a_month_with_745_hours_is_reported_to_the_letter(book: Book) -> None:
    book.bring_in(*(line(*span) for span in OUTAGE))
    assert book.figures("2026-10") == EXAMPLE


def test_the_window_of_a_month_gives_what_the_month_gives(book: Book) -> None:
    book.bring_in(*(line(*span) for span in OUTAGE))
    (service,) = book.configuration.services
    whole = bounds(Month.parse("2026-10"), LUXEMBOURG)
    rolled = Ledger(book.db, book.now_ms, whole).window(service, whole)
    assert rolled is not None
    assert rolled.figures() == EXAMPLE


def test_a_credit_is_owed_for_whole_months_only(book: Book) -> None:
    book.bring_in(*(line(*span) for span in OUTAGE))
    (service,) = book.configuration.services
    window = at("2026-10-10T11:00"), at("2026-10-10T13:00")
    rolled = Ledger(book.db, book.now_ms, window).window(service, window)
    assert rolled is not None
    assert (rolled.measured.down_ms, rolled.measured.outages) == (3_600_000, 0)
    assert isinstance(rolled.owed, NoCredit)


def test_an_outage_over_a_months_end_is_split_and_counted_where_it_starts(book: Book) -> None:
    book.bring_in(
        line("up", "2026-09-01", "2026-09-30T23:00"),
        line("down", "2026-09-30T23:00", "2026-10-01T02:00"),
        line("up", "2026-10-01T02:00", "2026-11-01"),
    )
    september, october = book.figures("2026-09"), book.figures("2026-10")
    assert (september["down_ms"], september["outages"]) == (3_600_000, 1)
    assert (october["down_ms"], october["outages"]) == (7_200_000, 0)


def test_an_outage_that_was_lost_sight_of_over_the_months_end_is_not_counted_twice(book: Book) -> None:
    begin, end = at("2026-09-30T20:00"), at("2026-10-01T10:00")
    turns = [(begin, "up"), (at("2026-09-30T22:00"), "down"), (at("2026-09-30T23:00"), "unknown")]
    run(book.db, [changed("acme-trunk", *turns, (at("2026-10-01T04:00"), "down"), (end, "up"))], begin, end)
    assert [book.figures(month)["outages"] for month in ("2026-09", "2026-10")] == [1, 0]
    assert book.figures("2026-10")["down_ms"] == 6 * 3_600_000


def test_a_month_that_goes_on_is_reported_up_to_now(book: Book) -> None:
    book.now = "2026-10-10T12:00"
    book.bring_in(line(*OUTAGE[0]), line("down", "2026-10-10T10:00", "2026-10-10T11:00"))
    reported = book.report("2026-10")["acme-trunk"]
    assert reported.figures["to"] == "2026-10-10T12:00:00+02:00"
    assert not reported.figures["complete"]
    assert reported.figures["unknown_ms"] == 3_600_000
    whole = bounds(Month.parse("2026-10"), LUXEMBOURG)
    assert left_ms(reported.rolled.measured, whole) == 2_682_000 - 3_600_000


def test_a_month_that_has_not_begun_has_no_figures(book: Book) -> None:
    assert book.report("2027-01") == {}


def test_a_service_is_measured_over_its_part_of_the_month(book: Book) -> None:
    book.configure(SERVICES.replace("2026-01-01", "2026-10-20"))
    book.bring_in(*(line(*span) for span in OUTAGE))
    figures = book.figures("2026-10")
    assert (figures["from"], figures["down_ms"]) == ("2026-10-20T00:00:00+02:00", 0)
    assert book.report("2026-09") == {}


@pytest.mark.parametrize(
    ("scope", "subject", "excluded_ms"),
    [
        ("service", "acme-trunk", 3_600_000),
        ("tag", "voice", 3_600_000),
        ("all", "", 3_600_000),
        ("service", "other", 0),
    ],
)
def test_exclusions_of_the_service_of_its_tags_and_of_all_take_downtime_away(
    book: Book, scope: str, subject: str, excluded_ms: int
) -> None:
    book.configure(f"{SERVICES}  - id: other\n")
    book.bring_in(*(line(*span) for span in OUTAGE))
    book.exclude("2026-10-10T09:00", "2026-10-10T11:00", scope, subject)
    figures = book.figures("2026-10")
    assert (figures["excluded_ms"], figures["down_ms"]) == (excluded_ms, 7_200_000 - excluded_ms)


def test_later_terms_do_not_reach_back(book: Book) -> None:
    book.configure(f"{SERVICES}    changes: [{{from: 2026-11-01, plan: mixvoip/advanced}}]\n")
    book.bring_in(*(line(*span) for span in OUTAGE))
    assert book.figures("2026-10") == EXAMPLE
    assert book.figures("2026-11")["guarantee"] == "0.9995"
