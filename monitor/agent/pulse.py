"""What the agent does again and again whatever is probed: looks at its clock, its loop, its disk."""

from __future__ import annotations

import asyncio

import structlog

from monitor.agent.notify import ServiceManager
from monitor.agent.watch import Watch
from monitor.live import Live
from monitor.store import facts
from monitor.store.writer import Writer
from monitor.timeline import Timeline

TICK_S = 0.1

log = structlog.get_logger("agent")


class Pulse:
    """Ten times a second: how late the loop is. Once a second: the clocks, the store, the watchdog.
    Every ``heartbeat_ms``: how far coverage reaches."""

    def __init__(
        self,
        watch: Watch,
        writer: Writer,
        timeline: Timeline,
        live: Live,
        manager: ServiceManager,
        heartbeat_ms: int,
    ) -> None:
        self._watch = watch
        self._writer = writer
        self._timeline = timeline
        self._live = live
        self._manager = manager
        self._heartbeat_s = heartbeat_ms / 1000

    async def beat(self) -> None:
        """Runs until it is cancelled. Raises RuntimeError when the writer has died: the agent is of no use then."""
        loop = asyncio.get_running_loop()
        next_second = next_beat = loop.time()
        lag_s = 0.0
        while True:
            before = loop.time()
            await asyncio.sleep(TICK_S)
            now = loop.time()
            lag_s = max(lag_s, now - before - TICK_S)
            if now >= next_second:
                self._live.loop_lag_s, lag_s = lag_s, 0.0
                next_second = now + 1.0
                self._each_second()
            if now >= next_beat:
                next_beat = now + self._heartbeat_s
                self._writer.beat(self._timeline.now_ms())

    def _each_second(self) -> None:
        if not self._writer.alive:
            raise RuntimeError("the writer died")
        step = self._timeline.notice_step()
        if step is not None:
            log.error("the host's clock was stepped", seconds=step.step_ms / 1000)
            self._writer.submit(
                lambda db: facts.record_clock_step(db, self._writer.run, step.from_ms, step.step_ms)
            )
            if step.to_ms > step.from_ms:
                self._watch.lose_sight(step.from_ms, "clock stepped")
            self._watch.schedule.realign()
        self._live.clock_ahead_ms = self._timeline.ahead_ms
        self._live.queued = self._writer.queued
        self._live.store_failing = self._writer.failing
        self._live.covered_ms = self._writer.covered_ms
        self._watch.recover()
        self._watch.forget_haste()
        if self._watch.schedule.turning:
            self._manager.alive()
