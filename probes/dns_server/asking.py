"""One question to one server, and what came of it before anybody judges the answer."""

from __future__ import annotations

from dataclasses import dataclass

from probes.dns_server.options import PORTS, DnsOptions
from probes.dns_server.question import Question
from probes.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Asking:
    """Whom to ask what, and how. ``port`` None: the usual one of the transport."""

    server: str
    port: int | None
    question: Question
    options: DnsOptions

    @property
    def at(self) -> int:
        return self.port or PORTS[self.options.transport]


@dataclass(frozen=True, slots=True)
class Reply:
    """``data``: the message that answers the question, and then ``outcome`` is good as far as the way is
    concerned; None where there is none."""

    outcome: Outcome
    data: bytes | None = None
