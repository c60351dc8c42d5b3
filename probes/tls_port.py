"""TLS on any port: does the handshake hold, and how long will the certificates? ``tls://host:port``"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from probes.dial import Dialer, DialOptions, Link, not_refused
from probes.metric import Metric
from probes.outcome import Outcome, Verdict
from probes.prober import Options
from probes.stream import Stream
from probes.target import split
from probes.tls_metrics import TLS_METRICS


@dataclass(frozen=True, slots=True)
class TlsTarget:
    host: str
    port: int


class TlsPortOptions(DialOptions):
    """How to connect, whom to trust, and when a certificate ends too soon."""


class TlsProber:
    """Connects, shakes hands, and hangs up; nothing is said to the application behind it."""

    schemes: ClassVar[tuple[str, ...]] = ("tls",)
    options: ClassVar[type[Options]] = TlsPortOptions
    metrics: ClassVar[tuple[Metric, ...]] = TLS_METRICS

    def __init__(self) -> None:
        self._dialer = Dialer()

    @staticmethod
    def parse(text: str) -> TlsTarget:
        parts = split(text, "tls://sbc.example.net:5061")
        if parts.scheme != "tls" or not parts.port or parts.path or parts.query or parts.fragment:
            raise ValueError(f"expected tls://HOST:PORT and no more, not {text!r}")
        return TlsTarget(parts.hostname or "", parts.port)

    async def probe(self, target: TlsTarget, options: TlsPortOptions) -> Outcome:
        return await self._dialer.dial(target.host, target.port, options, self._shake_hands)

    async def close(self) -> None:
        await self._dialer.close()

    async def _shake_hands(self, stream: Stream, link: Link) -> Outcome:
        await self._dialer.secure(stream, link)
        await not_refused(stream, link)
        return link.outcome(Verdict.GOOD, "shaken hands")


PROBER = TlsProber
