"""``ringback import``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from monitor.cli.changing import change, say_revised
from monitor.cli.invocation import Invocation, pass_invocation
from monitor.cli.output import print_json, say


@click.group
def command() -> None:
    """Bring history in."""


@command.command("history")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True, exists=True, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print what was imported as JSON.")
@pass_invocation
def history(invocation: Invocation, file: Path, as_json: bool) -> None:
    """Bring in a history in JSON Lines ("-" for standard input): all of it, or nothing.

    \b
    {"service": "acme-trunk", "state": "up|degraded|down|unknown", "from": T, "to": T}
    {"service": "acme-trunk", "exclusion": "maintenance", "from": T, "to": T, "reason": "..."}

    What no span covers is unknown. What is there already is passed over, so that a file can be imported
    again after lines were added to it. Frozen months that it touches get a revision.
    """
    from monitor.ledger.requests import importing  # noqa: PLC0415

    content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    source = "standard input" if str(file) == "-" else file.name
    result = change(
        invocation,
        lambda: importing(invocation.configuration, content, source, invocation.now_ms),
        "/v1/import-history",
        content,
        {"source": source},
    )
    if as_json:
        print_json(result)
        return
    say(
        f"imported {result['spans']} spans and {result['exclusions']} exclusions;"
        f" {result['known']} were there already"
    )
    say_revised(result)
