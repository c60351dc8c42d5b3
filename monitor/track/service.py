"""One service: from the states of its checks to its own, by ``up_when``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from monitor.track.states import CheckChange, ServiceChange, State


def combined(states: Sequence[State], up_when: int) -> State:
    """The state of a service whose checks are in ``states`` and of which ``up_when`` must be up.

    It is up when enough checks are up, degraded when enough answer but not all of those well, unknown when
    the checks that cannot be judged could make the difference, and down otherwise.
    """
    up = states.count(State.UP)
    answering = up + states.count(State.DEGRADED)
    if up >= up_when:
        return State.UP
    if answering >= up_when:
        return State.DEGRADED
    if answering + states.count(State.UNKNOWN) >= up_when:
        return State.UNKNOWN
    return State.DOWN


class ServiceTracker:
    """Folds the time lines of a service's checks into the service's own.

    A check may state a change that lies in the past, before one that another check stated earlier. The
    service is then computed again from that instant on, and what it states differs where it must: of two
    changes of a service at one instant the later stated one holds.
    """

    __slots__ = ("_parts", "_stated", "up_when")

    def __init__(self, checks: int, up_when: int) -> None:
        self.up_when = up_when
        self._parts: list[list[tuple[int, State, int | None, str]]] = [
            [(0, State.UNKNOWN, None, "not asked yet")] for _ in range(checks)
        ]
        self._stated: list[tuple[int, State]] = [(0, State.UNKNOWN)]

    @property
    def state(self) -> State:
        return self._stated[-1][1]

    @property
    def since_ms(self) -> int:
        """Since when the service has been in its state, as far as that is still in mind."""
        since_ms, state = self._stated[-1]
        for at_ms, earlier in reversed(self._stated):
            if earlier is not state:
                break
            since_ms = at_ms
        return since_ms

    def apply(self, check: int, changes: Iterable[CheckChange], settled_ms: int) -> list[ServiceChange]:
        """What a check's changes mean for the service, in order of ``at_ms``.

        ``settled_ms``: no check will state a change before that instant any more.
        """
        line = self._parts[check]
        first = None
        for change in changes:
            while line[-1][0] >= change.at_ms and len(line) > 1:
                line.pop()
            line.append((change.at_ms, change.state, change.seen_ms, change.reason))
            first = change.at_ms if first is None else min(first, change.at_ms)
        stated = self._restate(first) if first is not None else []
        self._forget_before(settled_ms)
        return stated

    def _restate(self, first_ms: int) -> list[ServiceChange]:
        """Compute the service's time line from ``first_ms`` on, and say where it differs from what was stated."""
        known = dict(self._stated)
        turns = {at for line in self._parts for at, *_ in line if at >= first_ms}
        turns |= {at for at in known if at >= first_ms}
        kept = [entry for entry in self._stated if entry[0] < first_ms]
        state = kept[-1][1] if kept else State.UNKNOWN
        changes = []
        for at_ms in sorted(turns):
            now = combined([_state_at(line, at_ms) for line in self._parts], self.up_when)
            if at_ms in known:
                stated_again = known[at_ms] is now
            elif now is state:
                continue
            else:
                stated_again = False
            if not stated_again:
                changes.append(self._change(at_ms, now))
            kept.append((at_ms, now))
            state = now
        self._stated = kept
        return changes

    def _change(self, at_ms: int, state: State) -> ServiceChange:
        """The change, with what the check that decides it says of it."""
        deciding = [(i, e) for i, line in enumerate(self._parts) for e in line if e[0] == at_ms]
        if not deciding:
            return ServiceChange(at_ms, state, None, 0, "computed again")
        check, (_, _, seen_ms, reason) = next((d for d in deciding if d[1][1] is state), deciding[0])
        return ServiceChange(at_ms, state, seen_ms, check, reason)

    def _forget_before(self, settled_ms: int) -> None:
        for line in self._parts:
            while len(line) > 1 and line[1][0] < settled_ms:
                del line[0]
        while len(self._stated) > 1 and self._stated[1][0] < settled_ms:
            del self._stated[0]


def _state_at(line: list[tuple[int, State, int | None, str]], at_ms: int) -> State:
    """The state that a time line gives at that instant; before its first entry, unknown."""
    return next((state for start, state, *_ in reversed(line) if start <= at_ms), State.UNKNOWN)
