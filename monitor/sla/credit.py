"""The credit that a breach owes (SLA.md §5): exact, rounded once and at the end."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from monitor.sla.availability import Availability
from monitor.sla.figures import decimal, percentage, plain_ratio
from monitor.sla.money import Money, rounded
from monitor.sla.plans import CreditTerms, HourRule, Plan

_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Step:
    """A line of the calculation: what, how, and what came out."""

    what: str
    how: str
    result: str


@dataclass(frozen=True, slots=True)
class Credit:
    """What is owed, with what it follows from."""

    measured: Availability
    fee: Money
    terms: CreditTerms
    hours: Fraction
    uncapped: Money
    cap: Money | None
    amount: Money

    @property
    def steps(self) -> tuple[Step, ...]:
        """The calculation, line by line."""
        return (*measured_steps(self.measured), *_owed_steps(self))


@dataclass(frozen=True, slots=True)
class NoCredit:
    """Nothing is owed, and why."""

    reason: str


def credit(measured: Availability, plan: Plan | None, fee: Money | None) -> Credit | NoCredit:
    """``min(fee x rate x H, fee x cap)``, H the downtime of the window in hours, when it is in breach."""
    reason = why_none(plan, fee, measured.ratio is not None, measured.breach)
    if reason is not None:
        return NoCredit(reason)
    assert plan is not None
    assert plan.credit is not None
    assert fee is not None
    return _owed(measured, plan.credit, fee)


def why_none(plan: Plan | None, fee: Money | None, measured: bool, breach: bool) -> str | None:
    """Why nothing is owed; None: something is. ``measured``: whether there is an availability at all."""
    if plan is None:
        return "the service has no plan"
    if plan.guarantee is None:
        return "the plan guarantees no availability"
    if plan.credit is None or plan.credit.rate_per_hour is None:
        return "the plan has no rate of credit"
    if fee is None:
        return "no monthly fee is configured"
    if not measured:
        return "nothing was measured"
    return None if breach else "the guarantee was met"


def downtime_hours(by_outage_ms: tuple[int, ...], rule: HourRule) -> Fraction:
    """H: exactly, or with each outage rounded up (``started``) or down (``whole``) to hours."""
    if rule == "prorata":
        return Fraction(sum(by_outage_ms), _HOUR_MS)
    return Fraction(sum(_whole_hours(by_outage_ms, rule)))


def _whole_hours(by_outage_ms: tuple[int, ...], rule: HourRule) -> list[int]:
    if rule == "started":
        return [-(-ms // _HOUR_MS) for ms in by_outage_ms]
    return [ms // _HOUR_MS for ms in by_outage_ms]


def _owed(measured: Availability, terms: CreditTerms, fee: Money) -> Credit:
    assert terms.rate_per_hour is not None
    hours = downtime_hours(measured.down_by_outage, terms.hours)
    exact = Fraction(fee.amount) * Fraction(terms.rate_per_hour) * hours
    cap = None if terms.cap is None else Fraction(fee.amount) * Fraction(terms.cap)
    amount = rounded(exact if cap is None else min(exact, cap), fee.currency)
    uncapped = rounded(exact, fee.currency)
    return Credit(
        measured=measured,
        fee=fee,
        terms=terms,
        hours=hours,
        uncapped=uncapped,
        cap=None if cap is None else rounded(cap, fee.currency),
        amount=amount,
    )


def measured_steps(measured: Availability) -> tuple[Step, ...]:
    """From the measured time to whether the guarantee was broken, line by line, as far as there is anything."""
    t, d = measured.total_ms, measured.down_ms
    length = max(0, measured.window[1] - measured.window[0])
    within = "the month within the contract"
    if t < length:
        within += f", without time that the plan removes: {length} ms - {length - t} ms"
    steps = [
        Step("measured time T", within, f"{t} ms"),
        Step("downtime D", "after exclusions, all outages of the month", f"{d} ms"),
    ]
    if measured.ratio is not None:
        shown = percentage(measured.ratio, measured.guarantee)
        steps.append(Step("availability A", f"({t} - {d}) / {t}", shown))
    if measured.guarantee is not None:
        steps.append(Step("guarantee", "of the plan", plain_ratio(measured.guarantee)))
        steps.append(Step("breach", "A is less than the guarantee", "yes" if measured.breach else "no"))
    return tuple(steps)


def all_steps(measured: Availability, owed: Credit | NoCredit) -> tuple[Step, ...]:
    """The calculation to its end; where nothing is owed, the last line says why."""
    if isinstance(owed, Credit):
        return owed.steps
    return (*measured_steps(measured), Step("amount", owed.reason, "none"))


def _owed_steps(owed: Credit) -> tuple[Step, ...]:
    measured, terms, fee = owed.measured, owed.terms, owed.fee
    assert terms.rate_per_hour is not None
    if terms.hours == "prorata":
        counted = f"{measured.down_ms} ms / {_HOUR_MS} ms"
    else:
        way = "up" if terms.hours == "started" else "down"
        hours_each = " + ".join(map(str, _whole_hours(measured.down_by_outage, terms.hours)))
        counted = f"each outage rounded {way} to whole hours: {hours_each}"
    hours = decimal(owed.hours)
    steps = [
        Step("hours H", counted, hours),
        Step("credit", f"{fee} x {plain_ratio(terms.rate_per_hour)} x {hours}", str(owed.uncapped)),
    ]
    if terms.cap is None:
        return (*steps, Step("amount", "not capped", str(owed.amount)))
    return (
        *steps,
        Step("cap", f"{fee} x {plain_ratio(terms.cap)}", str(owed.cap)),
        Step("amount", "the lesser of the two", str(owed.amount)),
    )
