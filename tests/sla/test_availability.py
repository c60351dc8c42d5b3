"""How a window is counted: the options of a plan, the edges of a month, one millisecond about the guarantee."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from monitor.sla.availability import Observed, left_ms, measure, under_every_rule
from monitor.sla.intervals import Interval
from monitor.sla.months import Month, bounds
from monitor.sla.plans import Plan
from tests.sla.plans import BASIC, ENTERPRISE, GUARANTEED

HOUR_MS = 3_600_000
LUXEMBOURG = ZoneInfo("Europe/Luxembourg")
OCTOBER = bounds(Month(2026, 10), LUXEMBOURG)
NOVEMBER = bounds(Month(2026, 11), LUXEMBOURG)
PLAIN = Plan("example/plain", "Plain", guarantee=Decimal("0.9990"))


def hours(begin: float, end: float, month: Interval = OCTOBER) -> Interval:
    """From an hour of the month to another."""
    return month[0] + int(begin * HOUR_MS), month[0] + int(end * HOUR_MS)


@pytest.mark.parametrize("month", ["2026-02", "2026-03", "2026-10", "2026-12", "2028-02"])
@pytest.mark.parametrize("plan", GUARANTEED, ids=lambda plan: plan.key)
def test_the_guarantee_breaks_one_millisecond_after_the_allowance(plan: Plan, month: str) -> None:
    window = bounds(Month.parse(month), LUXEMBOURG)
    total_ms = window[1] - window[0]
    assert plan.guarantee is not None
    allowed_ms = int((1 - plan.guarantee) * total_ms)
    verdicts = {}
    for down_ms in (allowed_ms - 1, allowed_ms, allowed_ms + 1):
        measured = measure(Observed(window, [[(window[0], window[0] + down_ms)]]), plan)
        assert measured.ratio == Fraction(total_ms - down_ms, total_ms)
        verdicts[down_ms - allowed_ms] = measured.breach
        assert measured.allowed_down_ms == allowed_ms
    assert verdicts == {-1: False, 0: False, 1: True}


def test_equality_is_no_breach() -> None:
    window = (0, 1_000_000)
    measured = measure(Observed(window, [[(0, 1_000)]]), PLAIN)
    assert measured.ratio == Fraction(999, 1000) == Fraction(PLAIN.guarantee or 0)
    assert not measured.breach


def test_without_a_guarantee_nothing_can_be_in_breach() -> None:
    for plan in (BASIC, None):
        measured = measure(Observed(OCTOBER, [[OCTOBER]]), plan)
        assert (measured.breach, measured.allowed_down_ms) == (False, None)


def test_a_guarantee_of_all_the_time_allows_nothing() -> None:
    always = replace(PLAIN, guarantee=Decimal("1.00"))
    assert measure(Observed(OCTOBER), always).breach is False
    assert measure(Observed(OCTOBER, [[(OCTOBER[0], OCTOBER[0] + 1)]]), always).breach is True


def test_an_outage_over_a_months_end_is_split_and_counted_where_it_begins() -> None:
    outage = (OCTOBER[1] - 2 * HOUR_MS, OCTOBER[1] + HOUR_MS)
    october, november = (measure(Observed(window, [[outage]]), PLAIN) for window in (OCTOBER, NOVEMBER))
    assert (october.down_ms, october.outages) == (2 * HOUR_MS, 1)
    assert (november.down_ms, november.outages) == (HOUR_MS, 0)


def test_an_outage_that_begins_with_a_month_is_of_that_month() -> None:
    outage = (NOVEMBER[0], NOVEMBER[0] + HOUR_MS)
    counts = [measure(Observed(window, [[outage]]), PLAIN).outages for window in (OCTOBER, NOVEMBER)]
    assert counts == [0, 1]


def test_an_outage_over_a_whole_month_is_all_of_its_downtime() -> None:
    outage = (OCTOBER[0] - HOUR_MS, NOVEMBER[0] + HOUR_MS)
    measured = measure(Observed(OCTOBER, [[outage]]), PLAIN)
    assert measured.ratio == 0
    assert (measured.down_ms, measured.outages) == (745 * HOUR_MS, 0)


def test_an_outage_that_was_lost_sight_of_is_one_and_its_unknown_time_is_no_downtime() -> None:
    observed = Observed(OCTOBER, [[hours(1, 2), hours(4, 5)]], unknown=[hours(2, 4)])
    measured = measure(observed, PLAIN)
    assert (measured.outages, measured.down_ms, measured.unknown_ms) == (1, 2 * HOUR_MS, 2 * HOUR_MS)
    assert measured.down_by_outage == (2 * HOUR_MS,)


def test_unknown_time_shows_in_the_coverage_whatever_it_counts_as() -> None:
    observed = Observed(OCTOBER, unknown=[hours(0, 74.5)])
    for rule in ("available", "removed"):
        measured = measure(observed, replace(PLAIN, unknown_time=rule))
        assert measured.coverage == Fraction(9, 10)


def test_unknown_time_that_is_removed_leaves_the_measured_time() -> None:
    observed = Observed(OCTOBER, [[hours(0, 1)]], unknown=[hours(1, 645)])
    assert measure(observed, PLAIN).ratio == Fraction(744, 745)
    assert measure(observed, replace(PLAIN, unknown_time="removed")).ratio == Fraction(100, 101)


def test_degraded_time_is_downtime_where_the_plan_says_so() -> None:
    observed = Observed(OCTOBER, degraded=[hours(5, 7)])
    as_up, as_down = (measure(observed, replace(PLAIN, degraded=rule)) for rule in ("up", "down"))
    assert (as_up.down_ms, as_up.degraded_ms, as_up.outages) == (0, 2 * HOUR_MS, 0)
    assert (as_down.down_ms, as_down.degraded_ms, as_down.outages) == (2 * HOUR_MS, 2 * HOUR_MS, 1)


def test_degraded_and_down_that_touch_are_one_outage() -> None:
    observed = Observed(
        OCTOBER,
        [[hours(2, 3), hours(4, 5)], [hours(6, 7)]],
        degraded=[hours(1, 2), hours(5, 6), hours(8, 9)],
        unknown=[hours(3, 4)],
    )
    measured = measure(observed, replace(PLAIN, degraded="down"))
    assert measured.outages == 2
    assert measured.down_by_outage == (5 * HOUR_MS, HOUR_MS)


def test_an_outage_that_began_as_degraded_before_the_month_is_not_of_the_month() -> None:
    observed = Observed(OCTOBER, [[hours(0, 1)]], degraded=[hours(-1, 0)])
    assert measure(observed, PLAIN).outages == 1
    assert measure(observed, replace(PLAIN, degraded="down")).outages == 0


def test_an_exclusion_takes_downtime_away_and_the_outage_is_still_counted() -> None:
    observed = Observed(OCTOBER, [[hours(1, 5)]], excluded=[hours(0, 2)])
    measured = measure(observed, PLAIN)
    assert (measured.down_ms, measured.excluded_ms, measured.outages) == (3 * HOUR_MS, HOUR_MS, 1)
    assert measured.total_ms == 745 * HOUR_MS


def test_of_exclusions_that_overlap_the_union_counts_in_any_order() -> None:
    excluded = [hours(3, 4), hours(0, 2), hours(1, 3.5)]
    measured = measure(Observed(OCTOBER, [[hours(1, 5)]], excluded=excluded), PLAIN)
    assert (measured.down_ms, measured.excluded_ms) == (HOUR_MS, 3 * HOUR_MS)


def test_excluded_time_that_is_removed_leaves_the_measured_time_down_or_not() -> None:
    """A month of 31 days with 24 h excluded, at 99.95 %: the two ways in which others count."""
    month = bounds(Month(2026, 12), LUXEMBOURG)
    observed = Observed(month, excluded=[hours(100, 124, month)])
    allowed = {}
    for rule in ("available", "removed"):
        plan = replace(PLAIN, guarantee=Decimal("0.9995"), excluded_time=rule)
        allowed[rule] = measure(observed, plan).allowed_down_ms
    assert allowed == {"available": 1_339_200, "removed": 1_296_000}


def test_time_that_is_excluded_and_unknown_is_removed_once() -> None:
    observed = Observed(OCTOBER, unknown=[hours(0, 10)], excluded=[hours(5, 15)])
    both = replace(PLAIN, excluded_time="removed", unknown_time="removed")
    assert measure(observed, both).total_ms == 730 * HOUR_MS


def test_where_everything_is_removed_there_is_no_availability_and_no_breach() -> None:
    measured = measure(Observed(OCTOBER, unknown=[OCTOBER]), replace(PLAIN, unknown_time="removed"))
    assert (measured.total_ms, measured.ratio, measured.breach) == (0, None, False)
    assert measured.allowed_down_ms == measured.coverage == 0


def test_a_window_that_the_contract_leaves_empty_has_no_downtime() -> None:
    for window in (hours(2, 2), hours(3, 2)):
        measured = measure(Observed(window, [[hours(0, 5)]], unknown=[hours(0, 5)]), PLAIN)
        assert (measured.total_ms, measured.down_ms, measured.unknown_ms) == (0, 0, 0)
        assert (measured.outages, measured.down_by_outage, measured.breach) == (0, (), False)
        assert measured.coverage == 0


def test_what_is_left_is_reckoned_for_the_whole_month() -> None:
    so_far = (OCTOBER[0], OCTOBER[0] + HOUR_MS)
    measured = measure(Observed(so_far, [[hours(0, 0.5)]], complete=False), PLAIN)
    assert measured.breach
    assert not measured.complete
    assert left_ms(measured, OCTOBER) == 2_682_000 - HOUR_MS // 2
    assert left_ms(measured, so_far) == 3_600 - HOUR_MS // 2, "below zero: the month is lost"
    assert left_ms(measure(Observed(so_far), BASIC), OCTOBER) is None


def test_the_verdict_under_every_rule_stands_side_by_side() -> None:
    observed = Observed(
        OCTOBER, [[hours(0, 1)]], degraded=[hours(2, 3)], unknown=[hours(3, 4)], excluded=[hours(0, 1)]
    )
    verdicts = under_every_rule(observed, ENTERPRISE)
    assert {rules: verdict.breach for rules, verdict in verdicts.items() if rules[0] == "up"} == {
        ("up", excluded, unknown): False
        for excluded in ("available", "removed")
        for unknown in ("available", "removed")
    }
    assert verdicts["down", "available", "available"].breach
    assert verdicts["down", "removed", "removed"].total_ms == 743 * HOUR_MS
    assert verdicts["up", "available", "available"] == measure(observed, ENTERPRISE)
