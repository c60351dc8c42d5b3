"""Doing a change, or only showing what it would do: where money moves, showing comes first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from monitor.cli.failures import Failure
from monitor.cli.output import print_json, say

if TYPE_CHECKING:
    from monitor.ledger.request import Mode

Command = TypeVar("Command", bound=Callable[..., Any])


def mode_options(command: Command) -> Command:
    """``--apply`` and ``--dry-run``; neither: done unless the credit of a frozen month would change."""
    command = click.option("--dry-run", is_flag=True, help="Only show what it would change.")(command)
    return click.option(
        "--apply", is_flag=True, help="Do it, also where the credit of a frozen month changes."
    )(command)


def asked_mode(apply: bool, dry_run: bool) -> Mode:
    if apply and dry_run:
        raise click.UsageError("expected --apply or --dry-run, not both")
    return "apply" if apply else "rehearse" if dry_run else "careful"


def tell(result: Mapping[str, Any], mode: Mode, as_json: bool, done: str = "") -> None:
    """Show what was done, or would be: ``done`` in words, or else the uid of what there is now.

    Raises Failure where it was asked for and not done, for money moves.
    """
    if as_json:
        print_json(result)
    else:
        if done and result["applied"]:
            say(done)
        elif result["applied"]:
            click.echo(result["uid"])
        say_revised(result)
    if not result["applied"]:
        if mode == "careful":
            raise Failure(
                "nothing was changed, for the credit of a frozen month would be: see above, and say --apply"
            )
        say("nothing was changed: this is what it would do")


def say_revised(result: Mapping[str, Any]) -> None:
    """Which frozen months got a revision, and what is different there."""
    for one in result["revised"]:
        changes = ", ".join(
            f"{key} {_short(old)} -> {_short(new)}" for key, (old, new) in one["difference"].items()
        )
        say(f"{one['service']}: revision {one['revision']} of the frozen month {one['month']}: {changes}")


def _short(value: object) -> str:
    if isinstance(value, dict):  # a credit
        return f"{value['amount']} {value['currency']}"
    return "none" if value is None else str(value)
