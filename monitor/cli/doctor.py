"""``ringback doctor``: what is wrong with this host."""

from __future__ import annotations

from dataclasses import asdict

import click

from monitor.cli.invocation import Invocation, pass_invocation
from monitor.cli.output import print_json

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
@pass_invocation
def command(invocation: Invocation, context: click.Context, as_json: bool) -> None:
    """What is wrong with this host, and what to do about it. Looks, and changes nothing.

    Run it as the user of the service. Ends with 1 if something keeps Ringback from its work.
    """
    from monitor.doctor import examine  # noqa: PLC0415 - not every command needs it

    findings = []
    for finding in examine(invocation.config_path, invocation.chosen_db):
        findings.append(finding)
        if not as_json:
            level = click.style(f"{finding.level:<4}", fg=_COLOURS[finding.level])
            click.echo(f"{level}  {finding.subject}: {finding.message}")
            if finding.advice:
                click.echo(f"      -> {finding.advice}")
    if as_json:
        print_json([asdict(finding) for finding in findings])
    context.exit(1 if any(finding.level == "fail" for finding in findings) else 0)
