"""The agent's end: requests become tasks of its writer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, get_args

from aiohttp import web

from monitor.config.values import Configuration
from monitor.control.freezing import Submit, freeze_in_portions
from monitor.control.sealing import Seal, seal_in_portions, sealing_beside
from monitor.ledger.errors import LedgerError
from monitor.ledger.importing import importing
from monitor.ledger.request import Mode, Task, checked, in_mode
from monitor.ledger.requests import REQUESTS
from monitor.sla.months import Month
from monitor.store.database import StoreError
from monitor.store.history_file import HistoryErrors

BODY_LIMIT = 256 * 1024 * 1024
"""Bytes of a request at most: a history of some two million spans."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def control_app(submit: Submit, seal: Seal, configuration: Callable[[], Configuration]) -> web.Application:
    """The requests that commands hand over; ``submit`` and ``seal`` are monitor.store.writer.Writer's.

    To be served on a UNIX socket that owner and group may use: whoever can open it may change the ledger.
    """
    control = _Control(submit, seal, configuration)
    app = web.Application(client_max_size=BODY_LIMIT, middlewares=[_refusals])
    app.router.add_post("/v1/import-history", control.import_history)
    app.router.add_post("/v1/requests/{kind}", control.request)
    app.router.add_post("/v1/freeze", control.freeze)
    return app


class _Control:
    def __init__(self, submit: Submit, seal: Seal, configuration: Callable[[], Configuration]) -> None:
        self._submit = submit
        self._seal = seal
        self._configuration = configuration

    async def import_history(self, request: web.Request) -> web.Response:
        content = await request.read()
        source = request.query.get("source", "")[:500] or "-"
        task = await asyncio.to_thread(importing, self._configuration(), content, source, _now_ms())
        return await self._run(task, _mode(request))

    async def request(self, request: web.Request) -> web.Response:
        kind = REQUESTS.get(request.match_info["kind"])
        if kind is None:
            raise web.HTTPNotFound
        asked = checked(kind, await _fields(request))
        return await self._run(asked.task(self._configuration(), _now_ms()), _mode(request))

    async def freeze(self, request: web.Request) -> web.Response:
        """Freeze a month in portions, so that what the agent sees in the meantime is written, too."""
        month = Month.parse(str((await _fields(request)).get("month")))
        async with sealing_beside(self._seal):
            frozen = await freeze_in_portions(self._submit, self._configuration(), _now_ms(), month)
        return web.json_response({"frozen": frozen})

    async def _run(self, task: Task, mode: Mode) -> web.Response:
        result = await asyncio.wrap_future(self._submit(in_mode(task, mode)))
        await seal_in_portions(self._seal)
        return web.json_response(result)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _mode(request: web.Request) -> Mode:
    asked = request.query.get("mode", "apply")
    for mode in get_args(Mode):
        if mode == asked:
            return mode  # type: ignore[no-any-return]
    raise LedgerError(f"mode: expected one of {', '.join(get_args(Mode))}, not {asked!r:.40}")


async def _fields(request: web.Request) -> dict[str, Any]:
    try:
        fields = await request.json()
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise LedgerError("expected a JSON object")
    return fields


@web.middleware
async def _refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Say what was wrong with a request, one message a line."""
    try:
        return await handler(request)
    except (HistoryErrors, LedgerError, StoreError, ValueError) as error:
        return web.json_response({"error": str(error)}, status=422)
