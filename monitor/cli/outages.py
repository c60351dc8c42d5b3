"""``ringback outages``."""

from __future__ import annotations

import zoneinfo
from typing import TYPE_CHECKING

import click

from monitor.cli.invocation import Invocation, pass_invocation
from monitor.cli.output import RIGHT, print_json, print_table
from monitor.cli.parameters import JSON, MONTH
from monitor.sla.figures import duration
from monitor.sla.months import bounds, local_iso

if TYPE_CHECKING:
    from monitor.sla.months import Month
    from monitor.store.timelines import Outage


@click.command
@click.option("--service", "service_id", metavar="S", help="Only of that service.")
@click.option("--month", type=MONTH, help="Only those that touch that month; default all.")
@click.option("--ical", is_flag=True, help="Print a calendar (iCalendar).")
@JSON
@pass_invocation
def command(
    invocation: Invocation, service_id: str | None, month: Month | None, ical: bool, as_json: bool
) -> None:
    """List the outages, with their error bounds.

    DOWN is what counts: from the first bad answer of the run that confirmed the outage to the first good one
    of the run that ended it. It was down AT LEAST from the first bad answer to the last one, and AT MOST from
    the last good one before to the first one after.
    """
    from monitor.ledger.outages import outage_record  # noqa: PLC0415
    from monitor.store.timelines import Timelines  # noqa: PLC0415

    if ical and as_json:
        raise click.UsageError("expected --ical or --json, not both")
    found: list[tuple[str, zoneinfo.ZoneInfo, Outage]] = []
    with invocation.reading() as db:
        read = Timelines(db, invocation.now_ms)
        for service in invocation.services(service_id):
            window = (
                (0, invocation.now_ms) if month is None else bounds(month, zoneinfo.ZoneInfo(service.zone))
            )
            outages = read.outages(service.id, *window)
            found += [(service.id, zoneinfo.ZoneInfo(service.zone), outage) for outage in outages]
    if ical:
        from monitor.ledger.outage_calendar import outage_calendar  # noqa: PLC0415

        click.echo(outage_calendar([(name, one) for name, _, one in found], invocation.now_ms), nl=False)
        return
    if as_json:
        print_json([outage_record(service, outage, zone) for service, zone, outage in found])
        return
    print_table(
        (
            "SERVICE",
            "FIRST BAD",
            "FIRST GOOD",
            f"{RIGHT}DOWN",
            f"{RIGHT}AT LEAST",
            f"{RIGHT}AT MOST",
            "REASON",
            "SOURCE",
        ),
        [_row(*one) for one in found],
    )


def _row(service: str, zone: zoneinfo.ZoneInfo, outage: Outage) -> tuple[str, ...]:
    return (
        service,
        local_iso(outage.first_bad_ms, zone),
        "open" if outage.first_good_ms is None else local_iso(outage.first_good_ms, zone),
        duration(outage.down_ms),
        "" if outage.least_ms is None else duration(outage.least_ms),
        "" if outage.most_ms is None else duration(outage.most_ms),
        outage.reason,
        outage.source,
    )
