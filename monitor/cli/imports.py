"""``ringback import``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.changing import carry_out
from monitor.cli.invocation import Invocation, pass_invocation
from monitor.cli.modes import tell
from monitor.cli.parameters import JSON

if TYPE_CHECKING:
    from monitor.ledger.request import Mode


@click.group
def command() -> None:
    """Bring history in."""


@command.command("history")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True, exists=True, dir_okay=False))
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

    content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
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
