"""The UDP sockets that test packets leave through, and whose packet an answer echoes."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import NamedTuple

from probes.datagram import Exchange, Line, Unsent
from probes.local import mark_packets
from probes.resolve import Sockaddr, literal
from probes.stamp.packet import ECHOED, IDENTITY

MOST = 32
"""Sockets open at once. Of more ways those give up theirs that wait for no answer."""

_KEY = 8


class Way(NamedTuple):
    """What is set on a socket, and so holds for all that it sends."""

    family: socket.AddressFamily
    source: str | None = None
    dscp: int = 0
    lane: int = 0


class Lines:
    """The sockets by their way, opened when first asked for. Made inside a running loop.

    Bursts to one reflector at the same time leave through different sockets: a reflector that knows no session
    identifiers (RFC 8762 alone, TWAMP Light) tells sessions by their addresses and ports, and would count two
    bursts as one.
    """

    def __init__(self) -> None:
        self.owners: dict[bytes, bytes] = {}
        """Whose a packet is, by its number and timestamp."""

        self.closed = False
        self._lines: dict[Way, Line] = {}
        self._busy: set[tuple[Way, Sockaddr]] = set()
        self._count = count(1)

    @contextmanager
    def conversation(self, way: Way, to: Sockaddr) -> Iterator[Conversation]:
        """With one reflector. Raises OSError where there is no socket for it: it is ours that is missing."""
        while (way, to) in self._busy:
            way = way._replace(lane=way.lane + 1)
        key = next(self._count).to_bytes(_KEY)
        conversation = Conversation(self, self._of(way).exchange(key), key, to)
        self._busy.add((way, to))
        try:
            yield conversation
        finally:
            self._busy.discard((way, to))
            conversation.close()

    def close(self) -> None:
        """Every exchange under way ends as Unsent, and there will be no more."""
        self.closed = True
        for line in self._lines.values():
            line.close()
        self._lines.clear()

    def _of(self, way: Way) -> Line:
        line = self._lines.get(way)
        if line is None:
            if self.closed:
                raise Unsent("prober was closed")
            if len(self._lines) >= MOST:
                self._close_idle()
            line = self._lines[way] = self._open(way)
        return line

    def _close_idle(self) -> None:
        for way, line in self._lines.items():
            if line.idle:
                line.close()
                del self._lines[way]
                return
        raise Unsent(errno.EMFILE, "too many kinds of STAMP probes under way")

    def _open(self, way: Way) -> Line:
        sock = socket.socket(way.family, socket.SOCK_DGRAM)
        try:
            if way.dscp:
                mark_packets(sock, way.dscp)
            if way.source is not None and (own := literal(way.source)) is not None:
                sock.bind(own.addresses[0].sockaddr(0))
            return Line(sock, self._owner_of_reply, self._owner_of_sent)
        except OSError:
            sock.close()
            raise

    def _owner_of_reply(self, data: bytes) -> bytes | None:
        return self.owners.get(data[ECHOED])

    def _owner_of_sent(self, data: bytes) -> bytes | None:
        return self.owners.get(data[IDENTITY])


class Conversation:
    """An exchange of test packets, each known by its number and timestamp. Leave it with ``close``."""

    def __init__(self, lines: Lines, exchange: Exchange, key: bytes, to: Sockaddr) -> None:
        self.exchange = exchange
        self._lines = lines
        self._key = key
        self._to = to
        self._sent: list[bytes] = []

    def send(self, packet: bytes) -> int:
        """When it left, of ``time.monotonic_ns()``. Raises Unsent."""
        if self._lines.closed:
            raise Unsent("prober was closed")
        identity = packet[IDENTITY]
        self._lines.owners[identity] = self._key
        self._sent.append(identity)
        return self.exchange.send(packet, self._to)

    def close(self) -> None:
        """Take no more answers."""
        self.exchange.close()
        for identity in self._sent:
            self._lines.owners.pop(identity, None)
