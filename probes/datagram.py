"""Datagrams through shared sockets: many questions, one socket for each family and transport.

Before a time-out is declared the socket is read up to that instant: an answer that reached it in time is an
answer, however late the loop is. An ICMP error for a datagram of ours ends its exchange at once. Where the
kernel had to drop answers for want of room, silence proves nothing.
"""

from __future__ import annotations

import asyncio
import heapq
import socket
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from probes.arrival import Ancillary, clock_offset_ns, instant_ns, stamp_ns, stamped
from probes.outcome import Outcome, Verdict
from probes.resolve import Sockaddr
from probes.unreachable import ask_for_errors, unreachable

SWEEP_S = 0.025
"""How often deadlines are looked at, while there are any: wake-ups cost more than work."""

BATCH = 256
"""Datagrams read, and time-outs declared, in one go; the loop then turns before the next ones."""

LARGEST = 65_535
"""Bytes of a datagram that are read: all that there can be."""

KEPT = 64
"""Answers of one exchange that wait to be looked at; more than the longest burst asks for."""

EXCHANGES = 65_536
"""Exchanges that can be under way on one socket."""

RECEIVE_BUFFER = 8 << 20
"""Bytes of answers that the kernel is asked to hold for us; net.core.rmem_max may grant less."""

SEND_BUFFER = 4 << 20
"""Bytes of questions that the kernel is asked to hold on their way to the wire; net.core.wmem_max likewise."""

_RESOLVER_SHARE = 0.1
_ATTEMPTS = 4
_SO_SNDBUFFORCE = 32
_SO_RCVBUFFORCE = 33
_SO_MEMINFO = 55
_MEMINFO = struct.Struct("@9I")
_DROPS = 8  # SK_MEMINFO_DROPS of <linux/sock_diag.h>
_RECVTTL = {socket.AF_INET: (socket.IPPROTO_IP, 12), socket.AF_INET6: (socket.IPPROTO_IPV6, 51)}
_MSG_ERRQUEUE = 0x2000
_INT = struct.Struct("@i")
_ANCILLARY = 256


@dataclass(frozen=True, slots=True)
class Answer:
    """A datagram, where it came from, and when it arrived in nanoseconds of ``time.monotonic_ns()``."""

    data: bytes
    source: Sockaddr
    received_ns: int
    ttl: int | None = None


class Unsent(OSError):
    """Our own host could not send the datagram, or may have lost its answer."""


class Exchange:
    """A question under way, known by its key. Leave it with ``close``."""

    __slots__ = ("_answers", "_key", "_line", "_waiter", "_waits_until_ns", "offset_ns", "started_ns")

    def __init__(self, line: Line, key: bytes) -> None:
        self._line = line
        self._key = key
        self._answers: list[Answer | OSError] = []
        self._waiter: asyncio.Future[Answer | None] | None = None
        self._waits_until_ns = 0
        self.started_ns = time.monotonic_ns()
        self.offset_ns = time.time_ns() - self.started_ns

    def send(self, data: bytes, to: Sockaddr) -> int:
        """Send it; the instant just before, of ``time.monotonic_ns()``. Raises Unsent."""
        return self._line.send(data, to)

    async def answer(self, until_ns: int | None) -> Answer | None:
        """The next datagram with this key; None when none has arrived by ``until_ns``, if that is an instant.

        Raises Unreachable, or Unsent when silence would prove nothing: the receive buffer overflowed.
        """
        if not self._answers:
            self._waiter = self._line.loop.create_future()
            if until_ns is not None:
                self._waits_until_ns = until_ns
                self._line.remind(until_ns, self)
            try:
                return await self._waiter
            finally:
                self._waiter = None
        first = self._answers.pop(0)
        if isinstance(first, OSError):
            raise first
        return first

    def close(self) -> None:
        """Take no more answers."""
        self._line.forget(self._key)

    def take(self, what: Answer | OSError) -> None:
        waiter = self._waiter
        if waiter is None or waiter.done():
            if len(self._answers) < KEPT:
                self._answers.append(what)
        elif isinstance(what, OSError):
            waiter.set_exception(what)
        else:
            waiter.set_result(what)

    def expire(self, until_ns: int) -> None:
        """The time up to which somebody waits is over, unless that wait has ended already."""
        waiter = self._waiter
        if waiter is None or waiter.done() or until_ns != self._waits_until_ns:
            return
        if self._line.overflowed_ns >= self.started_ns:
            waiter.set_exception(Unsent("receive buffer overflowed"))
        else:
            waiter.set_result(None)


