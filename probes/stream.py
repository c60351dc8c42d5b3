"""One TCP connection, with or without TLS: connect, send, receive with the kernel's time of arrival."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import ssl
import struct
import time
from collections.abc import Callable

from probes.arrival import ANCILLARY_BYTES, arrival_ns, clock_offset_ns, stamped
from probes.local import set_out
from probes.resolve import Address
from probes.tcp_info import handshake

_RESET_ON_CLOSE = struct.pack("=ii", 1, 0)
_FIN_ON_CLOSE = struct.pack("=ii", 0, 0)
_CHUNK = 16_384
_AT_A_TIME = 16
"""Chunks that are read before the loop turns: a peer that floods us must not hold it."""


class Stream:
    """A non-blocking connection. Every method may raise OSError; who calls bounds the time.

    TLS runs over memory, not over the socket, so that what arrives keeps the kernel's stamp. OpenSSL's errors
    are ``ssl.SSLError``, an OSError too: catch it first.
    """

    def __init__(self, address: Address, *, source: str | None = None, dscp: int = 0) -> None:
        """From the local address ``source`` if one is given, in packets marked with ``dscp`` (RFC 2474)."""
        self._loop = asyncio.get_running_loop()
        self._address = address
        self._sock = socket.socket(address.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self.tls: ssl.SSLObject | None = None
        """The TLS connection, once there is one."""
        self.ends_politely = False
        """Whether what was sent last has to reach the peer: a reset would take it away."""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._offset_ns = clock_offset_ns()
        self._waiter: asyncio.Future[None] | None = None
        self._abandoned = False
        self._at_once = 0
        try:
            self._prepare(source, dscp)
        except OSError:
            self._sock.close()
            raise

    def _prepare(self, source: str | None, dscp: int) -> None:
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stamped(self._sock)
        # a probe a second would otherwise leave as many ports in TIME_WAIT
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        set_out(self._sock, source, dscp)

    @property
    def local(self) -> tuple[str, int]:
        host, port = self._sock.getsockname()[:2]
        return host, port

    @property
    def handshake(self) -> tuple[float | None, int]:
        """Of the connection just made: its round trip in seconds, if it is known, and how many SYN were lost."""
        return handshake(self._sock)

    async def connect(self, port: int) -> None:
        error = self._sock.connect_ex(self._address.sockaddr(port))
        if error == errno.EINPROGRESS:
            await self._ready(self._loop.add_writer, self._loop.remove_writer)
            error = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, os.strerror(error))

    async def start_tls(self, context: ssl.SSLContext, server_name: str | None) -> ssl.SSLObject:
        """Shake hands. Raises ssl.SSLError, and ConnectionResetError where the peer hangs up."""
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._send_raw(self._outgoing.read())
                await self._feed()
            except ssl.SSLError:
                await self._send_raw(self._outgoing.read())  # the alert tells the peer's log why
                raise
            else:
                await self._send_raw(self._outgoing.read())
                return self.tls

    async def send(self, data: bytes) -> int:
        """Send all of it; the instant just before, of ``time.monotonic_ns()``."""
        if self.tls is not None:
            self.tls.write(data)
            data = self._outgoing.read()
        return await self._send_raw(data)

    async def receive(self) -> tuple[bytes, int]:
        """What has arrived, and when, in ``time.monotonic_ns()``; no bytes: the peer hung up."""
        if self.tls is None:
            return await self._receive_raw()
        arrived_ns = time.monotonic_ns()
        while True:
            try:
                return self.tls.read(_CHUNK), arrived_ns
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b"", arrived_ns
            except ssl.SSLWantReadError:
                if reply := self._outgoing.read():  # to an update of the keys
                    await self._send_raw(reply)
                arrived_ns = await self._feed(hangs_up=True)

    async def next_record(self) -> None:
        """Let TLS see what comes next, which may be no data: tickets, an alert. Raises ssl.SSLError for an alert."""
        await self._feed(hangs_up=True)
        try:
            assert self.tls is not None
            self.tls.read(_CHUNK)
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError, ssl.SSLEOFError):
            pass

    def abandon(self) -> None:
        """Let whoever waits for the connection, or will, fail with an OSError that is our own."""
        self._abandoned = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(OSError("prober was closed"))

    def close(self) -> None:
        """Hang up, with a reset unless it ``ends_politely``."""
        if self.ends_politely:
            with contextlib.suppress(OSError):
                self._say_goodbye()
        self._sock.close()

    def _say_goodbye(self) -> None:
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _FIN_ON_CLOSE)
        if self.tls is not None:
            try:
                self.tls.unwrap()
            except ssl.SSLError:
                pass  # it wants the peer's goodbye, too
            self._sock.send(self._outgoing.read())

    async def _feed(self, *, hangs_up: bool = False) -> int:
        """Give TLS what comes next; when it arrived. ``hangs_up``: the end of the stream is for TLS to judge."""
        data, arrived_ns = await self._receive_raw()
        if data:
            self._incoming.write(data)
            await asyncio.sleep(0)  # a hostile chunk has two thousand records for OpenSSL to look at
        elif hangs_up:
            self._incoming.write_eof()
        else:
            raise ConnectionResetError(errno.ECONNRESET, "hung up")
        return arrived_ns

    async def _send_raw(self, data: bytes) -> int:
        sent_ns = time.monotonic_ns()
        while data:
            try:
                data = data[self._sock.send(data) :]
            except BlockingIOError:
                await self._ready(self._loop.add_writer, self._loop.remove_writer)
        return sent_ns

    async def _receive_raw(self) -> tuple[bytes, int]:
        self._at_once += 1
        if self._at_once >= _AT_A_TIME:
            self._at_once = 0
            await asyncio.sleep(0)
        while True:
            try:
                data, ancillary, _, _ = self._sock.recvmsg(_CHUNK, ANCILLARY_BYTES)
            except BlockingIOError:
                self._at_once = 0
                # a peer may keep its answer back until what it said before is acknowledged (Nagle): 40 ms of our own
                self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
                await self._ready(self._loop.add_reader, self._loop.remove_reader)
            else:
                return data, arrival_ns(ancillary, self._offset_ns)

    async def _ready(self, add: Callable[..., None], remove: Callable[..., object]) -> None:
        if self._abandoned:
            raise OSError("prober was closed")
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
