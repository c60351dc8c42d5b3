"""Sealing while an agent probes: a portion at a time, so that its writer is not held."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager

import structlog

from monitor.control.pausing import leave_alone

_AGAIN_S = 0.5
"""How often is looked for something to seal."""

Seal = Callable[[], Future[int]]

log = structlog.get_logger("store")


async def seal_in_portions(seal: Seal) -> None:
    """Seal all that is new; ``seal`` is the writer's. Where the disk fails that is logged: the next call goes on."""
    try:
        while await _portion(seal):
            pass
    except sqlite3.Error as error:
        log.error("cannot seal", error=str(error))


@asynccontextmanager
async def sealing_beside(seal: Seal) -> AsyncIterator[None]:
    """Seal what comes up meanwhile, and what is left at the end."""
    beside = asyncio.create_task(_seal_again_and_again(seal))
    try:
        yield
    finally:
        beside.cancel()
        await asyncio.wait({beside})
    await seal_in_portions(seal)


async def _seal_again_and_again(seal: Seal) -> None:
    while True:
        await seal_in_portions(seal)
        await asyncio.sleep(_AGAIN_S)


async def _portion(seal: Seal) -> int:
    started = time.monotonic()
    rows = await asyncio.wrap_future(seal())
    await leave_alone(time.monotonic() - started)
    return rows
