"""The time line of the records, and what a stepped clock does to it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.timeline import Timeline

MS = 1_000_000
NOON_NS = 1_790_000_000_000 * MS


class Clocks:
    """A host's clocks: the wall clock can be stepped, the monotonic one cannot."""

    def __init__(self) -> None:
        self.monotonic_ns = 5_000 * MS
        self.wall_offset_ns = NOON_NS

    def wall(self) -> int:
        return self.monotonic_ns + self.wall_offset_ns

    def monotonic(self) -> int:
        return self.monotonic_ns

    def pass_ms(self, milliseconds: int) -> None:
        self.monotonic_ns += milliseconds * MS

    def step_ms(self, milliseconds: int) -> None:
        self.wall_offset_ns += milliseconds * MS


def started() -> tuple[Clocks, Timeline]:
    clocks = Clocks()
    return clocks, Timeline(clocks.wall, clocks.monotonic)


def test_it_gives_wall_time():
    clocks, timeline = started()
    clocks.pass_ms(1_500)
    assert timeline.now_ms() == clocks.wall() // MS
    assert timeline.notice_step() is None


def test_a_clock_that_jumps_ahead_takes_the_time_line_along_and_says_from_where():
    clocks, timeline = started()
    before_ms = timeline.now_ms()
    sent_ns = clocks.monotonic_ns
    clocks.pass_ms(10)
    clocks.step_ms(3_600_000)
    step = timeline.notice_step()
    assert step is not None
    assert (step.from_ms - before_ms, step.to_ms - step.from_ms, step.step_ms) == (10, 3_600_000, 3_600_000)
    assert timeline.ms(sent_ns) == before_ms, "what was sent before the step stays where it was"
    clocks.pass_ms(10)
    assert timeline.now_ms() == clocks.wall() // MS


def test_a_clock_that_is_set_back_never_takes_the_time_line_back():
    clocks, timeline = started()
    clocks.step_ms(-3_600_000)
    before_ms = timeline.now_ms()
    step = timeline.notice_step()
    assert step is not None
    assert step.from_ms == step.to_ms == before_ms
    assert step.step_ms == -3_600_000
    assert timeline.ahead_ms == 3_600_000
    clocks.pass_ms(1_000)
    assert timeline.now_ms() == before_ms + 1_000
    assert timeline.notice_step() is None, "a step is told once"


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(-100_000, 100_000)), max_size=20))
def test_the_time_line_only_goes_forward_and_no_stretch_is_shorter_than_it_was(moves):
    clocks, timeline = started()
    for passed_ms, step_ms in moves:
        before_ms = timeline.now_ms()
        clocks.pass_ms(passed_ms)
        assert timeline.now_ms() - before_ms == passed_ms
        clocks.step_ms(step_ms)
        step = timeline.notice_step()
        assert timeline.now_ms() >= before_ms + passed_ms
        if step is not None:
            assert timeline.now_ms() - step.to_ms == 0
