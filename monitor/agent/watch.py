"""The way of the data: what is due is probed, outcomes are judged, statements written, and then shown."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

import structlog

from monitor.agent.probers import Probers
from monitor.agent.showing import Showing
from monitor.config.values import AgentConfig, CheckConfig, ServiceConfig
from monitor.live import Live, LiveCheck
from monitor.schedule import Schedule, Scheduled, monotonic_ms
from monitor.store.writer import Writer
from monitor.timeline import Timeline
from monitor.track.check import CheckTracker
from monitor.track.references import References
from monitor.track.states import Observation, State
from monitor.track.tracker import Statement, TrackedCheck, TrackedService, Tracker
from probes.outcome import Outcome, Verdict
from probes.prober import destination

SLICE = 100
"""Statements made in one turn of the loop, when thousands are due at once."""

log = structlog.get_logger("agent")


class Watched:
    """A check on the wheel: asked when it is due, its outcome handed on to ``seen``."""

    __slots__ = ("config", "live", "prober", "scheduled", "task", "tracked", "watch")

    def __init__(self, watch: Watch, config: CheckConfig, live: LiveCheck) -> None:
        self.watch = watch
        self.config = config
        self.live = live
        self.prober = watch.probers.of(config.prober)
        self.scheduled = Scheduled(config.interval_ms, self.start)
        self.tracked: TrackedCheck | None = None

    def start(self, late_ms: int) -> None:
        if self.tracked is not None and self.scheduled.overdue(late_ms):
            self.watch.missed(self.tracked, late_ms)
        self.scheduled.under_way = True
        self.task = self.watch.loop.create_task(self._ask())
        self.watch.under_way.add(self.task)

    async def _ask(self) -> None:
        try:
            outcome = await self.prober.probe(self.config.parsed, self.config.options)
        except Exception:
            log.exception("a prober failed; this is a fault of ours", target=self.config.target)
            outcome = Outcome(Verdict.NOT_ASKED, time.monotonic_ns(), "internal error")
        finally:
            self.scheduled.under_way = False
            self.watch.under_way.discard(self.task)
        self.seen(outcome)

    def seen(self, outcome: Outcome) -> None:
        live = self.live
        live.outcome = outcome
        live.counts[outcome.verdict] += 1
        self.watch.judge(self, outcome)


class Reference(Watched):
    """A reference target: it says whether we ourselves are connected."""

    __slots__ = ("index",)

    def __init__(self, watch: Watch, config: CheckConfig, index: int) -> None:
        super().__init__(watch, config, LiveCheck(config.name, prober=config.prober))
        self.index = index

    def seen(self, outcome: Outcome) -> None:
        self.watch.judge_reference(self, outcome)


class Watch:
    """All checks of the configuration, from schedule to record."""

    def __init__(
        self,
        schedule: Schedule,
        timeline: Timeline,
        writer: Writer,
        live: Live,
        floor_ms: int,
        probers: Probers,
    ) -> None:
        """``floor_ms``: the time line is recorded up to there already; nothing is judged before."""
        self.loop = asyncio.get_running_loop()
        self.under_way: set[asyncio.Task[None]] = set()
        self.schedule = schedule
        self.timeline = timeline
        self.writer = writer
        self.showing = Showing(live)
        self.live = live
        self.tracker = Tracker([], References(0))
        self._floor_ms = floor_ms
        self.probers = probers
        self._checks: dict[str, list[Watched]] = {}
        self._references: list[Reference] = []
        self._statements: Iterator[Statement] = iter(())
        self._hastened: dict[str, int] = {}
        self._destination_floor_ms = 0
        self._lost_since_ms: int | None = None
        writer.when_durable(self._durable)

    # What to watch

    def begin(self, services: Sequence[ServiceConfig], remembered: Mapping[tuple[str, str], str]) -> None:
        """Watch the services, with the check states that an earlier run left behind."""
        crowd = sum(len(service.checks) for service in services)
        for service in services:
            states = {check.name: remembered.get((service.id, check.name)) for check in service.checks}
            trackers = {
                check.name: CheckTracker(check.fall, check.rise, _state(states[check.name]))
                for check in service.checks
            }
            self._take_on(service, trackers, crowd)

    def use_references(self, agent: AgentConfig) -> None:
        """Watch (other) reference targets."""
        self._destination_floor_ms = agent.destination_floor_ms
        if [one.config for one in self._references] == list(agent.reference_targets):
            return
        self._exhaust()
        for reference in self._references:
            self.schedule.wheel.remove(reference.scheduled)
        self._references = [Reference(self, c, i) for i, c in enumerate(agent.reference_targets)]
        self.tracker.references = References(len(self._references))
        self.live.cut_off = False
        for reference in self._references:
            self.schedule.wheel.place(reference.scheduled, monotonic_ms(), 1)

    def reload(self, old: Sequence[ServiceConfig], new: Sequence[ServiceConfig]) -> list[str]:
        """Change over to the new services; what is watched alike goes on untouched. What changed, in words."""
        self._exhaust()
        before, after = {s.id: s for s in old}, {s.id: s for s in new}
        changed = []
        for service in before.values():
            if service.id not in after:
                self._drop(service.id)
                changed.append(f"{service.id} removed")
        for service in after.values():
            known = before.get(service.id)
            if known == service:
                continue
            changed.append(f"{service.id} {'changed' if known else 'added'}")
            if known and (known.checks, known.up_when) == (service.checks, service.up_when):
                self.live.services[service.id].config = service
                continue
            self._change(service, known)
        return changed

    def _change(self, service: ServiceConfig, known: ServiceConfig | None) -> None:
        kept = {w.config.name: w for w in self._checks.get(service.id, [])}
        trackers = {}
        for check in service.checks:
            watched = kept.get(check.name)
            same = watched is not None and watched.config == check
            if watched is not None and watched.tracked is not None:
                tracker = watched.tracked.tracker
                trackers[check.name] = (
                    tracker if same else CheckTracker(check.fall, check.rise, tracker.remembered)
                )
            else:
                trackers[check.name] = CheckTracker(check.fall, check.rise)
        self._unschedule(service.id)
        self._take_on(service, trackers, len(service.checks))
        tracked = self.tracker.services[service.id]
        self.take([tracked.begin(self.timeline.now_ms(), "configuration changed")] if known else [])

    def _take_on(self, service: ServiceConfig, trackers: Mapping[str, CheckTracker], crowd: int) -> None:
        checks = [(check.name, trackers[check.name]) for check in service.checks]
        tracked = TrackedService(service.id, service.up_when, checks)
        self.tracker.adopt(tracked)
        shown = self.showing.adopt(service)
        watched = []
        for check, one, live in zip(service.checks, tracked.checks, shown.checks, strict=True):
            new = Watched(self, check, live)
            new.tracked = one
            self.schedule.wheel.place(new.scheduled, monotonic_ms(), crowd)
            watched.append(new)
        self._checks[service.id] = watched

    def _drop(self, service_id: str) -> None:
        self._unschedule(service_id)
        gone = self.tracker.services.get(service_id)
        if gone is not None:
            self.take([gone.end(self.timeline.now_ms(), "no longer watched")])
        self.tracker.dismiss(service_id)
        self.showing.dismiss(service_id)

    def _unschedule(self, service_id: str) -> None:
        for watched in self._checks.pop(service_id, []):
            watched.tracked = None  # what is still under way belongs to nobody
            self.schedule.wheel.remove(watched.scheduled)

    # What was seen

    def judge(self, watched: Watched, outcome: Outcome) -> None:
        tracked = watched.tracked
        if tracked is None:
            return
        at_ms = self.timeline.ms(outcome.sent_ns)
        watched.live.seen_ms = at_ms
        if at_ms < self._floor_ms:
            return
        statement = self.tracker.observe(tracked, Observation(at_ms, outcome))
        if statement is not None:
            self.take([statement])
        if tracked.tracker.wants_haste:
            self._hasten(watched, outcome)
        if self.tracker.wants_reference:
            for reference in self._references:
                self.schedule.wheel.hasten(reference.scheduled, monotonic_ms())

    def judge_reference(self, reference: Reference, outcome: Outcome) -> None:
        self._exhaust()
        seen = Observation(self.timeline.ms(outcome.sent_ns), outcome)
        was_cut_off = self.live.cut_off
        self._statements = self.tracker.observe_reference(reference.index, seen)
        self.live.cut_off = self.tracker.references.cut_off
        if self.live.cut_off is not was_cut_off:
            log.error(
                "cut off: no reference target answers; nothing is judged"
            ) if self.live.cut_off else log.info("connected again")
        self._go_on()

    def missed(self, tracked: TrackedCheck, late_ms: int) -> None:
        """The check should have run ``late_ms`` ago, and did not."""
        at_ms = self.timeline.now_ms() - late_ms
        statement = self.tracker.missed(tracked, at_ms) if at_ms >= self._floor_ms else None
        if statement is not None:
            self.take([statement])

    def lose_sight(self, at_ms: int, reason: str) -> None:
        """A fault of ours: everything is unknown from that instant on."""
        self._exhaust()
        self.take(list(self.tracker.lose_sight(at_ms, reason)))

    def take(self, statements: Sequence[Statement]) -> None:
        """Have statements written. What finds no room is lost, and its time unknown."""
        if statements and not self.writer.record(statements) and self._lost_since_ms is None:
            self._lost_since_ms = min(_earliest(statements), self.timeline.now_ms())
            log.error("the queue to the disk is full; from here on nothing is known")

    def recover(self) -> None:
        """Once there is room in the queue again after it was full: say what was lost."""
        if self._lost_since_ms is not None and not self.writer.queued:
            since_ms, self._lost_since_ms = self._lost_since_ms, None
            self.lose_sight(since_ms, "not recorded")

    async def drain(self, within_s: float) -> None:
        """Let the probes under way come back; what does not is given up, and was not asked."""
        if self.under_way:
            await asyncio.wait(self.under_way, timeout=within_s)
        for task in list(self.under_way):
            task.cancel()
        self._exhaust()
        await self.probers.close()

    def _hasten(self, watched: Watched, outcome: Outcome) -> None:
        """The next probe after ``retry_interval``, but no denser to one destination than its floor allows."""
        due_ms = outcome.sent_ns // 1_000_000 + watched.config.retry_interval_ms
        place = destination(watched.config.target)
        last_ms = self._hastened.get(place)
        if last_ms is not None:
            due_ms = max(due_ms, last_ms + self._destination_floor_ms)
        if due_ms < watched.scheduled.due_ms:
            self._hastened[place] = due_ms
            self.schedule.wheel.hasten(watched.scheduled, due_ms)

    def forget_haste(self) -> None:
        """Destinations that were hastened long ago need no more room."""
        now_ms = monotonic_ms()
        self._hastened = {place: due_ms for place, due_ms in self._hastened.items() if due_ms > now_ms}

    def _go_on(self) -> None:
        """Take the statements that a reference target's outcome brought, a slice a turn of the loop."""
        some = list(islice(self._statements, SLICE))
        if some:
            self.take(some)
            self.loop.call_soon(self._go_on)

    def _exhaust(self) -> None:
        self.take(list(self._statements))

    def _durable(self, statements: Iterable[Statement]) -> None:
        self.loop.call_soon_threadsafe(self.showing.show, statements)


def _state(word: str | None) -> State:
    return State[word.upper()] if word else State.UP


def _earliest(statements: Iterable[Statement]) -> int:
    instants = [change.at_ms for s in statements for change in s.service_changes]
    instants += [change.at_ms for s in statements for change in s.check_changes]
    return min(instants, default=1 << 62)
