"""The commands' end: a change is handed to the agent that runs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp

from monitor.store.database import StoreError

TIMEOUT_S = 600.0
"""Long enough for the largest history."""


def socket_path(state_dir: Path) -> Path:
    """Where the agent listens for changes."""
    return state_dir / "control.sock"


def post(
    socket: Path, path: str, body: bytes | Mapping[str, Any], params: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The agent's answer to a request (see monitor.control.server). Raises StoreError with its refusal."""
    data = body if isinstance(body, bytes) else json.dumps(dict(body)).encode()
    try:
        status, text = asyncio.run(_post(socket, path, data, params or {}))
    except (aiohttp.ClientError, OSError) as error:
        raise StoreError(
            f"another process is writing to the database, and no agent answers at {socket}: {error}"
        ) from error
    try:
        answer: dict[str, Any] = json.loads(text)
    except ValueError:
        answer = {}
    if status != 200:
        raise StoreError(answer.get("error", f"the agent refused: {status}"))
    return answer


async def _post(socket: Path, path: str, data: bytes, params: Mapping[str, str]) -> tuple[int, str]:
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    connector = aiohttp.UnixConnector(str(socket))
    async with (
        aiohttp.ClientSession("http://agent", connector=connector, timeout=timeout) as session,
        session.post(path, data=data, params=params) as response,
    ):
        return response.status, await response.text()
