"""Months, exclusions, rules and time zones at random: monitor.sla says what the brute force says."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from monitor.sla.availability import Observed, left_ms, measure, under_every_rule
from monitor.sla.credit import Credit, NoCredit, credit
from monitor.sla.intervals import Interval
from monitor.sla.money import Money
from monitor.sla.months import Month, bounds
from monitor.sla.plans import CreditTerms, Plan
from tests.sla import brute_force
from tests.sla.brute_force import Span

HOUR_MS = 3_600_000
ZONES = [
    ZoneInfo(name)
    for name in (
        "Europe/Luxembourg",
        "Europe/London",
        "America/New_York",
        "Australia/Sydney",
        "Asia/Kathmandu",
        "America/Santiago",
        "Australia/Lord_Howe",
        "America/Havana",
        "Asia/Beirut",
        "America/St_Johns",
        "Pacific/Apia",
        "UTC",
    )
]
zones = st.sampled_from(ZONES)
months = st.builds(Month, st.integers(2022, 2032), st.integers(1, 12))


@st.composite
def instants(draw: st.DrawFn, window: Interval) -> int:
    """In and around a window, often just at its edges."""
    first, last = window
    edge = draw(st.sampled_from((first, last)))
    near = st.integers(-2, 2).map(lambda offset: edge + offset)
    hourly = st.integers(-30, (last - first) // HOUR_MS + 30).map(lambda hour: first + hour * HOUR_MS)
    return draw(st.one_of(near, hourly, st.integers(first - 30 * HOUR_MS, last + 30 * HOUR_MS)))


@st.composite
def spans(draw: st.DrawFn, window: Interval) -> list[Span]:
    """What was not up, in order; an outage goes on where it was lost sight of, or is another after that."""
    edges = sorted(draw(st.sets(instants(window), min_size=2, max_size=16)))
    found: list[Span] = []
    state, outage = "up", None
    for begin, end in pairwise(edges):
        before, state = state, draw(st.sampled_from(("up", "down", "down", "degraded", "unknown")))
        if state == "down":
            outage = begin if outage is None else outage
            found.append(Span(begin, end, state, outage))
            continue
        if state != "unknown" or before not in ("down", "unknown") or not draw(st.booleans()):
            outage = None
        if state != "up":
            found.append(Span(begin, end, state))
    return found


@st.composite
def exclusions(draw: st.DrawFn, window: Interval) -> list[Interval]:
    """In any order; they may overlap."""
    pairs = draw(st.lists(st.sets(instants(window), min_size=2, max_size=2), max_size=4))
    return [(min(pair), max(pair)) for pair in pairs]


usual = st.sampled_from(("0.5", "0.9", "0.9980", "0.9985", "0.9990", "0.9995", "0.99999", "1.00"))
guarantees = usual.map(Decimal) | st.decimals("0.0001", "1", places=6)
terms = st.builds(
    CreditTerms,
    st.sampled_from(("0.20", "0.25", "0.30", "0.333", "0.40", "0.0001")).map(Decimal),
    st.sampled_from((None, "0.50", "0.755", "1.00", "1.50")).map(lambda cap: cap and Decimal(cap)),
    st.sampled_from(("prorata", "started", "whole")),
)
plans = st.builds(
    Plan,
    st.just("example/any"),
    st.just("Any"),
    guarantee=guarantees,
    credit=terms,
    degraded=st.sampled_from(("up", "down")),
    excluded_time=st.sampled_from(("available", "removed")),
    unknown_time=st.sampled_from(("available", "removed")),
)
fees = st.decimals("0.01", "9999.99", places=2)


@st.composite
def windows(draw: st.DrawFn) -> Interval:
    """A month, or what a contract or the present leave of it."""
    first, last = bounds(draw(months), draw(zones))
    cut = draw(st.sampled_from(("whole", "whole", "begun", "so far", "both")))
    if cut in ("begun", "both"):
        first += draw(st.integers(1, 10 * 24)) * HOUR_MS
    if cut in ("so far", "both"):
        last -= draw(st.integers(1, 15 * 24 * HOUR_MS))
    return first, last


def observed(window: Interval, line: list[Span], excluded: list[Interval]) -> Observed:
    outages: dict[int, list[Interval]] = {}
    for span in line:
        if span.outage is not None:
            outages.setdefault(span.outage, []).append((span.from_ms, span.to_ms))
    return Observed(
        window,
        list(outages.values()),
        [(span.from_ms, span.to_ms) for span in line if span.state == "degraded"],
        [(span.from_ms, span.to_ms) for span in line if span.state == "unknown"],
        excluded,
    )


@given(months, zones)
def test_a_month_has_the_bounds_that_a_clock_shows(month: Month, zone: ZoneInfo) -> None:
    assert bounds(month, zone) == brute_force.month_window(month.year, month.month, zone)


@given(st.data(), windows(), plans, fees)
def test_every_number_is_what_counting_cell_by_cell_gives(
    data: st.DataObject, window: Interval, plan: Plan, fee: Decimal
) -> None:
    line = data.draw(spans(window))
    excluded = data.draw(exclusions(window))
    measured = measure(observed(window, line, excluded), plan)
    expected = brute_force.count(window, line, excluded, plan.degraded, plan.excluded_time, plan.unknown_time)
    found = brute_force.Count(
        measured.total_ms,
        measured.down_ms,
        measured.degraded_ms,
        measured.excluded_ms,
        measured.unknown_ms,
        measured.outages,
        list(measured.down_by_outage),
    )
    assert found == expected
    assert plan.guarantee is not None
    assert measured.breach == brute_force.is_breach(expected, plan.guarantee)
    assert measured.allowed_down_ms == brute_force.allowed_ms(expected.total_ms, plan.guarantee)
    assert measured.coverage * (window[1] - window[0]) == window[1] - window[0] - expected.unknown_ms
    assert plan.credit is not None
    assert plan.credit.rate_per_hour is not None
    owed = credit(measured, plan, Money(fee, "EUR"))
    if measured.breach:
        hours = brute_force.hours(expected.down_by_outage, plan.credit.hours)
        amount = brute_force.credit(fee, plan.credit.rate_per_hour, plan.credit.cap, hours)
        assert isinstance(owed, Credit)
        assert (owed.hours, owed.amount) == (hours, Money(amount, "EUR"))
    else:
        assert isinstance(owed, NoCredit)


@given(st.data(), windows(), plans)
def test_the_verdicts_side_by_side_are_those_of_each_rule(
    data: st.DataObject, window: Interval, plan: Plan
) -> None:
    line = data.draw(spans(window))
    excluded = data.draw(exclusions(window))
    verdicts = under_every_rule(observed(window, line, excluded), plan)
    assert len(verdicts) == 8
    for rules, verdict in verdicts.items():
        expected = brute_force.count(window, line, excluded, *rules)
        assert (verdict.total_ms, verdict.down_ms) == (expected.total_ms, expected.down_ms)
        assert verdict.outages == expected.outages


@given(st.data(), windows(), plans, st.integers(0, 20 * 24 * HOUR_MS))
def test_what_is_left_of_a_month_is_the_most_downtime_that_is_still_no_breach(
    data: st.DataObject, window: Interval, plan: Plan, rest_ms: int
) -> None:
    line = data.draw(spans(window))
    excluded = data.draw(exclusions(window))
    left = left_ms(measure(observed(window, line, excluded), plan), (window[0], window[1] + rest_ms))
    so_far = brute_force.count(window, line, excluded, plan.degraded, plan.excluded_time, plan.unknown_time)
    total_ms = so_far.total_ms + rest_ms
    assert left is not None
    assert plan.guarantee is not None
    assert so_far.down_ms + left == brute_force.allowed_ms(total_ms, plan.guarantee)


@given(st.data(), months, zones, plans)
def test_the_parts_of_a_month_add_up_to_it(
    data: st.DataObject, month: Month, zone: ZoneInfo, plan: Plan
) -> None:
    first, last = bounds(month, zone)
    line = data.draw(spans((first, last)))
    excluded = data.draw(exclusions((first, last)))
    middle = data.draw(st.integers(first + 1, last - 1))
    whole = observed((first, last), line, excluded)
    parts = [measure(replace(whole, window=part), plan) for part in ((first, middle), (middle, last))]
    measured = measure(whole, plan)
    assert sum(part.total_ms for part in parts) == measured.total_ms
    assert sum(part.down_ms for part in parts) == measured.down_ms
    assert sum(part.outages for part in parts) == measured.outages, "an outage is counted where it begins"
