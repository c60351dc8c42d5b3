"""Datagrams to an agent and back, through sockets that all probes share."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from probes.datagram import Answer, Exchange, Line, Unsent, from_elsewhere
from probes.local import set_out
from probes.resolve import Sockaddr
from probes.snmp.mark import mark, mark_of
from probes.snmp.pdu import Malformed
from probes.trace import tell

MOST_LINES = 32
"""Sockets open at once. Of more ways those give up theirs that wait for no answer."""

MOST_UNUSABLE = 4
"""Datagrams with our mark that are looked at and are no answer; decoding more would be work for a liar."""

T = TypeVar("T")


class Silent(Exception):
    """No answer came in time. ``unusable`` is the last of those that came instead."""

    def __init__(self, unusable: Malformed | None) -> None:
        super().__init__(unusable.reason if unusable else "timeout")
        self.unusable = unusable


class Way(NamedTuple):
    """What is set on a socket, and so holds for all that it sends."""

    family: socket.AddressFamily
    source: str | None
    dscp: int


class Lines:
    """The sockets by their way, opened when first asked for."""

    def __init__(self) -> None:
        self._lines: dict[Way, Line] = {}
        self._closed = False

    def of(self, way: Way) -> Line:
        """The socket of a way. Raises OSError where there can be none: it is ours that is missing."""
        if self._closed:
            raise Unsent("prober was closed")
        line = self._lines.get(way)
        if line is None:
            if len(self._lines) >= MOST_LINES:
                self._close_idle()
            line = self._lines[way] = _line(way)
        return line

    def close(self) -> None:
        """Every exchange under way ends as Unsent, and there will be no more."""
        self._closed = True
        for line in self._lines.values():
            line.close()
        self._lines.clear()

    def _close_idle(self) -> None:
        for way, line in self._lines.items():
            if line.idle:
                line.close()
                del self._lines[way]
                return
        raise Unsent(errno.EMFILE, "too many kinds of SNMP probes under way")


def _line(way: Way) -> Line:
    sock = socket.socket(way.family, socket.SOCK_DGRAM)
    try:
        set_out(sock, way.source, way.dscp)
        return Line(sock, mark_of, mark_of)
    except OSError:
        sock.close()
        raise


@dataclass(slots=True, eq=False)
class Asker:
    """One probe, and the nanoseconds for which it still gives the agent time to answer.

    Only the agent's time counts, from each question to its answer by the kernel's stamps: what a busy loop, or
    our own decoding, takes in between is not held against the agent.
    """

    left_ns: int
    sent_ns: int = field(default_factory=time.monotonic_ns)
    """When the last question left."""

    received_ns: int | None = None
    """When its answer arrived; None as long as there is none."""

    @property
    def round_trip_s(self) -> float | None:
        return None if self.received_ns is None else max(0, self.received_ns - self.sent_ns) / 1e9


class Conversation:
    """Questions to one agent, one after the other, for one asker or for several at once.

    An asker whose time is over while others still wait is taken from ``askers``, and ``let_go``.
    """

    __slots__ = ("_let_go", "_line", "_sent_ns", "answered", "askers", "received_ns", "sockaddr")

    def __init__(
        self,
        line: Line,
        sockaddr: Sockaddr,
        askers: list[Asker],
        let_go: Callable[[Asker], None] | None = None,
    ) -> None:
        self._line = line
        self._let_go = let_go
        self._sent_ns = 0
        self.sockaddr = sockaddr
        self.askers = askers
        self.received_ns: int | None = None
        """When the last question was answered; None as long as it is not."""

        self.answered = 0
        """How many questions were answered."""

    async def ask(self, number: int, question: bytes, read: Callable[[bytes], T]) -> T:
        """What ``read`` makes of the first datagram with this number that it does not call Malformed.

        Raises Silent; Unsent where we could not ask; Unreachable where a router or the host said no.
        """
        exchange = self._line.exchange(mark(number))
        try:
            self._send(exchange, question)
            unusable: list[Malformed] = []
            while len(unusable) < MOST_UNUSABLE:
                answer = await self._next(exchange)
                if answer is None:
                    break
                if from_elsewhere(answer.source, self.sockaddr):
                    tell("ignored", why="from another host or port", source=answer.source[0])
                    continue
                try:
                    result = read(answer.data)
                except Malformed as error:
                    unusable.append(error)
                    tell("not usable", bytes=len(answer.data), why=error)
                    continue
                self._hear(answer)
                return result
        finally:
            exchange.close()
        raise Silent(unusable[-1] if unusable else None)

    def _send(self, exchange: Exchange, question: bytes) -> None:
        self.received_ns = None
        self._sent_ns = exchange.send(question, self.sockaddr)
        for asker in self.askers:
            asker.sent_ns, asker.received_ns = self._sent_ns, None
        tell("sent", bytes=len(question), to=self.sockaddr[0])

    async def _next(self, exchange: Exchange) -> Answer | None:
        """The next datagram that is in time for anybody; None when nobody has time left."""
        while True:
            until_ns = self._sent_ns + min(asker.left_ns for asker in self.askers)
            answer = await exchange.answer(until_ns)
            if answer is not None and answer.received_ns <= until_ns:
                return answer
            now_ns = until_ns + 1 if answer is None else answer.received_ns
            over = [asker for asker in self.askers if self._sent_ns + asker.left_ns < now_ns]
            if len(over) == len(self.askers):
                return None
            for asker in over:
                self.askers.remove(asker)
                if self._let_go is not None:
                    self._let_go(asker)
            if answer is not None:
                return answer

    def _hear(self, answer: Answer) -> None:
        self.received_ns = answer.received_ns
        self.answered += 1
        took_ns = answer.received_ns - self._sent_ns
        for asker in self.askers:
            asker.received_ns = answer.received_ns
            asker.left_ns -= took_ns
        tell("received", bytes=len(answer.data), s=f"{took_ns / 1e9:.6f}")
