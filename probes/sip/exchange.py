"""One request and its answer, over a datagram socket or a connection."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from probes.datagram import Line, from_elsewhere
from probes.resolve import Sockaddr
from probes.sip.message import Framer, NotSip, Response, parse_response
from probes.sip.request import Incoming, Outgoing
from probes.sip.transaction import Transaction
from probes.stream import Stream
from probes.trace import tell

_AT_A_TIME = 16
"""Messages that are looked at before the loop turns: one chunk of a stream may hold a thousand of them."""


class Reply(NamedTuple):
    """A final response and when it arrived, in ``time.monotonic_ns()``; ``source``: who sent it, where that is
    not who was asked."""

    response: Response
    received_ns: int
    source: str | None = None


class Silent(Exception):
    """Nothing final came before the deadline."""


class Channel(Protocol):
    """Where requests go out and answers come in."""

    reliable: bool

    async def ask(self, request: Outgoing, asked: Transaction) -> Reply:
        """The final response. What was sent, and what came before, is noted in ``asked``.

        Raises Silent, NotSip for a stream that carries no SIP, ``ssl.SSLError``, and other OSErrors.
        """


class Datagrams:
    """UDP through a shared socket to one address, up to a deadline in ``time.monotonic_ns()``."""

    __slots__ = ("_deadline_ns", "_line", "_to")

    reliable = False

    def __init__(self, line: Line, to: Sockaddr, deadline_ns: int) -> None:
        self._line = line
        self._to = to
        self._deadline_ns = deadline_ns

    async def ask(self, request: Outgoing, asked: Transaction) -> Reply:
        """As Channel has it; retransmits by Timer E."""
        exchange = self._line.exchange(request.branch)
        deadline_ns = self._deadline_ns
        try:
            self._send(request, asked)
            while True:
                again_ns = asked.retransmit_ns
                assert again_ns is not None
                answer = await exchange.answer(min(again_ns, deadline_ns))
                if answer is not None and answer.received_ns <= deadline_ns:
                    tell("received", source=answer.source, message=Incoming(answer.data))
                    try:
                        response = parse_response(answer.data)
                        if asked.accept(response):
                            elsewhere = from_elsewhere(answer.source, self._to)
                            source = f"{answer.source[0]}:{answer.source[1]}" if elsewhere else None
                            return Reply(response, answer.received_ns, source)
                    except NotSip as error:  # forged or broken: as if it had not come
                        tell("not an answer of ours", error=error)
                elif time.monotonic_ns() >= deadline_ns:
                    raise Silent
                else:
                    self._send(request, asked)
        finally:
            exchange.close()

    def _send(self, request: Outgoing, asked: Transaction) -> None:
        asked.sent(self._line.send(request.data, self._to))
        tell("sent", to=self._to, message=request)


class Connection:
    """TCP or TLS. Who asks bounds the time."""

    reliable = True

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._framer = Framer()
        self._messages: Iterator[bytes] = iter(())
        self._received_ns = 0

    async def ask(self, request: Outgoing, asked: Transaction) -> Reply:
        asked.sent(await self._stream.send(request.data))
        tell("sent", message=request)
        looked_at = 0
        while True:
            message = await self._next()
            tell("received", message=Incoming(message))
            try:
                response = parse_response(message)
                if asked.accept(response):
                    return Reply(response, self._received_ns)
            except NotSip as error:
                tell("not an answer of ours", error=error)
            looked_at += 1
            if looked_at % _AT_A_TIME == 0:
                await asyncio.sleep(0)

    async def _next(self) -> bytes:
        """The next message. Raises NotSip, and ConnectionResetError when the peer hangs up."""
        while (message := next(self._messages, None)) is None:
            data, self._received_ns = await self._stream.receive()
            if not data:
                raise ConnectionResetError(errno.ECONNRESET, "hung up")
            self._messages = self._framer.feed(data)
        return message
