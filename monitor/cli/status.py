"""``ringback status``."""

from __future__ import annotations

import zoneinfo
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.invocation import Invocation, pass_invocation
from monitor.cli.output import print_json, print_table
from monitor.sla.figures import duration
from monitor.sla.months import from_ms, local_iso, midnight_ms

if TYPE_CHECKING:
    from monitor.config.values import ServiceConfig
    from monitor.ledger.rollup import Ledger
    from monitor.store.timelines import Timelines


@click.command
@click.option("--service", "service_id", metavar="S", help="Only that service.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_invocation
def command(invocation: Invocation, service_id: str | None, as_json: bool) -> None:
    """Show the state of every service since when, and coverage today, as written in the database."""
    from monitor.ledger.rollup import Ledger  # noqa: PLC0415

    now_ms = invocation.now_ms
    services = invocation.services(service_id)
    with invocation.reading() as db:
        ledger = Ledger(db, now_ms, (now_ms - 1, now_ms))
        found = [_service(ledger, service) for service in services]
        agent = _agent(ledger.timelines, invocation.zone)
    if as_json:
        print_json({"agent": agent, "services": found})
        return
    click.echo(_told(agent))
    print_table(
        ("SERVICE", "STATE", "SINCE", "FOR", "WHY", "COVERAGE TODAY"),
        [
            (
                one["service"],
                one["state"],
                one["since"] or "",
                "" if one["for_ms"] is None else duration(one["for_ms"] // 1000 * 1000),
                one["reason"],
                one["coverage_today"] or "",
            )
            for one in found
        ],
    )


def _service(ledger: Ledger, service: ServiceConfig) -> dict[str, Any]:
    zone = zoneinfo.ZoneInfo(service.zone)
    now_ms = ledger.now_ms
    state, since_ms, reason = ledger.timelines.state(service.id)
    today = ledger.window(service, (midnight_ms(from_ms(now_ms, zone).date(), zone), now_ms))
    return {
        "service": service.id,
        "name": service.name,
        "state": state,
        "since": None if since_ms is None else local_iso(since_ms, zone),
        "for_ms": None if since_ms is None else now_ms - since_ms,
        "reason": reason,
        "coverage_today": None if today is None else today.figures()["coverage"],
    }


def _agent(timelines: Timelines, zone: zoneinfo.ZoneInfo) -> dict[str, Any] | None:
    run = timelines.last_run
    if run is None:
        return None
    return {
        "vantage": run.vantage,
        "version": run.version,
        "running": timelines.alive,
        "started": local_iso(run.started_ms, zone),
        "covered_to": local_iso(run.heartbeat_ms, zone),
    }


def _told(agent: dict[str, Any] | None) -> str:
    if agent is None:
        return "The agent has never run on this database."
    if agent["running"]:
        return f"The agent {agent['vantage']} has been running since {agent['started']}."
    return f"The agent {agent['vantage']} is not running: nothing is known after {agent['covered_to']}."
