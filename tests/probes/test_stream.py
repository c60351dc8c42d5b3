"""Connections that probes make: when bytes arrived, what a hostile peer costs, how they end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Coroutine

import pytest

from probes.resolve import Address
from probes.stream import Stream
from tests.probes.certificates import Authority
from tests.probes.hosts import open_sockets
from tests.probes.servers import (
    dripping,
    forever,
    listener,
    server_in_a_thread,
    silent_listener,
    stream_server,
)

LOOPBACK = Address(socket.AF_INET, "127.0.0.1")
HOST = "sbc.example.net"
HELLO_REQUEST = b"\x16\x03\x03\x00\x04\x00\x00\x00\x00"
"""A TLS record that clients pass over."""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def secured(authority: Authority) -> ssl.SSLContext:
    """The server's side."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = authority.certificate(HOST)
    context.load_cert_chain(certificate.chain, certificate.key)
    return context


@pytest.fixture
def trusting(authority: Authority) -> ssl.SSLContext:
    """The client's side."""
    return ssl.create_default_context(cafile=str(authority.ca_file))


@contextlib.asynccontextmanager
async def connected(port: int) -> AsyncIterator[Stream]:
    stream = Stream(LOOPBACK)
    try:
        await stream.connect(port)
        yield stream
    finally:
        stream.close()


def run(scenario: Callable[[], Coroutine[object, object, None]]) -> None:
    """Within five seconds, and without leaving a socket behind (those of servers take a moment to close)."""

    async def bounded() -> None:
        before = open_sockets()
        async with asyncio.timeout(5):
            await scenario()
            while open_sockets() != before:
                await asyncio.sleep(0.001)

    asyncio.run(bounded())


def echo(connection: socket.socket) -> None:
    while data := connection.recv(65_536):
        connection.sendall(data)


