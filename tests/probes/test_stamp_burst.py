"""The arithmetic of a burst of test packets, without a socket: loss, disorder, delay, and what the clocks allow."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from probes.datagram import Answer
from probes.outcome import Verdict
from probes.stamp.burst import Burst
from probes.stamp.clock import Clock
from probes.stamp.delay import Journey, clocks, spread
from probes.stamp.figures import detail, figures, judged
from probes.stamp.loss import FIRST, Losses, disorder, losses
from probes.stamp.options import StampOptions
from probes.stamp.packet import ECHOED, ReflectedPacket, decode_sender, encode_reflected
from probes.stamp.timestamp import ErrorEstimate, to_error_estimate, to_ntp, to_ptp

THERE, BACK, BOTH = "lost there", "lost back", "came back"
FATES = st.lists(st.sampled_from([THERE, BACK, BOTH, BOTH]), min_size=1, max_size=20)


def seen_of(fates: list[str], start: int = 0) -> list[tuple[int, int]]:
    """The answers of a stateful reflector whose count stands at ``start``."""
    seen, number = [], start
    for index, fate in enumerate(fates):
        if fate == BOTH:
            seen.append((index, number % 2**32))
        number += fate != THERE
    return seen


@given(FATES)
def test_of_a_new_session_everything_before_the_last_answer_is_attributed_rightly(fates: list[str]) -> None:
    found = losses(len(fates), 0, seen_of(fates))
    assert found.lost == len(fates) - fates.count(BOTH)
    answered = [index for index, fate in enumerate(fates) if fate == BOTH]
    known = fates[: answered[-1]] if answered else []
    assert (found.forward, found.backward) == (known.count(THERE), known.count(BACK))
    assert found.unattributed == len(fates) - len(known) - (1 if answered else 0)


@given(FATES, st.integers(25, 2**32 - 1))
def test_of_a_session_that_goes_on_what_came_before_the_first_answer_is_not(
    fates: list[str], start: int
) -> None:
    found = losses(len(fates), 0, seen_of(fates, start))
    answered = [index for index, fate in enumerate(fates) if fate == BOTH]
    known = fates[answered[0] : answered[-1]] if answered else []
    assert (found.forward, found.backward) == (known.count(THERE), known.count(BACK))


@given(FATES, st.lists(st.sampled_from([THERE, BACK, BOTH]), max_size=2))
def test_closing_packets_tell_of_the_last_ones_and_do_not_count(fates: list[str], closing: list[str]) -> None:
    found = losses(len(fates), len(closing), seen_of(fates + closing))
    assert found.lost == len(fates) - fates.count(BOTH)
    assert found.forward <= fates.count(THERE)
    assert found.backward <= fates.count(BACK)
    if closing[:1] == [BOTH]:
        assert (found.forward, found.backward) == (fates.count(THERE), fates.count(BACK))


@given(FATES.filter(lambda fates: BOTH in fates))
def test_of_a_stateless_reflector_only_the_round_trip_is_known(fates: list[str]) -> None:
    seen = [(index, index + FIRST) for index, fate in enumerate(fates) if fate == BOTH]
    lost = len(fates) - len(seen)
    assert losses(len(fates), 0, seen) == Losses(len(fates), lost, stateful=False)


def test_without_an_answer_nothing_is_known_of_the_reflector() -> None:
    found = losses(5, 0, [])
    assert (found.lost, found.unattributed, found.stateful) == (5, 5, None)


@pytest.mark.parametrize(
    "seen",
    [
        [(0, 100), (2, 190)],  # another burst shares the count
        [(0, 40), (1, 0), (3, 1)],  # it was started anew
        [(0, 7), (1, 7), (3, 8)],  # one number twice
        [(0, 2**31), (1, 0), (3, 5)],
    ],
)
def test_numbers_that_fit_no_burst_attribute_nothing(seen: list[tuple[int, int]]) -> None:
    found = losses(5, 0, seen)
    assert (found.lost, found.forward, found.backward) == (5 - len(seen), 0, 0)
    assert found.stateful


@given(
    st.integers(1, 20),
    st.integers(0, 2),
    st.lists(st.tuples(st.integers(0, 21), st.integers(0, 2**32 - 1) | st.integers(0, 30)), max_size=40),
)
def test_whatever_a_reflector_makes_up_the_shares_add_up(
    sent: int, closing: int, seen: list[tuple[int, int]]
) -> None:
    seen = [one for one in seen if one[0] < sent + closing]
    found = losses(sent, closing, seen)
    assert min(found.forward, found.backward, found.unattributed) >= 0
    assert found.forward + found.backward + found.unattributed == found.lost <= sent
    order = disorder(seen)
    assert order.duplicates + len({index for index, _ in seen}) == len(seen)


def test_duplicates_and_order_are_known_by_direction() -> None:
    doubled_there, doubled_back = [(0, 0), (0, 1), (1, 2)], [(0, 0), (0, 0), (1, 1)]
    found = disorder(doubled_there)
    assert (found.duplicates, found.forward_duplicates, found.backward_duplicates) == (1, 1, 0)
    found = disorder(doubled_back)
    assert (found.duplicates, found.forward_duplicates, found.backward_duplicates) == (1, 0, 1)
    swapped_there, swapped_back = [(1, 0), (0, 1), (2, 2)], [(1, 1), (0, 0), (2, 2)]
    found = disorder(swapped_there)
    assert (found.reordered, found.forward_reordered, found.backward_reordered) == (1, 1, 0)
    found = disorder(swapped_back)
    assert (found.reordered, found.forward_reordered, found.backward_reordered) == (1, 0, 1)
    stateless = disorder([(1, 2), (0, 1), (0, 1)])
    assert (stateless.reordered, stateless.duplicates, stateless.forward_reordered) == (1, 1, None)


def test_a_packet_that_overtook_another_and_whose_answer_was_lost_was_lost_on_the_way_back() -> None:
    """Sent 0, 1, 2; arrived there 0, 2, 1; the answer to 2, with the number 1, was lost."""
    found = losses(3, 0, [(0, 0), (1, 2)])
    assert (found.forward, found.backward, found.unattributed) == (0, 1, 0)


def test_a_spread_has_the_steps_in_the_order_of_sending() -> None:
    found = spread([10, 14, 11])
    assert (found.least_ns, found.mean_ns, found.most_ns) == (10, 35 / 3, 14)
    assert (found.step_ns, found.variation_ns) == (3.5, 4)
    assert spread([10]).step_ns is None


SYNCHRONISED = Clock(synchronised=True, error_ns=1_000_000)
THEIRS = ErrorEstimate(True, 2_000_000)
SENT_NS = 1_795_471_669 * 10**9
HERE = ("127.0.0.1", 862)


def journey(forward_ms: float, dwell_ms: float, backward_ms: float, off_ms: float = 0) -> Journey:
    """From SENT_NS on, with the reflector's clock ahead of ours by ``off_ms``."""
    arrived = SENT_NS + round((forward_ms + off_ms) * 1e6)
    left = arrived + round(dwell_ms * 1e6)
    return Journey(SENT_NS, arrived, left, left + round((backward_ms - off_ms) * 1e6))


