"""All checks and services of this vantage: every outcome goes in here, every change of state comes out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from monitor.track.check import CheckTracker
from monitor.track.references import References
from monitor.track.service import ServiceTracker
from monitor.track.states import Blip, CheckChange, Observation, ServiceChange, State
from probes.outcome import Outcome, Verdict


@dataclass(frozen=True, slots=True)
class Statement:
    """What became known of one check, and of its service through it. To be written before it is shown.

    ``check`` None: the service as a whole, by the agent's own doing. ``pending_ms``: since when answers have
    been coming that the check's state does not account for yet; should the agent die now, the time from there
    on is unknown. ``check_state``, ``service_state`` and ``service_since_ms`` are how things stand after it.
    """

    service: str
    check: str | None
    check_changes: tuple[CheckChange, ...]
    service_changes: tuple[ServiceChange, ...]
    blip: Blip | None
    pending_ms: int | None
    check_state: State
    service_state: State
    service_since_ms: int


class TrackedService:
    """A service under watch, with its checks in the order of the configuration."""

    __slots__ = ("checks", "id", "tracker")

    def __init__(self, id: str, up_when: int, checks: Sequence[tuple[str, CheckTracker]]) -> None:
        self.id = id
        self.tracker = ServiceTracker(len(checks), up_when)
        self.checks = tuple(TrackedCheck(self, i, name, check) for i, (name, check) in enumerate(checks))

    def begin(self, at_ms: int, reason: str) -> Statement:
        """Where the service stands at the start of its watch: unknown, but for checks that were watched before."""
        changes = [ServiceChange(at_ms, State.UNKNOWN, None, 0, reason)]
        for check in self.checks:
            if check.tracker.state is not State.UNKNOWN:
                known = CheckChange(at_ms, check.tracker.state, at_ms, reason)
                changes += self.tracker.apply(check.index, [known], 0)
        return self.statement(changes)

    def end(self, at_ms: int, reason: str) -> Statement:
        """The service is watched no more."""
        self.tracker = ServiceTracker(len(self.checks), self.tracker.up_when)
        return self.statement([ServiceChange(at_ms, State.UNKNOWN, None, 0, reason)])

    def statement(self, changes: Sequence[ServiceChange]) -> Statement:
        tracker = self.tracker
        return Statement(
            self.id, None, (), tuple(changes), None, None, State.UNKNOWN, tracker.state, tracker.since_ms
        )


class TrackedCheck:
    """A check under watch, as its service's ``index``-th."""

    __slots__ = ("index", "name", "pending_ms", "service", "tracker")

    def __init__(self, service: TrackedService, index: int, name: str, tracker: CheckTracker) -> None:
        self.service = service
        self.index = index
        self.name = name
        self.tracker = tracker
        self.pending_ms: int | None = None


class Tracker:
    """Judges outcomes, and withholds judgement while we are cut off ourselves."""

    def __init__(self, services: Iterable[TrackedService], references: References) -> None:
        self.services = {service.id: service for service in services}
        self.references = references
        self._connected_again_ms = 0
        self._waiting: set[TrackedCheck] = set()

    def observe(self, check: TrackedCheck, seen: Observation) -> Statement | None:
        """Judge an outcome. None: it changes nothing that is kept."""
        if self.references.cut_off or seen.at_ms < self._connected_again_ms:
            return None
        tracker = check.tracker
        changes, blip = tracker.observe(seen, self.references.connected_ms)
        if tracker.awaits_reference:
            self._waiting.add(check)
        elif self._waiting:
            self._waiting.discard(check)
        if not changes and blip is None and tracker.pending_ms == check.pending_ms:
            return None
        return self._state_of(check, changes, blip)

    def observe_reference(self, index: int, seen: Observation) -> Iterator[Statement]:
        """Judge a reference target's outcome, and with it the checks that waited for one.

        The judgement is made at once; the statements come one by one, for there may be thousands. Take them
        all before the next reference outcome goes in.
        """
        turned = self.references.observe(index, seen)
        if self.references.cut_off:
            return self._lose_all(self.references.connected_ms) if turned else iter(())
        if turned:
            self._connected_again_ms = seen.at_ms
        return self._settle_waiting()

    def missed(self, check: TrackedCheck, at_ms: int) -> Statement | None:
        """The check was not asked when it was due."""
        return self.observe(check, _unseen(at_ms, "missed"))

    def lose_sight(self, at_ms: int, reason: str) -> Iterator[Statement]:
        """Nothing is known of any check from ``at_ms`` on, through a fault of ours. Take all before going on."""
        unseen = _unseen(at_ms, reason)
        for service in self.services.values():
            for check in service.checks:
                yield self._state_of(check, check.tracker.lose_sight(unseen), None)

    @property
    def wants_reference(self) -> bool:
        """Whether a confirmation waits for a reference target's answer."""
        return bool(self._waiting)

    def adopt(self, service: TrackedService) -> None:
        """Take a service under watch (anew)."""
        self.dismiss(service.id)
        self.services[service.id] = service

    def dismiss(self, service_id: str) -> None:
        """Stop watching a service."""
        gone = self.services.pop(service_id, None)
        if gone is not None:
            self._waiting.difference_update(gone.checks)

    def _lose_all(self, connected_ms: int) -> Iterator[Statement]:
        self._waiting.clear()
        for service in self.services.values():
            for check in service.checks:
                unseen = _unseen(check.tracker.doubtful_from(connected_ms), "cut off")
                yield self._state_of(check, check.tracker.lose_sight(unseen), None)

    def _settle_waiting(self) -> Iterator[Statement]:
        connected_ms = self.references.connected_ms
        for check in [one for one in self._waiting if one.tracker.last_answer_ms <= connected_ms]:
            self._waiting.discard(check)
            yield self._state_of(check, check.tracker.settle(connected_ms), None)

    def _state_of(self, check: TrackedCheck, changes: list[CheckChange], blip: Blip | None) -> Statement:
        service = check.service
        check.pending_ms = check.tracker.pending_ms
        of_service: list[ServiceChange] = []
        if changes:
            connected_ms = self.references.connected_ms
            settled_ms = min(one.tracker.settled_ms(connected_ms) for one in service.checks)
            of_service = service.tracker.apply(check.index, changes, settled_ms)
        return Statement(
            service.id,
            check.name,
            tuple(changes),
            tuple(of_service),
            blip,
            check.pending_ms,
            check.tracker.state,
            service.tracker.state,
            service.tracker.since_ms,
        )


def _unseen(at_ms: int, reason: str) -> Observation:
    return Observation(at_ms, Outcome(Verdict.NOT_ASKED, 0, reason))
