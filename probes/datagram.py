"""Datagrams through shared sockets: many questions, one socket for each family and transport.

The kernel stamps each datagram when it arrives, so that a busy loop lengthens no round trip, and before a
time-out is declared the socket is drained: an answer that reached it in time is an answer. An ICMP error for
a datagram of ours (``IP_RECVERR``) ends its exchange at once, as what it is.
"""

from __future__ import annotations

import asyncio
import heapq
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

from probes.arrival import SO_TIMESTAMPNS, Ancillary, stamped, wall_ns
from probes.resolve import Sockaddr

SWEEP_S = 0.025
"""How often deadlines are looked at, while there are any: wake-ups cost more than work."""

BATCH = 256
"""Datagrams read in one go; a flood then lets the loop turn before the next ones."""

LARGEST = 4_096
"""Bytes of a datagram that are read. What lies beyond is cut off; room for more would cost time each time."""

ROUNDS = 8
"""Batches read before a time-out is declared. If there still is more then, we are flooded."""

KEPT = 64
"""Answers of one exchange that wait to be looked at; more than the longest burst asks for."""

EXCHANGES = 65_536
"""Exchanges that can be under way on one socket."""

RECEIVE_BUFFER = 8 << 20
"""Bytes of answers that the kernel is asked to hold for us; net.core.rmem_max may grant less."""

_SO_RXQ_OVFL = 40
_SO_MEMINFO = 55
_MEMINFO = struct.Struct("@9I")
_DROPS = 8  # SK_MEMINFO_DROPS of <linux/sock_diag.h>
_SO_RCVBUFFORCE = 33
_RECVERR = {socket.AF_INET: (socket.IPPROTO_IP, 11), socket.AF_INET6: (socket.IPPROTO_IPV6, 25)}
_RECVTTL = {socket.AF_INET: (socket.IPPROTO_IP, 12, 2), socket.AF_INET6: (socket.IPPROTO_IPV6, 51, 52)}
_MSG_ERRQUEUE = 0x2000
_INT = struct.Struct("@i")
_UNSIGNED = struct.Struct("@I")
_EXTENDED_ERROR = struct.Struct("@IBBBBII")
_FROM_HERE = 1
_ANCILLARY = 256

Key = bytes | int | tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Answer:
    """A datagram, where it came from, and when it arrived in nanoseconds of ``time.monotonic_ns()``."""

    data: bytes
    source: Sockaddr
    received_ns: int
    ttl: int | None = None


class Unreachable(OSError):
    """A node on the way, or the target itself, said by ICMP that the datagram did not get through."""

    def __init__(self, number: int, kind: int, code: int, offender: str) -> None:
        super().__init__(number, "unreachable")
        self.kind = kind
        self.code = code
        self.offender = offender


class Unsent(OSError):
    """Our own host could not send the datagram, or may have lost its answer."""


class Exchange:
    """A question under way, known by its key. Leave it with ``close``."""

    __slots__ = ("_answers", "_key", "_line", "_waiter", "_waits_until_ns", "started_ns")

    def __init__(self, line: Line, key: Key) -> None:
        self._line = line
        self._key = key
        self._answers: list[Answer | OSError] = []
        self._waiter: asyncio.Future[Answer | None] | None = None
        self._waits_until_ns = 0
        self.started_ns = time.monotonic_ns()

    def send(self, data: bytes, to: Sockaddr) -> int:
        """Send it; the instant just before, of ``time.monotonic_ns()``. Raises Unsent."""
        return self._line.send(data, to)

    async def answer(self, until_ns: int) -> Answer | None:
        """The next datagram with this key; None when none has arrived by ``until_ns``.

        Raises Unreachable, or Unsent when silence would prove nothing: the receive buffer overflowed.
        """
        if not self._answers:
            self._waiter = self._line.loop.create_future()
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
            waiter.set_exception(Unsent(0, "receive buffer overflowed"))
        else:
            waiter.set_result(None)


