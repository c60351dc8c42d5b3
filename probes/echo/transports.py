"""How requests come to a user agent server, and its answers go: one socket for datagrams, and connections."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Protocol

from probes.envelope import ANCILLARY, ask, envelope
from probes.listening import addresses, bound
from probes.resolve import Sockaddr
from probes.sip.message import Framer, NotSip

CONNECTIONS = 256
"""At a time; one more is closed at once."""

IDLE_S = 600.0
"""Seconds without a word after which a connection is closed."""

_LARGEST = 65_535
_BATCH = 64
_CHUNK = 65_536
_BUFFERED = 1 << 20


class Way(Protocol):
    """Where a message came from, which of our addresses it came to, and how an answer gets back."""

    transport: str
    source: Sockaddr
    local: tuple[str, int]

    def send(self, data: bytes) -> None: ...


Taker = Callable[[bytes, Way], None]


class _DatagramWay:
    transport = "udp"

    def __init__(
        self, sock: socket.socket, source: Sockaddr, local: tuple[str, int], ancillary: object
    ) -> None:
        self.source = source
        self.local = local
        self._sock = sock
        self._ancillary = ancillary

    def send(self, data: bytes) -> None:
        """From the address that was asked, with the code point of the question."""
        with contextlib.suppress(OSError):  # it is sent again, if it matters
            self._sock.sendmsg([data], self._ancillary, 0, self.source)  # type: ignore[arg-type]


class Datagrams:
    """Made inside a running loop."""

    def __init__(self, take: Taker) -> None:
        self._loop = asyncio.get_running_loop()
        self._take = take
        self._sockets: list[socket.socket] = []

    def serve(self, host: str, port: int) -> int:
        """The port. Raises OSError."""
        try:
            for address in addresses(host):
                sock = bound(address, socket.SOCK_DGRAM, port)
                self._sockets.append(sock)
                ask(sock)
                port = sock.getsockname()[1]
                self._loop.add_reader(sock, self._drain, sock)
        except OSError:
            self.close()
            raise
        return port

    def close(self) -> None:
        for sock in self._sockets:
            self._loop.remove_reader(sock)
            sock.close()
        self._sockets.clear()

    def _drain(self, sock: socket.socket) -> None:
        port = sock.getsockname()[1]
        for _ in range(_BATCH):
            try:
                data, ancillary, _, source = sock.recvmsg(_LARGEST, ANCILLARY)
            except OSError:
                return
            came = envelope(ancillary)
            host = socket.inet_ntop(sock.family, came.local) if came.local else sock.getsockname()[0]
            if sock.family == socket.AF_INET6 and source[3]:
                host = f"{host}%{source[3]}"
            if data.strip(b"\r\n\0"):  # else it keeps a translation of addresses alive (RFC 5626 §3.5.1)
                self._take(data, _DatagramWay(sock, source, (host, port), came.answer))


class _StreamWay:
    transport = "tcp"

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.source: Sockaddr = writer.get_extra_info("peername")
        self.local: tuple[str, int] = writer.get_extra_info("sockname")[:2]

    def send(self, data: bytes) -> None:
        transport = self._writer.transport
        if transport.get_write_buffer_size() > _BUFFERED:
            transport.abort()  # it asks, and does not read
        elif not transport.is_closing():
            self._writer.write(data)


class Connections:
    """Made inside a running loop."""

    def __init__(self, take: Taker) -> None:
        self._take = take
        self._servers: list[asyncio.Server] = []
        self._open: set[asyncio.Task[None]] = set()

    async def serve(self, host: str, port: int) -> int:
        """The port. Raises OSError."""
        try:
            for address in addresses(host):
                sock = bound(address, socket.SOCK_STREAM, port)
                self._servers.append(await asyncio.start_server(self._connected, sock=sock))
                port = sock.getsockname()[1]
        except OSError:
            await self.close()
            raise
        return port

    async def close(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()
        for task in self._open:
            task.cancel()
        if self._open:
            await asyncio.wait(self._open)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._open) >= CONNECTIONS:
            writer.close()
            return
        self._open.add(task)
        try:
            with contextlib.suppress(OSError, TimeoutError, NotSip, asyncio.CancelledError):
                await self._listen(reader, _StreamWay(writer))
        finally:
            self._open.discard(task)
            writer.close()

    async def _listen(self, reader: asyncio.StreamReader, way: _StreamWay) -> None:
        framer = Framer()
        while True:
            async with asyncio.timeout(IDLE_S):
                data = await reader.read(_CHUNK)
            if not data:
                return
            for message in framer.feed(data):
                self._take(message, way)
