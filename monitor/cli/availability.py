"""``ringback availability``."""

from __future__ import annotations

import zoneinfo

import click

from monitor.cli.failures import Failure
from monitor.cli.figures_table import print_window
from monitor.cli.invocation import Invocation, pass_invocation
from monitor.cli.output import print_json
from monitor.cli.parameters import instant


@click.command
@click.option("--service", "service_id", metavar="S", required=True)
@click.option(
    "--from", "from_text", metavar="T", required=True, help="ISO 8601; without offset in the contract's zone."
)
@click.option("--to", "to_text", metavar="T", required=True, help="Likewise; this instant is not part of it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_invocation
def command(invocation: Invocation, service_id: str, from_text: str, to_text: str, as_json: bool) -> None:
    """Show the availability of a service in any window, exactly.

    The terms are those in force at the beginning. A credit is owed for whole calendar months only.
    """
    from monitor.ledger.rollup import Ledger  # noqa: PLC0415

    service = invocation.service(service_id)
    zone = zoneinfo.ZoneInfo(service.zone)
    asked = instant(from_text, zone, "--from"), instant(to_text, zone, "--to")
    if asked[0] >= asked[1]:
        raise click.UsageError("expected --from before --to")
    with invocation.reading() as db:
        rolled = Ledger(db, invocation.now_ms, asked).window(service, asked)
    if rolled is None:
        raise Failure(f"{service_id}: nothing of that window lies in the contract and before now")
    if as_json:
        print_json(rolled.figures())
    else:
        print_window(rolled)
