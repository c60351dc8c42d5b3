"""Where the time of one probe went, and whom it met on its way."""

from __future__ import annotations

import ssl
import time
from contextvars import ContextVar
from datetime import UTC
from email.utils import parsedate_to_datetime

import aiohttp

from probes.http.options import HttpOptions
from probes.resolve import Resolver, Sockaddr
from probes.tls import peer_detail
from probes.trace import tell

PHASES = ("resolve", "connect", "tls", "processing", "transfer")
"""What a probe goes through. ``connect`` is TCP alone; ``processing`` is from the request to the headers."""


class Trail:
    """Of one probe. ``detail`` is of the last hop: each redirect begins it anew."""

    __slots__ = ("_phase", "_seconds", "_since_ns", "detail", "options", "resolver", "sent_ns", "sockaddr")

    def __init__(self, resolver: Resolver, options: HttpOptions) -> None:
        self.resolver = resolver
        self.options = options
        self.sent_ns = self._since_ns = time.monotonic_ns()
        self.sockaddr: Sockaddr = ("", 0)
        self.detail: dict[str, object] = {}
        self._phase: str | None = "resolve"
        self._seconds = dict.fromkeys(PHASES, 0.0)

    def enter(self, phase: str) -> None:
        """The phase begins now, and the one before it ends. A redirect goes through them again."""
        now_ns = time.monotonic_ns()
        if self._phase is not None:
            self._seconds[self._phase] += (now_ns - self._since_ns) / 1e9
        self._phase, self._since_ns = phase, now_ns

    def end(self) -> dict[str, float]:
        """The seconds of all phases. What follows is our own work, and no part of any."""
        self.enter("transfer")
        self._phase = None
        return self._seconds

    def connecting(self, sockaddr: Sockaddr) -> None:
        self.enter("connect")
        self.sent_ns = self._since_ns
        self.sockaddr = sockaddr
        self.detail["address"] = sockaddr[0]
        tell("connecting", address=sockaddr[0], port=sockaddr[1])

    def connected(self, tls: ssl.SSLObject | None) -> None:
        self.enter("processing")
        self.sent_ns = self._since_ns
        if tls is not None:
            told = peer_detail(tls)
            self.detail |= told
            tell("TLS", **told)

    def answered(self, response: aiohttp.ClientResponse) -> None:
        self.enter("transfer")
        detail = self.detail
        detail["status"] = response.status
        if response.version is not None:
            detail["http"] = f"{response.version.major}.{response.version.minor}"
        if response.content_length is not None:
            detail["content_length"] = response.content_length
        if modified := _modified(response.headers.get("Last-Modified")):
            detail["last_modified"] = modified
        tell("answer", status=response.status, headers=response.headers)


def _modified(text: str | None) -> str | None:
    """ISO 8601, of a date that is one, in any of the three forms of RFC 9110 §5.6.7, which are all of UTC."""
    if text is None:
        return None
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).isoformat()


current: ContextVar[Trail] = ContextVar("current")
"""The probe under way: the session and its parts are shared, their callbacks run in the probe's context."""
