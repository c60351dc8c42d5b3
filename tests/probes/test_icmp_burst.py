"""The arithmetic of echo bursts and their packets, without a socket."""

from __future__ import annotations

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.datagram import Answer
from probes.icmp.burst import Burst, figures, jitter_s, judged
from probes.icmp.options import IcmpOptions
from probes.icmp.packet import HEADER, SMALLEST, TOKEN, place, request, token_of_reply, token_of_request
from probes.outcome import Verdict
from probes.unreachable import Unreachable

HERE = ("127.0.0.1", 0)
FAMILIES = [socket.AF_INET, socket.AF_INET6]


def burst_of(*round_trips_ms: float | None) -> Burst:
    """Requests 20 ms apart with these round trips; None was lost."""
    burst = Burst(len(round_trips_ms), sent_ns=[i * 20_000_000 for i in range(len(round_trips_ms))])
    for index, took_ms in enumerate(round_trips_ms):
        if took_ms is not None:
            data = request(socket.AF_INET, 1, index, burst.token, index, 56)
            received_ns = burst.sent_ns[index] + round(took_ms * 1e6)
            assert burst.answered(Answer(data, HERE, received_ns, 60)) == index
    return burst


def verdict(burst: Burst, **options: object) -> tuple[Verdict, str]:
    took = burst.round_trips_s
    return judged(burst, sum(took) / len(took), IcmpOptions.model_validate(options))


def test_a_burst_has_its_figures() -> None:
    assert figures(burst_of(10, None, 14, 11), HERE) == {
        "sent": 4,
        "received": 3,
        "loss": 0.25,
        "rtt_min_ms": 10,
        "rtt_avg_ms": 11.667,
        "rtt_max_ms": 14,
        "jitter_ms": 3.5,  # |14-10| and |11-14|: the lost one leaves its neighbours consecutive
        "ttl": 60,
    }


def test_one_answer_has_no_jitter() -> None:
    assert "jitter_ms" not in figures(burst_of(10), HERE)
    assert "jitter_ms" not in figures(burst_of(10, None), HERE)


@given(st.lists(st.floats(0, 10), min_size=2, max_size=20))
def test_jitter_is_never_more_than_the_spread_and_does_not_know_the_direction(took: list[float]) -> None:
    jitter = jitter_s(took)
    assert jitter is not None
    assert 0 <= jitter <= (max(took) - min(took)) * (1 + 1e-9)
    assert jitter == pytest.approx(jitter_s(took[::-1]))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"jitter_degraded": "3ms"}, (Verdict.DEGRADED, "jitter")),
        ({"jitter_degraded": "4ms"}, (Verdict.GOOD, "echo")),
        ({"rtt_degraded": "11ms"}, (Verdict.DEGRADED, "slow")),
        ({"rtt_degraded": "12ms"}, (Verdict.GOOD, "echo")),
        ({"loss_degraded": "25 %"}, (Verdict.DEGRADED, "loss")),
        ({"loss_degraded": "25.1 %"}, (Verdict.GOOD, "echo")),
        ({"loss_down": "25 %", "loss_degraded": "1 %"}, (Verdict.BAD, "loss")),
    ],
)
def test_thresholds_hold_from_their_value_on(options: dict[str, str], expected: tuple[Verdict, str]) -> None:
    assert verdict(burst_of(10, None, 14, 11), count=4, **options) == expected


def test_answers_that_come_twice_late_in_order_or_unasked_count_once_or_not_at_all() -> None:
    burst = burst_of(10, 12)
    again = request(socket.AF_INET, 1, 9, burst.token, 1, 56)
    unasked = request(socket.AF_INET, 1, 9, burst.token, 2, 56)
    cut_off = again[: HEADER + TOKEN]
    for data in (again, unasked, cut_off, b"", b"\0" * 100):
        assert burst.answered(Answer(data, HERE, 10**9, 60)) is None
    assert burst.round_trips_s == [0.01, 0.012]


def test_a_refusal_that_quotes_too_little_is_about_the_last_request() -> None:
    burst = Burst(2, sent_ns=[0, 1])
    burst.failed(Unreachable("time exceeded", 11, 0, "127.0.0.1", b"\x08\0\0\0\0\0\0\0"))
    assert set(burst.refused) == {1}


@given(
    st.sampled_from(FAMILIES),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFF),
    st.binary(min_size=TOKEN, max_size=TOKEN).filter(lambda token: len(set(token)) > 4),
    st.integers(0, 19),
    st.integers(SMALLEST, 1500),
)
def test_a_request_is_what_it_says_and_is_found_again(
    family: socket.AddressFamily, identifier: int, sequence: int, token: bytes, index: int, size: int
) -> None:
    packet = request(family, identifier, sequence, token, index, size)
    assert len(packet) == HEADER + size
    assert struct.unpack_from("!HH", packet, 4) == (identifier, sequence)
    words = struct.unpack(f"!{len(packet) // 2}H", packet[: len(packet) // 2 * 2])
    assert sum(words) % 0xFFFF == 0  # RFC 1071: the sum with the checksum in it is all ones
    assert token_of_request(packet) == token
    assert place(packet, token) == index


@given(st.binary(max_size=80), st.sampled_from([0, 129]), st.booleans())
def test_whatever_arrives_is_somebodys_answer_or_nobodys(data: bytes, reply: int, headed: bool) -> None:
    token = token_of_reply(reply, headed, data)
    assert token is None or len(token) == TOKEN
