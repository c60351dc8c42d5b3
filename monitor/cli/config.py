"""``ringback config``."""

from __future__ import annotations

from pathlib import Path

import click

from monitor.cli.failures import Failure
from monitor.cli.invocation import Invocation, pass_invocation
from monitor.cli.output import print_json, say


@click.group
def command() -> None:
    """Check a configuration, or write the samples."""


@command.command("check")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
@pass_invocation
def check(invocation: Invocation, file: Path | None, as_json: bool) -> None:
    """Tell every mistake in a configuration, with file, line and path; exit code 3 if there is one."""
    from monitor.config.loading import load  # noqa: PLC0415
    from monitor.config.mistakes import ConfigurationErrors  # noqa: PLC0415

    path = file or invocation.config_path
    try:
        found = load(path)
    except ConfigurationErrors as errors:
        if as_json:
            print_json({"file": str(path), "mistakes": [_mistake(one) for one in errors.mistakes]})
        raise
    checks = sum(len(service.checks) for service in found.services)
    if as_json:
        print_json({"file": str(path), "services": len(found.services), "checks": checks, "mistakes": []})
    else:
        say(f"{path}: fine: {len(found.services)} services, {checks} checks, {len(found.plans)} plans")


@command.command("init")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print the new files as JSON.")
def init(directory: Path, as_json: bool) -> None:
    """Write the commented sample configuration, the plans and what goes with them into a directory."""
    from monitor.config.samples import write_samples  # noqa: PLC0415

    try:
        files = write_samples(directory)
    except FileExistsError as error:
        raise Failure(str(error)) from error
    if as_json:
        print_json({"files": [str(file) for file in files]})
        return
    for file in files:
        click.echo(str(file))
    say(
        f"next: edit {directory / 'ringback.yml'}, then ringback --config {directory / 'ringback.yml'} config check"
    )


def _mistake(mistake: object) -> dict[str, object]:
    return {key: getattr(mistake, key) for key in ("file", "line", "column", "path", "message")}
