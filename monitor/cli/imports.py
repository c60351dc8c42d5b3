"""``ringback import``."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.changing import carry_out, change
from monitor.cli.invocation import Invocation, pass_invocation
from monitor.cli.modes import asked_mode, mode_options, tell
from monitor.cli.parameters import AUTHOR, JSON, instant
from monitor.cli.subjects import asked_subject, subject_options

if TYPE_CHECKING:
    from monitor.ledger.request import Mode

_AHEAD_MS = 366 * 24 * 3_600_000
_FILE = click.argument("file", type=click.Path(path_type=Path, allow_dash=True, exists=True, dir_okay=False))


@click.group
def command() -> None:
    """Bring history in."""


@command.command("history")
@_FILE
@click.option("--dry-run", is_flag=True, help="Only show what it would bring in and change.")
@JSON
@pass_invocation
def history(invocation: Invocation, file: Path, dry_run: bool, as_json: bool) -> None:
    """Bring in a history in JSON Lines ("-" for standard input): all of it, or nothing.

    \b
    {"service": "acme-trunk", "state": "up|degraded|down|unknown", "from": T, "to": T}
    {"service": "acme-trunk", "exclusion": "maintenance", "from": T, "to": T, "reason": "..."}

    What no span covers is unknown. What is there already is passed over, so that a file can be imported
    again after lines were added to it. Frozen months that it touches get a revision.
    """
    from monitor.ledger.importing import importing  # noqa: PLC0415

    content = _content(file)
    source = "standard input" if str(file) == "-" else file.name
    mode: Mode = "rehearse" if dry_run else "apply"
    result = carry_out(
        invocation,
        lambda: importing(invocation.configuration, content, source, invocation.now_ms),
        "/v1/import-history",
        content,
        mode,
        {"source": source},
    )
    done = (
        f"imported {result['spans']} spans and {result['exclusions']} exclusions;"
        f" {result['known']} were there already"
    )
    tell(result, mode, as_json, done)


@command.command("calendar")
@_FILE
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

    scope, subject, zone = asked_subject(invocation, service_id, tag, for_all)
    until_ms = invocation.now_ms + _AHEAD_MS if until_text is None else instant(until_text, zone, "--until")
    fields = {
        "scope": scope,
        "subject": subject,
        "exclusion_class": exclusion_class,
        "author": author,
        "until_ms": until_ms,
        "events": [asdict(one) for one in parse_calendar(_content(file), zone, until_ms)],
    }
    mode = asked_mode(apply, dry_run)
    result = change(invocation, ImportCalendar, fields, mode)
    done = (
        f"entered {result['entered']} exclusions and withdrew {result['withdrawn']};"
        f" {result['known']} were there already"
    )
    tell(result, mode, as_json, done)


def _content(file: Path) -> bytes:
    return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
