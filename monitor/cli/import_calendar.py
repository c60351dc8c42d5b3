"""``ringback import calendar``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from monitor.cli.changing import change
from monitor.cli.files import read_file
from monitor.cli.invocation import Invocation, pass_invocation
from monitor.cli.modes import asked_mode, mode_options, tell
from monitor.cli.parameters import AUTHOR, JSON, instant
from monitor.cli.subjects import asked_subject, subject_options

_AHEAD_MS = 366 * 24 * 3_600_000


@click.command("calendar")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True, exists=True, dir_okay=False))
@subject_options
@click.option("--until", "until_text", metavar="T", help="Only what begins before; default in a year.")
@AUTHOR
@mode_options
@JSON
@pass_invocation
def calendar(
    invocation: Invocation,
    file: Path,
    service_id: str | None,
    tag: str | None,
    for_all: bool,
    exclusion_class: str,
    until_text: str | None,
    author: str,
    apply: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Make exclusions of the events of a calendar (iCalendar; "-" for standard input): of all, or of none.

    Events that come back give an exclusion each time. Importing it again changes nothing; where an event was moved
    or cancelled since, what was entered for it is withdrawn. Where the credit of a frozen month changes it is only
    shown, unless --apply is given.
    """
    from monitor.ledger.calendar_file import parse_calendar  # noqa: PLC0415
    from monitor.ledger.calendars import ImportCalendar  # noqa: PLC0415

    content, _ = read_file(file)
    scope, subject, zone = asked_subject(invocation, service_id, tag, for_all)
    until_ms = invocation.now_ms + _AHEAD_MS if until_text is None else instant(until_text, zone, "--until")
    fields = {
        "scope": scope,
        "subject": subject,
        "exclusion_class": exclusion_class,
        "author": author,
        "until_ms": until_ms,
        "events": [asdict(one) for one in parse_calendar(content, zone, until_ms)],
    }
    mode = asked_mode(apply, dry_run)
    result = change(invocation, ImportCalendar, fields, mode)
    done = (
        f"entered {result['entered']} exclusions and withdrew {result['withdrawn']};"
        f" {result['known']} were there already"
    )
    tell(result, mode, as_json, done)
