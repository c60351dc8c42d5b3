"""The life of the agent: start, reload, drain, stop."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from dataclasses import replace
from pathlib import Path

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

import monitor
from monitor.agent import logs
from monitor.agent.calendar import Calendar
from monitor.agent.doors import Doors
from monitor.agent.notify import ServiceManager
from monitor.agent.probers import Probers
from monitor.agent.pulse import Pulse
from monitor.agent.watch import Watch
from monitor.config.loading import load
from monitor.config.mistakes import ConfigurationErrors
from monitor.config.values import Configuration
from monitor.control.sealing import seal_in_portions
from monitor.live import Live
from monitor.schedule import Schedule
from monitor.store import facts
from monitor.store.database import StoreError
from monitor.store.signing_key import SigningKey, signing_key
from monitor.store.writer import Writer
from monitor.timeline import Timeline

DRAIN_S = 15.0
"""How long a stop waits for probes under way."""

SWITCH_S = 0.001
"""How long a thread may keep the interpreter from the loop (Python's own default is five times that)."""

GARBAGE = (1_000, 10, 2_000)
"""How often garbage is looked for. The younger generations are kept small, for the loop stands still while one is
looked through; all of them are hardly ever (Python's own 10), for a probe leaves no cycles behind."""

log = structlog.get_logger("agent")


class Agent:
    """The daemon on one configuration file. ``run`` ends after SIGTERM or SIGINT."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self._stop = asyncio.Event()
        self._reloads: set[asyncio.Task[None]] = set()
        self._one_reload = asyncio.Lock()
        self._manager = ServiceManager()
        agent = configuration.agent
        self.live = Live(agent.name, monitor.__version__)

    async def run(self) -> None:
        """Raises StoreError or OSError where the database or the address cannot be had."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        agent = self.configuration.agent
        agent.state_dir.mkdir(parents=True, exist_ok=True)
        self.timeline = Timeline()
        self.writer = Writer(agent.database, self.timeline.now_ms, _signing_key(agent.state_dir))
        try:
            await self._serve(loop)
        finally:
            await asyncio.to_thread(self.writer.close)

    async def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        agent = self.configuration.agent
        scheduler = AsyncIOScheduler(event_loop=loop, timezone="UTC")
        schedule = Schedule(scheduler, self.live.lateness.observe)
        floor_ms = await self._begin_run()
        probers = Probers(agent.state_dir)
        probers.resume()
        self.watch = Watch(schedule, self.timeline, self.writer, self.live, floor_ms, probers)
        self.watch.begin(self.configuration.services, self._remembered)
        self.watch.use_references(agent)
        for service_id, since_ms in self._open_outages.items():
            if service_id in self.live.services:
                self.live.services[service_id].outage_since_ms = since_ms
        doors = Doors(self.live, lambda: self.configuration, self.writer, self.timeline, probers.of)
        await doors.open()
        calendar = Calendar(
            scheduler, self.watch.showing, self.live, lambda: self.configuration, self.writer, self.timeline
        )
        calendar.begin()
        pulse = Pulse(self.watch, self.writer, self.timeline, self.live, self._manager, agent.heartbeat_ms)
        sys.setswitchinterval(SWITCH_S)
        gc.collect()
        gc.freeze()  # what lives as long as the agent need not be looked at again by every collection
        gc.set_threshold(*GARBAGE)
        schedule.begin()
        scheduler.start()
        loop.add_signal_handler(signal.SIGHUP, self._reload_soon)
        beating = asyncio.create_task(pulse.beat())
        self.live.probing = True
        self.live.config_loaded_ms = self.timeline.now_ms()
        self._say_ready(doors.address)
        stopped = asyncio.create_task(self._stop.wait())
        await asyncio.wait({beating, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if beating.done():
            beating.result()  # raises what ended it: without its writer the agent is of no use
        await self._drain(schedule, scheduler, calendar, doors, beating)

    async def _begin_run(self) -> int:
        """Enter the run; the instant up to which an earlier one recorded, where that lies ahead of our clock."""
        agent = self.configuration.agent
        covered = self.writer.submit(facts.covered_to)
        floor_ms = await asyncio.wrap_future(covered) or 0
        now_ms = self.timeline.now_ms()
        started_ms = max(now_ms, floor_ms)
        begun = self.writer.begin_run(agent.name, monitor.__version__, started_ms)
        self._remembered = await asyncio.wrap_future(begun)
        self._open_outages = await asyncio.wrap_future(self.writer.submit(facts.open_outages))
        if floor_ms > now_ms:
            log.error(
                "the clock is behind what is recorded; nothing is judged until it gets there",
                seconds=(floor_ms - now_ms) / 1000,
            )
        return floor_ms

    def _reload_soon(self) -> None:
        """Once earlier reloads are over: the last one has read what the file is last. Not while the agent stops."""
        if self.live.probing:
            task = asyncio.create_task(self._reload_in_turn())
            self._reloads.add(task)
            task.add_done_callback(self._reloads.discard)

    async def _reload_in_turn(self) -> None:
        async with self._one_reload:
            await self._reload()

    async def _reload(self) -> None:
        """Take the configuration file again. A bad one is refused, and the old one runs on."""
        self._manager.reloading()
        try:
            # ten thousand services take a second to read, in which the loop has as many probes to start
            new = self._without_restart(await asyncio.to_thread(load, self.configuration.path))
        except ConfigurationErrors as errors:
            self.live.config_ok = False
            for mistake in errors.mistakes:
                log.error("configuration refused, the old one runs on", mistake=str(mistake))
        else:
            changed = self.watch.reload(self.configuration.services, new.services)
            self.watch.use_references(new.agent)
            self.configuration = new
            self.live.config_ok = True
            self.live.config_loaded_ms = self.timeline.now_ms()
            log.info("configuration reloaded", changed=changed or "nothing")
        self._manager.ready(self._status())

    def _without_restart(self, new: Configuration) -> Configuration:
        """The new configuration, with those settings of the old that only a restart can change."""
        fixed = ("name", "state_dir", "database", "listen", "heartbeat_ms", "log_format", "log_level")
        old_agent = self.configuration.agent
        waiting = [key for key in fixed if getattr(new.agent, key) != getattr(old_agent, key)]
        if waiting:
            log.warning("takes a restart to change", settings=waiting)
        kept = {key: getattr(old_agent, key) for key in fixed}
        return replace(new, agent=replace(new.agent, **kept))

    async def _drain(
        self,
        schedule: Schedule,
        scheduler: AsyncIOScheduler,
        calendar: Calendar,
        doors: Doors,
        beating: asyncio.Task[None],
    ) -> None:
        log.info("stopping: no new probes, waiting for those under way", under_way=len(self.watch.under_way))
        self._manager.stopping()
        self.live.probing = False
        for reload in self._reloads:
            reload.cancel()
        schedule.pause()
        await self.watch.drain(DRAIN_S)
        beating.cancel()
        scheduler.shutdown(wait=False)
        await calendar.ended()
        await asyncio.wrap_future(self.writer.stop_run(self.timeline.now_ms()))
        await doors.close()
        await seal_in_portions(self.writer.seal)
        log.info("stopped")

    def _say_ready(self, address: str) -> None:
        log.info(
            "ready",
            vantage=self.live.vantage,
            services=len(self.configuration.services),
            checks=sum(len(service.checks) for service in self.configuration.services),
            listening=address,
            database=str(self.configuration.agent.database),
        )
        self._manager.ready(self._status())

    def _status(self) -> str:
        return f"watching {len(self.configuration.services)} services"


def _signing_key(state_dir: Path) -> SigningKey | None:
    """What facts are sealed with, made at the first start; None: they are not, and that is loud."""
    try:
        return signing_key(state_dir)
    except StoreError as error:
        log.error("facts are not sealed, for there is no key to sign with", error=str(error))
        return None


def run(path: Path, database: Path | None = None) -> None:
    """Run the agent on a configuration file until it is told to stop.

    Raises ConfigurationErrors, StoreError, or OSError where the address cannot be listened on.
    """
    configuration = load(path)
    if database is not None:
        configuration = replace(configuration, agent=replace(configuration.agent, database=database))
    logs.configure(configuration.agent.log_format, configuration.agent.log_level)
    asyncio.run(_run(configuration))


async def _run(configuration: Configuration) -> None:
    await Agent(configuration).run()


__all__ = ["Agent", "StoreError", "run"]
