"""Freezing while an agent probes: a few months at a time, so that neither its loop nor its writer is held."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import closing
from functools import partial
from typing import Any

from monitor.config.values import Configuration, ServiceConfig
from monitor.ledger.freezing import Due, due_months, freeze
from monitor.ledger.frozen import Revision
from monitor.sla.months import Month
from monitor.store.database import open_for_reading

SEARCHED = 100
"""Services looked through at a time."""

PORTION = 20
"""Months frozen in one transaction: what the agent sees meanwhile waits for its end to be written, and as long as
the writer's thread computes, each system call of the loop may cost it the interpreter for a while."""

PAUSE_S = 0.002
"""How long the loop is left alone in between."""

Submit = Callable[[Callable[[sqlite3.Connection], Any]], Future[Any]]


async def freeze_in_portions(
    submit: Submit, configuration: Configuration, now_ms: int, month: Month | None = None
) -> int:
    """Freeze all months that are due, or one; how many were frozen. Raises StoreError and LedgerError.

    Each portion is a transaction of the writer (``submit``): whatever ends this, what is left is due again.
    """
    frozen = 0
    services = configuration.services
    with closing(await asyncio.to_thread(open_for_reading, configuration.agent.database)) as db:
        for start in range(0, len(services), SEARCHED):
            some = services[start : start + SEARCHED]
            due = await asyncio.to_thread(_due, db, some, now_ms, month)
            for first in range(0, len(due), PORTION):
                portion = partial(freeze, due=due[first : first + PORTION], now_ms=now_ms)
                revisions: Sequence[Revision] = await asyncio.wrap_future(submit(portion))
                frozen += len(revisions)
                await asyncio.sleep(PAUSE_S)
            await asyncio.sleep(PAUSE_S)
    return frozen


def _due(
    db: sqlite3.Connection, services: Sequence[ServiceConfig], now_ms: int, month: Month | None
) -> list[Due]:
    return list(due_months(db, services, now_ms, month))
