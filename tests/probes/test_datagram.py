"""The shared datagram socket: matching, deadlines, bounds."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable

import pytest

from probes import datagram
from probes.datagram import Exchange, Line, Unreachable, Unsent
from tests.probes.servers import closed_port

MS = 1_000_000


def on_a_line(scenario: Callable[[Line, socket.socket], Awaitable[None]]) -> None:
    """Run the scenario with a line (keys are the first four bytes) and a peer's socket."""

    async def run() -> None:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))
        line = Line(sock, lambda data, _: data[:4], lambda sent: sent[:4])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.1", 0))
            peer.settimeout(2)
            try:
                await scenario(line, peer)
            finally:
                line.close()

    asyncio.run(run())


def soon(milliseconds: int) -> int:
    return time.monotonic_ns() + milliseconds * MS


def ask(line: Line, peer: socket.socket, key: bytes) -> Exchange:
    exchange = line.exchange(key)
    exchange.send(key, peer.getsockname())
    return exchange


def test_each_answer_goes_to_its_own_question_whatever_the_order():
    async def scenario(line: Line, peer: socket.socket) -> None:
        one, two = ask(line, peer, b"1111"), ask(line, peer, b"2222")
        for text in (b"2222 second", b"3333 nobody's", b"1111 first"):
            peer.sendto(text, line.sock.getsockname())
        first, second = await one.answer(soon(1000)), await two.answer(soon(1000))
        assert first is not None
        assert second is not None
        assert (first.data, second.data) == (b"1111 first", b"2222 second")
        assert line.unclaimed == 1

    on_a_line(scenario)


def test_silence_ends_at_the_deadline_and_not_before():
    async def scenario(line: Line, peer: socket.socket) -> None:
        started = time.monotonic()
        assert await ask(line, peer, b"1111").answer(soon(100)) is None
        assert 0.1 <= time.monotonic() - started < 0.5

    on_a_line(scenario)


def test_an_icmp_error_ends_only_the_exchange_that_it_is_about():
    async def scenario(line: Line, peer: socket.socket) -> None:
        good = ask(line, peer, b"1111")
        with closed_port() as port:
            refused = line.exchange(b"2222")
            refused.send(b"2222", ("127.0.0.1", port))
            with pytest.raises(Unreachable) as error:
                await refused.answer(soon(1000))
        assert (error.value.kind, error.value.code, error.value.offender) == (3, 3, "127.0.0.1")
        peer.sendto(b"1111", line.sock.getsockname())
        assert await good.answer(soon(1000)) is not None

    on_a_line(scenario)


def test_an_answer_is_stamped_when_it_arrives_and_not_when_it_is_read():
    async def scenario(line: Line, peer: socket.socket) -> None:
        exchange = ask(line, peer, b"1111")
        peer.sendto(b"1111", line.sock.getsockname())
        arrived_ns = time.monotonic_ns()
        time.sleep(0.2)
        answer = await exchange.answer(soon(1000))
        assert answer is not None
        assert abs(answer.received_ns - arrived_ns) < 50 * MS

    on_a_line(scenario)


def test_when_the_receive_buffer_overflowed_silence_proves_nothing():
    async def scenario(line: Line, peer: socket.socket) -> None:
        line.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        exchange = ask(line, peer, b"1111")
        for _ in range(200):
            peer.sendto(b"2222" * 200, line.sock.getsockname())
        with pytest.raises(Unsent, match="overflowed"):
            await exchange.answer(soon(200))

    on_a_line(scenario)


def test_what_cannot_be_sent_says_so():
    async def scenario(line: Line, peer: socket.socket) -> None:
        with pytest.raises(Unsent):
            line.exchange(b"1111").send(bytes(70_000), peer.getsockname())

    on_a_line(scenario)


def test_no_more_exchanges_are_under_way_than_the_bound(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(datagram, "EXCHANGES", 3)

    async def scenario(line: Line, peer: socket.socket) -> None:
        for number in range(3):
            line.exchange(b"%04d" % number)
        with pytest.raises(Unsent, match="too many"):
            line.exchange(b"9999")

    on_a_line(scenario)


def test_exchanges_under_way_end_when_the_line_closes():
    async def scenario(line: Line, peer: socket.socket) -> None:
        waiting = asyncio.create_task(ask(line, peer, b"1111").answer(soon(5000)))
        await asyncio.sleep(0.01)
        line.close()
        with pytest.raises(Unsent, match="closed"):
            await waiting

    async def closed(line: Line, peer: socket.socket) -> None:
        try:
            await scenario(line, peer)
        finally:
            line.close = lambda: None  # type: ignore[method-assign]

    on_a_line(closed)
