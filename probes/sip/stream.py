"""One TCP connection: connect, send, receive with the kernel's time of arrival."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import struct
import time
from collections.abc import Callable

from probes.arrival import ANCILLARY_BYTES, arrival_ns, clock_offset_ns, stamped
from probes.resolve import Address

_RESET_ON_CLOSE = struct.pack("=ii", 1, 0)
_CHUNK = 16_384


class Stream:
    """A non-blocking connection. Every method may raise OSError; who calls bounds the time."""

    def __init__(self, address: Address) -> None:
        self._loop = asyncio.get_running_loop()
        self._address = address
        self._sock = socket.socket(address.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stamped(self._sock)
        # a probe a second would otherwise leave as many ports in TIME_WAIT
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._offset_ns = clock_offset_ns()
        self._waiter: asyncio.Future[None] | None = None

    @property
    def local(self) -> tuple[str, int]:
        host, port = self._sock.getsockname()[:2]
        return host, port

    async def connect(self, port: int) -> None:
        error = self._sock.connect_ex(self._address.sockaddr(port))
        if error == errno.EINPROGRESS:
            await self._ready(self._loop.add_writer, self._loop.remove_writer)
            error = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, os.strerror(error))

    async def send(self, data: bytes) -> int:
        """Send all of it; the instant just before, of ``time.monotonic_ns()``."""
        sent_ns = time.monotonic_ns()
        while data:
            try:
                data = data[self._sock.send(data) :]
            except BlockingIOError:
                await self._ready(self._loop.add_writer, self._loop.remove_writer)
        return sent_ns

    async def receive(self) -> tuple[bytes, int]:
        """What has arrived, and when, in ``time.monotonic_ns()``; no bytes: the peer hung up."""
        while True:
            try:
                data, ancillary, _, _ = self._sock.recvmsg(_CHUNK, ANCILLARY_BYTES)
            except BlockingIOError:
                await self._ready(self._loop.add_reader, self._loop.remove_reader)
            else:
                return data, arrival_ns(ancillary, self._offset_ns)

    def abandon(self) -> None:
        """Let whoever waits for the connection fail with an OSError that is our own."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(OSError("prober was closed"))

    def close(self) -> None:
        self._sock.close()

    async def _ready(self, add: Callable[..., None], remove: Callable[..., object]) -> None:
        waiter = self._waiter = self._loop.create_future()
        add(self._sock, _settle, waiter)
        try:
            await waiter
        finally:
            self._waiter = None
            remove(self._sock)


def _settle(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