@pytest.mark.parametrize(
    ("own", "theirs", "why"),
    [
        (SYNCHRONISED, THEIRS, "synchronised"),
        (Clock(False, 10**9), THEIRS, "ours is not synchronised"),
        (SYNCHRONISED, replace(THEIRS, synchronised=False), "theirs is not synchronised"),
        (Clock(False, 10**9), replace(THEIRS, synchronised=False), "neither is synchronised"),
        (SYNCHRONISED, replace(THEIRS, ptp=True), "theirs counts TAI, ours does not know it"),
        (replace(SYNCHRONISED, tai_s=37), replace(THEIRS, ptp=True), "synchronised"),
    ],
)
def test_delays_are_known_only_where_both_clocks_are_synchronised(
    own: Clock, theirs: ErrorEstimate, why: str
) -> None:
    found = clocks(own, [theirs], [journey(10, 1, 20)])
    assert (found.why, found.comparable) == (why, why == "synchronised")
    assert not found.comparable or 3_000_000 <= found.error_ns <= 3_100_000


@pytest.mark.parametrize(("off_ms", "comparable"), [(12, True), (14, False), (-22, True), (-24, False)])
def test_a_packet_that_arrives_before_it_was_sent_refutes_what_the_clocks_claim(
    off_ms: float, comparable: bool
) -> None:
    found = clocks(SYNCHRONISED, [THEIRS], [journey(20, 1, 10, off_ms)])
    assert found.comparable is comparable
    assert comparable or found.why == "they contradict each other"