@pytest.mark.parametrize("over_tls", [False, True])
def test_bytes_arrived_when_the_kernel_got_them_however_late_the_loop_reads(
    over_tls: bool, secured: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    with server_in_a_thread(echo, secured if over_tls else None) as port:

        async def scenario() -> None:
            async with connected(port) as stream:
                if over_tls:
                    await stream.start_tls(trusting, HOST)
                sent_ns = await stream.send(b"question")
                time.sleep(0.2)
                data, arrived_ns = await stream.receive()
                assert data == b"question"
                assert 0 < arrived_ns - sent_ns < 100_000_000

        run(scenario)


@pytest.mark.parametrize("over_tls", [False, True])
def test_a_flood_does_not_hold_the_loop(
    over_tls: bool, secured: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    def flood(connection: socket.socket) -> None:
        while True:
            connection.sendall(bytes(100_000))

    with server_in_a_thread(flood, secured if over_tls else None) as port:

        async def scenario() -> None:
            turns = 0

            async def turn() -> None:
                nonlocal turns
                while True:
                    turns += 1
                    await asyncio.sleep(0)

            async with connected(port) as stream:
                if over_tls:
                    await stream.start_tls(trusting, HOST)
                turning = asyncio.create_task(turn())
                for _ in range(320):
                    await stream.receive()
                turning.cancel()
            assert turns >= 320 / 16 / 2

        run(scenario)


def test_a_flood_of_small_records_leaves_the_loop_a_turn_for_each_chunk(
    trusting: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flood(connection: socket.socket) -> None:
        while True:
            connection.sendall(HELLO_REQUEST * 10_000)

    turns = chunks = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def scenario() -> None:
        async with connected(port) as stream:
            feed = stream._feed

            async def counted() -> int:
                nonlocal chunks
                chunks += 1
                if chunks > 200:
                    raise ConnectionAbortedError
                return await feed()

            monkeypatch.setattr(stream, "_feed", counted)
            turning = asyncio.create_task(turn())
            with contextlib.suppress(ConnectionAbortedError):
                await stream.start_tls(trusting, HOST)
            turning.cancel()
        assert chunks > 200
        assert turns >= 150

    with server_in_a_thread(flood, None) as port:
        run(scenario)


def test_a_handshake_that_hangs_can_be_abandoned(trusting: ssl.SSLContext) -> None:
    async def scenario() -> None:
        async with stream_server(forever) as port, connected(port) as stream:
            shaking = asyncio.create_task(stream.start_tls(trusting, HOST))
            await asyncio.sleep(0.05)
            assert not shaking.done()
            stream.abandon()
            with pytest.raises(OSError, match="prober was closed"):
                await shaking

    run(scenario)


def test_a_handshake_that_is_cancelled_leaves_nothing_in_the_loop(trusting: ssl.SSLContext) -> None:
    async def scenario() -> None:
        async with stream_server(forever) as port, connected(port) as stream:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await stream.start_tls(trusting, HOST)
            assert not asyncio.get_running_loop().remove_reader(stream._sock)

    run(scenario)


def test_a_connection_that_nobody_takes_can_be_abandoned() -> None:
    with silent_listener() as server:

        async def scenario() -> None:
            stream = Stream(LOOPBACK)
            connecting = asyncio.create_task(stream.connect(server.getsockname()[1]))
            await asyncio.sleep(0)
            stream.abandon()
            with pytest.raises(OSError, match="prober was closed"):
                await connecting
            stream.close()
            late = Stream(LOOPBACK)
            late.abandon()
            with pytest.raises(OSError, match="prober was closed"):
                await late.connect(server.getsockname()[1])
            late.close()

        run(scenario)


def test_tls_that_comes_byte_by_byte_is_tls(secured: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    with server_in_a_thread(echo, secured) as port:

        async def scenario() -> None:
            async with stream_server(dripping(port)) as slow_port, connected(slow_port) as stream:
                tls = await stream.start_tls(trusting, HOST)
                assert tls.version() == "TLSv1.3"
                await stream.send(b"question")
                received = b""
                while len(received) < 8:
                    received += (await stream.receive())[0]
                assert received == b"question"

        run(scenario)


def test_what_a_slow_reader_leaves_waiting_is_sent_whole(
    secured: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    sent = bytes(range(256)) * 40_000

    def slow(connection: socket.socket) -> None:
        time.sleep(0.05)
        read = bytearray()
        while len(read) < len(sent):
            read += connection.recv(65_536)
        connection.sendall(b"whole" if read == sent else b"broken")

    with server_in_a_thread(slow, secured) as port:

        async def scenario() -> None:
            async with connected(port) as stream:
                await stream.start_tls(trusting, HOST)
                await stream.send(sent)
                assert (await stream.receive())[0] == b"whole"

        run(scenario)


def test_a_peer_that_hangs_up_in_the_handshake_has_reset_it(trusting: ssl.SSLContext) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)

    async def scenario() -> None:
        async with stream_server(hang_up) as port, connected(port) as stream:
            with pytest.raises(ConnectionResetError):
                await stream.start_tls(trusting, HOST)

    run(scenario)


@pytest.mark.parametrize("over_tls", [False, True])
@pytest.mark.parametrize("properly", [False, True])
def test_the_end_of_what_a_peer_says_is_no_bytes(
    over_tls: bool, properly: bool, secured: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    def hang_up(connection: socket.socket) -> None:
        connection.recv(1)
        if isinstance(connection, ssl.SSLSocket) and properly:
            with contextlib.suppress(OSError):
                connection.unwrap()
        connection.shutdown(socket.SHUT_RDWR)

    with server_in_a_thread(hang_up, secured if over_tls else None) as port:

        async def scenario() -> None:
            async with connected(port) as stream:
                if over_tls:
                    await stream.start_tls(trusting, HOST)
                await stream.send(b"?")
                assert (await stream.receive())[0] == b""
                assert (await stream.receive())[0] == b"", "and again"

        run(scenario)


def test_an_answer_that_is_no_tls_is_an_error_of_tls(trusting: ssl.SSLContext) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.net ESMTP\r\n")
        await forever(reader, writer)

    async def scenario() -> None:
        async with stream_server(babble) as port, connected(port) as stream:
            with pytest.raises(ssl.SSLError):
                await stream.start_tls(trusting, HOST)

    run(scenario)


def test_a_peer_without_our_trust_is_told_so(secured: ssl.SSLContext) -> None:
    stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    heard: list[str] = []

    def shake(connection: socket.socket) -> None:
        try:
            secured.wrap_socket(connection, server_side=True).recv(1)
        except ssl.SSLError as error:
            heard.append(error.reason)

    with server_in_a_thread(shake) as port:

        async def scenario() -> None:
            async with connected(port) as stream:
                with pytest.raises(ssl.SSLCertVerificationError):
                    await stream.start_tls(stranger, HOST)

        run(scenario)
    assert heard == ["TLSV1_ALERT_UNKNOWN_CA"]


def test_the_round_trip_of_the_handshake_is_the_kernels(secured: ssl.SSLContext) -> None:
    with listener() as server:

        async def scenario() -> None:
            async with connected(server.getsockname()[1]) as stream:
                round_trip_s, lost = stream.handshake
                assert round_trip_s is not None
                assert 0 < round_trip_s < 0.1
                assert lost == 0

        run(scenario)


def test_packets_are_marked_and_leave_from_the_address_that_was_chosen() -> None:
    with listener() as server:

        async def scenario() -> None:
            stream = Stream(LOOPBACK, source="127.0.0.9", dscp=46)
            await stream.connect(server.getsockname()[1])
            taken, (host, _) = server.accept()
            taken.close()
            assert host == "127.0.0.9" == stream.local[0]
            assert stream._sock.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == 46 << 2
            stream.close()

        run(scenario)
