"""Incidents for people."""

from __future__ import annotations

from collections.abc import Sequence

import click

from monitor.cli.output import RIGHT, print_table
from monitor.ledger.breaches import NAMES
from monitor.ledger.incident_clocks import Standing
from monitor.sla.clocks import CLOCKS, Clock
from monitor.sla.figures import duration
from monitor.sla.months import local_iso


def print_incidents(found: Sequence[Standing]) -> None:
    """One line an incident."""
    print_table(
        ("ID", "SERVICE", "REPORTED", "STATE", "MRT", "TTI", "TTR", "REFERENCE", "TITLE"),
        [
            (
                one.incident.report.uid,
                one.incident.report.service,
                local_iso(one.incident.report.reported_ms, one.agreement.tz),
                one.incident.state,
                *_at_a_glance(one),
                one.incident.reference,
                one.incident.report.title,
            )
            for one in found
        ],
    )


def print_incident(found: Standing) -> None:
    """All there is to one."""
    incident, zone = found.incident, found.agreement.tz
    report = incident.report
    title = f": {report.title}" if report.title else ""
    reference = f", ticket {incident.reference}" if incident.reference else ""
    click.echo(f"{report.uid} ({report.service}){title}{reference}")
    click.echo(
        f"{incident.state}; reported {local_iso(report.reported_ms, zone)}, entered by {report.author}"
    )
    for outage_ms in incident.outages:
        click.echo(f"about the outage that began {local_iso(outage_ms, zone)}")
    if found.clocks:
        click.echo("\nClocks, in fault-handling hours:")
        print_table(
            ("CLOCK", f"{RIGHT}AGREED", "DUE", f"{RIGHT}USED", f"{RIGHT}LEFT", "STATUS", "CLAIM"),
            [_clock_row(found, clock) for clock in found.clocks],
        )
    else:
        click.echo("\nNo clock runs: it was withdrawn, or nothing was agreed.")
    if incident.events:
        click.echo("\nHistory:")
        print_table(
            ("EVENT", "AT", "BY", "NOTE", "ENTERED"),
            [
                (
                    one.event,
                    local_iso(one.at_ms, zone),
                    one.author,
                    one.note,
                    local_iso(one.entered_ms, zone),
                )
                for one in incident.events
            ],
        )


def _at_a_glance(one: Standing) -> tuple[str, ...]:
    """For each clock how it ended; of one that runs the time that is left."""
    words = {
        clock.name: f"{duration(clock.left_ms // 1000 * 1000)} left"
        if clock.status == "running"
        else clock.status
        for clock in one.clocks
    }
    return tuple(words.get(name, "") for name in CLOCKS)


def _clock_row(found: Standing, clock: Clock) -> tuple[str, ...]:
    drafted = found.drafted.get(clock.name)
    return (
        NAMES[clock.name],
        duration(clock.agreed_ms),
        "never" if clock.deadline_ms is None else local_iso(clock.deadline_ms, found.agreement.tz),
        duration(clock.used_ms),
        duration(clock.left_ms),
        clock.status,
        "" if drafted is None else f"{drafted.uid} ({drafted.state})",
    )
