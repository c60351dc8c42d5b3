"""What is done by the calendar: the running month is computed again, months that are over are frozen, facts sealed."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from monitor.agent.showing import Showing
from monitor.config.values import Configuration, ServiceConfig
from monitor.control.freezing import freeze_in_portions
from monitor.control.sealing import sealing_beside
from monitor.ledger.agreement import agreed
from monitor.ledger.breaches import draft_open_breaches, undrafted
from monitor.ledger.claims_due import ClaimsDue, claims_due
from monitor.ledger.errors import LedgerError
from monitor.ledger.incident_clocks import Standing, open_incidents
from monitor.ledger.reopening import Late, last_change, late_records, revise_late
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

CLOCKS_S = 10
"""How soon a deadline that has passed is drafted and shown."""

PORTION = 20
"""Services whose month is computed at a time: as long as a thread computes, each system call of the loop may
cost it the interpreter for a while."""

PAUSE_S = 0.005
"""How long the loop is left alone in between."""

_UTC = ZoneInfo("UTC")

SHARE = 100
"""Computing all months may take one part in so many of the time; what takes longer is done less often."""

REMIND_AT = 6
"""The hour (UTC) of the daily reminder."""

REMIND_AFTER_S = 5
"""How long after the start of the agent the first one comes."""

REMINDERS = 50
"""Claims that are reminded of one by one; the page has all."""

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
        self._under_way: set[asyncio.Task[Any]] = set()
        self._all_again_at = 0.0
        self._looked_at = 0
        """The latest change that was looked at for having been recorded late."""

    def begin(self) -> None:
        soon = datetime.now(UTC) + timedelta(seconds=1)
        self._add(self._refresh, "interval", seconds=CHANGED_S, start_date=soon)
        self._add(self._freeze, "cron", minute=16, next_run_time=soon)  # months settle at a quarter past
        self._add(self._watch_clocks, "interval", seconds=CLOCKS_S, start_date=soon)
        self._add(
            self._remind, "cron", hour=REMIND_AT, next_run_time=soon + timedelta(seconds=REMIND_AFTER_S)
        )

    def _add(self, job: Callable[[], Awaitable[None]], trigger: str, **when: Any) -> None:
        self._scheduler.add_job(
            partial(self._until_the_stop, job),
            trigger,
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
            name=job.__name__,
            **when,
        )

    async def _until_the_stop(self, job: Callable[[], Awaitable[None]]) -> None:
        """A job that the agent's stop cuts off is no failure, which the scheduler would report."""
        task = asyncio.current_task()
        assert task is not None
        self._under_way.add(task)
        try:
            with suppress(asyncio.CancelledError):
                await job()
        finally:
            self._under_way.discard(task)

    async def ended(self) -> None:
        """Wait, after the scheduler was shut down, until the jobs that it cut off have cleaned up."""
        if self._under_way:
            await asyncio.wait(self._under_way)

    async def _refresh(self) -> None:
        """Compute the running month of the services that changed, now and then of all."""
        started = time.monotonic()
        all_of_them = started >= self._all_again_at
        dirty, self._showing.dirty = self._showing.dirty, set()
        configuration = self._configuration()
        services = [one for one in configuration.services if all_of_them or one.id in dirty]
        if not services:
            return
        try:
            db = await asyncio.to_thread(open_for_reading, configuration.agent.database)
        except StoreError as error:
            log.error("cannot read the month", error=str(error))
            return
        try:
            await self._compute(db, services)
            if all_of_them:
                self._live.claims = await asyncio.to_thread(claims_due, db)
        finally:
            db.close()
        if all_of_them:
            self._all_again_at = started + max(REFRESH_S, SHARE * (time.monotonic() - started))

    async def _compute(self, db: sqlite3.Connection, services: list[ServiceConfig]) -> None:
        now_ms = self._timeline.now_ms()
        ledger = await asyncio.to_thread(Ledger, db, now_ms, around_month(month_of(now_ms, _UTC)))
        for start in range(0, len(services), PORTION):
            portion = services[start : start + PORTION]
            figures = await asyncio.to_thread(_figures, ledger, portion, now_ms)
            for service_id, rolled in figures.items():
                if service_id in self._live.services:
                    self._live.services[service_id].figures = rolled
            await asyncio.sleep(PAUSE_S)

    async def _watch_clocks(self) -> None:
        """Look at the clocks of open incidents, and draft what is owed where a deadline has passed."""
        now_ms = self._timeline.now_ms()
        try:
            found = await asyncio.to_thread(_incidents, self._configuration().agent.database, now_ms)
            self._live.incidents = tuple(found)
            if any(map(undrafted, found)):
                task = partial(draft_open_breaches, now_ms=now_ms)
                for breach in await asyncio.wrap_future(self._writer.submit(task)):
                    log.warning(
                        "deadline passed, claim drafted",
                        service=breach.service,
                        incident=breach.incident,
                        clock=breach.clock,
                    )
        except (StoreError, sqlite3.Error) as error:
            log.error("cannot look at the clocks of incidents", error=str(error))

    async def _remind(self) -> None:
        """Say once a day which claims have to be sent soon, or should have been."""
        try:
            self._live.claims = await asyncio.to_thread(_counted, self._configuration().agent.database)
        except (StoreError, sqlite3.Error) as error:
            log.error("cannot count claims", error=str(error))
        now_ms = self._timeline.now_ms()
        for service, month, deadline_ms in self._live.claims.pressing(now_ms)[:REMINDERS]:
            log.warning(
                "claim not sent" if deadline_ms <= now_ms else "claim to be sent soon",
                service=service,
                month=str(month),
                before=datetime.fromtimestamp(deadline_ms / 1000, UTC).isoformat(),
            )

    async def _freeze(self) -> None:
        """Freeze every month that is over, also those that ended while the agent was off; then revise those into
        which something was recorded when they had been frozen; then seal what is new since the last hour."""
        async with sealing_beside(self._writer.seal):
            try:
                months = await freeze_in_portions(
                    self._writer.submit, self._configuration(), self._timeline.now_ms()
                )
                if months:
                    log.info("months frozen", months=months)
                await self._revise_late()
                self._live.claims = await asyncio.to_thread(_counted, self._configuration().agent.database)
            except (LedgerError, StoreError, sqlite3.Error) as error:
                log.error("cannot freeze months", error=str(error))

    async def _revise_late(self) -> None:
        last, late = await asyncio.to_thread(_late, self._configuration().agent.database, self._looked_at)
        for start in range(0, len(late), PORTION):
            task = partial(revise_late, late=late[start : start + PORTION], now_ms=self._timeline.now_ms())
            for one in await asyncio.wrap_future(self._writer.submit(task)):
                log.warning(
                    "frozen month revised, for the agent recorded something late",
                    service=one.service,
                    month=str(one.month),
                    revision=one.revision,
                )
            await asyncio.sleep(PAUSE_S)
        self._looked_at = last


def _counted(database: Path) -> ClaimsDue:
    with closing(open_for_reading(database)) as db:
        return claims_due(db)


def _incidents(database: Path, now_ms: int) -> list[Standing]:
    """The open ones, their clocks counted."""
    with closing(open_for_reading(database)) as db:
        db.execute("BEGIN")
        found = open_incidents(db, now_ms)
    for one in found:
        one.clocks  # noqa: B018 - here, and not in the loop
    return found


def _late(database: Path, after_key: int) -> tuple[int, list[Late]]:
    """The key of the latest change, and the months into which one after ``after_key`` was recorded late."""
    with closing(open_for_reading(database)) as db:
        db.execute("BEGIN")
        return last_change(db), late_records(db, after_key)


def _figures(ledger: Ledger, services: list[ServiceConfig], now_ms: int) -> dict[str, Rollup | None]:
    figures = {}
    for service in services:
        agreement = agreed(service, now_ms)
        figures[service.id] = ledger.month(agreement, month_of(now_ms, agreement.tz))
    return figures