def burst_of(journeys: list[Journey | None], clock: Clock = SYNCHRONISED, ptp: bool = False) -> Burst:
    """Packets 20 ms apart that went these ways; None was lost on the way there."""
    options = StampOptions(count=len(journeys))
    burst = Burst(options, HERE, 0, clock, halfway_ns=SENT_NS + 2 * 10**9, deadline_ns=SENT_NS + 4 * 10**9)
    stamp = to_ptp if ptp else to_ntp
    estimate = to_error_estimate(replace(THEIRS, ptp=ptp))
    number = 0
    for index, one in enumerate(journeys):
        later = index * 20_000_000
        data = burst.packet(SENT_NS + later)
        burst.sent_ns.append(SENT_NS + later)
        if one is not None:
            sent = decode_sender(data)
            times = [
                stamp(instant + later + (37 * 10**9 if ptp else 0))
                for instant in (one.left_ns, one.arrived_ns)
            ]
            packet = ReflectedPacket(
                number,
                times[0],
                estimate,
                0,
                times[1],
                sent.sequence,
                sent.timestamp,
                sent.error_estimate,
                60,
            )
            answer = encode_reflected(packet)
            assert burst.answered(answer[ECHOED], Answer(answer, HERE, one.returned_ns + later)) is not None
            number += 1
    return burst


@pytest.mark.parametrize("ptp", [False, True])
def test_a_burst_has_its_figures(ptp: bool) -> None:
    ways = [journey(10, 1, 20), None, journey(14, 2, 20), journey(11, 1, 23)]
    burst = burst_of(ways, replace(SYNCHRONISED, tai_s=37), ptp)
    assert detail(burst, figures(burst)) == {
        "sent": 4,
        "received": 3,
        "loss": 0.25,
        "reflector": "stateful",
        "forward_lost": 1,
        "backward_lost": 0,
        "rtt_min_ms": 30.0,
        "rtt_avg_ms": 32.667,
        "rtt_max_ms": 34.0,
        "jitter_ms": 2.0,
        "dwell_ms": 1.333,
        "forward_jitter_ms": 3.5,
        "forward_variation_ms": 4.0,
        "forward_delay_min_ms": 10.0,
        "forward_delay_avg_ms": 11.667,
        "forward_delay_max_ms": 14.0,
        "backward_jitter_ms": 1.5,
        "backward_variation_ms": 3.0,
        "backward_delay_min_ms": 20.0,
        "backward_delay_avg_ms": 21.0,
        "backward_delay_max_ms": 23.0,
        "delay_error_ms": 3.014,
        "clocks": "synchronised",
        "ttl_there": 60,
    }


def test_with_clocks_far_apart_the_variation_is_the_same_and_no_delay_is_told() -> None:
    near = burst_of([journey(10, 1, 20), journey(14, 2, 25)])
    far = burst_of([journey(10, 1, 20, 10**9), journey(14, 2, 25, 10**9)], Clock(False, 0))
    told, blind = detail(near, figures(near)), detail(far, figures(far))
    assert blind["clocks"] == "ours is not synchronised"
    assert not any("delay" in name for name in blind)
    for name in ("rtt_avg_ms", "dwell_ms", "forward_jitter_ms", "backward_variation_ms"):
        assert blind[name] == told[name]


@pytest.mark.parametrize("nonsense", [journey(10, -1, 20), journey(10, 40, -20), journey(10, 1, 20, 80)])
def test_a_reflector_whose_instants_cannot_be_is_taken_at_its_answers_alone(nonsense: Journey) -> None:
    burst = burst_of([journey(10, 1, 20), nonsense])
    found = detail(burst, figures(burst))
    assert found["clocks"] == "theirs makes no sense"
    assert not {"dwell_ms", "forward_jitter_ms", "forward_delay_avg_ms"} & found.keys()
    assert found["rtt_max_ms"] == 31.0  # the time that the reflector held the other packet included


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, (Verdict.GOOD, "reflected")),
        ({"jitter_degraded": "3ms"}, (Verdict.DEGRADED, "jitter")),
        ({"jitter_degraded": "4ms"}, (Verdict.GOOD, "reflected")),
        ({"rtt_degraded": "32ms"}, (Verdict.DEGRADED, "slow")),
        ({"rtt_degraded": "33ms"}, (Verdict.GOOD, "reflected")),
        ({"delay_degraded": "21ms"}, (Verdict.DEGRADED, "delay")),
        ({"delay_degraded": "22ms"}, (Verdict.GOOD, "reflected")),
        ({"loss_degraded": "25 %"}, (Verdict.DEGRADED, "loss")),
        ({"loss_degraded": "25.1 %"}, (Verdict.GOOD, "reflected")),
        ({"loss_down": "25 %", "loss_degraded": "1 %"}, (Verdict.BAD, "loss")),
    ],
)
def test_thresholds_hold_from_their_value_on(options: dict[str, str], expected: tuple[Verdict, str]) -> None:
    burst = burst_of([journey(10, 1, 20), None, journey(14, 2, 20), journey(11, 1, 23)])
    assert judged(figures(burst), StampOptions.model_validate({"count": 4, **options})) == expected


