"""How the messages of one call leave this host and come in: a UDP socket or a connection of its own."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from probes.datagram import Line
from probes.local import mark_packets
from probes.resolve import Address, Sockaddr, literal
from probes.sip.locate import Member
from probes.sip.message import Framer, NotSip, Request, Response, parse_message
from probes.sip.options import UserAgentOptions
from probes.sip.request import Incoming
from probes.stream import Stream
from probes.trace import tell

_KEY = b"call"
_AT_A_TIME = 16
"""Messages of a stream that are looked at before the loop turns."""


class Received(NamedTuple):
    """A message, when it arrived in ``time.monotonic_ns()``, and for a datagram where it came from."""

    message: Request | Response
    at_ns: int
    source: Sockaddr | None = None


class Leg(Protocol):
    reliable: bool
    local: tuple[str, int]
    """Our address and port, as Via and Contact name them."""

    async def send(self, data: bytes, to: Sockaddr | None) -> None:
        """To an address, None: to whom we called. Raises OSError."""

    async def receive(self) -> Received:
        """The next message, however long that takes. Raises OSError, and NotSip where no more can come."""

    def close(self) -> None: ...


class DatagramLeg:
    """A socket of the call's own, so that what the peer asks within the call finds it."""

    reliable = False

    def __init__(self, member: Member, options: UserAgentOptions, port: int = 0) -> None:
        """From ``port``, if it is free. Raises OSError where this host lacks a socket, the source address or a way."""
        self._to = member.address.sockaddr(member.port)
        host = options.source_address or _source(member.address)
        own = literal(host)
        assert own is not None
        sock = socket.socket(member.address.family, socket.SOCK_DGRAM)
        try:
            if options.dscp:
                mark_packets(sock, options.dscp)
            _bind(sock, own.addresses[0], port)
            self._line = Line(sock, lambda _: _KEY, lambda _: _KEY)
        except OSError:
            sock.close()
            raise
        self._exchange = self._line.exchange(_KEY)
        self.local = (host.partition("%")[0], self._line.port)

    async def send(self, data: bytes, to: Sockaddr | None) -> None:
        self._line.send(data, to or self._to)

    async def receive(self) -> Received:
        while True:
            answer = await self._exchange.answer(None)
            assert answer is not None
            tell("received", source=answer.source, message=Incoming(answer.data))
            try:
                return Received(parse_message(answer.data), answer.received_ns, answer.source)
            except NotSip as error:  # forged or broken: as if it had not come
                tell("not SIP", error=error)

    def close(self) -> None:
        self._exchange.close()
        self._line.close()


class StreamLeg:
    """A connection that is made already. What is asked within the call comes over it, too (RFC 5923)."""

    reliable = True

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._framer = Framer()
        self._messages: Iterator[bytes] = iter(())
        self._at_ns = 0
        self._looked_at = 0
        self.local = stream.local

    async def send(self, data: bytes, to: Sockaddr | None) -> None:
        del to  # there is no other way than this
        await self._stream.send(data)

    async def receive(self) -> Received:
        while True:
            self._looked_at += 1
            if self._looked_at % _AT_A_TIME == 0:
                await asyncio.sleep(0)
            data = await self._next()
            tell("received", message=Incoming(data))
            try:
                return Received(parse_message(data), self._at_ns)
            except NotSip as error:
                tell("not SIP", error=error)

    async def _next(self) -> bytes:
        while (message := next(self._messages, None)) is None:
            data, self._at_ns = await self._stream.receive()
            if not data:
                raise ConnectionResetError(errno.ECONNRESET, "hung up")
            self._messages = self._framer.feed(data)
        return message

    def close(self) -> None:
        self._stream.ends_politely = True  # a reset could take our last words away
        self._stream.close()


def _bind(sock: socket.socket, own: Address, port: int) -> None:
    try:
        sock.bind(own.sockaddr(port))
    except OSError as error:
        if error.errno != errno.EADDRINUSE or port == 0:
            raise
        sock.bind(own.sockaddr(0))


def _source(address: Address) -> str:
    """The local address from which this host reaches another. Raises OSError without a way."""
    with socket.socket(address.family, socket.SOCK_DGRAM) as asking:
        asking.connect(address.sockaddr(9))
        host: str = asking.getsockname()[0]
        return f"{host}%{address.scope}" if address.scope and "%" not in host else host
