"""The values that pages are made of."""

from __future__ import annotations

from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.ledger.agreement import Agreement
from monitor.ledger.rollup import Rollup
from monitor.sla.availability import Observed, measure
from monitor.sla.credit import credit
from monitor.sla.money import Money
from monitor.sla.months import Month, bounds
from monitor.sla.plans import CreditTerms, Plan
from monitor.store.timelines import Timeline
from monitor.track.states import State
from monitor.web.month_view import running_month
from monitor.web.overview import headline, spread
from monitor.web.strip import CELL_MS, strip
from monitor.web.wording import instant, roughly, round_trip

LUXEMBOURG = ZoneInfo("Europe/Luxembourg")
OCTOBER = Month(2026, 10)
BEGIN, END = bounds(OCTOBER, LUXEMBOURG)
HOUR = 3_600_000


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0 s"),
        (59_999, "59 s"),
        (60_000, "1 min"),
        (3_599_999, "59 min"),
        (7_500_000, "2 h 05 min"),
        (90_000_000, "1 d 01 h"),
        (-5, "0 s"),
    ],
)
def test_a_duration_at_a_glance(milliseconds: int, text: str) -> None:
    assert roughly(milliseconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.000412, "0.412 ms"), (0.0012, "1.20 ms"), (0.0381, "38.1 ms"), (1.2041, "1204 ms")],
)
def test_a_round_trip_has_three_digits(seconds: float, text: str) -> None:
    assert round_trip(seconds) == text


def test_an_instant_of_another_day_has_its_date() -> None:
    found = instant(BEGIN + HOUR, LUXEMBOURG, BEGIN)
    assert (found.iso, found.text) == ("2026-10-01T01:00:00+02:00", "01:00:00")
    assert instant(BEGIN, LUXEMBOURG, END).text == "2026-10-01 00:00:00"


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ((0, 0, 0, 0), "No services are configured"),
        ((1, 0, 0, 0), "The service is up"),
        ((5, 0, 0, 0), "All 5 services are up"),
        ((3, 1, 0, 0), "1 of 4 services is degraded"),
        ((3, 1, 0, 2), "2 of 6 services are unknown"),
        ((3, 1, 2, 2), "2 of 8 services are down"),
    ],
)
def test_the_headline_names_the_worst(counts: tuple[int, ...], sentence: str) -> None:
    assert headline(dict(zip(State, counts, strict=True))) == sentence


@given(st.tuples(*[st.integers(0, 10_000)] * 4))
def test_whatever_there_is_can_be_seen_in_the_bar(counts: tuple[int, ...]) -> None:
    parts = spread(dict(zip(State, counts, strict=True)))
    assert len(parts) == sum(map(bool, counts))
    assert all(part.width >= 8 for part in parts)
    assert sum(part.width for part in parts) <= 1000 + 8 * 3


def line(**stretches: list[tuple[int, int]]) -> Timeline:
    down = [(start, end, start) for start, end in stretches.get("down", [])]
    return Timeline(BEGIN, END, down, stretches.get("degraded", []), stretches.get("unknown", []), 0)


def test_a_day_on_which_the_clock_goes_back_has_an_hour_more() -> None:
    days = strip(line(), OCTOBER, LUXEMBOURG)
    assert len(days) == 31
    assert [day.day.day for day in days if day.cells != 288] == [25]
    assert days[24].cells == 300
    assert all(len(day.runs) == 1 and day.runs[0].state == "up" for day in days)


def test_a_millisecond_of_downtime_fills_its_cell() -> None:
    days = strip(line(down=[(BEGIN + HOUR + 1, BEGIN + HOUR + 2)]), OCTOBER, LUXEMBOURG)
    assert [(run.cell, run.cells, run.state) for run in days[0].runs] == [
        (0, 12, "up"),
        (12, 1, "down"),
        (13, 275, "up"),
    ]


def test_a_cell_shows_the_worst_that_was_in_it() -> None:
    thirds = [(BEGIN + CELL_MS * n // 3, BEGIN + CELL_MS * (n + 1) // 3) for n in range(3)]
    every = line(unknown=thirds[:1], degraded=thirds[1:2], down=thirds[2:])
    assert strip(every, OCTOBER, LUXEMBOURG)[0].runs[0].state == "down"


def test_what_has_not_come_yet_is_blank() -> None:
    now = BEGIN + 36 * HOUR
    days = strip(Timeline(BEGIN, now, [], [], [], 0), OCTOBER, LUXEMBOURG)
    assert [sum(run.cells for run in day.runs) for day in days[:3]] == [288, 144, 0]


@given(st.lists(st.integers(BEGIN, END), min_size=2, max_size=20))
def test_the_cells_of_a_past_month_have_no_gap(instants: list[int]) -> None:
    edges = sorted(set(instants))
    pairs = list(zip(edges[::2], edges[1::2], strict=False))
    for day in strip(line(down=pairs), OCTOBER, LUXEMBOURG):
        at = 0
        for run in day.runs:
            assert run.cell == at
            at += run.cells
        assert at == day.cells


def so_far(down_ms: int, now_ms: int = BEGIN + 100 * HOUR, unknown_ms: int = 0) -> Rollup:
    plan = Plan("p/e", "E", guarantee=Decimal("0.9990"), credit=CreditTerms(Decimal("0.3"), Decimal(1)))
    fee = Money(Decimal(100), "EUR")
    window = (BEGIN, now_ms)
    observed = Observed(
        window,
        [[(BEGIN, BEGIN + down_ms)]] if down_ms else (),
        (),
        [(now_ms - unknown_ms, now_ms)],
        complete=False,
    )
    measured = measure(observed, plan)
    agreement = Agreement("a", "Europe/Luxembourg", (), None, None, plan, fee)
    return Rollup(agreement, measured, credit(measured, plan, fee), ())


ALLOWED = (END - BEGIN) // 1000


def test_the_allowance_of_a_running_month_is_that_of_the_whole_month() -> None:
    view = running_month(so_far(ALLOWED // 2))
    assert (view.allowed, view.spent, view.left) == ("44 min 42 s", 500, "22 min 21 s")
    assert view.breach  # so far: the rest of the month may yet make it good


def test_a_budget_that_is_used_up_exactly_is_not_overdrawn() -> None:
    assert running_month(so_far(ALLOWED)).left == "0 s"
    over = running_month(so_far(ALLOWED + 1))
    assert (over.left, over.spent) == (None, 1000)


def test_any_downtime_can_be_seen_in_the_bar() -> None:
    assert running_month(so_far(1)).spent == 1


def test_coverage_is_doubtful_where_what_is_unknown_could_hide_a_breach() -> None:
    assert not running_month(so_far(0, unknown_ms=ALLOWED)).doubtful
    assert running_month(so_far(0, unknown_ms=ALLOWED + 1)).doubtful
    assert running_month(so_far(1, unknown_ms=ALLOWED)).doubtful
    assert not running_month(so_far(ALLOWED + 1, unknown_ms=ALLOWED)).doubtful  # it is broken anyway


def test_where_nothing_was_seen_the_availability_is_not_known() -> None:
    assert running_month(so_far(0, unknown_ms=100 * HOUR)).availability is None
