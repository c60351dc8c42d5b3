"""``ringback agent``: the daemon, in the foreground."""

from __future__ import annotations

import click

from monitor.cli.failures import Failure
from monitor.cli.invocation import Invocation, pass_invocation


@click.command
@pass_invocation
def command(invocation: Invocation) -> None:
    """Probe on schedule, write down what was seen, and serve the page, until SIGTERM or Ctrl-C.

    SIGHUP takes the configuration again; one with a mistake is refused, and the old one runs on.
    """
    from monitor.agent.daemon import run  # noqa: PLC0415 - brings every prober and server with it

    try:
        run(invocation.config_path, invocation.chosen_db)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        raise Failure(f"the agent cannot run: {place}{error.strerror or error}") from error
