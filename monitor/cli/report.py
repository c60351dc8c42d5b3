"""``ringback report``."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.failures import Failure
from monitor.cli.files import FORCE, LANGUAGE, write_file
from monitor.cli.invocation import Invocation, pass_invocation
from monitor.cli.output import print_json, say
from monitor.cli.parameters import MONTH

if TYPE_CHECKING:
    import sqlite3

    from monitor.claims.document import Document
    from monitor.ledger.report import MonthFigures, ReportedMonth
    from monitor.sla.months import Month

_FILE = click.Path(path_type=Path, dir_okay=False)

_COLUMNS = (
    *("service", "plan", "from", "to", "total_ms", "down_ms", "degraded_ms", "excluded_ms", "unknown_ms"),
    *("outages", "blips", "coverage", "availability", "guarantee", "allowed_down_ms", "breach", "complete"),
)
_CREDIT_COLUMNS = ("currency", "fee", "rate_per_hour", "hours", "uncapped", "cap", "amount")


@click.command
@click.argument("month", type=MONTH)
@click.option("--service", "service_id", metavar="S", help="Only that service.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, one line a service.")
@click.option("--html", type=_FILE, metavar="FILE", help="Write a page for print.")
@click.option("--pdf", type=_FILE, metavar="FILE", help="Write PDF.")
@LANGUAGE
@FORCE
@pass_invocation
def command(
    invocation: Invocation,
    month: Month,
    service_id: str | None,
    as_json: bool,
    as_csv: bool,
    html: Path | None,
    pdf: Path | None,
    language: str,
    force: bool,
) -> None:
    """Show what availability each service had in MONTH (such as 2026-10), and what credit is owed.

    A month that goes on is reported up to now. A frozen month shows its latest revision.
    """
    from monitor.ledger.report import month_figures, report  # noqa: PLC0415

    if as_json + as_csv + bool(html or pdf) > 1:
        raise click.UsageError("expected one of --json, --csv and documents")
    services = invocation.services(service_id)
    with invocation.reading() as db:
        if html or pdf:
            reported = report(db, services, month, invocation.now_ms)
            found: Sequence[MonthFigures] = reported
            if found:
                document = _document(db, invocation, month, reported, language)
        else:
            found = month_figures(db, services, month, invocation.now_ms)
    if service_id is not None and not found:
        raise Failure(f"{service_id}: {month} has not begun, or the service was not in contract")
    if not found and (html or pdf):
        raise Failure(f"{month}: no service was in contract, or the month has not begun")
    zones = {service.zone for service in services}
    zone = zones.pop() if len(zones) == 1 else invocation.configuration.zone
    figures = [one.figures for one in found]
    if as_json:
        print_json({"month": str(month), "timezone": zone, "services": figures})
    elif as_csv:
        _print_csv(figures)
    elif html or pdf:
        _write(document, html, pdf, force)
    else:
        _print_table(month, zone, found)
    for one in found:
        if one.outdated:
            say(
                f"{one.figures['service']}: the month was frozen as revision {one.revision};"
                f" the facts say otherwise by now"
            )


def _document(
    db: sqlite3.Connection, invocation: Invocation, month: Month, found: Sequence[ReportedMonth], code: str
) -> Document:
    from monitor.claims.language import Language  # noqa: PLC0415
    from monitor.claims.month_document import month_document  # noqa: PLC0415
    from monitor.claims.month_packing import service_months  # noqa: PLC0415
    from monitor.claims.packing import names  # noqa: PLC0415

    services = service_months(db, month, found, names(invocation.configuration), invocation.now_ms)
    return month_document(month, services, Language(code))


def _write(document: Document, html: Path | None, pdf: Path | None, force: bool) -> None:
    if html is not None:
        from monitor.claims.page import page  # noqa: PLC0415

        write_file(html, page(document), force)
    if pdf is not None:
        from monitor.claims.paper import paper  # noqa: PLC0415

        write_file(pdf, paper(document), force)


def _print_table(month: Month, zone: str, found: Sequence[MonthFigures]) -> None:
    from monitor.cli.figures_table import print_months  # noqa: PLC0415

    if not found:
        click.echo(f"{month}: no service was in contract, or the month has not begun")
        return
    click.echo(f"{month} ({zone})")
    if not all(one.figures["complete"] for one in found):
        until = max(one.figures["to"] for one in found)
        click.echo(f"The month is not complete: these are the figures up to {until}.")
    print_months(found)
    blips = sum(one.figures["blips"] for one in found)
    if blips:
        click.echo(f"{blips} failures were not confirmed and are no downtime.")


def _print_csv(figures: Sequence[Mapping[str, Any]]) -> None:
    """The figures as columns; those of the credit begin with ``credit_``."""
    table = csv.writer(sys.stdout)
    table.writerow([*_COLUMNS, *(f"credit_{key}" for key in _CREDIT_COLUMNS)])
    for one in figures:
        owed = one["credit"] or {}
        cells = [*(one[key] for key in _COLUMNS), *(owed.get(key) for key in _CREDIT_COLUMNS)]
        table.writerow([str(cell).lower() if isinstance(cell, bool) else cell for cell in cells])
