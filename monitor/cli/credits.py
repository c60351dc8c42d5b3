"""``ringback credits``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from monitor.cli.changing import freeze
from monitor.cli.invocation import Invocation, pass_invocation
from monitor.cli.output import RIGHT, print_json, print_table, say
from monitor.cli.parameters import MONTH
from monitor.sla.months import local_iso

if TYPE_CHECKING:
    import zoneinfo

    from monitor.ledger.entitlements import Entitlement
    from monitor.sla.months import Month


@click.command
@click.argument("month", type=MONTH)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_invocation
def command(invocation: Invocation, month: Month, as_json: bool) -> None:
    """Show the entitlements of MONTH (such as 2026-10), with their calculation step by step.

    A month that is over and not frozen yet is frozen first; its breaches draft the entitlements.
    """
    from monitor.ledger.entitlements import of_month  # noqa: PLC0415
    from monitor.ledger.freezing import is_due, is_over  # noqa: PLC0415

    with invocation.reading() as db:
        due = is_due(db, invocation.configuration, invocation.now_ms, month)
    if due:
        freeze(invocation, month)
    with invocation.reading() as db:
        found = of_month(db, month)
    if not is_over(invocation.configuration, month, invocation.now_ms):
        say(f"{month} is not over: entitlements are drafted when it is frozen")
    if as_json:
        zone = invocation.zone
        print_json(
            {
                "month": str(month),
                "timezone": zone.key,
                "entitlements": [_as_json(one, zone) for one in found],
            }
        )
    elif found:
        _print_table(found)
    else:
        click.echo(f"{month}: no entitlement")


def _as_json(one: Entitlement, zone: zoneinfo.ZoneInfo) -> dict[str, Any]:
    return {
        "uid": one.uid,
        "service": one.service,
        "month": str(one.month),
        "revision": one.revision,
        "state": one.state,
        "amount": one.amount,
        "currency": one.currency,
        "calculation": [
            {"what": what, "how": how, "result": result} for what, how, result in one.calculation
        ],
        "drafted": local_iso(one.drafted_ms, zone),
    }


def _print_table(found: list[Entitlement]) -> None:
    print_table(
        ("ID", "SERVICE", f"{RIGHT}REVISION", "STATE", f"{RIGHT}AMOUNT"),
        [
            (one.uid, one.service, str(one.revision), one.state, f"{one.amount} {one.currency}")
            for one in found
        ],
    )
    for one in found:
        if one.state != "superseded":
            click.echo(f"\n{one.service}, revision {one.revision}, step by step:")
            print_table(("STEP", "HOW", "RESULT"), one.calculation)