class Line:
    """A shared datagram socket. Made inside a running loop."""

    def __init__(
        self,
        sock: socket.socket,
        key_of: Callable[[bytes, Sockaddr], Key | None],
        key_of_sent: Callable[[bytes], Key | None],
        largest: int = LARGEST,
    ) -> None:
        """``key_of``: whose answer is a datagram? ``key_of_sent``: whose question was one of ours? None: nobody's."""
        self.loop = asyncio.get_running_loop()
        self.sock = sock
        self.overflowed_ns = -1
        self.unclaimed = 0
        """Datagrams that were nobody's answer: late, doubled, forged."""
        self._key_of = key_of
        self._key_of_sent = key_of_sent
        self._largest = largest
        self._exchanges: dict[Key, Exchange] = {}
        self._reminders: list[tuple[int, int, Exchange]] = []
        self._count = 0
        self._lost = 0
        self._sweeping: asyncio.TimerHandle | None = None
        _prepare(sock)
        self.loop.add_reader(sock, self._drain)

    def exchange(self, key: Key) -> Exchange:
        """Begin to wait for answers with that key. Raises Unsent where too many exchanges are under way."""
        if len(self._exchanges) >= EXCHANGES:
            raise Unsent(0, "too many probes under way")
        exchange = self._exchanges[key] = Exchange(self, key)
        return exchange

    def send(self, data: bytes, to: Sockaddr) -> int:
        for attempt in (1, 2):
            sent_ns = time.monotonic_ns()
            try:
                self.sock.sendto(data, to)
            except OSError as error:
                # the socket hands us the error of an earlier datagram: read those, and try again
                if attempt == 1 and self._drain_errors():
                    continue
                raise Unsent(error.errno, error.strerror) from error
            else:
                break
        return sent_ns

    def forget(self, key: Key) -> None:
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
            exchange.take(Unsent(0, "prober was closed"))
        self._exchanges.clear()
        self.sock.close()

    def _sweep(self) -> None:
        self._sweeping = None
        now_ns = time.monotonic_ns()
        if self._reminders and self._reminders[0][0] <= now_ns:
            for _ in range(ROUNDS):
                if not self._drain():
                    break
            else:
                self.overflowed_ns = now_ns
            self._look_for_drops()
            while self._reminders and self._reminders[0][0] <= now_ns:
                until_ns, _, exchange = heapq.heappop(self._reminders)
                exchange.expire(until_ns)
        if not self._exchanges:
            self._reminders.clear()
        elif self._reminders:
            self._sweeping = self.loop.call_later(SWEEP_S, self._sweep)

    def _drain(self) -> bool:
        """Read what has arrived, at most BATCH datagrams; whether there may be more."""
        offset_ns = _wall_minus_monotonic()
        now_ns = time.monotonic_ns()
        for _ in range(BATCH):
            try:
                data, ancillary, _, source = self.sock.recvmsg(self._largest, _ANCILLARY)
            except BlockingIOError:
                return False
            except OSError:
                self._drain_errors()
                continue
            key = self._key_of(data, source)
            exchange = self._exchanges.get(key) if key is not None else None
            if exchange is None:
                self.unclaimed += 1
                self._note(ancillary)
                continue
            received_ns, ttl = self._read(ancillary, offset_ns, exchange.started_ns, now_ns)
            exchange.take(Answer(data, source, received_ns, ttl))
        return True

    def _note(self, ancillary: Ancillary) -> None:
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == _SO_RXQ_OVFL:
                self._overflowed(_UNSIGNED.unpack(data)[0])

    def _read(
        self, ancillary: Ancillary, offset_ns: int, started_ns: int, now_ns: int
    ) -> tuple[int, int | None]:
        """When a datagram arrived (now, where a stepped clock makes the kernel's stamp senseless), and its TTL."""
        received_ns, ttl = now_ns, None
        for level, kind, data in ancillary:
            if level != socket.SOL_SOCKET:
                ttl = _INT.unpack(data[:4])[0]
            elif kind == SO_TIMESTAMPNS:
                received_ns = wall_ns(data) - offset_ns
            elif kind == _SO_RXQ_OVFL:
                self._overflowed(_UNSIGNED.unpack(data)[0])
        if not started_ns - 1_000_000 <= received_ns <= now_ns + 1_000_000:
            received_ns = now_ns
        return received_ns, ttl

    def _look_for_drops(self) -> None:
        """Ask the socket itself: the count that comes with a datagram knows only of drops before that datagram."""
        counts = self.sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
        self._overflowed(_MEMINFO.unpack(counts)[_DROPS])

    def _overflowed(self, lost: int) -> None:
        if lost != self._lost:
            self._lost = lost
            self.overflowed_ns = time.monotonic_ns()

    def _drain_errors(self) -> bool:
        """Hand out the ICMP errors that the kernel holds; whether there were any."""
        some = False
        for _ in range(BATCH):
            try:
                sent, ancillary, _, _ = self.sock.recvmsg(self._largest, _ANCILLARY, _MSG_ERRQUEUE)
            except OSError:
                return some
            some = True
            error = _extended_error(ancillary)
            key = self._key_of_sent(sent) if error is not None else None
            exchange = self._exchanges.get(key) if key is not None else None
            if exchange is not None and error is not None:
                exchange.take(error)
        return some


def _prepare(sock: socket.socket) -> None:
    sock.setblocking(False)
    stamped(sock)
    sock.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)
    level, option = _RECVERR[sock.family]
    sock.setsockopt(level, option, 1)
    level, option, _ = _RECVTTL[sock.family]
    sock.setsockopt(level, option, 1)
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)


def _extended_error(ancillary: Ancillary) -> Unreachable | None:
    """What ``struct sock_extended_err`` of <linux/errqueue.h> says; None for an error of our own host's."""
    for level, kind, data in ancillary:
        if (level, kind) in _RECVERR.values():
            number, origin, icmp_type, code, _, _, _ = _EXTENDED_ERROR.unpack_from(data)
            if origin > _FROM_HERE:
                return Unreachable(number, icmp_type, code, _offender(level, data[_EXTENDED_ERROR.size :]))
    return None


def _offender(level: int, sockaddr: bytes) -> str:
    if level == socket.IPPROTO_IP:
        return socket.inet_ntop(socket.AF_INET, sockaddr[4:8])
    return socket.inet_ntop(socket.AF_INET6, sockaddr[8:24])


def _wall_minus_monotonic() -> int:
    """The offset of the two clocks now; read again where we were interrupted in between."""
    for _ in range(3):
        before_ns = time.monotonic_ns()
        wall_ns = time.time_ns()
        after_ns = time.monotonic_ns()
        if after_ns - before_ns < 20_000:
            break
    return wall_ns - (before_ns + after_ns) // 2
