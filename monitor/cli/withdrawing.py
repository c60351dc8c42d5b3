"""Withdrawing what was entered, and how it is shown from then on."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.changing import change
from monitor.cli.invocation import Invocation, pass_invocation
from monitor.cli.modes import asked_mode, mode_options, tell
from monitor.cli.parameters import AUTHOR, JSON
from monitor.sla.months import local_iso

if TYPE_CHECKING:
    from monitor.ledger.request import Request
    from monitor.store.exclusions import Withdrawal


def withdrawal_options(command: Callable[..., None]) -> Callable[..., None]:
    """The id and the options that ``take_back`` needs."""
    command = JSON(pass_invocation(command))
    command = click.option("--reason", required=True)(AUTHOR(mode_options(command)))
    return click.argument("uid")(command)


def take_back(
    invocation: Invocation,
    kind: type[Request],
    uid: str,
    reason: str,
    author: str,
    apply: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Hand a withdrawal over, and show what it did."""
    mode = asked_mode(apply, dry_run)
    result = change(invocation, kind, {"uid": uid, "reason": reason, "author": author}, mode)
    tell(result, mode, as_json, f"withdrawn: {result['uid']}")


def status(withdrawn: Withdrawal | None) -> str:
    return "in force" if withdrawn is None else f"withdrawn by {withdrawn.author}: {withdrawn.reason}"


def withdrawal_record(withdrawn: Withdrawal | None, zone: zoneinfo.ZoneInfo) -> dict[str, Any] | None:
    if withdrawn is None:
        return None
    return {
        "reason": withdrawn.reason,
        "author": withdrawn.author,
        "entered": local_iso(withdrawn.entered_ms, zone),
    }
