"""The shared datagram socket: matching, deadlines, bounds."""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest

from probes import datagram
from probes.datagram import BATCH, Exchange, Line, Unsent, from_elsewhere
from probes.unreachable import Unreachable
from tests.pace import lasting
from tests.probes.hosts import in_namespace
from tests.probes.servers import closed_port

MS = 1_000_000


def on_a_line(scenario: Callable[[Line, socket.socket], Awaitable[None]]) -> None:
    """Run the scenario with a line (keys are the first four bytes) and a peer's socket."""

    async def run() -> None:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))
        line = Line(sock, lambda data: data[:4], lambda sent: sent[:4])
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
        with lasting(0.1):
            assert await ask(line, peer, b"1111").answer(soon(100)) is None

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
        assert await ask(line, peer, b"3333").answer(soon(50)) is None, "only what was under way is excused"

    on_a_line(scenario)


def test_what_cannot_be_sent_says_so():
    async def scenario(line: Line, peer: socket.socket) -> None:
        with pytest.raises(Unsent):
            line.exchange(b"1111").send(bytes(70_000), peer.getsockname())

    on_a_line(scenario)


def test_no_more_exchanges_are_under_way_than_the_bound(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(datagram, "EXCHANGES", 3)

    async def scenario(line: Line, peer: socket.socket) -> None:
        held = [line.exchange(b"%04d" % number) for number in range(3)]
        with pytest.raises(Unsent, match="too many"):
            line.exchange(b"9999")
        held[0].close()
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


@contextlib.contextmanager
def meanwhile(serve: Callable[[], None]) -> Iterator[None]:
    """Runs ``serve`` in a thread, so that it goes on while the loop is stalled."""
    thread = threading.Thread(target=serve)
    thread.start()
    yield
    thread.join(5)
    assert not thread.is_alive()


async def started(wait: Awaitable[datagram.Answer | None]) -> asyncio.Future[datagram.Answer | None]:
    task = asyncio.ensure_future(wait)
    await asyncio.sleep(0)
    return task


def test_an_answer_behind_many_batches_of_a_flood_is_found_after_the_deadline():
    async def scenario(line: Line, peer: socket.socket) -> None:
        def flood() -> None:
            key, asker = peer.recvfrom(100)
            for _ in range(12 * BATCH):
                peer.sendto(b"noise", asker)
            peer.sendto(key, asker)

        with meanwhile(flood):
            until_ns = soon(500)
            waiting = await started(ask(line, peer, b"1111").answer(until_ns))
            time.sleep(0.7)
            answer = await waiting
        assert answer is not None
        assert answer.received_ns < until_ns
        assert line.unclaimed == 12 * BATCH

    on_a_line(scenario)


def test_an_answer_that_came_too_late_says_so_however_late_it_is_read():
    async def scenario(line: Line, peer: socket.socket) -> None:
        def late() -> None:
            key, asker = peer.recvfrom(100)
            time.sleep(0.2)
            peer.sendto(key, asker)

        with meanwhile(late):
            until_ns = soon(100)
            waiting = await started(ask(line, peer, b"1111").answer(until_ns))
            time.sleep(0.4)
            answer = await waiting
        assert answer is not None
        assert until_ns < answer.received_ns < until_ns + 200 * MS

    on_a_line(scenario)


def test_answers_that_arrive_together_are_all_kept():
    async def scenario(line: Line, peer: socket.socket) -> None:
        exchange = line.exchange(b"1111")
        waiting = await started(exchange.answer(soon(500)))
        sent = [b"1111 %d" % number for number in range(20)]
        for data in sent:
            peer.sendto(data, ("127.0.0.1", line.port))
        answers = [await waiting] + [await exchange.answer(soon(500)) for _ in sent[1:]]
        assert [answer.data for answer in answers if answer] == sent

    on_a_line(scenario)


def test_foreign_doubled_and_late_answers_are_counted_and_dropped():
    async def scenario(line: Line, peer: socket.socket) -> None:
        exchange = ask(line, peer, b"1111")
        for data in (b"", b"\xff" * 65_000, b"2222", b"1111 first"):
            peer.sendto(data, ("127.0.0.1", line.port))
        answer = await exchange.answer(soon(1000))
        assert answer is not None
        assert answer.data == b"1111 first"
        exchange.close()
        peer.sendto(b"1111 second", ("127.0.0.1", line.port))
        async with asyncio.timeout(2):
            while line.unclaimed < 4:
                await asyncio.sleep(0.001)
        assert line.unclaimed == 4

    on_a_line(scenario)


def test_each_of_many_refused_datagrams_is_told_to_its_own_exchange_and_nothing_is_left_behind():
    async def scenario(line: Line, peer: socket.socket) -> None:
        with closed_port() as port:
            keys = [b"%04d" % number for number in range(2 * BATCH + 88)]
            exchanges = [line.exchange(key) for key in keys]
            for key, exchange in zip(keys, exchanges, strict=True):
                exchange.send(key, ("127.0.0.1", port))
            for key, exchange in zip(keys, exchanges, strict=True):
                with pytest.raises(Unreachable, match="refused") as error:
                    await exchange.answer(soon(1000))
                assert error.value.quoted == key
        poll = select.poll()
        poll.register(line.sock, select.POLLIN)
        assert poll.poll(0) == []

    on_a_line(scenario)


TOO_LONG = """
import asyncio, socket, time
from probes.datagram import Line, Unsent
async def main():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.setsockopt(socket.IPPROTO_IP, 10, 2)  # IP_MTU_DISCOVER: never in fragments
    line = Line(sock, bytes, bytes)
    try:
        line.send(bytes(2000), ("127.0.0.1", 9))
    except Unsent as error:
        print(error.strerror)
    try:
        sock.sendto(bytes(2000), ("127.0.0.1", 9))  # past the line: nobody takes the error from its queue
    except OSError:
        used = time.process_time()
    await asyncio.sleep(0.5)
    print("idle" if time.process_time() - used < 0.1 else "spins")
    line.close()
asyncio.run(main())
"""


def test_an_error_of_our_own_host_is_not_asked_and_does_not_keep_the_loop_awake():
    assert in_namespace(TOO_LONG, "ip link set lo mtu 1280").splitlines() == ["Message too long", "idle"]


def test_many_time_outs_at_once_let_the_loop_turn_in_between():
    async def scenario(line: Line, peer: socket.socket) -> None:
        until_ns = soon(500)
        exchanges = [line.exchange(b"%04d" % number) for number in range(10 * BATCH - 1)]
        waits = [await started(exchange.answer(until_ns)) for exchange in exchanges]
        turns = 0
        while not all(wait.done() for wait in waits):
            await asyncio.sleep(0)
            turns += any(wait.done() for wait in waits)
        assert turns >= 9
        assert {wait.result() for wait in waits} == {None}

    on_a_line(scenario)


@pytest.mark.parametrize(
    ("source", "asked_for", "elsewhere"),
    [
        (("192.0.2.1", 5060), ("192.0.2.1", 5060), False),
        (("192.0.2.1", 5061), ("192.0.2.1", 5060), True),
        (("192.0.2.2", 5060), ("192.0.2.1", 5060), True),
        (("2001:db8::1", 5060, 0, 0), ("2001:DB8:0::1", 5060, 0, 0), False),
        (("fe80::1%lo", 5060, 0, 1), ("fe80::1", 5060, 0, 1), False),
        (("2001:db8::2", 5060, 0, 0), ("2001:db8::1", 5060, 0, 0), True),
    ],
)
def test_where_an_answer_came_from_is_told_whatever_the_spelling(source, asked_for, elsewhere):
    assert from_elsewhere(source, asked_for) is elsewhere
