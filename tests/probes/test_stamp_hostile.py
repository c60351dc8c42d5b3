"""Reflectors that mean no good: the probe gets its answer or its time-out, and the loop its turns."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from probes.outcome import Outcome, Verdict
from probes.stamp import StampOptions, StampProber
from probes.stamp.packet import ReflectedPacket, decode_reflected, encode_reflected
from probes.stamp.timestamp import to_ntp
from tests.fuzzing.mutations import mutated
from tests.pace import longest_turn_s
from tests.probes.stamp_peers import Answer, answering, stateless

OTHERWISE = {"timeout": "400ms", "count": 4}


async def _ask(port: int, **options: object) -> Outcome:
    prober = StampProber()
    target = prober.parse(f"stamp://127.0.0.1:{port}")
    try:
        return await prober.probe(target, StampOptions.model_validate({**OTHERWISE, **options}))
    finally:
        await prober.close()


def probe(answer: Answer, **options: object) -> Outcome:
    async def scenario() -> Outcome:
        async with answering(answer) as port:
            return await _ask(port, **options)

    return asyncio.run(scenario())


def changed(change: Callable[[ReflectedPacket], ReflectedPacket]) -> Answer:
    return lambda data, source: [
        encode_reflected(change(decode_reflected(one))) for one in stateless(data, source)
    ]


def test_mutated_answers_raise_nothing_and_never_count_as_more_than_was_asked() -> None:
    chance = random.Random(5357)

    def mutate(data: bytes, source: object) -> list[bytes]:
        return list(mutated(stateless(data, ("", 0)), 40, chance.randrange(2**32)))

    for _ in range(5):
        seen = probe(mutate, timeout="300ms")
        assert seen.verdict in (Verdict.GOOD, Verdict.BAD)
        assert 0 <= seen.detail["received"] <= seen.detail["sent"] == 4


@pytest.mark.parametrize(
    "change",
    [
        lambda packet: replace(packet, sender_sequence=packet.sender_sequence + 1),
        lambda packet: replace(packet, sender_timestamp=packet.sender_timestamp ^ 1),
        lambda packet: replace(packet, sender_sequence=0, sender_timestamp=0),
    ],
)
def test_an_answer_to_what_was_not_asked_is_none(
    change: Callable[[ReflectedPacket], ReflectedPacket],
) -> None:
    seen = probe(changed(change))
    assert (seen.verdict, seen.reason) == (Verdict.BAD, "timeout")


@pytest.mark.parametrize("data", [b"", b"\0" * 40, b"\0" * 44, b"\xff" * 2000])
def test_what_is_no_test_packet_is_no_answer(data: bytes) -> None:
    seen = probe(lambda *_: [data], timeout="300ms")
    assert (seen.verdict, seen.reason) == (Verdict.BAD, "timeout")


def test_an_answer_from_elsewhere_is_none_and_it_is_said_who_gave_it() -> None:
    async def scenario() -> tuple[Outcome, int]:
        def from_elsewhere(data: bytes, source: object) -> list[bytes]:
            other.sendto(stateless(data, ("", 0))[0], source)
            return []

        loop = asyncio.get_running_loop()
        other, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
        async with answering(from_elsewhere) as port:
            seen = await _ask(port)
        other.close()
        return seen, other.get_extra_info("sockname")[1]

    seen, port = asyncio.run(scenario())
    assert (seen.verdict, seen.reason) == (Verdict.BAD, "timeout")
    assert seen.detail["answered_by"] == f"127.0.0.1 port {port}"


@pytest.mark.parametrize("stamp", [0, 1, 2**63, 2**64 - 1])
def test_instants_that_cannot_be_spoil_no_round_trip(stamp: int) -> None:
    seen = probe(changed(lambda packet: replace(packet, received=stamp, error_estimate=0x8001)))
    assert (seen.verdict, seen.detail["clocks"]) == (Verdict.GOOD, "theirs makes no sense")
    assert seen.round_trip_s is not None
    assert 0 < seen.round_trip_s < 0.3


@pytest.mark.parametrize("stamp", [0, to_ntp(1_795_471_669 * 10**9)])
def test_a_reflector_without_a_clock_is_no_measure_of_one_direction(stamp: int) -> None:
    seen = probe(changed(lambda packet: replace(packet, received=stamp, timestamp=stamp)))
    assert (seen.verdict, seen.detail["clocks"]) == (Verdict.GOOD, "theirs makes no sense")
    assert not any(name.startswith(("forward_jitter", "backward_jitter")) for name in seen.detail)


def test_numbers_that_are_made_up_blame_no_direction() -> None:
    chance = random.Random(1)
    seen_by: list[bytes] = []

    def lose_one(data: bytes, source: object) -> list[bytes]:
        seen_by.append(data)
        answer = decode_reflected(stateless(data, ("", 0))[0])
        return (
            [] if len(seen_by) == 2 else [encode_reflected(replace(answer, sequence=chance.randrange(2**32)))]
        )

    seen = probe(lose_one)
    assert (seen.detail["received"], seen.detail["unattributed_lost"]) == (3, 1)


def test_a_flood_of_answers_costs_the_loop_nothing_and_the_burst_goes_on() -> None:
    async def scenario() -> tuple[Outcome, float]:
        async with answering(lambda data, source: stateless(data, source) * 500) as port:
            asking = asyncio.ensure_future(_ask(port, timeout="5s"))
            longest_s = await longest_turn_s(asking)
            return await asking, longest_s

    seen, longest_s = asyncio.run(scenario())
    assert (seen.verdict, seen.detail["sent"], seen.detail["received"]) == (Verdict.GOOD, 4, 4)
    assert seen.detail["duplicates"] <= 3 * 4
    assert longest_s < 0.25
