"""The object that programs read, as it is documented."""

from __future__ import annotations

import json
from dataclasses import replace
from zoneinfo import ZoneInfo

from monitor.sla.availability import Observed, measure
from monitor.sla.credit import credit
from monitor.sla.money import Money
from monitor.sla.months import Month, bounds
from monitor.sla.plans import Plan
from monitor.sla.record import service_figures
from tests.sla.plans import BASIC, ENTERPRISE

LUXEMBOURG = ZoneInfo("Europe/Luxembourg")
OCTOBER = bounds(Month(2026, 10), LUXEMBOURG)
FEE = Money.parse("100.00 EUR")

DOCUMENTED = """
{"service": "acme-trunk", "plan": "mixvoip/enterprise",
 "from": "2026-10-01T00:00:00+02:00", "to": "2026-11-01T00:00:00+01:00",
 "total_ms": 2682000000, "down_ms": 7200000, "degraded_ms": 0, "excluded_ms": 0, "unknown_ms": 0,
 "outages": 1, "blips": 0, "coverage": "1", "availability": "0.99731543", "guarantee": "0.9990",
 "allowed_down_ms": 2682000, "breach": true, "complete": true,
 "credit": {"currency": "EUR", "fee": "100.00", "rate_per_hour": "0.30", "hours": "2",
            "uncapped": "60.00", "cap": "100.00", "amount": "60.00"}}
"""


def figures(observed: Observed, plan: Plan | None) -> str:
    measured = measure(observed, plan)
    owed = credit(measured, plan, FEE)
    return json.dumps(service_figures("acme-trunk", plan.key if plan else None, measured, owed, LUXEMBOURG))


def test_the_documented_example_comes_out_to_the_letter() -> None:
    down = (OCTOBER[0] + 86_400_000, OCTOBER[0] + 93_600_000)
    assert figures(Observed(OCTOBER, [[down]]), ENTERPRISE) == json.dumps(json.loads(DOCUMENTED))


def test_what_there_is_none_of_is_null() -> None:
    found = json.loads(figures(Observed(OCTOBER, [[OCTOBER]]), None))
    keys = ("plan", "guarantee", "allowed_down_ms", "credit")
    assert [found[key] for key in keys] == [None] * 4
    assert found["availability"] == "0"
    basic = json.loads(figures(Observed(OCTOBER), BASIC))
    assert (basic["plan"], basic["guarantee"], basic["credit"]) == ("mixvoip/basic", None, None)


def test_where_nothing_was_measured_there_is_no_availability() -> None:
    plan = replace(ENTERPRISE, unknown_time="removed")
    found = json.loads(figures(Observed(OCTOBER, unknown=[OCTOBER]), plan))
    assert (found["availability"], found["coverage"], found["total_ms"]) == (None, "0", 0)
    assert (found["allowed_down_ms"], found["breach"]) == (0, False)


def test_an_unfinished_month_says_so_and_ends_at_the_present_millisecond() -> None:
    so_far = (OCTOBER[0], OCTOBER[0] + 1_234_567)
    found = json.loads(figures(Observed(so_far, complete=False, blips=3), ENTERPRISE))
    assert (found["complete"], found["to"]) == (False, "2026-10-01T00:20:34.567+02:00")
    assert found["blips"] == 3


def test_a_plan_without_a_cap_has_null_for_it() -> None:
    assert ENTERPRISE.credit is not None
    plan = replace(ENTERPRISE, credit=replace(ENTERPRISE.credit, cap=None))
    found = json.loads(figures(Observed(OCTOBER, [[(OCTOBER[0], OCTOBER[0] + 5_000_000)]]), plan))
    assert found["credit"]["cap"] is None
    assert (found["credit"]["hours"], found["credit"]["amount"]) == ("1.38888888", "41.67")
