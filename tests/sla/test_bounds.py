"""What an outage's error bounds leave of a month, at random and by hand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from monitor.sla.availability import Availability, Observed, measure
from monitor.sla.bounds import Bounds, Edges, bounded
from monitor.sla.credit import Credit, NoCredit, credit
from monitor.sla.intervals import Interval
from monitor.sla.money import Money
from monitor.sla.plans import CreditTerms, Plan
from tests.sla import brute_force
from tests.sla.brute_force import Span
from tests.sla.test_against_brute_force import exclusions, fees, observed, plans, spans, windows

HOUR_MS = 3_600_000
PLAN = Plan("example/any", "Any", guarantee=Decimal("0.9"), credit=CreditTerms(Decimal("0.10")))


@st.composite
def edges(draw: st.DrawFn, line: list[Span]) -> Edges:
    """What could have been seen around the outages of a line: some of it."""
    last_good, last_bad = {}, {}
    for span in line:
        if span.outage is None:
            continue
        goes_on = any(one.outage == span.outage and one.from_ms > span.from_ms for one in line)
        lost_sight_of = any(one.state == "unknown" and one.from_ms == span.to_ms for one in line)
        if span.from_ms == span.outage and draw(st.booleans()):
            last_good[span.from_ms] = draw(st.integers(_answered_before(line, span), span.from_ms))
        if not goes_on and not lost_sight_of and draw(st.booleans()):
            last_bad[span.to_ms] = draw(st.integers(span.from_ms, span.to_ms))
    return Edges(last_good, last_bad)


def _answered_before(line: list[Span], outage: Span) -> int:
    """The earliest instant at which its last good answer before can have been: a degraded one is good as well."""
    earlier = [one for one in line if one.to_ms <= outage.from_ms and one.state != "unknown"]
    last = earlier[-1] if earlier else Span(outage.from_ms - 40 * HOUR_MS, 0, "degraded")
    return last.to_ms if last.state == "down" else last.from_ms


def down_and_total(
    window: Interval, line: list[Span], excluded: list[Interval], plan: Plan
) -> tuple[int, int]:
    found = brute_force.count(window, line, excluded, plan.degraded, plan.excluded_time, plan.unknown_time)
    return found.down_ms, found.total_ms


def shortened(line: list[Span], seen: Edges) -> list[Span]:
    return [
        replace(one, to_ms=seen.last_bad.get(one.to_ms, one.to_ms)) if one.outage is not None else one
        for one in line
    ]


def lengthened(line: list[Span], seen: Edges) -> list[Span]:
    """Downtime stands first: it goes before whatever else is said of the same time."""
    longer = [
        replace(one, from_ms=seen.last_good.get(one.from_ms, one.from_ms))
        for one in line
        if one.outage is not None
    ]
    return [*longer, *(one for one in line if one.outage is None)]


def unseen_is_down(line: list[Span]) -> list[Span]:
    return [replace(one, state="down") if one.state == "unknown" else one for one in line]


@given(st.data(), windows(), plans)
def test_the_bounds_are_what_counting_cell_by_cell_gives(
    data: st.DataObject, window: Interval, plan: Plan
) -> None:
    line = data.draw(spans(window))
    excluded = data.draw(exclusions(window))
    seen = data.draw(edges(line))
    found = bounded(observed(window, line, excluded), plan, seen)
    longer = lengthened(line, seen)
    for measured, counted in (
        (found.least, shortened(line, seen)),
        (found.counted, line),
        (found.most, longer),
        (found.worst, unseen_is_down(longer)),
    ):
        assert (measured.down_ms, measured.total_ms) == down_and_total(window, counted, excluded, plan)


@given(st.data(), windows(), plans, fees)
def test_least_counted_most_and_worst_stand_in_that_order_in_downtime_and_in_credit(
    data: st.DataObject, window: Interval, plan: Plan, fee: Decimal
) -> None:
    line = data.draw(spans(window))
    found = bounded(observed(window, line, data.draw(exclusions(window))), plan, data.draw(edges(line)))
    down = [one.down_ms for one in in_order(found)]
    assert down == sorted(down)
    amounts = [amount(credit(one, plan, Money(fee, "EUR"))) for one in in_order(found)]
    assert amounts == sorted(amounts)


@given(st.data(), windows(), plans)
def test_what_is_counted_is_what_the_month_is_measured_as(
    data: st.DataObject, window: Interval, plan: Plan
) -> None:
    line = data.draw(spans(window))
    seen = observed(window, line, data.draw(exclusions(window)))
    assert bounded(seen, plan, data.draw(edges(line))).counted == measure(seen, plan)


def test_an_outage_has_its_least_and_its_most() -> None:
    window = (0, 100 * HOUR_MS)
    seen = Observed(window, outages=[[(10 * HOUR_MS, 20 * HOUR_MS)]])
    edges = Edges({10 * HOUR_MS: 9 * HOUR_MS}, {20 * HOUR_MS: 18 * HOUR_MS})
    assert hours(bounded(seen, PLAN, edges)) == [8, 10, 11, 11]


def test_an_outage_of_which_nothing_else_was_seen_counts_as_it_is() -> None:
    seen = Observed((0, 100 * HOUR_MS), outages=[[(10 * HOUR_MS, 20 * HOUR_MS)]])
    assert hours(bounded(seen, PLAN, Edges({}, {}))) == [10, 10, 10, 10]


def test_at_worst_all_that_nobody_saw_was_downtime() -> None:
    seen = Observed(
        (0, 100 * HOUR_MS), outages=[[(10 * HOUR_MS, 20 * HOUR_MS)]], unknown=[(8 * HOUR_MS, 10 * HOUR_MS)]
    )
    assert hours(bounded(seen, PLAN, Edges({10 * HOUR_MS: 9 * HOUR_MS}, {}))) == [10, 10, 11, 12]


def test_edges_do_not_split_an_outage_whose_hours_are_rounded() -> None:
    """Degraded time after it, which is downtime as well, belongs to the same outage also at least."""
    plan = replace(PLAN, degraded="down", credit=CreditTerms(Decimal("0.10"), hours="started"))
    half = HOUR_MS // 2
    seen = Observed((0, 5 * HOUR_MS), outages=[[(0, half)]], degraded=[(half, HOUR_MS)])
    least = bounded(seen, plan, Edges({}, {half: half - 1})).least
    owed = credit(least, plan, Money(Decimal(100), "EUR"))
    assert isinstance(owed, Credit)
    assert owed.hours == 1


def in_order(found: Bounds) -> tuple[Availability, ...]:
    return found.least, found.counted, found.most, found.worst


def hours(found: Bounds) -> list[int]:
    return [one.down_ms // HOUR_MS for one in in_order(found)]


def amount(owed: Credit | NoCredit) -> Decimal:
    return owed.amount.amount if isinstance(owed, Credit) else Decimal(0)
