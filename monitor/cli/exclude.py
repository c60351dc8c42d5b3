"""``ringback exclude``."""

from __future__ import annotations

import zoneinfo
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.changing import change
from monitor.cli.invocation import Invocation, pass_invocation
from monitor.cli.modes import asked_mode, mode_options, tell
from monitor.cli.output import print_json, print_table
from monitor.cli.parameters import AUTHOR, FROM, JSON, TO, instant
from monitor.cli.subjects import asked_subject, subject_options
from monitor.cli.withdrawing import status, take_back, withdrawal_options, withdrawal_record
from monitor.sla.months import local_iso

if TYPE_CHECKING:
    from monitor.store.exclusions import Exclusion


@click.group
def command() -> None:
    """Enter, list and withdraw exclusions: stretches that do not count against the provider."""


@command.command("add")
@subject_options
@FROM
@TO
@click.option("--repeat", metavar="RRULE", help="The window comes back, as by FREQ=WEEKLY;BYDAY=SU.")
@click.option("--until", "until_text", metavar="T", help="It does not begin again from then on.")
@click.option("--reason", required=True)
@AUTHOR
@mode_options
@JSON
@pass_invocation
def add(
    invocation: Invocation,
    service_id: str | None,
    tag: str | None,
    for_all: bool,
    exclusion_class: str,
    from_text: str,
    to_text: str,
    repeat: str | None,
    until_text: str | None,
    reason: str,
    author: str,
    apply: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Enter an exclusion, ahead or afterwards. Frozen months that it touches get a revision.

    Where that changes a credit it is only shown, unless --apply is given.
    """
    from monitor.ledger.excluding import Exclude, ExcludeEach  # noqa: PLC0415

    scope, subject, zone = asked_subject(invocation, service_id, tag, for_all)
    if (repeat is None) != (until_text is None):
        raise click.UsageError("expected --repeat and --until together")
    fields = {
        "scope": scope,
        "subject": subject,
        "exclusion_class": exclusion_class,
        "reason": reason,
        "author": author,
    }
    window = instant(from_text, zone, "--from"), instant(to_text, zone, "--to")
    mode = asked_mode(apply, dry_run)
    if repeat is None or until_text is None:
        once = {**fields, "from_ms": window[0], "to_ms": window[1]}
        tell(change(invocation, Exclude, once, mode), mode, as_json)
        return
    windows = _repeated(repeat, window, instant(until_text, zone, "--until"), zone)
    result = change(invocation, ExcludeEach, {**fields, "windows": windows}, mode)
    if not as_json:
        for from_ms, to_ms in windows:
            click.echo(f"{local_iso(from_ms, zone)} to {local_iso(to_ms, zone)}")
    tell(result, mode, as_json, f"entered {len(windows)} exclusions")


def _repeated(
    repeat: str, window: tuple[int, int], until_ms: int, zone: zoneinfo.ZoneInfo
) -> list[tuple[int, int]]:
    from monitor.sla.recurring import occurrences  # noqa: PLC0415

    try:
        return occurrences(repeat, window, until_ms, zone)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--repeat") from None


@command.command("withdraw")
@withdrawal_options
def withdraw(invocation: Invocation, **asked: Any) -> None:
    """Withdraw an exclusion by its id, or the beginning of it. It stays on record.

    Where that changes the credit of a frozen month it is only shown, unless --apply is given.
    """
    from monitor.ledger.excluding import Withdraw  # noqa: PLC0415

    take_back(invocation, Withdraw, **asked)


@command.command("list")
@click.option("--service", "service_id", metavar="S", help="Only those that concern that service.")
@JSON
@pass_invocation
def list_all(invocation: Invocation, service_id: str | None, as_json: bool) -> None:
    """List all exclusions, those withdrawn as well."""
    from monitor.store.exclusions import everything  # noqa: PLC0415

    with invocation.reading() as db:
        found = everything(db)
    if service_id is not None:
        service = invocation.service(service_id)
        found = [one for one in found if one.concerns(service.id, service.tags)]
    zone = invocation.zone
    if as_json:
        print_json([_as_json(one, zone) for one in found])
        return
    print_table(
        ("ID", "FOR", "CLASS", "FROM", "TO", "REASON", "BY", "STATUS"),
        [
            (
                one.uid,
                " ".join(filter(None, (one.scope, one.subject))),
                one.exclusion_class,
                local_iso(one.from_ms, zone),
                local_iso(one.to_ms, zone),
                one.reason,
                one.author,
                status(one.withdrawn),
            )
            for one in found
        ],
    )


def _as_json(one: Exclusion, zone: zoneinfo.ZoneInfo) -> dict[str, object]:
    return {
        "uid": one.uid,
        "scope": one.scope,
        "subject": one.subject,
        "exclusion": one.exclusion_class,
        "from": local_iso(one.from_ms, zone),
        "to": local_iso(one.to_ms, zone),
        "reason": one.reason,
        "author": one.author,
        "entered": local_iso(one.entered_ms, zone),
        "withdrawn": withdrawal_record(one.withdrawn, zone),
    }
