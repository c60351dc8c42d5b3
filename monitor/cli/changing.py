"""Changing the ledger: directly where no agent runs, else by the agent, for there is one writer only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from monitor.cli.invocation import Invocation
from monitor.cli.output import say

if TYPE_CHECKING:
    from monitor.ledger.requests import Result, Task
    from monitor.sla.months import Month


def change(
    invocation: Invocation,
    task: Callable[[], Task],
    path: str,
    body: bytes | Mapping[str, Any],
    params: Mapping[str, str] | None = None,
) -> Result:
    """The result of a task; where an agent holds the database, of the same request at its control socket."""
    from monitor.store.database import InUse  # noqa: PLC0415
    from monitor.store.session import writing  # noqa: PLC0415

    prepared = task()
    try:
        with writing(invocation.database, invocation.now_ms) as transaction:
            result: Result = transaction(prepared)
            return result
    except InUse:
        return _ask_agent(invocation, path, body, params)


def _ask_agent(
    invocation: Invocation,
    path: str,
    body: bytes | Mapping[str, Any],
    params: Mapping[str, str] | None = None,
) -> Result:
    """Hand a request to the agent that writes to the database. Raises InUse where that is not ours."""
    from monitor.control import post, socket_path  # noqa: PLC0415
    from monitor.store.database import InUse  # noqa: PLC0415

    agent = invocation.configuration.agent
    if invocation.database != agent.database:
        raise InUse(f"{invocation.database}: another process is writing to it")
    return post(socket_path(agent.state_dir), path, body, params)


def freeze(invocation: Invocation, month: Month) -> None:
    """Freeze what is due of a month."""
    from monitor.ledger.freezing import freeze_due  # noqa: PLC0415
    from monitor.store.database import InUse  # noqa: PLC0415
    from monitor.store.session import writing  # noqa: PLC0415

    configuration, now_ms = invocation.configuration, invocation.now_ms
    try:
        with writing(invocation.database, now_ms) as transaction:
            while transaction(lambda db: freeze_due(db, configuration, now_ms, month)):
                pass
    except InUse:
        _ask_agent(invocation, "/v1/freeze", {"month": str(month)})


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