class Line:
    """A shared datagram socket. Made inside a running loop."""

    def __init__(
        self,
        sock: socket.socket,
        key_of: Callable[[bytes], bytes | None],
        key_of_sent: Callable[[bytes], bytes | None],
        *,
        unfragmented: bool = False,
    ) -> None:
        """``key_of``: whose answer is a datagram? ``key_of_sent``: whose question was one of ours? None: nobody's.

        ``unfragmented``: the socket sends datagrams whole or not at all; "too big" is an answer to them.
        """
        self.loop = asyncio.get_running_loop()
        self.sock = sock
        self.overflowed_ns = -1
        self.unclaimed = 0
        """Datagrams that were nobody's answer: late, doubled, forged."""
        self._key_of = key_of
        self._key_of_sent = key_of_sent
        self._unfragmented = unfragmented
        self._exchanges: dict[bytes, Exchange] = {}
        self._reminders: list[tuple[int, int, Exchange]] = []
        self._count = 0
        self._read_up_to_ns = 0
        self._dropped = 0
        self._sweeping: asyncio.Handle | None = None
        _prepare(sock)
        self.port: int = sock.getsockname()[1]
        self.loop.add_reader(sock, self._drain)

    @property
    def idle(self) -> bool:
        """Whether nobody waits for an answer."""
        return not self._exchanges

    def exchange(self, key: bytes) -> Exchange:
        """Begin to wait for answers with that key. Raises Unsent where too many exchanges are under way."""
        if len(self._exchanges) >= EXCHANGES:
            raise Unsent("too many probes under way")
        exchange = self._exchanges[key] = Exchange(self, key)
        return exchange

    def send(self, data: bytes, to: Sockaddr) -> int:
        for _ in range(_ATTEMPTS):
            sent_ns = time.monotonic_ns()
            try:
                self.sock.sendto(data, to)
            except OSError as error:
                # it may be the error of an earlier datagram, which the kernel hands to whoever comes next
                failure = error
                self._drain_errors()
            else:
                return sent_ns
        raise Unsent(failure.errno, failure.strerror) from failure

    def forget(self, key: bytes) -> None:
        self._exchanges.pop(key, None)

    def remind(self, until_ns: int, exchange: Exchange) -> None:
        self._count += 1
        heapq.heappush(self._reminders, (until_ns, self._count, exchange))
        if self._sweeping is None:
            self._sweeping = self.loop.call_later(SWEEP_S, self._sweep)

    def close(self) -> None:
        """Every exchange under way ends as Unsent."""
        self.loop.remove_reader(self.sock)
        if self._sweeping is not None:
            self._sweeping.cancel()
        for exchange in list(self._exchanges.values()):
            exchange.take(Unsent("prober was closed"))
        self._exchanges.clear()
        self.sock.close()

    def _sweep(self) -> None:
        """Declare the time-outs that are due, as far as the socket has been read up to their instants."""
        self._sweeping = None
        now_ns = time.monotonic_ns()
        if self._due(now_ns):
            self._drain()
            self._look_for_drops()
            for _ in range(BATCH):
                if not self._due(min(now_ns, self._read_up_to_ns)):
                    break
                until_ns, _, exchange = heapq.heappop(self._reminders)
                exchange.expire(until_ns)
        if not self._exchanges:
            self._reminders.clear()
        elif self._due(now_ns):
            self._sweeping = self.loop.call_soon(self._sweep)
        elif self._reminders:
            self._sweeping = self.loop.call_later(SWEEP_S, self._sweep)

    def _due(self, now_ns: int) -> bool:
        return bool(self._reminders) and self._reminders[0][0] <= now_ns

    def _look_for_drops(self) -> None:
        """Whether the kernel dropped datagrams since we looked last."""
        dropped = drops(self.sock)
        if dropped != self._dropped:
            self._dropped = dropped
            self.overflowed_ns = time.monotonic_ns()

    def _drain(self) -> None:
        """Read what has arrived, at most BATCH datagrams; they lie in the order of their arrival."""
        offset_ns = clock_offset_ns()
        now_ns = time.monotonic_ns()
        stamp = None
        for number in range(BATCH):
            try:
                data, ancillary, _, source = self.sock.recvmsg(LARGEST, _ANCILLARY)
            except BlockingIOError:
                if number == 0:
                    self._drain_errors()  # an error of which no call tells us would wake us for ever
                self._read_up_to_ns = now_ns
                return
            except OSError:
                self._drain_errors()
                continue
            stamp = stamp_ns(ancillary)
            key = self._key_of(data)
            exchange = self._exchanges.get(key) if key is not None else None
            if exchange is None:
                self.unclaimed += 1
                continue
            received_ns = instant_ns(stamp, offset_ns, now_ns, exchange.offset_ns)
            exchange.take(Answer(data, source, received_ns, _ttl(ancillary)))
        if stamp is not None:
            self._read_up_to_ns = min(stamp - offset_ns, now_ns)

    def _drain_errors(self) -> None:
        """Hand out the ICMP errors that the kernel holds, at most BATCH."""
        for _ in range(BATCH):
            try:
                sent, ancillary, _, _ = self.sock.recvmsg(LARGEST, _ANCILLARY, _MSG_ERRQUEUE)
            except OSError:
                return
            error = unreachable(sent, ancillary, unfragmented=self._unfragmented)
            key = self._key_of_sent(sent) if error is not None else None
            exchange = self._exchanges.get(key) if key is not None else None
            if exchange is not None and error is not None:
                exchange.take(error)


