"""What is done by the calendar: the running month is computed again, months that are over are frozen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from monitor.agent.showing import Showing
from monitor.config.values import Configuration, ServiceConfig
from monitor.ledger.agreement import agreed
from monitor.ledger.errors import LedgerError
from monitor.ledger.freezing import freeze_due
from monitor.ledger.frozen import Revision
from monitor.ledger.rollup import Ledger, Rollup, around_month
from monitor.live import Live
from monitor.sla.months import month_of
from monitor.store.database import StoreError, open_for_reading
from monitor.store.writer import Writer
from monitor.timeline import Timeline

REFRESH_S = 60
"""How old a figure of the running month can be where nothing happened."""

CHANGED_S = 2
"""How soon a change of state is in its month's figures."""

PORTION = 100
"""Services whose month is computed before the loop gets its turn."""

SHARE = 100
"""Computing all months may take one part in so many of the time; what takes longer is done less often."""

log = structlog.get_logger("agent")


class Calendar:
    """Jobs of the scheduler that are no probes."""

    def __init__(
        self,
        scheduler: AsyncIOScheduler,
        showing: Showing,
        live: Live,
        configuration: Callable[[], Configuration],
        writer: Writer,
        timeline: Timeline,
    ) -> None:
        self._scheduler = scheduler
        self._showing = showing
        self._live = live
        self._configuration = configuration
        self._writer = writer
        self._timeline = timeline
        self._all_again_at = 0.0

    def begin(self) -> None:
        soon = datetime.now(UTC) + timedelta(seconds=1)
        self._add(self._refresh, "interval", seconds=CHANGED_S, start_date=soon)
        self._add(self._freeze, "cron", minute=16, next_run_time=soon)  # months settle at a quarter past

    def _add(self, job: Callable[[], Any], trigger: str, **when: Any) -> None:
        self._scheduler.add_job(
            job, trigger, misfire_grace_time=None, coalesce=True, max_instances=1, name=job.__name__, **when
        )

    async def _refresh(self) -> None:
        """Compute the running month of the services that changed, now and then of all."""
        started = time.monotonic()
        all_of_them = started >= self._all_again_at
        services = [
            one for one in self._configuration().services if all_of_them or one.id in self._showing.dirty
        ]
        self._showing.dirty.clear()
        for start in range(0, len(services), PORTION):
            portion = services[start : start + PORTION]
            try:
                figures = await asyncio.to_thread(self._figures, portion, self._timeline.now_ms())
            except StoreError as error:
                log.error("cannot read the month", error=str(error))
                return
            for service_id, rolled in figures.items():
                if service_id in self._live.services:
                    self._live.services[service_id].figures = rolled
        if all_of_them:
            self._all_again_at = started + max(REFRESH_S, SHARE * (time.monotonic() - started))

    def _figures(self, services: Collection[ServiceConfig], now_ms: int) -> dict[str, Rollup | None]:
        db = open_for_reading(self._configuration().agent.database)
        try:
            figures = {}
            ledger: Ledger | None = None
            for service in services:
                agreement = agreed(service, now_ms)
                month = month_of(now_ms, agreement.tz)
                if ledger is None:
                    ledger = Ledger(db, now_ms, around_month(month))
                figures[service.id] = ledger.month(agreement, month)
            return figures
        finally:
            db.close()

    async def _freeze(self) -> None:
        """Freeze every month that is over, also those that ended while the agent was off."""
        while True:
            now_ms = self._timeline.now_ms()
            frozen: Future[list[Revision]] = self._writer.submit(
                partial(freeze_due, configuration=self._configuration(), now_ms=now_ms)
            )
            try:
                revisions = await asyncio.wrap_future(frozen)
            except (LedgerError, StoreError) as error:
                log.error("cannot freeze months", error=str(error))
                return
            if not revisions:
                return
            log.info("months frozen", months=len(revisions))
