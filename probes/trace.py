"""The log of one probe, for whoever watches it: ``/probe?debug=true``, ``ringback probe --verbose``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

MOST_LINES = 1_000
"""Lines kept of one probe; a peer that floods us fills no memory."""

LONGEST = 4_096
"""Characters kept of one fact."""


@dataclass(frozen=True, slots=True)
class Line:
    """A step of the probe, ``at_ns`` nanoseconds of ``time.monotonic_ns()``, with what belongs to it."""

    at_ns: int
    what: str
    facts: dict[str, str]


@dataclass(slots=True)
class Trace:
    """The steps of one probe in their order, and how many more there were than are kept."""

    lines: list[Line] = field(default_factory=list)
    more: int = 0


_trace: ContextVar[Trace | None] = ContextVar("_trace", default=None)


def tell(what: str, **facts: object) -> None:
    """Write a step into the log of the probe under way, if anybody watches. Secrets have no place in it."""
    trace = _trace.get()
    if trace is None:
        return
    if len(trace.lines) >= MOST_LINES:
        trace.more += 1
    else:
        kept = {name: str(fact)[:LONGEST] for name, fact in facts.items()}
        trace.lines.append(Line(time.monotonic_ns(), what, kept))


@contextmanager
def traced() -> Iterator[Trace]:
    """Watch the probes that are made inside the block, and in tasks that are begun there."""
    trace = Trace()
    token = _trace.set(trace)
    try:
        yield trace
    finally:
        _trace.reset(token)
