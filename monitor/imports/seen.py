"""From what was seen at instants to spans, and from spans to the lines of a history. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import zip_longest

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """A service was in ``state`` in ``[from_ms, to_ms)``."""

    from_ms: int
    to_ms: int
    state: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A service was seen in ``state`` at an instant (ms UTC), which says so for ``holds_ms`` at most."""

    at_ms: int
    state: str
    holds_ms: int


def spans(seen: Iterable[Seen], from_ms: int, to_ms: int) -> list[Span]:
    """What was seen, in the order of time, within a window: each holds until the next, and no longer than it may.

    So an outage lasts from the first bad answer to the first good one (SLA.md §3), and where nothing was seen for
    longer the state is not known: no span is there. Of two at one instant the later one holds.
    """
    found: list[Span] = []
    ordered = list(seen)
    for one, following in zip_longest(ordered, ordered[1:]):
        start = max(one.at_ms, from_ms)
        end = min(one.at_ms + one.holds_ms, to_ms if following is None else following.at_ms, to_ms)
        if start >= end:
            continue
        if found and found[-1].state == one.state and found[-1].to_ms == start:
            start = found.pop().from_ms
        found.append(Span(start, end, one.state))
    return found


def lines(service: str, found: Iterable[Span]) -> Iterator[bytes]:
    """The spans as ``ringback import history`` takes them."""
    for span in found:
        record = {
            "service": service,
            "state": span.state,
            "from": _iso(span.from_ms),
            "to": _iso(span.to_ms),
        }
        yield json.dumps(record, ensure_ascii=False).encode() + b"\n"


def _iso(instant_ms: int) -> str:
    return (_EPOCH + timedelta(milliseconds=instant_ms)).isoformat(timespec="milliseconds")
