"""Freezing while an agent probes: computed apart, and written a few months at a time."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Any

from monitor.config.values import Configuration
from monitor.control.pausing import leave_alone
from monitor.ledger.answering import Services
from monitor.ledger.computing import Computing
from monitor.ledger.freezing import Computed, write
from monitor.ledger.frozen import Revision
from monitor.sla.months import Month

ASKED = 80
"""Services whose months are computed at a time."""

PORTION = 40
"""Months frozen in one transaction: what the agent sees meanwhile waits for its end to be written, and as long as
the writer's thread computes, each system call of the loop may cost it the interpreter for a while."""

Submit = Callable[[Callable[[sqlite3.Connection], Any]], Future[Any]]


async def freeze_in_portions(
    submit: Submit, configuration: Configuration, now_ms: int, month: Month | None = None
) -> int:
    """Freeze all months that are due, or one; how many were frozen. Raises StoreError and LedgerError.

    Each portion is a transaction of the writer (``submit``): whatever ends this, what is left is due again.
    """
    frozen = 0
    services = configuration.services
    todo: list[Services] = [services[start : start + ASKED] for start in range(0, len(services), ASKED)]
    async with Computing(configuration.agent.database, now_ms, month) as computing:
        while todo:
            again = []
            async for some, computed in computing.due(todo):
                written, all_of_it = await _write(submit, computed, now_ms)
                frozen += written
                if not all_of_it:
                    again.append(some)
            todo = again
    return frozen


async def _write(submit: Submit, computed: Computed, now_ms: int) -> tuple[int, bool]:
    """How many were frozen, and whether that is all there was to do: not where people entered something meanwhile."""
    frozen = 0
    for portion in _portions(computed):
        revisions, took_s = await asyncio.wrap_future(submit(partial(_timed, portion, now_ms)))
        if revisions is None:
            return frozen, False
        frozen += len(revisions)
        await leave_alone(took_s)
    return frozen, True


def _timed(portion: Computed, now_ms: int, db: sqlite3.Connection) -> tuple[list[Revision] | None, float]:
    """What was written, and the seconds that it took, without waiting for the writer."""
    started = time.monotonic()
    return write(db, portion, now_ms), time.monotonic() - started


def _portions(computed: Computed) -> Iterator[Computed]:
    for start in range(0, len(computed.records), PORTION):
        yield replace(computed, records=computed.records[start : start + PORTION])
