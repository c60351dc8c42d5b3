"""A question in one datagram, and its answer in another."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from probes.blame import failed, not_asked
from probes.datagram import Answer, Exchange, Line, silent
from probes.dns_server.asking import Asking, Reply
from probes.dns_server.question import Question, is_answer
from probes.local import set_out
from probes.outcome import Outcome, Verdict
from probes.resolve import Resolution, Resolver, Sockaddr
from probes.trace import tell
from probes.unreachable import Unreachable


@dataclass(slots=True)
class _Way:
    """How far the question has come, and what was seen on the way. Instants of ``time.monotonic_ns()``."""

    started_ns: int
    sent_ns: int
    resolve_s: float = 0.0
    resolution: Resolution | None = None
    ignored: int = 0
    """Datagrams that came, and were no answer to the question."""

    @property
    def phases(self) -> tuple[tuple[str, float], ...]:
        return (("resolve", self.resolve_s),) if self.resolution else ()

    @property
    def detail(self) -> dict[str, object]:
        detail = self.resolution.detail if self.resolution else {}
        return detail | {"ignored": self.ignored} if self.ignored else detail


class Datagrams:
    """Asks over UDP. Each question has a socket of its own, so that nobody can foretell its port (RFC 5452 §9.2),
    and the socket is connected, so that the kernel drops what comes from elsewhere."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._lines: set[Line] = set()
        self._closed = False

    async def ask(self, asking: Asking) -> Reply:
        started_ns = time.monotonic_ns()
        way = _Way(started_ns, started_ns)
        try:
            answer = await self._answer(asking, way)
        except OSError as error:
            tell("failed", error=error)
            return Reply(replace(self._failure(error, asking, way), phases=way.phases))
        if answer is None:
            outcome = silent(asking.options.timeout, way.sent_ns, way.detail, resolve_s=way.resolve_s)
            return Reply(replace(outcome, phases=way.phases))
        took_s = max(0, answer.received_ns - way.sent_ns) / 1e9
        phases = (*way.phases, ("request", took_s))
        return Reply(Outcome(Verdict.GOOD, way.sent_ns, "answered", took_s, phases, way.detail), answer.data)

    def close(self) -> None:
        """Questions under way end as NOT_ASKED."""
        self._closed = True
        while self._lines:
            self._lines.pop().close()

    async def _answer(self, asking: Asking, way: _Way) -> Answer | None:
        """The first datagram that answers the question; None when there is none in time. Raises OSError."""
        options, question = asking.options, asking.question
        until_ns = way.started_ns + options.timeout * 1_000_000
        way.resolution = await self._resolver.resolve(
            asking.server, options.reachable, timeout_s=options.timeout / 1000
        )
        way.sent_ns = time.monotonic_ns()
        way.resolve_s = (way.sent_ns - way.started_ns) / 1e9
        if self._closed:
            raise OSError("prober was closed")
        sockaddr = way.resolution.addresses[0].sockaddr(asking.at)
        with self._line(asking, sockaddr) as line:
            exchange = line.exchange(question.id)
            way.sent_ns = exchange.send(question.wire, sockaddr)
            tell("sent", bytes=len(question.wire), port=asking.at, **way.detail)
            try:
                return await _first_answer(exchange, question, until_ns, way)
            finally:
                way.ignored += line.unclaimed

    @contextmanager
    def _line(self, asking: Asking, sockaddr: Sockaddr) -> Iterator[Line]:
        """Raises OSError."""
        family = socket.AF_INET if len(sockaddr) == 2 else socket.AF_INET6
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            set_out(sock, asking.options.source_address, asking.options.dscp)
            sock.connect(sockaddr)
            line = Line(sock, _id, _id)
            self._lines.add(line)
            try:
                yield line
            finally:
                if line in self._lines:
                    self._lines.discard(line)
                    line.close()

    def _failure(self, error: OSError, asking: Asking, way: _Way) -> Outcome:
        if self._closed:
            return not_asked(OSError("prober was closed"), way.sent_ns, way.detail)
        if isinstance(error, Unreachable):
            return error.outcome(way.sent_ns, way.detail)
        if way.resolution is None:
            return not_asked(error, way.sent_ns, way.detail)
        return failed(error, way.sent_ns, way.resolution.addresses[0].sockaddr(asking.at), way.detail)


async def _first_answer(exchange: Exchange, question: Question, until_ns: int, way: _Way) -> Answer | None:
    """Raises OSError."""
    while answer := await exchange.answer(until_ns):
        if answer.received_ns > until_ns:
            return None
        if is_answer(question, answer.data):
            return answer
        way.ignored += 1
    return None


def _id(data: bytes) -> bytes | None:
    return data[:2] if len(data) >= 2 else None
