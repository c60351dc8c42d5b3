"""The reflector as a stranger meets it: on a plain socket, octet by octet."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable

import pytest

from probes.stamp import reflection
from probes.stamp.clock import Clock
from probes.stamp.packet import (
    BASE,
    LARGEST,
    SMALLEST,
    ReflectedPacket,
    SenderPacket,
    decode_reflected,
    encode_sender,
)
from probes.stamp.padding import extra_padding
from probes.stamp.reflection import BURST, RATE, SESSIONS, SOURCES, Arrival, Sessions
from probes.stamp.reflector import BATCH, Reflector
from probes.stamp.timestamp import from_error_estimate, from_ntp
from tests.probes.hosts import open_sockets

NOW_NS = 1_795_471_669 * 10**9
FORMS = [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("*", "127.0.0.1"), ("*", "::1")]


@contextlib.asynccontextmanager
async def talking(
    listen: str = "127.0.0.1", to: str = "127.0.0.1", allow: Callable[[str], bool] | None = None
) -> AsyncIterator[tuple[Reflector, Talk]]:
    """A reflector and a socket that is connected to it."""
    reflector = Reflector(allow, clock=lambda: Clock(synchronised=True, error_ns=5_000_000))
    port = await reflector.serve(listen, 0)
    with socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect((to, port))  # takes answers from there alone
        try:
            yield reflector, Talk(sock)
        finally:
            await reflector.close()


class Talk:
    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    async def ask(self, data: bytes) -> bytes:
        self.sock.send(data)
        return await self.hear(2)

    async def hear(self, within_s: float) -> bytes:
        return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.sock, 65_535), within_s)

    async def silence(self, data: bytes, proof: bytes) -> None:
        """Nothing comes back for ``data``: what is answered next is ``proof``."""
        self.sock.send(data)
        assert decode_reflected(await self.ask(proof)).sender_timestamp == 77


def packet(sequence: int = 1, session: int = 9, timestamp: int = 77) -> bytes:
    return encode_sender(SenderPacket(sequence, timestamp, 0x8A05, session))


@pytest.mark.parametrize(("listen", "to"), FORMS)
def test_an_answer_has_every_field_that_the_rfc_asks_for(listen: str, to: str) -> None:
    async def scenario() -> tuple[int, ReflectedPacket, int]:
        async with talking(listen, to) as (_, talk):
            before = time.time_ns()
            answer = decode_reflected(await talk.ask(packet(sequence=5)))
            return before, answer, time.time_ns()

    before, answer, after = asyncio.run(scenario())
    assert (answer.sequence, answer.session, answer.ttl) == (0, 9, 64)
    assert (answer.sender_sequence, answer.sender_timestamp, answer.sender_error_estimate) == (5, 77, 0x8A05)
    arrived, left = (from_ntp(stamp, before) for stamp in (answer.received, answer.timestamp))
    assert before <= arrived <= left <= after
    estimate = from_error_estimate(answer.error_estimate)
    assert (estimate.synchronised, estimate.ptp) == (True, False)
    assert 5_000_000 <= estimate.error_ns < 5_050_000


@pytest.mark.parametrize("size", [SMALLEST, 43, BASE, 48, 100, 1472, LARGEST])
def test_an_answer_has_the_size_of_its_question(size: int) -> None:
    async def scenario() -> bytes:
        async with talking() as (_, talk):
            return await talk.ask((packet() + bytes(LARGEST))[:size])

    assert len(asyncio.run(scenario())) == size


def test_padding_comes_back_recognized() -> None:
    async def scenario() -> bytes:
        async with talking() as (_, talk):
            return await talk.ask(packet() + extra_padding(60))

    answer = asyncio.run(scenario())
    assert answer[BASE] == 0
    assert answer[BASE + 1 :] == extra_padding(60)[1:]


@pytest.mark.parametrize("data", [b"", b"x", bytes(14), bytes(SMALLEST - 1), bytes(LARGEST + 1)])
def test_what_it_could_not_answer_in_the_same_size_gets_no_answer(data: bytes) -> None:
    async def scenario() -> int:
        async with talking() as (reflector, talk):
            await talk.silence(data, packet())
            return reflector.tally.malformed

    assert asyncio.run(scenario()) == 1


def test_it_counts_each_session_for_itself() -> None:
    async def scenario() -> list[int]:
        async with talking() as (_, talk), talking() as (_, _):
            return [
                decode_reflected(await talk.ask(packet(session=session))).sequence
                for session in (1, 1, 2, 1, 0, 2, 0)
            ]

    assert asyncio.run(scenario()) == [0, 1, 0, 2, 0, 1, 1]


def test_a_source_that_is_not_allowed_gets_no_answer() -> None:
    async def scenario() -> tuple[int, int]:
        allowed = {"127.0.0.1"}
        async with talking("*", "127.0.0.1", allowed.__contains__) as (reflector, talk):
            await talk.ask(packet())
            allowed.clear()
            talk.sock.send(packet())
            with pytest.raises(TimeoutError):
                await talk.hear(0.2)
            return reflector.tally.reflected, reflector.tally.refused

    assert asyncio.run(scenario()) == (1, 1)


def test_an_answer_leaves_from_the_address_that_was_asked() -> None:
    async def scenario() -> bytes:
        async with talking("*", "127.9.8.7") as (_, talk):  # the socket hears nobody else
            return await talk.ask(packet())

    assert len(asyncio.run(scenario())) == BASE


@pytest.mark.parametrize("to", ["127.0.0.1", "::1"])
def test_an_answer_has_the_code_point_and_tells_the_ttl_of_its_question(to: str) -> None:
    six = to == "::1"
    level = socket.IPPROTO_IPV6 if six else socket.IPPROTO_IP
    mark, tell = (67, 66) if six else (socket.IP_TOS, 13)
    hops = socket.IPV6_UNICAST_HOPS if six else socket.IP_TTL

    async def scenario() -> tuple[int, int]:
        async with talking("*", to) as (_, talk):
            talk.sock.setsockopt(level, mark, 46 << 2 | 1)
            talk.sock.setsockopt(level, tell, 1)
            talk.sock.setsockopt(level, hops, 33)
            talk.sock.send(packet())
            ready = asyncio.Event()
            asyncio.get_running_loop().add_reader(talk.sock, ready.set)
            await asyncio.wait_for(ready.wait(), 2)
            asyncio.get_running_loop().remove_reader(talk.sock)
            data, ancillary, _, _ = talk.sock.recvmsg(100, 100)
            return ancillary[0][2][0], decode_reflected(data).ttl

    assert asyncio.run(scenario()) == (46 << 2, 33)


def test_the_time_for_which_a_busy_loop_held_a_packet_is_in_the_answer() -> None:
    async def scenario() -> int:
        async with talking() as (_, talk):
            talk.sock.send(packet())
            time.sleep(0.15)
            answer = decode_reflected(await talk.hear(2))
            return from_ntp(answer.timestamp, NOW_NS) - from_ntp(answer.received, NOW_NS)

    assert asyncio.run(scenario()) > 140_000_000


def test_it_answers_no_source_more_often_than_its_rate() -> None:
    sessions = Sessions()

    def answered(count: int, at_s: float, source: str = "10.0.0.1") -> int:
        arrival = Arrival(packet(), (source, 9), b"", NOW_NS, 64)
        return sum(sessions.take(arrival, round(at_s * 1e9)) is not None for _ in range(count))

    assert answered(BURST + 500, 0) == BURST
    assert answered(10, 0) == 0
    assert answered(10, 0, "10.0.0.2") == 10
    assert answered(RATE, 0.1) == RATE // 10
    assert answered(3 * BURST, 60) == BURST
    assert sessions.tally.too_many == 500 + 10 + RATE * 9 // 10 + 2 * BURST


def test_sessions_and_sources_are_bounded_and_the_oldest_goes_first() -> None:
    sessions = Sessions()

    def number(host: int, session: int = 1) -> int:
        source = f"10.{host >> 16}.{host >> 8 & 255}.{host & 255}"
        taken = sessions.take(Arrival(packet(session=session), (source, 9), b"", NOW_NS, 64), 0)
        assert taken is not None
        return taken.number

    assert [number(0), number(1), number(0)] == [0, 0, 1]
    for host in range(2, SESSIONS + 1):
        number(host)
    assert number(0) == 2
    assert number(1) == 0  # it was silent for longest, and made room for the last one
    for host in range(3 * max(SESSIONS, SOURCES)):
        number(host)
    assert len(sessions._next) == SESSIONS
    assert len(sessions._allowances) == SOURCES


def test_a_flood_that_never_ends_leaves_the_loop_its_turns() -> None:
    flood = 5_000
    talks: list[Talk] = []
    arrived = 0

    def another(_: str) -> bool:
        """Each packet that the reflector reads has the next one there already."""
        nonlocal arrived
        arrived += 1
        if arrived < flood:
            talks[0].sock.send(packet())
        return True

    async def scenario() -> int:
        async with talking(allow=another) as (_, talk):
            talks.append(talk)
            talk.sock.send(packet())
            turns = 0
            while arrived < flood:
                await asyncio.sleep(0)
                turns += arrived > 0
            return turns

    assert asyncio.run(scenario()) >= flood // BATCH


def test_a_place_that_cannot_be_had_is_an_error_and_leaves_no_socket() -> None:
    async def scenario() -> None:
        first, second = Reflector(), Reflector()
        port = await first.serve("127.0.0.1", 0)
        for host, wanted in (("127.0.0.1", port), ("*", port), ("10.99.99.99", 0), ("name.example.net", 0)):
            with pytest.raises(OSError):
                await second.serve(host, wanted)
        await second.close()
        await first.close()

    before = open_sockets()
    asyncio.run(scenario())
    assert open_sockets() == before


def test_the_bounds_are_those_that_are_documented() -> None:
    assert (reflection.RATE, reflection.BURST, reflection.SESSIONS) == (1_000, 1_000, 4_096)
