"""``ringback deadline``."""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from monitor.cli.failures import Failure
from monitor.cli.invocation import DEFAULT_CONFIG, Invocation, did_you_mean, pass_invocation
from monitor.cli.output import print_json, print_table
from monitor.cli.parameters import ZONE, instant
from monitor.sla.holidays import public_holidays
from monitor.sla.hours import deadlines
from monitor.sla.months import from_ms, local_iso

if TYPE_CHECKING:
    from monitor.sla.plans import Plan

_YEARS = 10
"""As far as a deadline is followed."""


@click.command
@click.option("--plan", "plan_key", metavar="P", required=True, help="Such as mixvoip/enterprise.")
@click.option(
    "--reported", metavar="T", required=True, help="ISO 8601; without offset in the contract's zone."
)
@click.option(
    "--timezone", "zone", type=ZONE, default="Europe/Luxembourg", show_default=True, help="The contract's."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_invocation
def command(
    invocation: Invocation, plan_key: str, reported: str, zone: zoneinfo.ZoneInfo, as_json: bool
) -> None:
    """Show when a reported problem is due: response (MRT), intervention (TTI) and resolution (TTR).

    The clocks run inside the fault-handling hours of the plan only.
    """
    plans = _plans(invocation)
    if plan_key not in plans:
        raise Failure(f"expected a plan of the catalogues, not {plan_key!r}{did_you_mean(plan_key, plans)}")
    plan = plans[plan_key]
    reported_ms = instant(reported, zone, "--reported")
    budgets = (plan.mrt_ms, plan.tti_ms, plan.ttr_ms)
    year = from_ms(reported_ms, zone).year
    try:
        off = public_holidays(plan.holidays, year, year + _YEARS)
        due = deadlines(budgets, reported_ms, plan.fault_hours, zone, off)
    except ValueError as error:
        raise Failure(f"{plan_key}: {error}") from None
    told = {
        "reported": local_iso(reported_ms, zone),
        **{
            name: None if at_ms is None else local_iso(at_ms, zone)
            for name, at_ms in (("mrt", due.mrt_ms), ("tti", due.tti_ms), ("ttr", due.ttr_ms))
        },
    }
    if as_json:
        print_json(told)
        return
    names = {
        "reported": "reported",
        "mrt": "response (MRT)",
        "tti": "intervention (TTI)",
        "ttr": "resolution (TTR)",
    }
    print_table(("CLOCK", "DUE"), [(names[key], at or "nothing agreed") for key, at in told.items()])


def _plans(invocation: Invocation) -> Mapping[str, Plan]:
    """The plans of the configuration; where there is none at the default place, those that came with Ringback."""
    if invocation.chosen_config is not None or DEFAULT_CONFIG.exists():
        return invocation.configuration.plans
    from monitor.config.catalogue import read_catalogues  # noqa: PLC0415
    from monitor.config.samples import installed_config  # noqa: PLC0415
    from monitor.config.source import Source  # noqa: PLC0415

    return read_catalogues(Source(path) for path in sorted(installed_config().glob("plans/*.yml"))).plans()
