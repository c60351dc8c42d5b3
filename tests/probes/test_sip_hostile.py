"""SIP peers that mean harm: they cost the check its time-out, and the loop nothing."""

from __future__ import annotations

import asyncio
import socket

import pytest

from probes.outcome import Outcome, Verdict
from tests.pace import longest_turn_s
from tests.probes.servers import stream_server
from tests.probes.sip_peers import answer, ask, udp_server


def test_a_long_answer_is_read_whole_and_only_its_beginning_is_kept():
    async def scenario() -> Outcome:
        def verbose(data: bytes, sender: tuple[str, int], sock: socket.socket) -> None:
            sock.sendto(answer(data, extra=f"Server: a\x07\x1b[31m{'b' * 20_000}\r\n"), sender)

        async with udp_server(verbose) as port:
            return await ask(f"sip:127.0.0.1:{port}")

    outcome = asyncio.run(scenario())
    assert outcome.verdict is Verdict.GOOD
    server = str(outcome.detail["server"])
    assert len(server) < 200
    assert server.isprintable()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"\xff" * 100,
        lambda data: answer(data).replace(b"z9hG4bK", b"z9hG4bX"),
        lambda data: answer(data).replace(b"CSeq: 1 OPTIONS", b"CSeq: 1 INVITE"),
        lambda data: answer(data)[:40],
        lambda data: b"SIP/2.0 2x0 OK\r\n" + answer(data)[16:],
        lambda data: answer(data).replace(b"\r\n\r\n", b"\r\n" + b"X: " + b"y" * 60_000 + b"\r\n\r\n"),
    ],
    ids=["noise", "foreign branch", "foreign method", "cut off", "no status", "huge"],
)
def test_what_is_no_answer_of_ours_costs_the_time_out_and_nothing_else(spoil):
    async def scenario() -> Outcome:
        def hostile(data: bytes, sender: tuple[str, int], sock: socket.socket) -> None:
            sock.sendto(spoil(data), sender)

        async with udp_server(hostile) as port:
            return await ask(f"sip:127.0.0.1:{port}", timeout="200ms")

    outcome = asyncio.run(scenario())
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "timeout")


def test_a_true_answer_is_found_in_a_flood_of_false_ones():
    async def scenario() -> Outcome:
        def flood(data: bytes, sender: tuple[str, int], sock: socket.socket) -> None:
            for _ in range(500):
                sock.sendto(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x;branch=z9hG4bKother\r\n\r\n", sender)
            sock.sendto(answer(data), sender)

        async with udp_server(flood) as port:
            return await ask(f"sip:127.0.0.1:{port}")

    assert asyncio.run(scenario()).verdict is Verdict.GOOD


def test_an_endless_header_over_tcp_is_given_up():
    async def scenario() -> Outcome:
        async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(4096)
            writer.write(b"SIP/2.0 200 OK\r\n")
            while True:
                writer.write(b"X-Header: " + b"y" * 8_000 + b"\r\n")
                await writer.drain()

        async with stream_server(endless) as port:
            return await ask(f"sip:127.0.0.1:{port};transport=tcp", timeout="2s")

    outcome = asyncio.run(scenario())
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "not SIP")


def test_a_peer_that_hangs_up_is_bad():
    async def scenario() -> Outcome:
        async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(10)

        async with stream_server(hang_up) as port:
            return await ask(f"sip:127.0.0.1:{port};transport=tcp", timeout="2s")

    assert (asyncio.run(scenario())).reason == "reset"


def test_a_flood_of_whole_messages_over_tcp_does_not_hold_the_loop():
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        while True:
            writer.write(b"SIP/2.0 200 OK\r\n\r\n" * 5_000)
            await writer.drain()

    async def scenario() -> tuple[Outcome, float]:
        async with stream_server(flood) as port:
            asking = asyncio.create_task(ask(f"sip:127.0.0.1:{port};transport=tcp", timeout="300ms"))
            longest_s = await longest_turn_s(asking)
            return await asking, longest_s

    outcome, longest_s = asyncio.run(scenario())
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "timeout")
    assert longest_s < 0.05


def test_the_largest_datagram_there_is_is_no_answer_and_no_harm():
    def huge(data: bytes, sender: tuple[str, int], sock: socket.socket) -> None:
        sock.sendto(answer(data)[:-2] + b"X: y\r\n" * 10_800 + b"\r\n", sender)

    async def scenario() -> Outcome:
        async with udp_server(huge) as port:
            return await ask(f"sip:127.0.0.1:{port}", timeout="200ms")

    assert asyncio.run(scenario()).reason == "timeout"