def drops(sock: socket.socket) -> int:
    """Datagrams that the kernel dropped for want of room, since the socket is there. Asked of the socket itself:
    the count that comes with a datagram (``SO_RXQ_OVFL``) knows only of drops before that datagram."""
    return int(_MEMINFO.unpack(sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size))[_DROPS])


def from_elsewhere(source: Sockaddr, asked: Sockaddr) -> bool:
    """Whether an answer came from another host or port than was asked, however the addresses are spelled."""
    if source[:2] == asked[:2]:
        return False
    family = socket.AF_INET if len(asked) == 2 else socket.AF_INET6
    source_host, asked_host = (socket.inet_pton(family, one[0].partition("%")[0]) for one in (source, asked))
    return (source_host, source[1]) != (asked_host, asked[1])


def silent(timeout_ms: int, sent_ns: int, detail: Mapping[str, object], *, resolve_s: float) -> Outcome:
    """The outcome of a probe that no datagram answered in time, as probes.attention.silence judges streams.

    BAD "timeout" if the target had the time to answer; NOT_ASKED where the resolver used up more than a tenth
    of it (``resolve_s`` seconds).
    """
    if resolve_s * 1000 > timeout_ms * _RESOLVER_SHARE:
        slow = {**detail, "resolve_s": round(resolve_s, 3)}
        return Outcome(Verdict.NOT_ASKED, sent_ns, "resolver was slow", detail=slow)
    return Outcome(Verdict.BAD, sent_ns, "timeout", detail=detail)


def _prepare(sock: socket.socket) -> None:
    sock.setblocking(False)
    stamped(sock)
    ask_for_errors(sock)
    sock.setsockopt(*_RECVTTL[sock.family], 1)
    _enlarge(sock, _SO_RCVBUFFORCE, socket.SO_RCVBUF, RECEIVE_BUFFER)
    _enlarge(sock, _SO_SNDBUFFORCE, socket.SO_SNDBUF, SEND_BUFFER)


def _enlarge(sock: socket.socket, by_force: int, option: int, size: int) -> None:
    try:
        sock.setsockopt(socket.SOL_SOCKET, by_force, size)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, option, size)


def _ttl(ancillary: Ancillary) -> int | None:
    """The TTL or hop limit with which a datagram arrived: the one control message that is not the socket's."""
    for level, _, data in ancillary:
        if level != socket.SOL_SOCKET:
            return int(_INT.unpack_from(data)[0])
    return None
