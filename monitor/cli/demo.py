"""``ringback demo``: a lab, the real agent on it, and an outage."""

from __future__ import annotations

from pathlib import Path

import click

from monitor.cli.failures import Failure


@click.command
@click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep everything there; default a directory that is removed at the end.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=9877,
    show_default=True,
    help="Port of the status page; where it is taken, another one is.",
)
@click.option("--seconds", type=click.FloatRange(min=0), help="End by itself after so many seconds.")
def command(directory: Path | None, port: int, seconds: float | None) -> None:
    """A lab on loopback (real sockets), the real agent on it, a scripted outage, and a finished month to look at.

    Ends on Ctrl-C. Nothing leaves this host.
    """
    from monitor.demo import story  # noqa: PLC0415 - not every command needs it
    from monitor.demo.processes import Ended  # noqa: PLC0415

    try:
        story.run(directory, port, seconds)
    except Ended as error:
        raise Failure(str(error)) from error
