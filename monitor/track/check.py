"""One check: from what its probes saw to the state it is in, by ``fall`` and ``rise``."""

from __future__ import annotations

from monitor.track.states import Blip, CheckChange, Observation, State

ALWAYS_CONNECTED = 1 << 62
"""``connected_ms`` where no reference targets are watched."""


class CheckTracker:
    """The state of one check. Observations come in the order in which their probes were sent.

    The state changes when the last ``fall`` answers were all worse than it, or the last ``rise`` all better,
    and then from the first answer of that run on. What could not be asked makes the state unknown at once,
    but neither ends nor confirms a run. After unknown time one answer like the remembered state restores it.

    A state of down is stated only when a reference target that was asked after the last bad answer has
    answered: until then the bad answers may be our own cut line. ``connected_ms`` is when the latest
    reference probe that was answered was sent.
    """

    __slots__ = ("_blind_ms", "_last", "_run", "_seen_ms", "_state", "fall", "rise")

    def __init__(self, fall: int, rise: int, remembered: State = State.UP) -> None:
        """``remembered`` is the state that an earlier run of the agent left behind."""
        self.fall = fall
        self.rise = rise
        self._state: State = State.UP if remembered is State.UNKNOWN else remembered
        self._blind_ms: int | None = 0  # since when the state is unknown
        self._run: list[Observation] = []  # what came since and does not fit the state
        self._last: Observation | None = None  # the last one that fits the state
        self._seen_ms: int | None = None  # when that was, or until when it is beyond doubt

    @property
    def state(self) -> State:
        return self._state if self._blind_ms is None else State.UNKNOWN

    @property
    def remembered(self) -> State:
        """The last state that was known."""
        return self._state

    @property
    def pending_ms(self) -> int | None:
        """Since when answers have been coming that the state does not account for yet; None: there are none."""
        return self._run[0].at_ms if self._run else None

    @property
    def last_answer_ms(self) -> int:
        """When the latest probe was sent whose answer does not fit the state; 0: there is none."""
        return self._run[-1].at_ms if self._run else 0

    @property
    def awaits_reference(self) -> bool:
        """Whether enough bad answers are in, and only a reference target's answer is missing."""
        return self._proven_state() is State.DOWN

    @property
    def wants_haste(self) -> bool:
        """Whether the next probe should come after ``retry_interval``: suspect, down or recovering."""
        return bool(self._run) or self._state is State.DOWN

    def settled_ms(self, connected_ms: int) -> int:
        """No change that is still to come can lie before this instant."""
        settled = self._run[0].at_ms if self._run else (self._seen_ms or 0)
        return min(settled, connected_ms) if self._state is State.DOWN else settled

    def doubtful_from(self, connected_ms: int) -> int:
        """From when on nothing is known of this check if we have been cut off since ``connected_ms``."""
        if self._state is State.DOWN:
            return connected_ms
        return max(connected_ms, self._seen_ms or 0)

    def observe(self, seen: Observation, connected_ms: int) -> tuple[list[CheckChange], Blip | None]:
        """What the observation changes, in order of ``at_ms``, and the blip that it ends."""
        if self._blind_ms is not None and seen.at_ms < self._blind_ms:
            return [], None  # it was under way when we lost sight
        fits = seen.severity == self._state
        if fits and not self._run and self._blind_ms is None:
            self._last, self._seen_ms = seen, seen.at_ms
            return [], None
        if not seen.asked:
            return self.lose_sight(seen), None
        if fits and (self._blind_ms is None or self._state is not State.DOWN):
            return self._go_on(seen)
        if len(self._run) >= 4 * max(self.fall, self.rise) and self._run[-1].asked:
            self._run.pop()  # held back for want of a reference: the first answers and the last one tell all
        self._run.append(seen)
        return self.settle(connected_ms), None

    def settle(self, connected_ms: int) -> list[CheckChange]:
        """State what the run of answers proves by now, if it proves anything."""
        state = self._proven_state()
        if state is None or (state is State.DOWN and connected_ms < self._run[-1].at_ms):
            return []
        start = _first_of_proof(self._run, state, better=state < self._state)
        before, proof = self._run[:start], self._run[start:]
        changes = self._stated(state, proof, before)
        fitting = max(i for i, one in enumerate(proof) if one.severity == state)
        self._state, self._blind_ms = state, None
        self._last, self._seen_ms = proof[fitting], proof[fitting].at_ms
        self._run = proof[fitting + 1 :]
        return changes

    def lose_sight(self, unseen: Observation) -> list[CheckChange]:
        """Unknown from that observation (of nothing) on; what was seen after its instant no longer counts."""
        at_ms = unseen.at_ms
        self._run = [one for one in self._run if one.at_ms < at_ms]
        if self._run and self._run[-1].asked:
            self._run.append(unseen)
        if self._seen_ms is not None:
            self._seen_ms = min(self._seen_ms, at_ms)
        if self._blind_ms is not None and self._blind_ms <= at_ms:
            return []
        self._blind_ms = at_ms
        return [CheckChange(at_ms, State.UNKNOWN, self._seen_ms, unseen.outcome.reason, (unseen,))]

    def _go_on(self, seen: Observation) -> tuple[list[CheckChange], Blip | None]:
        """The answer fits the state: a run against it is over, and the state is known again."""
        bad = [one for one in self._run if one.asked and one.severity > self._state]
        blip = None
        if bad and self._state is not State.DOWN:
            blip = Blip(self._seen_ms, bad[0].at_ms, bad[-1].at_ms, seen.at_ms, bad[0].outcome.reason)
        changes = [] if self._blind_ms is None else self._stated(self._state, [seen], self._run)
        self._run, self._blind_ms = [], None
        self._last, self._seen_ms = seen, seen.at_ms
        return changes, blip

    def _proven_state(self) -> State | None:
        """The state that the run of answers proves, leaving the reference targets aside."""
        asked = [one.severity for one in self._run if one.asked]
        if not asked:
            return None
        if self._blind_ms is not None and asked[-1] == self._state:
            return self._state
        worse, better = asked[-self.fall :], asked[-self.rise :]
        if len(worse) == self.fall and min(worse) > self._state:
            return State(min(worse))
        if len(better) == self.rise and max(better) < self._state:
            return State(max(better))
        return None

    def _stated(self, state: State, proof: list[Observation], before: list[Observation]) -> list[CheckChange]:
        """The changes that a run of answers proves: the state, interrupted where nothing could be asked."""
        previous = next((one for one in reversed(before) if one.asked), None)
        seen_ms = previous.at_ms if previous is not None else self._seen_ms
        last = previous or self._last
        evidence = (last, *proof) if last is not None else tuple(proof)
        changes: list[CheckChange] = []
        for one in proof:
            now = state if one.asked else State.UNKNOWN
            if not changes:
                changes.append(CheckChange(one.at_ms, now, seen_ms, one.outcome.reason, evidence))
            elif changes[-1].state is not now:
                changes.append(CheckChange(one.at_ms, now, changes[-1].at_ms, one.outcome.reason))
        return changes


def _first_of_proof(run: list[Observation], state: State, better: bool) -> int:
    """Where the unbroken stretch at the run's end begins that is at least as good (or as bad) as the state."""
    first = len(run)
    for index in range(len(run) - 1, -1, -1):
        one = run[index]
        if one.asked:
            if not (one.severity <= state if better else one.severity >= state):
                break
            first = index
    return first
