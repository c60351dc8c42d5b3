"""An agent's records, written without the agent."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from monitor.store import facts
from monitor.track.states import Blip, ServiceChange, State
from monitor.track.tracker import Statement

WORDS = {state.word: state for state in State}


def changed(service: str, *changes: tuple[int, str], seen_ms: int | None = None) -> Statement:
    """A statement of one check that its service changed state at these instants."""
    turns = tuple(ServiceChange(at, WORDS[word], seen_ms, 0, word) for at, word in changes)
    last = turns[-1]
    return Statement(service, "sip", (), turns, None, None, last.state, last.state, last.at_ms)


def blipped(service: str, first_bad_ms: int) -> Statement:
    """A statement of a failure that was not confirmed."""
    blip = Blip(first_bad_ms - 10, first_bad_ms, first_bad_ms, first_bad_ms + 10, "timeout")
    return Statement(service, "sip", (), (), blip, None, State.UP, State.UP, 0)


def pending(service: str, since_ms: int) -> Statement:
    """A statement that bad answers have been coming since then."""
    return Statement(service, "sip", (), (), None, since_ms, State.UP, State.UP, 0)


def run(
    db: sqlite3.Connection,
    statements: Iterable[Statement],
    started_ms: int,
    heartbeat_ms: int,
    stopped: bool = False,
) -> facts.Run:
    """A life of the agent that stated all this, covered time to its heartbeat, and then died or stopped."""
    facts.end_dead_runs(db, started_ms)
    life = facts.begin_run(db, "lux-1", "0", started_ms)
    keys = facts.Keys(db)
    for statement in statements:
        facts.record(db, life, keys, statement, heartbeat_ms)
    facts.beat(db, life, heartbeat_ms)
    if stopped:
        facts.stop_run(db, life, heartbeat_ms)
    return life
