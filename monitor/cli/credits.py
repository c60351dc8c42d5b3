"""``ringback credits``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from monitor.cli.changing import freeze_month
from monitor.cli.invocation import Invocation, pass_invocation
from monitor.cli.output import RIGHT, print_json, print_table, say
from monitor.cli.parameters import MONTH

if TYPE_CHECKING:
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
    from monitor.ledger.claim_record import claim_record  # noqa: PLC0415
    from monitor.ledger.customers import customers  # noqa: PLC0415
    from monitor.ledger.entitlements import of_month  # noqa: PLC0415
    from monitor.ledger.freezing import is_due, is_over  # noqa: PLC0415

    with invocation.reading() as db:
        due = is_due(db, invocation.configuration, invocation.now_ms, month)
    if due:
        freeze_month(invocation, month)
    with invocation.reading() as db:
        found = of_month(db, month)
    if not is_over(invocation.configuration, month, invocation.now_ms):
        say(f"{month} is not over: entitlements are drafted when it is frozen")
    if as_json:
        zone, whose = invocation.zone, customers(invocation.configuration)
        print_json(
            {
                "month": str(month),
                "timezone": zone.key,
                "entitlements": [claim_record(one, whose, zone) for one in found],
            }
        )
    elif found:
        _print_table(found)
    else:
        click.echo(f"{month}: no entitlement")


def _print_table(found: list[Entitlement]) -> None:
    from monitor.cli.claim_view import amount_of, basis  # noqa: PLC0415

    print_table(
        ("ID", "SERVICE", f"{RIGHT}REVISION", "STATE", f"{RIGHT}AMOUNT"),
        [(one.uid, one.service, str(one.revision or ""), one.state, amount_of(one)) for one in found],
    )
    for one in found:
        if one.state != "superseded":
            click.echo(f"\n{one.service}, {basis(one)}, step by step:")
            print_table(("STEP", "HOW", "RESULT"), one.calculation)