def test_a_delay_that_is_not_known_is_not_judged() -> None:
    burst = burst_of([journey(900, 1, 900)], Clock(False, 0))
    assert judged(figures(burst), StampOptions.model_validate({"count": 1, "delay_degraded": "1ms"})) == (
        Verdict.GOOD,
        "reflected",
    )


def test_what_is_none_of_its_answers_is_not_taken() -> None:
    burst = burst_of([journey(10, 1, 20), None])
    answer = encode_reflected(ReflectedPacket(0, 0, 1, 0, 0, 2, 12345, 0, 0))
    assert burst.answered(answer[ECHOED], Answer(answer, HERE, SENT_NS)) is None
    identity = next(key for key, index in burst.identities.items() if index == 1)
    assert burst.answered(identity, Answer(answer[:40], HERE, SENT_NS)) is None
    assert burst.answered(identity, Answer(answer, ("127.0.0.2", 862), SENT_NS)) is None
    assert burst.elsewhere == ("127.0.0.2", 862)
    assert len(burst.replies) == 1


def test_a_flood_of_one_answer_fills_no_memory_and_hides_no_other() -> None:
    burst = burst_of([None, None])
    answer = encode_reflected(ReflectedPacket(0, 0, 1, 0, 0, 2, 12345, 0, 0))
    first, second = burst.identities
    for _ in range(100):
        burst.answered(first, Answer(answer, HERE, SENT_NS))
    assert len(burst.replies) == 8
    assert burst.answered(second, Answer(answer, HERE, SENT_NS)) is not None
    assert burst.settled


def test_packets_leave_at_their_spacing_and_none_when_it_is_late() -> None:
    options = StampOptions.model_validate({"count": 3, "spacing": "20ms", "timeout": "1s"})
    burst = Burst(options, HERE, 0, SYNCHRONISED, halfway_ns=500_000_000, deadline_ns=1_000_000_000)
    assert burst.next_ns(7) == 7
    burst.sent_ns.append(7)
    assert burst.next_ns(8) == 20_000_007
    assert burst.next_ns(500_000_001) is None
    assert not burst.settled


def test_when_the_last_answers_are_missing_closing_packets_follow() -> None:
    burst = burst_of([journey(1, 0, 1), None, None])
    last_ns = SENT_NS + 40_000_000
    rest_ns = burst.deadline_ns - last_ns
    assert burst.next_ns(last_ns) == last_ns + rest_ns // 2
    burst.sent_ns.append(last_ns + rest_ns // 2)
    assert (burst.regular, burst.next_ns(last_ns)) == (3, last_ns + rest_ns * 3 // 4)
    burst.sent_ns.append(last_ns + rest_ns * 3 // 4)
    assert (burst.regular, burst.next_ns(last_ns)) == (3, None)


def test_the_delay_of_a_closing_packet_counts_in_no_figure() -> None:
    burst = burst_of([journey(1, 0, 1), None, journey(50, 0, 50)])
    burst.halfway_ns = burst.sent_ns[1]
    found = detail(burst, figures(burst))
    assert (found["sent"], found["received"], found["forward_lost"]) == (2, 1, 1)
    assert found["rtt_max_ms"] == 2.0


@pytest.mark.parametrize(
    "options",
    [
        {"size": 40},
        {"size": 45},
        {"size": 9000},
        {"mode": "twamp-light", "size": 40},
        {"count": 0},
        {"count": 31},
        {"count": 10, "spacing": "300ms"},
        {"count": 1, "jitter_degraded": "1ms"},
        {"source_address": "name.example.net"},
        {"mode": "twamp"},
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        StampOptions.model_validate(options)


@pytest.mark.parametrize(
    ("mode", "size"), [("stamp", 44), ("stamp", 48), ("stamp", 1400), ("twamp-light", 41)]
)
def test_a_packet_has_the_size_that_was_asked_for(mode: str, size: int) -> None:
    options = StampOptions.model_validate({"mode": mode, "size": size})
    burst = Burst(options, HERE, 0, SYNCHRONISED, halfway_ns=1, deadline_ns=2)
    data = burst.packet(SENT_NS)
    assert len(data) == size
    assert (decode_sender(data).session == 0) is (mode == "twamp-light")
    if size >= 48:
        flags, kind, length = struct.unpack_from("!BBH", data, 44)
        assert (flags, kind, length) == (0x80, 1, size - 48)  # RFC 8972 §4.1
