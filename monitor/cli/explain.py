"""``ringback explain``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from monitor.cli.failures import Failure
from monitor.cli.invocation import Invocation, pass_invocation
from monitor.cli.output import RIGHT, print_json, print_table
from monitor.cli.parameters import JSON, MONTH

if TYPE_CHECKING:
    from monitor.ledger.explaining import Explanation
    from monitor.sla.months import Month


@click.command
@click.argument("service_id", metavar="SERVICE")
@click.argument("month", type=MONTH)
@JSON
@pass_invocation
def command(invocation: Invocation, service_id: str, month: Month, as_json: bool) -> None:
    """Explain the MONTH of a SERVICE: from terms and outages, step by step, to what is owed.

    Beside the rule in force it shows what every other rule would give, with the least and the most that the error
    bounds of the outages allow. Of a frozen month it says where the facts say otherwise by now.
    """
    from monitor.ledger.explaining import explain  # noqa: PLC0415
    from monitor.ledger.explanation_record import explanation_record  # noqa: PLC0415

    service = invocation.service(service_id)
    with invocation.reading() as db:
        found = explain(db, service, month, invocation.now_ms)
    if found is None:
        raise Failure(f"{service_id}: {month} has not begun, or the service was not in contract")
    if as_json:
        print_json(explanation_record(found))
    else:
        _print(found)


def _print(found: Explanation) -> None:
    from monitor.ledger import explanation_text as text  # noqa: PLC0415

    told = text.told(found)
    click.echo(f"{found.rolled.agreement.service}, {found.month} ({found.rolled.agreement.zone})")
    for line in (told.terms, told.standing, told.left):
        if line is not None:
            click.echo(line)
    if told.differences:
        _table("The facts say otherwise by now than what was frozen:", text.DIFFERENCES, told.differences)
        _table("What was frozen, step by step:", text.STEPS, told.frozen_steps)
        click.echo("\nWhat follows is as the facts stand.")
    _table("Outages, and what they add to the month:", text.OUTAGES, told.outages)
    _table("Exclusions:", text.EXCLUSIONS, told.exclusions)
    _table("Not known, or degraded:", text.STRETCHES, told.stretches)
    _table("Step by step:", text.STEPS, told.steps)
    _table("Within the error bounds:", text.WITHIN_BOUNDS, told.bounds)
    _table("Under every rule, the one in force first:", text.RULES, told.rules)


def _table(heading: str, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Nothing where there are no rows."""
    from monitor.ledger.explanation_text import NUMBERS  # noqa: PLC0415

    if rows:
        click.echo(f"\n{heading}")
        print_table([f"{RIGHT if one in NUMBERS else ''}{one.upper()}" for one in titles], rows)
