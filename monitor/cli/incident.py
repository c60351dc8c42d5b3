"""``ringback incident``."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from monitor.cli.changing import change
from monitor.cli.invocation import Invocation, pass_invocation
from monitor.cli.output import print_json, say
from monitor.cli.parameters import AUTHOR, JSON, instant

if TYPE_CHECKING:
    from monitor.ledger.incident_clocks import Standing
    from monitor.ledger.request import Result

Command = TypeVar("Command", bound=Callable[..., Any])

_AT = click.option(
    "--at",
    "at_text",
    metavar="T",
    help="When it happened; default now. Without offset in the contract's zone.",
)
_NOTE = click.option("--note", default="", help="One line, kept with it.")


@click.group
def command() -> None:
    """Problems that were reported to the provider, and how long it took.

    The clocks of the plan (MRT, TTI, TTR) run from the report, in fault-handling hours only. A breached clock drafts
    a claim without an amount, which is to be agreed. Nothing is edited: what was wrong is entered anew.
    """


@command.command("open")
@click.option("--service", "service_id", metavar="S", required=True)
@click.option("--title", default="", help="One line; default the reason of --outage.")
@click.option("--reference", default="", help="The ticket's.")
@click.option(
    "--reported",
    "reported_text",
    metavar="T",
    help="When it was reported; default now. Without offset in the contract's zone.",
)
@click.option("--outage", "outage_text", metavar="T", help="It is about the outage that began then.")
@AUTHOR
@JSON
@pass_invocation
def open_one(
    invocation: Invocation,
    service_id: str,
    title: str,
    reference: str,
    reported_text: str | None,
    outage_text: str | None,
    author: str,
    as_json: bool,
) -> None:
    """Say that a problem of a service was reported to the provider, and print the id of the incident."""
    from monitor.ledger.incidents import OpenIncident  # noqa: PLC0415

    zone = zoneinfo.ZoneInfo(invocation.service(service_id).zone)
    fields = {
        "service": service_id,
        "title": title,
        "reference": reference,
        "reported_ms": _instant(reported_text, zone, "--reported", invocation.now_ms),
        "outage_ms": _instant(outage_text, zone, "--outage", None),
        "author": author,
    }
    result = change(invocation, OpenIncident, fields)
    if not as_json:
        click.echo(result["uid"])
        _say_drafted(result)
    else:
        print_json(result)


def _stage(command: Command) -> Command:
    """What happened to which incident, and when."""
    for option in (JSON, AUTHOR, _NOTE, _AT, click.argument("uid")):
        command = option(command)
    return command


@command.command("ack")
@_stage
@pass_invocation
def ack(invocation: Invocation, /, **asked: Any) -> None:
    """Say that the provider took the problem into account: this stops MRT."""
    _enter(invocation, "acknowledged", **asked)


@command.command("intervene")
@_stage
@pass_invocation
def intervene(invocation: Invocation, /, **asked: Any) -> None:
    """Say that the intervention began: this stops TTI."""
    _enter(invocation, "intervention", **asked)


@command.command("resolve")
@_stage
@pass_invocation
def resolve(invocation: Invocation, /, **asked: Any) -> None:
    """Say that the problem was resolved: this stops TTR."""
    _enter(invocation, "resolved", **asked)


@command.command("reference")
@click.argument("uid")
@click.argument("reference")
@AUTHOR
@JSON
@pass_invocation
def reference(invocation: Invocation, uid: str, reference: str, author: str, as_json: bool) -> None:
    """Give an incident the REFERENCE of its ticket; a later one holds."""
    _enter(invocation, "reference", uid, None, author, reference, as_json)


@command.command("link")
@click.argument("uid")
@click.option("--outage", "outage_text", metavar="T", required=True, help="When it began.")
@AUTHOR
@JSON
@pass_invocation
def link(invocation: Invocation, uid: str, outage_text: str, author: str, as_json: bool) -> None:
    """Say that an incident is about an outage of its service, too."""
    from monitor.ledger.incidents import LinkOutage  # noqa: PLC0415

    outage_ms = instant(outage_text, _zone_of(invocation, uid), "--outage")
    result = change(invocation, LinkOutage, {"uid": uid, "outage_ms": outage_ms, "author": author})
    _tell(result, as_json)


@command.command("withdraw")
@click.argument("uid")
@click.option("--reason", required=True)
@AUTHOR
@JSON
@pass_invocation
def withdraw(invocation: Invocation, uid: str, reason: str, author: str, as_json: bool) -> None:
    """Say that an incident was entered by mistake. It stays on record; drafts that follow from it do not stand."""
    _enter(invocation, "withdrawn", uid, None, author, reason, as_json)


@command.command("list")
@click.option("--service", "service_id", metavar="S", help="Only of that service.")
@click.option("--open", "only_open", is_flag=True, help="Only those that are not resolved.")
@JSON
@pass_invocation
def list_all(invocation: Invocation, service_id: str | None, only_open: bool, as_json: bool) -> None:
    """List incidents with their clocks, the latest report first, those withdrawn as well."""
    from monitor.cli.incident_view import print_incidents  # noqa: PLC0415
    from monitor.ledger.incident_clocks import standings  # noqa: PLC0415
    from monitor.ledger.incident_record import incident_record  # noqa: PLC0415
    from monitor.store.incidents import WantedIncidents, keys, read  # noqa: PLC0415

    services = None if service_id is None else (invocation.service(service_id).id,)
    with invocation.reading() as db:
        wanted = keys(db, WantedIncidents(services, only_open=only_open))
        found = standings(db, read(db, wanted), invocation.now_ms)
    if as_json:
        print_json([incident_record(one) for one in found])
    else:
        print_incidents(found)


@command.command("show")
@click.argument("uid")
@JSON
@pass_invocation
def show(invocation: Invocation, uid: str, as_json: bool) -> None:
    """Show an incident by its id, or the beginning of it: clocks, outages, and everything that was entered."""
    from monitor.cli.incident_view import print_incident  # noqa: PLC0415
    from monitor.ledger.incident_record import incident_record  # noqa: PLC0415

    found = _standing(invocation, uid)
    if as_json:
        print_json(incident_record(found))
    else:
        print_incident(found)


def _standing(invocation: Invocation, uid: str) -> Standing:
    from monitor.ledger.incident_clocks import standings  # noqa: PLC0415
    from monitor.store.incidents import one  # noqa: PLC0415

    with invocation.reading() as db:
        (found,) = standings(db, [one(db, uid)], invocation.now_ms)
    return found


def _zone_of(invocation: Invocation, uid: str) -> zoneinfo.ZoneInfo:
    return _standing(invocation, uid).agreement.tz


def _instant(text: str | None, zone: zoneinfo.ZoneInfo, option: str, otherwise: int | None) -> int | None:
    return otherwise if text is None else instant(text, zone, option)


def _enter(
    invocation: Invocation,
    event: str,
    uid: str,
    at_text: str | None,
    author: str,
    note: str,
    as_json: bool,
) -> None:
    from monitor.ledger.incidents import EnterEvent  # noqa: PLC0415

    at_ms = None if at_text is None else instant(at_text, _zone_of(invocation, uid), "--at")
    fields = {"uid": uid, "event": event, "at_ms": at_ms, "author": author, "note": note}
    _tell(change(invocation, EnterEvent, fields), as_json)


def _tell(result: Result, as_json: bool) -> None:
    if as_json:
        print_json(result)
        return
    say(f"{result['uid']} ({result['service']}): {result['state']}")
    _say_drafted(result)


def _say_drafted(result: Mapping[str, Any]) -> None:
    for clock in result["drafted"]:
        say(f"{clock.upper()} is breached: a claim is drafted, its amount is to be agreed")
