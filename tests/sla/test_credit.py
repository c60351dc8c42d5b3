"""What a breach owes, by the examples of the source and under every rule."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from monitor.sla.availability import Availability, Observed, measure
from monitor.sla.credit import Credit, NoCredit, credit
from monitor.sla.intervals import Interval
from monitor.sla.money import Money
from monitor.sla.months import Month, bounds
from monitor.sla.plans import CreditTerms, Plan
from tests.sla.plans import ADVANCED, BASIC, ENTERPRISE, OFFICE, RETAIL, STANDARD

MINUTE_MS = 60_000
FEE = Money.parse("100.00 EUR")
OCTOBER = bounds(Month(2026, 10), ZoneInfo("Europe/Luxembourg"))


def outages(*minutes: int) -> list[list[Interval]]:
    """So many minutes each, a day apart."""
    starts = [OCTOBER[0] + index * 24 * 60 * MINUTE_MS for index in range(len(minutes))]
    return [[(start, start + length * MINUTE_MS)] for start, length in zip(starts, minutes, strict=True)]


def after(plan: Plan, *minutes: int) -> Availability:
    return measure(Observed(OCTOBER, outages(*minutes)), plan)


def owed(plan: Plan, *minutes: int, fee: Money = FEE) -> str:
    found = credit(after(plan, *minutes), plan, fee)
    return str(found.amount) if isinstance(found, Credit) else found.reason


def test_two_hours_at_twenty_per_cent_of_a_hundred_are_forty() -> None:
    assert owed(STANDARD, 120) == "40.00 EUR"


def test_three_hours_of_the_standard_plan_meet_its_cap() -> None:
    assert owed(STANDARD, 180) == "50.00 EUR"
    found = credit(after(STANDARD, 180), STANDARD, FEE)
    assert isinstance(found, Credit)
    assert (str(found.uncapped), str(found.cap)) == ("60.00 EUR", "50.00 EUR")


def test_ninety_minutes_are_one_and_a_half_hours() -> None:
    found = credit(after(STANDARD, 90), STANDARD, FEE)
    assert isinstance(found, Credit)
    assert (found.hours, str(found.amount)) == (Fraction(3, 2), "30.00 EUR")


@pytest.mark.parametrize(
    ("plan", "at_two_hours", "most"),
    [
        (STANDARD, "40.00 EUR", "50.00 EUR"),
        (OFFICE, "40.00 EUR", "50.00 EUR"),
        (RETAIL, "50.00 EUR", "75.00 EUR"),
        (ENTERPRISE, "60.00 EUR", "100.00 EUR"),
        (ADVANCED, "80.00 EUR", "150.00 EUR"),
    ],
    ids=lambda value: getattr(value, "key", None),
)
def test_each_plan_has_its_rate_and_its_cap(plan: Plan, at_two_hours: str, most: str) -> None:
    assert owed(plan, 120) == at_two_hours
    assert owed(plan, 24 * 60) == most


def test_all_downtime_counts_and_not_only_what_exceeds_the_allowance() -> None:
    assert owed(ENTERPRISE, 45) == "22.50 EUR"


@pytest.mark.parametrize(
    ("rule", "hours", "amount"),
    [("prorata", "5/2", "25.00"), ("started", "4", "40.00"), ("whole", "1", "10.00")],
)
def test_hours_are_exact_or_rounded_outage_by_outage(rule: str, hours: str, amount: str) -> None:
    terms = CreditTerms(Decimal("0.10"), hours=rule)  # type: ignore[arg-type]
    found = credit(after(ENTERPRISE, 90, 20, 40), replace(ENTERPRISE, credit=terms), FEE)
    assert isinstance(found, Credit)
    assert (str(found.hours), str(found.amount)) == (hours, f"{amount} EUR")


def test_of_an_outage_over_a_months_end_each_month_rounds_its_own_part() -> None:
    plan = replace(ENTERPRISE, credit=CreditTerms(Decimal("0.10"), hours="started"))
    outage = (OCTOBER[1] - 61 * MINUTE_MS, OCTOBER[1] + 60 * MINUTE_MS)
    found = credit(measure(Observed(OCTOBER, [[outage]]), plan), plan, FEE)
    assert isinstance(found, Credit)
    assert found.hours == 2


def test_an_outage_that_was_excluded_starts_no_hour() -> None:
    plan = replace(ENTERPRISE, credit=CreditTerms(Decimal("0.10"), hours="started"))
    first, second = outages(60, 30)
    measured = measure(Observed(OCTOBER, [first, second], excluded=second), plan)
    found = credit(measured, plan, FEE)
    assert isinstance(found, Credit)
    assert found.hours == 1


def test_a_breach_without_a_whole_hour_owes_nothing_by_the_rule_of_whole_hours() -> None:
    plan = replace(ENTERPRISE, credit=CreditTerms(Decimal("0.10"), hours="whole"))
    assert owed(plan, 59) == "0.00 EUR"


def test_a_plan_without_a_cap_caps_nothing() -> None:
    plan = replace(ENTERPRISE, credit=CreditTerms(Decimal("0.30")))
    found = credit(after(plan, 24 * 60), plan, FEE)
    assert isinstance(found, Credit)
    assert (str(found.amount), found.cap) == ("720.00 EUR", None)


def test_money_is_rounded_once_and_at_the_end() -> None:
    """30 outages of a minute at 0.005 each are 0.15, not 30 times 0.01; half a cent goes up."""
    plan = replace(ENTERPRISE, guarantee=Decimal("1"), credit=CreditTerms(Decimal("0.30"), Decimal("10")))
    assert owed(plan, *[1] * 30, fee=Money.parse("1.00 EUR")) == "0.15 EUR"
    assert owed(plan, 1, fee=Money.parse("1.00 EUR")) == "0.01 EUR"
    assert owed(plan, 1, fee=Money.parse("0.99 EUR")) == "0.00 EUR"


def test_money_is_rounded_to_the_minor_unit_of_its_currency() -> None:
    assert owed(ENTERPRISE, 50, fee=Money.parse("9999 JPY")) == "2500 JPY"
    assert owed(ENTERPRISE, 50, fee=Money.parse("10.001 KWD")) == "2.500 KWD"


@pytest.mark.parametrize(
    ("plan", "fee", "minutes", "reason"),
    [
        (None, FEE, 120, "the service has no plan"),
        (BASIC, FEE, 120, "the plan guarantees no availability"),
        (replace(ENTERPRISE, credit=None), FEE, 120, "the plan has no rate of credit"),
        (replace(ENTERPRISE, credit=CreditTerms(None)), FEE, 120, "the plan has no rate of credit"),
        (ENTERPRISE, None, 120, "no monthly fee is configured"),
        (ENTERPRISE, FEE, 44, "the guarantee was met"),
    ],
)
def test_where_nothing_is_owed_the_reason_is_told(
    plan: Plan | None, fee: Money | None, minutes: int, reason: str
) -> None:
    measured = measure(Observed(OCTOBER, outages(minutes)), plan)
    assert credit(measured, plan, fee) == NoCredit(reason)


def test_where_nothing_was_measured_nothing_is_owed() -> None:
    plan = replace(ENTERPRISE, unknown_time="removed")
    measured = measure(Observed(OCTOBER, unknown=[OCTOBER]), plan)
    assert credit(measured, plan, FEE) == NoCredit("nothing was measured")


def test_the_calculation_can_be_followed_step_by_step() -> None:
    found = credit(after(STANDARD, 180), STANDARD, FEE)
    assert isinstance(found, Credit)
    assert [(step.what, step.how, step.result) for step in found.steps] == [
        ("measured time T", "the month within the contract", "2682000000 ms"),
        ("downtime D", "after exclusions, all outages of the month", "10800000 ms"),
        ("availability A", "(2682000000 - 10800000) / 2682000000", "99.5973 %"),
        ("guarantee", "of the plan", "99.80 %"),
        ("breach", "A is less than the guarantee", "yes"),
        ("hours H", "10800000 ms / 3600000 ms", "3"),
        ("credit", "100.00 EUR x 20 % x 3", "60.00 EUR"),
        ("cap", "100.00 EUR x 50 %", "50.00 EUR"),
        ("amount", "the lesser of the two", "50.00 EUR"),
    ]


def test_hours_that_are_rounded_are_listed_outage_by_outage() -> None:
    plan = replace(ENTERPRISE, credit=CreditTerms(Decimal("0.10"), hours="started"))
    found = credit(after(plan, 90, 20), plan, FEE)
    assert isinstance(found, Credit)
    [step] = [step for step in found.steps if step.what == "hours H"]
    assert (step.how, step.result) == ("each outage rounded up to whole hours: 2 + 1", "3")
