"""``ringback month``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from monitor.cli.changing import change, freeze_month
from monitor.cli.invocation import Invocation, pass_invocation
from monitor.cli.modes import asked_mode, mode_options, tell
from monitor.cli.output import RIGHT, print_json, print_table, say
from monitor.cli.parameters import AUTHOR, JSON, MONTH

if TYPE_CHECKING:
    from monitor.ledger.revisions import RevisedMonth
    from monitor.sla.months import Month


@click.group
def command() -> None:
    """Frozen months: their revisions side by side, freezing what is due, rolling up again."""


@command.command("show")
@click.argument("month", type=MONTH)
@click.option("--service", "service_id", metavar="S", help="Only that service.")
@JSON
@pass_invocation
def show(invocation: Invocation, month: Month, service_id: str | None, as_json: bool) -> None:
    """Show the frozen MONTH, revision by revision: what changed, why, and when."""
    from monitor.ledger.revisions import month_record, revisions  # noqa: PLC0415

    with invocation.reading() as db:
        found = revisions(db, month, None if service_id is None else (service_id,))
    if as_json:
        print_json({"month": str(month), "services": [month_record(one) for one in found]})
    elif found:
        for one in found:
            _print_revisions(one)
    else:
        click.echo(f"{month}: nothing is frozen")


def _print_revisions(one: RevisedMonth) -> None:
    """Figures as rows, revisions as columns; of several revisions only the figures that changed."""
    from monitor.ledger.revisions import shown  # noqa: PLC0415
    from monitor.sla.months import local_iso  # noqa: PLC0415

    zone = ZoneInfo(one.zone)
    print_table(
        (one.service, *(f"{RIGHT}revision {each.revision}" for each in one.revisions)),
        [
            ("frozen at", *(local_iso(each.frozen_ms, zone) for each in one.revisions)),
            *(
                (key, *(shown(each.figures.get(key)) for each in one.revisions))
                for key in one.figures_to_compare
            ),
        ],
    )
    for each in one.revisions:
        click.echo(f"revision {each.revision}: {each.reason}")
    click.echo()


@command.command("freeze")
@click.argument("month", type=MONTH)
@JSON
@pass_invocation
def freeze(invocation: Invocation, month: Month, as_json: bool) -> None:
    """Freeze what is due of MONTH now, and say what was frozen, and what was not and why.

    The agent does so by itself soon after a month's end.
    """
    from monitor.ledger.freezing import frozen_services, why_not_frozen  # noqa: PLC0415
    from monitor.ledger.rollup import Ledger, around_month  # noqa: PLC0415

    services = invocation.configuration.services
    with invocation.reading() as db:
        before = frozen_services(db, month)
    freeze_month(invocation, month)
    with invocation.reading() as db:
        after = frozen_services(db, month)
        ledger = Ledger(db, invocation.now_ms, around_month(month))
        others = {
            one.id: f"frozen already, as revision {before[one.id]}"
            if one.id in before
            else why_not_frozen(ledger, one, month)
            for one in services
            if one.id in before or one.id not in after
        }
    frozen = [one.id for one in services if one.id not in others]
    if as_json:
        not_frozen = [{"service": service, "reason": reason} for service, reason in others.items()]
        print_json({"month": str(month), "frozen": frozen, "not_frozen": not_frozen})
        return
    for service in frozen:
        click.echo(f"{service}: frozen")
    for service, reason in others.items():
        say(f"{service}: {reason}")


@command.command("reopen")
@click.argument("month", type=MONTH)
@click.option("--service", "service_id", metavar="S", required=True)
@click.option("--reason", required=True)
@AUTHOR
@mode_options
@JSON
@pass_invocation
def reopen(invocation: Invocation, /, month: Month, as_json: bool, **asked: Any) -> None:
    """Roll a service's frozen MONTH up again from the facts as they stand, by the terms it was frozen with.

    Nothing that was frozen is edited: where a figure is not what it was, the month gets a new revision with the
    difference. Where its credit changes that is only shown, unless --apply is given.
    """
    from monitor.ledger.reopening import Reopen  # noqa: PLC0415

    mode = asked_mode(asked["apply"], asked["dry_run"])
    fields = {"month": str(month), "service": asked["service_id"]}
    fields |= {"reason": asked["reason"], "author": asked["author"]}
    result = change(invocation, Reopen, fields, mode)
    unchanged = f"{asked['service_id']}: the facts still give what {month} was frozen with; nothing to revise"
    tell(result, mode, as_json, "done" if result["revised"] else unchanged)
