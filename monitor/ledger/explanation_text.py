"""An explained month in words and cells, for terminal and page alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from monitor.ledger.explaining import CountedOutage, Explanation, Verdict
from monitor.ledger.revisions import shown
from monitor.sla.availability import Availability
from monitor.sla.credit import Credit, NoCredit
from monitor.sla.figures import duration, percentage, plain_ratio
from monitor.sla.intervals import Interval, total
from monitor.sla.months import local_iso

OUTAGES = (
    "last good",
    "first bad",
    "last bad",
    "first good",
    "counted",
    "at least",
    "at most",
    "excluded",
    "reason",
)
EXCLUSIONS = ("from", "to", "class", "reason", "entered by")
STEPS = ("step", "how", "result")
STRETCHES = ("state", "from", "to", "duration")
WITHIN_BOUNDS = ("bounds", "downtime", "availability", "breach", "credit")
RULES = (
    *("degraded", "excluded time", "unknown time", "hours"),
    *("downtime", "availability", "breach", "at least", "credit", "at most"),
)
DIFFERENCES = ("figure", "frozen", "by now")
NUMBERS = frozenset(
    (
        "counted",
        "at least",
        "at most",
        "excluded",
        "duration",
        "downtime",
        "availability",
        "credit",
        "frozen",
        "by now",
    )
)
"""Columns whose cells stand to the right."""

_NOT_SEEN = "not seen"


@dataclass(frozen=True, slots=True)
class Told:
    """Headlines and the rows of the tables, ready to be shown."""

    terms: str
    standing: str | None
    """When and why the month was frozen, or up to when it is told; None: it is over, and not frozen."""
    left: str | None
    """How far a month that goes on is from the breach."""
    outages: list[tuple[str, ...]]
    exclusions: list[tuple[str, ...]]
    stretches: list[tuple[str, ...]]
    """Unknown and degraded time."""
    steps: list[tuple[str, str, str]]
    bounds: list[tuple[str, ...]]
    rules: list[tuple[str, ...]]
    """The rule in force first."""
    differences: list[tuple[str, ...]]
    """Where the facts say otherwise by now than what was frozen."""
    frozen_steps: list[tuple[str, str, str]]
    """Of what was frozen, where the facts say otherwise by now and a credit was drafted."""


def told(one: Explanation) -> Told:
    """Instants are in the contract's time zone."""
    rolled, kept, zone = one.rolled, one.kept, one.rolled.agreement.tz
    drafted = () if kept is None or not one.differences else kept.calculation or ()
    return Told(
        terms=_terms(one),
        standing=_standing(one),
        left=_left(one.left_ms),
        outages=[_outage(one, each) for each in one.outages],
        exclusions=[
            (
                local_iso(each.from_ms, zone),
                local_iso(each.to_ms, zone),
                each.exclusion_class,
                each.reason,
                each.author,
            )
            for each in rolled.exclusions
        ],
        stretches=[
            *_stretches(one, "unknown", one.observed.unknown),
            *_stretches(one, "degraded", one.observed.degraded),
        ],
        steps=[(step.what, step.how, step.result) for step in one.steps],
        bounds=_within_bounds(one.in_force),
        rules=[_rule(each) for each in one.verdicts],
        differences=[(key, shown(was), shown(now)) for key, (was, now) in one.differences.items()],
        frozen_steps=[(what, how, result) for what, how, result in drafted],
    )


def _terms(one: Explanation) -> str:
    plan, fee = one.rolled.agreement.plan, one.rolled.agreement.fee
    if plan is None:
        return "no plan"
    words = ["no guarantee" if plan.guarantee is None else f"guarantee {plain_ratio(plan.guarantee)}"]
    if plan.credit is not None and plan.credit.rate_per_hour is not None:
        of_fee = "the monthly fee" if fee is None else f"the monthly fee of {fee}"
        words.append(f"credit {plain_ratio(plan.credit.rate_per_hour)} of {of_fee} for each hour")
        if plan.credit.cap is not None:
            words.append(f"at most {plain_ratio(plan.credit.cap)} of it")
    return f"{plan.key}: {', '.join(words)}"


def _standing(one: Explanation) -> str | None:
    kept, zone = one.kept, one.rolled.agreement.tz
    if kept is not None:
        return f"frozen as revision {kept.revision} at {local_iso(kept.frozen_ms, zone)}: {kept.reason}"
    measured = one.rolled.measured
    return None if measured.complete else f"not complete: this is up to {local_iso(measured.window[1], zone)}"


def _left(left_ms: int | None) -> str | None:
    if left_ms is None:
        return None
    if left_ms < 0:
        return f"the guarantee is broken, by {duration(-left_ms)}"
    return f"{duration(left_ms)} of downtime left to the breach, if the rest of the month is measured"


def _outage(one: Explanation, counted: CountedOutage) -> tuple[str, ...]:
    outage, bounds, zone = counted.outage, counted.bounds, one.rolled.agreement.tz
    instants = (outage.last_good_ms, outage.first_bad_ms, outage.last_bad_ms, outage.first_good_ms)
    excluded_ms = bounds.counted.excluded_ms
    return (
        *(_NOT_SEEN if at_ms is None else local_iso(at_ms, zone) for at_ms in instants),
        *(duration(each.down_ms) for each in (bounds.counted, bounds.least, bounds.most)),
        duration(excluded_ms) if excluded_ms else "",
        outage.reason,
    )


def _stretches(one: Explanation, state: str, found: Iterable[Interval]) -> list[tuple[str, ...]]:
    zone = one.rolled.agreement.tz
    return [
        (state, local_iso(start, zone), local_iso(end, zone), duration(total([(start, end)])))
        for start, end in found
    ]


def _within_bounds(one: Verdict) -> list[tuple[str, ...]]:
    bounds, owed = one.bounds, one.owed
    return [
        ("at least", *_result(bounds.least), _amount(owed.least)),
        ("counted", *_result(bounds.counted), _amount(owed.counted)),
        ("at most", *_result(bounds.most), _amount(owed.most)),
        ("all unknown time was down", *_result(bounds.worst), _amount(owed.worst)),
    ]


def _rule(one: Verdict) -> tuple[str, ...]:
    rule, owed = one.rule, one.owed
    return (
        *(rule.degraded, rule.excluded_time, rule.unknown_time, rule.hours or ""),
        *_result(one.bounds.counted),
        *(_amount(each) for each in (owed.least, owed.counted, owed.most)),
    )


def _result(measured: Availability) -> tuple[str, str, str]:
    ratio = measured.ratio
    return (
        duration(measured.down_ms),
        "not measured" if ratio is None else percentage(ratio, measured.guarantee),
        "yes" if measured.breach else "no",
    )


def _amount(owed: Credit | NoCredit) -> str:
    return str(owed.amount) if isinstance(owed, Credit) else "none"
