"""Changing the ledger: directly where no agent runs, else by the agent, for there is one writer only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from monitor.cli.invocation import Invocation

if TYPE_CHECKING:
    from monitor.ledger.request import Mode, Request, Result, Task
    from monitor.sla.months import Month


def change(
    invocation: Invocation, kind: type[Request], fields: Mapping[str, Any], mode: Mode = "apply"
) -> Result:
    """The result of a request."""
    from monitor.ledger.request import checked  # noqa: PLC0415

    request = checked(kind, fields)
    return carry_out(
        invocation,
        lambda: request.task(invocation.configuration, invocation.now_ms),
        f"/v1/requests/{kind.kind}",
        fields,
        mode,
    )


def carry_out(
    invocation: Invocation,
    task: Callable[[], Task],
    path: str,
    body: bytes | Mapping[str, Any],
    mode: Mode = "apply",
    params: Mapping[str, str] | None = None,
) -> Result:
    """The result of a task; where an agent holds the database, of the same request at its control socket."""
    from monitor.ledger.request import in_mode  # noqa: PLC0415
    from monitor.store.database import InUse  # noqa: PLC0415
    from monitor.store.session import writing  # noqa: PLC0415

    prepared = in_mode(task(), mode)
    try:
        with writing(invocation.database, invocation.now_ms, invocation.signing_key) as transaction:
            result: Result = transaction(prepared)
            return result
    except InUse:
        return _ask_agent(invocation, path, body, {**(params or {}), "mode": mode})


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


def freeze_month(invocation: Invocation, month: Month) -> None:
    """Freeze what is due of a month."""
    from monitor.ledger.freezing import PORTION, freeze  # noqa: PLC0415
    from monitor.store.database import InUse  # noqa: PLC0415
    from monitor.store.session import writing  # noqa: PLC0415

    services, now_ms = invocation.configuration.services, invocation.now_ms
    try:
        with writing(invocation.database, now_ms, invocation.signing_key) as transaction:
            for start in range(0, len(services), PORTION):
                some = services[start : start + PORTION]
                transaction(partial(freeze, services=some, now_ms=now_ms, month=month))
    except InUse:
        _ask_agent(invocation, "/v1/freeze", {"month": str(month)})
