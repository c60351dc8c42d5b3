"""A month explained: the same numbers as it is reported with, each rule beside the one in force."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from monitor.ledger.explaining import Explanation, explain
from monitor.ledger.explanation_record import explanation_record
from monitor.sla.availability import under_every_rule
from monitor.sla.credit import Credit, credit
from monitor.sla.months import Month
from tests.ledger.books import OUTAGE, SERVICES, Book, at, line
from tests.store.recorded import changed, run

HOUR_MS = 3_600_000


def explained(book: Book, month: str = "2026-10") -> Explanation:
    (service,) = book.configuration.services
    found = explain(book.db, service, Month.parse(month), book.now_ms)
    assert found is not None
    return found


def record(book: Book, month: str = "2026-10") -> dict[str, Any]:
    return explanation_record(explained(book, month))


def probed(book: Book) -> None:
    """Probes saw an outage of two hours, ten minutes around it in which it could have been, and lost sight later."""
    begin, end = at("2026-10-01"), at("2026-11-01")
    turns = [
        (begin, "up", None),
        (at("2026-10-10T10:00"), "down", at("2026-10-10T09:50")),
        (at("2026-10-10T12:00"), "up", at("2026-10-10T11:55")),
        (at("2026-10-20T00:00"), "degraded", None),
        (at("2026-10-20T00:30"), "up", None),
        (at("2026-10-25T00:00"), "unknown", None),
        (at("2026-10-25T01:30"), "up", None),
    ]
    statements = [changed("acme-trunk", (at_ms, state), seen_ms=seen_ms) for at_ms, state, seen_ms in turns]
    run(book.db, statements, begin, end)


def test_the_month_is_explained_with_the_figures_that_it_is_reported_with(book: Book) -> None:
    book.bring_in(*(line(*span) for span in OUTAGE))
    found = record(book)
    assert found["figures"] == book.figures("2026-10")
    assert (found["steps"][-1]["what"], found["steps"][-1]["result"]) == ("amount", "60.00 EUR")


def test_each_outage_is_counted_with_its_bounds_and_what_was_excluded(book: Book) -> None:
    probed(book)
    book.exclude("2026-10-10T11:30", "2026-10-10T13:00")
    (outage,) = record(book)["outages"]
    assert outage["last_good"] == "2026-10-10T09:50:00+02:00"
    assert outage["in_month"] == {
        "least_ms": 90 * 60_000,
        "counted_ms": 90 * 60_000,
        "most_ms": 100 * 60_000,
        "excluded_ms": 30 * 60_000,
    }


def test_the_rule_in_force_stands_first_with_what_the_bounds_allow(book: Book) -> None:
    probed(book)
    first, *others = record(book)["rules"]
    assert first["in_force"]
    assert not any(one["in_force"] for one in others)
    minutes = [first[name]["down_ms"] // 60_000 for name in ("least", "counted", "most", "worst")]
    assert minutes == [115, 120, 130, 220]
    amounts = [first[name]["amount"] for name in ("least", "counted", "most", "worst")]
    assert amounts == ["57.50", "60.00", "65.00", "100.00"]


def test_every_rule_gives_what_measuring_by_it_gives(book: Book) -> None:
    probed(book)
    book.exclude("2026-10-10T11:30", "2026-10-10T13:00")
    found = explained(book)
    plan, fee = found.rolled.agreement.plan, found.rolled.agreement.fee
    assert plan is not None
    assert plan.credit is not None
    counted = under_every_rule(found.observed, plan)
    assert len(found.verdicts) == len({one.rule for one in found.verdicts}) == 3 * len(counted)
    for one in found.verdicts:
        rule = one.rule
        measured = counted[rule.degraded, rule.excluded_time, rule.unknown_time]
        assert one.bounds.counted == measured
        assert rule.hours is not None
        paying = replace(plan, credit=replace(plan.credit, hours=rule.hours))
        assert one.owed.counted == credit(measured, paying, fee)


def test_downtime_is_the_sum_of_the_outages_and_of_degraded_time_that_counts(book: Book) -> None:
    book.configure(f"{SERVICES}    overrides: {{degraded: down}}\n")
    probed(book)
    found = record(book)
    assert found["degraded_counted_ms"] == 30 * 60_000
    outages_ms = sum(one["in_month"]["counted_ms"] for one in found["outages"])
    assert outages_ms + found["degraded_counted_ms"] == found["figures"]["down_ms"]


def test_unknown_and_degraded_stretches_are_named(book: Book) -> None:
    probed(book)
    found = record(book)
    assert found["unknown"] == [{"from": "2026-10-25T00:00:00+02:00", "to": "2026-10-25T01:30:00+02:00"}]
    assert found["degraded"] == [{"from": "2026-10-20T00:00:00+02:00", "to": "2026-10-20T00:30:00+02:00"}]


def test_an_outage_over_the_months_end_adds_only_its_part(book: Book) -> None:
    book.bring_in(
        line("up", "2026-09-01", "2026-09-30T23:00"),
        line("down", "2026-09-30T23:00", "2026-10-01T02:00"),
        line("up", "2026-10-01T02:00", "2026-11-01"),
    )
    (outage,) = record(book)["outages"]
    assert (outage["down_ms"], outage["in_month"]["counted_ms"]) == (3 * HOUR_MS, 2 * HOUR_MS)


def test_an_outage_that_was_lost_sight_of_over_the_months_end_is_explained(book: Book) -> None:
    begin, end = at("2026-09-30T20:00"), at("2026-10-01T10:00")
    turns = [(begin, "up"), (at("2026-09-30T22:00"), "down"), (at("2026-09-30T23:00"), "unknown")]
    run(book.db, [changed("acme-trunk", *turns, (at("2026-10-01T04:00"), "down"), (end, "up"))], begin, end)
    (outage,) = record(book)["outages"]
    assert outage["in_month"]["counted_ms"] == book.figures("2026-10")["down_ms"]


def test_while_the_month_goes_on_it_says_how_much_is_left_to_the_breach(book: Book) -> None:
    book.now = "2026-10-10T12:00"
    book.bring_in(line(*OUTAGE[0]), line("down", "2026-10-10T10:00", "2026-10-10T10:30"))
    assert record(book)["left_ms"] == 2_682_000 - 1_800_000
    book.now = "2026-11-20"
    assert record(book)["left_ms"] is None


def test_a_frozen_month_is_explained_as_it_was_frozen(book: Book) -> None:
    book.bring_in(*(line(*span) for span in OUTAGE))
    book.freeze()
    found = record(book)
    assert found["frozen"]["revision"] == 1
    assert found["frozen"]["figures"] == found["figures"]
    assert found["frozen"]["steps"] == found["steps"]
    assert found["differences"] == {}


def test_terms_that_change_later_do_not_change_the_explanation_of_a_frozen_month(book: Book) -> None:
    book.bring_in(*(line(*span) for span in OUTAGE))
    book.freeze()
    before = record(book)
    book.configure(SERVICES.replace("enterprise", "basic").replace("100.00", "1.00"))
    assert record(book) == before


def test_where_the_facts_say_otherwise_than_what_was_frozen_both_are_told(book: Book) -> None:
    book.bring_in(*(line(*span) for span in OUTAGE))
    book.freeze()
    book.write(
        lambda db: db.execute(
            "INSERT INTO exclusions (uid, scope, subject, class, from_ms, to_ms, reason, author, entered_ms)"
            " VALUES ('u', 'all', '', 'customer', ?, ?, 'r', 'a', ?)",
            (at("2026-10-10T11:00"), at("2026-10-10T12:00"), book.now_ms),
        )
    )
    found = record(book)
    assert found["differences"]["down_ms"] == [2 * HOUR_MS, HOUR_MS]
    assert found["figures"]["down_ms"] == HOUR_MS
    assert found["frozen"]["figures"]["down_ms"] == 2 * HOUR_MS
    assert found["frozen"]["steps"][-1]["result"] == "60.00 EUR"
    assert found["steps"][-1]["result"] == "30.00 EUR"


@pytest.mark.parametrize(
    ("services", "reason"),
    [
        (SERVICES.replace("    plan: mixvoip/enterprise\n", ""), "the service has no plan"),
        (SERVICES.replace("enterprise", "basic"), "the plan guarantees no availability"),
        (SERVICES.replace("    monthly_fee: 100.00 EUR\n", ""), "no monthly fee is configured"),
    ],
)
def test_where_nothing_is_owed_the_last_step_says_why(book: Book, services: str, reason: str) -> None:
    book.configure(services)
    book.bring_in(*(line(*span) for span in OUTAGE))
    found = record(book)
    assert found["no_credit"] == reason
    assert found["steps"][-1] == {"what": "amount", "how": reason, "result": "none"}
    assert found["rules"][0]["in_force"]
    assert not any(isinstance(one.owed.worst, Credit) for one in explained(book).verdicts)


def test_a_month_that_has_not_begun_is_not_explained(book: Book) -> None:
    (service,) = book.configuration.services
    assert explain(book.db, service, Month.parse("2031-01"), book.now_ms) is None
