"""From what was seen at instants to spans."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from monitor.imports.seen import Seen, Span, spans

WINDOW = (0, 200)
STATES = ("up", "down", "unknown")


@st.composite
def sightings(draw: st.DrawFn) -> list[Seen]:
    instants = sorted(draw(st.lists(st.integers(-50, 250), max_size=20)))
    return [Seen(at_ms, draw(st.sampled_from(STATES)), draw(st.integers(1, 60))) for at_ms in instants]


def state_at(instant_ms: int, seen: list[Seen]) -> str | None:
    """The last that was seen, while it holds."""
    before = [one for one in seen if one.at_ms <= instant_ms]
    return before[-1].state if before and instant_ms < before[-1].at_ms + before[-1].holds_ms else None


@given(sightings())
def test_every_instant_has_the_state_that_was_seen_last_while_it_holds(seen: list[Seen]) -> None:
    found = spans(seen, *WINDOW)
    for instant_ms in range(*WINDOW):
        states = [span.state for span in found if span.from_ms <= instant_ms < span.to_ms]
        assert states == [state for state in (state_at(instant_ms, seen),) if state is not None]


@given(sightings())
def test_spans_that_touch_differ(seen: list[Seen]) -> None:
    found = spans(seen, *WINDOW)
    for one, other in pairwise(found):
        assert one.to_ms < other.from_ms or one.state != other.state


def test_an_outage_lasts_from_the_first_bad_answer_to_the_first_good_one() -> None:
    seen = [Seen(0, "up", 60), Seen(60, "down", 60), Seen(120, "down", 60), Seen(180, "up", 60)]
    assert spans(seen, *WINDOW) == [Span(0, 60, "up"), Span(60, 180, "down"), Span(180, 200, "up")]
