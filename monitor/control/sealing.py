"""Sealing while an agent probes: a portion at a time, so that its writer is not held."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future

import structlog

PAUSE_S = 0.002
"""How long the loop is left alone in between."""

Seal = Callable[[], Future[int]]

log = structlog.get_logger("store")


async def seal_in_portions(seal: Seal) -> None:
    """Seal all that is new; ``seal`` is the writer's. Where the disk fails that is logged: the next call goes on."""
    try:
        rows = 1
        while rows:
            rows = await asyncio.wrap_future(seal())
            await asyncio.sleep(PAUSE_S)
    except sqlite3.Error as error:
        log.error("cannot seal", error=str(error))
