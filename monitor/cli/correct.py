"""``ringback correct``."""

from __future__ import annotations

import zoneinfo
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.changing import change
from monitor.cli.invocation import Invocation, pass_invocation
from monitor.cli.modes import asked_mode, mode_options, tell
from monitor.cli.output import print_json, print_table
from monitor.cli.parameters import AUTHOR, FROM, JSON, TO, instant
from monitor.cli.withdrawing import status, take_back, withdrawal_options, withdrawal_record
from monitor.sla.months import local_iso
from monitor.store.corrections import STATES, everything

if TYPE_CHECKING:
    from monitor.store.corrections import Correction


@click.group
def command() -> None:
    """Enter, list and withdraw corrections: what somebody knows better than the probes."""


@command.command("add")
@click.option("--service", "service_id", metavar="S", required=True)
@click.option(
    "--class",
    "correction_class",
    type=click.Choice(tuple(STATES)),
    required=True,
    help="An outage that the provider reports; one that no probe could see; an outage that was none.",
)
@FROM
@TO
@click.option("--reason", required=True)
@AUTHOR
@mode_options
@JSON
@pass_invocation
def add(
    invocation: Invocation,
    service_id: str,
    correction_class: str,
    from_text: str,
    to_text: str,
    reason: str,
    author: str,
    apply: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Enter a correction. Facts stay as they are, and frozen months that it touches get a revision.

    Where that changes a credit it is only shown, unless --apply is given.
    """
    from monitor.ledger.correcting import Correct  # noqa: PLC0415

    zone = zoneinfo.ZoneInfo(invocation.service(service_id).zone)
    fields = {
        "service": service_id,
        "correction_class": correction_class,
        "from_ms": instant(from_text, zone, "--from"),
        "to_ms": instant(to_text, zone, "--to"),
        "reason": reason,
        "author": author,
    }
    mode = asked_mode(apply, dry_run)
    tell(change(invocation, Correct, fields, mode), mode, as_json)


@command.command("withdraw")
@withdrawal_options
def withdraw(invocation: Invocation, **asked: Any) -> None:
    """Withdraw a correction by its id, or the beginning of it. It stays on record.

    Where that changes the credit of a frozen month it is only shown, unless --apply is given.
    """
    from monitor.ledger.correcting import WithdrawCorrection  # noqa: PLC0415

    take_back(invocation, WithdrawCorrection, **asked)


@command.command("list")
@click.option("--service", "service_id", metavar="S", help="Only those of that service.")
@JSON
@pass_invocation
def list_all(invocation: Invocation, service_id: str | None, as_json: bool) -> None:
    """List all corrections in the order of entry, those withdrawn as well. Of two the later one holds."""
    known = {service.id: service.zone for service in invocation.services(service_id)}
    with invocation.reading() as db:
        found = [one for one in everything(db) if service_id is None or one.service == service_id]
    told = [(one, zoneinfo.ZoneInfo(known.get(one.service, invocation.zone.key))) for one in found]
    if as_json:
        print_json([_as_json(*one) for one in told])
        return
    print_table(
        ("ID", "SERVICE", "CLASS", "STATE", "FROM", "TO", "REASON", "BY", "STATUS"),
        [
            (
                one.uid,
                one.service,
                one.correction_class,
                one.state,
                local_iso(one.from_ms, zone),
                local_iso(one.to_ms, zone),
                one.reason,
                one.author,
                status(one.withdrawn),
            )
            for one, zone in told
        ],
    )


def _as_json(one: Correction, zone: zoneinfo.ZoneInfo) -> dict[str, object]:
    return {
        "uid": one.uid,
        "service": one.service,
        "correction": one.correction_class,
        "state": one.state,
        "from": local_iso(one.from_ms, zone),
        "to": local_iso(one.to_ms, zone),
        "reason": one.reason,
        "author": one.author,
        "entered": local_iso(one.entered_ms, zone),
        "withdrawn": withdrawal_record(one.withdrawn, zone),
    }
