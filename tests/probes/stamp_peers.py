"""A path that loses, doubles and delays packets, and reflectors that do what ours does not."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator

from probes.resolve import Sockaddr
from probes.stamp.clock import Clock
from probes.stamp.packet import SMALLEST, ReflectedPacket, decode_sender, encode_reflected
from probes.stamp.reflector import Reflector
from probes.stamp.timestamp import to_ntp

Fate = Callable[[int], list[float]]
"""What becomes of the n-th packet, from 0: after how many seconds each copy of it goes on; none: it is lost."""

Answer = Callable[[bytes, Sockaddr], list[bytes]]


def untouched(_: int) -> list[float]:
    return [0.0]


def losing(*lost: int) -> Fate:
    return lambda index: [] if index in lost else [0.0]


class _Socket(asyncio.DatagramProtocol):
    def __init__(self, received: Callable[[bytes, Sockaddr], None]) -> None:
        self._received = received

    def datagram_received(self, data: bytes, source: Sockaddr) -> None:
        self._received(data, source)


async def _bound(
    received: Callable[[bytes, Sockaddr], None], host: str = "127.0.0.1"
) -> asyncio.DatagramTransport:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Socket(received), local_addr=(host, 0))
    return transport


@contextlib.asynccontextmanager
async def relay(to: int, forward: Fate = untouched, backward: Fate = untouched) -> AsyncIterator[int]:
    """A port of which packets go on to another one, and answers back; each direction does with them as it likes."""
    loop = asyncio.get_running_loop()
    passed = {"forward": 0, "backward": 0}
    client: list[Sockaddr] = []

    def go_on(direction: str, fate: Fate, send: Callable[[], None]) -> None:
        delays = fate(passed[direction])
        passed[direction] += 1
        for delay_s in delays:
            loop.call_later(delay_s, send) if delay_s else send()

    def there(data: bytes, source: Sockaddr) -> None:
        client[:] = [source]
        go_on("forward", forward, lambda: far.sendto(data, ("127.0.0.1", to)))

    def back(data: bytes, _: Sockaddr) -> None:
        go_on("backward", backward, lambda: near.sendto(data, client[0]))

    near, far = await _bound(there), await _bound(back)
    try:
        yield near.get_extra_info("sockname")[1]
    finally:
        near.close()
        far.close()


@contextlib.asynccontextmanager
async def reflector(host: str = "127.0.0.1", clock: Clock | None = None) -> AsyncIterator[int]:
    """Ours; ``clock`` is what it says of its clock."""
    ours = Reflector() if clock is None else Reflector(clock=lambda: clock)
    port = await ours.serve(host, 0)
    try:
        yield port
    finally:
        await ours.close()


@contextlib.asynccontextmanager
async def answering(answer: Answer, host: str = "127.0.0.1") -> AsyncIterator[int]:
    """A port that sends what ``answer`` makes of each packet."""

    def received(data: bytes, source: Sockaddr) -> None:
        for one in answer(data, source):
            transport.sendto(one, source)

    transport = await _bound(received, host)
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


def stateless(data: bytes, _: Sockaddr) -> list[bytes]:
    """RFC 8762 §4.3: the reflector copies the sender's number."""
    packet = decode_sender(data)
    return [encode_reflected(_echo(packet.sequence, data))[: max(SMALLEST, len(data))]]


def counting() -> Answer:
    """A stateful reflector that knows sessions by address and port alone, as one of TWAMP Light does."""
    counts: dict[Sockaddr, int] = {}

    def answer(data: bytes, source: Sockaddr) -> list[bytes]:
        number = counts.get(source, 0)
        counts[source] = number + 1
        return [encode_reflected(_echo(number, data))]

    return answer


def _echo(number: int, data: bytes) -> ReflectedPacket:
    packet, now = decode_sender(data), to_ntp(time.time_ns())
    return ReflectedPacket(
        number, now, 0x0001, 0, now, packet.sequence, packet.timestamp, packet.error_estimate, 64
    )


@contextlib.contextmanager
def silent_port() -> Iterator[int]:
    """A UDP port that takes everything and says nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


@contextlib.contextmanager
def reflector_in_a_thread() -> Iterator[int]:
    """A reflector that answers also while the loop of the test does not turn."""
    ready: queue.Queue[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = queue.Queue()

    async def serve() -> None:
        stop = asyncio.Event()
        async with reflector() as port:
            ready.put((port, asyncio.get_running_loop(), stop))
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    port, loop, stop = ready.get(timeout=10)
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)


@contextlib.contextmanager
def late_reflector(seconds: float) -> Iterator[int]:
    """A port that answers its first packet so late, from a thread of its own."""

    def answer() -> None:
        data, source = sock.recvfrom(100)
        time.sleep(seconds)
        sock.sendto(stateless(data, source)[0], source)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=answer)
        thread.start()
        yield sock.getsockname()[1]
        thread.join(10)
