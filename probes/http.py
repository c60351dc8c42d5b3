"""HTTP and HTTPS: does a request end in the status that was promised? ``https://host/path``"""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import Connection
from pydantic import BeforeValidator, Field
from yarl import URL

from probes.attention import Deadline, Expired, attended, silence
from probes.blame import failed, not_asked
from probes.metric import Metric
from probes.outcome import Outcome, Verdict
from probes.prober import Options
from probes.resolve import Family, Resolver, Sockaddr, literal
from probes.target import split
from probes.tls import Contexts, TlsOptions, certificate_fault, peer_detail, system_trusts_anyone
from probes.units import Duration

_SECRET_HEADERS = {"authorization", "cookie", "proxy-authorization"}
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2
_OWN_HEADERS = {"User-Agent": "ringback", "Accept": "*/*", "Accept-Encoding": "identity"}
_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV

PHASES = ("resolve", "connect", "tls", "processing", "transfer")
"""What a probe goes through. ``connect`` is TCP alone; ``processing`` is from the request to the headers."""


@dataclass(frozen=True, slots=True)
class HttpTarget:
    url: URL


def _statuses(value: object) -> object:
    """``[200, 404]``, ``[2xx, 401]``: three digits each, or a class."""
    if isinstance(value, frozenset):
        return value
    listed = value if isinstance(value, list | tuple) else [value]
    accepted: set[int] = set()
    for one in map(str, listed):
        if len(one) != 3 or one[0] not in "12345" or not (one[1:] == "xx" or one[1:].isdigit()):
            raise ValueError(f"expected statuses such as 200 or 2xx, not {one!r}")
        first = int(one.replace("x", "0"))
        accepted.update(range(first, first + 100) if one.endswith("xx") else [first])
    return frozenset(accepted)


def _headers(value: object) -> object:
    """A mapping as pairs, so that options stay hashable."""
    if not isinstance(value, Mapping):
        return value
    pairs = tuple((str(name), str(text)) for name, text in value.items())
    for name, text in pairs:
        if name.lower() in _SECRET_HEADERS:
            raise ValueError(f"expected headers without secrets, not {name}")
        if not (_TOKEN.fullmatch(name) and text.isprintable()):
            raise ValueError(f"expected a header such as X-Name: text, not {name!r}: {text!r}")
    return pairs


class HttpOptions(Options, TlsOptions):
    """What an HTTP check can be told."""

    method: Literal["GET", "HEAD", "OPTIONS", "POST"] = "GET"
    status: Annotated[frozenset[int], BeforeValidator(_statuses)] = frozenset(range(200, 300))
    """Statuses that count as good: a list of numbers and classes such as 2xx."""

    headers: Annotated[tuple[tuple[str, str], ...], BeforeValidator(_headers)] = ()
    """A mapping of request headers. Secrets have no place in a configuration, and so not here."""

    follow_redirects: bool = True
    """Follow up to ten, and judge the last answer."""

    family: Family = "any"
    """Which addresses of a name count: any, ipv4 or ipv6. The first one is asked."""

    max_body: int = Field(1 << 20, ge=0)
    """Bytes of the body to read; the rest is left unread, which is no fault of the target."""

    latency_degraded: Duration | None = None
    """Milliseconds from the start of the probe to the end of the body from which on it counts as degraded."""


class _Trail:
    """Where the time of one probe went, and whom it met on its way."""

    __slots__ = ("_phase", "_seconds", "_since_ns", "detail", "options", "resolver", "sent_ns", "sockaddr")

    def __init__(self, resolver: Resolver, options: HttpOptions) -> None:
        self.resolver = resolver
        self.options = options
        self.sent_ns = self._since_ns = time.monotonic_ns()
        self.sockaddr: Sockaddr = ("", 0)
        self.detail: dict[str, object] = {}
        self._phase = "resolve"
        self._seconds = dict.fromkeys(PHASES, 0.0)

    def enter(self, phase: str) -> None:
        """The phase begins now, and the one before it ends. A redirect goes through them again."""
        now_ns = time.monotonic_ns()
        self._seconds[self._phase] += (now_ns - self._since_ns) / 1e9
        self._phase, self._since_ns = phase, now_ns

    def end(self) -> dict[str, float]:
        """The seconds of all phases, with those that the last one took up to now."""
        self.enter(self._phase)
        return self._seconds

    def connecting(self, sockaddr: Sockaddr) -> None:
        self.enter("connect")
        self.sent_ns = self._since_ns
        self.sockaddr = sockaddr
        self.detail["address"] = sockaddr[0]

    def connected(self, tls: ssl.SSLObject | None) -> None:
        self.enter("processing")
        self.sent_ns = self._since_ns
        if tls is not None:
            self.detail |= peer_detail(tls)

    def answered(self, response: aiohttp.ClientResponse) -> None:
        self.enter("transfer")
        self.detail["status"] = response.status
        if response.version is not None:
            self.detail["http"] = f"{response.version.major}.{response.version.minor}"
        if response.history:
            self.detail["redirects"] = len(response.history)
            self.detail["url"] = str(response.url.with_user(None))


_trail: ContextVar[_Trail] = ContextVar("_trail")
"""The probe under way: the session and its parts are shared, their callbacks run in the probe's context."""


class _Names(AbstractResolver):
    """aiohttp's view of our resolver: one address, so that the outcome can say which one was asked."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        trail = _trail.get()
        timeout_s = trail.options.timeout / 1000
        found = await trail.resolver.resolve(host, trail.options.family, timeout_s=timeout_s)
        trail.detail.update(found.detail)
        address = found.addresses[0]
        return [
            ResolveResult(
                hostname=host, host=str(address), port=port, family=address.family, proto=0, flags=_NUMERIC
            )
        ]

    async def close(self) -> None:
        pass


class _Connector(aiohttp.TCPConnector):
    async def connect(self, *args: Any, **kwargs: Any) -> Connection:
        trail = _trail.get()
        trail.enter("resolve")
        connection = await super().connect(*args, **kwargs)
        transport = connection.transport
        trail.connected(transport.get_extra_info("ssl_object") if transport else None)
        return connection


def _open_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    family, kind, protocol, _, sockaddr = address
    _trail.get().connecting(sockaddr)
    return socket.socket(family, kind, protocol)


class _TlsContext(ssl.SSLContext):
    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """asyncio calls this once the connection stands and the handshake begins."""
        _trail.get().enter("tls")
        return super().wrap_bio(*args, **kwargs)


class HttpProber:
    """Makes a fresh connection for each probe, reads the body, and hangs up.

    The phases resolve, connect, tls, processing and transfer are always all there, and add up to the round
    trip, which is the time from the start of the probe to the end of the body. Where the loop was late the round
    trip is unknown: unlike a connection, an answer in pieces has no time stamps of the kernel's.
    """

    schemes: ClassVar[tuple[str, ...]] = ("http", "https")
    options: ClassVar[type[Options]] = HttpOptions
    metrics: ClassVar[tuple[Metric, ...]] = ()

    def __init__(self) -> None:
        self._resolver = Resolver()
        self._contexts = Contexts(_TlsContext)
        self._contexts.get(HttpOptions())  # takes 20 ms: not in the first probe
        self._blocks: set[attended] = set()
        self._closed = False
        self._session = aiohttp.ClientSession(
            connector=_Connector(
                limit=0,
                force_close=True,
                use_dns_cache=False,
                resolver=_Names(),
                happy_eyeballs_delay=None,
                socket_factory=_open_socket,
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=_OWN_HEADERS,
            auto_decompress=False,
            trust_env=False,
        )

    @staticmethod
    def parse(text: str) -> HttpTarget:
        parts = split(text, "https://pbx.example.net/status")
        if parts.scheme not in HttpProber.schemes:
            raise ValueError(f"expected http:// or https://, not {text!r}")
        return HttpTarget(URL(text).with_fragment(None))

    async def probe(self, target: HttpTarget, options: HttpOptions) -> Outcome:
        trail = _Trail(self._resolver, options)
        block = attended(options.timeout / 1000)
        token = _trail.set(trail)
        self._blocks.add(block)
        try:
            async with block:
                outcome = await self._ask(target, options, trail)
        except (Expired, aiohttp.ClientError, OSError) as error:
            outcome = self._failure(error, trail, block.deadline)
        finally:
            self._blocks.discard(block)
            _trail.reset(token)
        return _timed(outcome, options, trail.end(), block.deadline)

    async def close(self) -> None:
        self._closed = True
        for block in self._blocks:
            block.end()
        await self._session.close()
        await self._resolver.close()

    async def _ask(self, target: HttpTarget, options: HttpOptions, trail: _Trail) -> Outcome:
        """Raises Expired, aiohttp.ClientError, and OSError for what this host lacks."""
        if self._closed:
            raise OSError("prober was closed")
        literal(target.url.host or "", options.family)
        async with self._session.request(
            options.method,
            target.url,
            headers=options.headers,
            allow_redirects=options.follow_redirects,
            ssl=self._contexts.get(options),
            server_hostname=options.server_name,
        ) as response:
            trail.answered(response)
            trail.detail["body_bytes"] = await _read(response.content, options.max_body)
        verdict = Verdict.GOOD if response.status in options.status else Verdict.BAD
        return Outcome(verdict, trail.sent_ns, str(response.status), detail=trail.detail)

    def _failure(
        self, error: Expired | aiohttp.ClientError | OSError, trail: _Trail, deadline: Deadline
    ) -> Outcome:
        """The outcome of a probe without an answer. A peer may hang up on us because our own loop was late."""
        if self._closed:
            return not_asked(OSError("prober was closed"), trail.sent_ns, trail.detail)
        if isinstance(error, Expired) or deadline.unattended:
            return silence(deadline, trail.sent_ns, trail.detail, resolve_s=trail.end()["resolve"])
        if isinstance(error, aiohttp.ClientError):
            return _blame(error, trail)
        return not_asked(error, trail.sent_ns, trail.detail)


async def _read(body: aiohttp.StreamReader, limit: int) -> int:
    """The number of bytes that came, up to the end or the first chunk that reaches the limit."""
    read = 0
    async for chunk in body.iter_any():
        read += len(chunk)
        if read >= limit:
            break
    return read


def _timed(outcome: Outcome, options: HttpOptions, seconds: dict[str, float], deadline: Deadline) -> Outcome:
    phases = tuple(seconds.items())
    if outcome.verdict is not Verdict.GOOD:
        return replace(outcome, phases=phases)
    if (stalled_s := deadline.stalled_s) > 0:
        late = {**outcome.detail, "loop_stalled_s": round(stalled_s, 3)}
        return replace(outcome, phases=phases, detail=late)
    total_s = sum(seconds.values())
    if options.latency_degraded is not None and total_s * 1000 >= options.latency_degraded:
        outcome = replace(outcome, verdict=Verdict.DEGRADED, reason="slow")
    return replace(outcome, phases=phases, round_trip_s=total_s)


def _blame(error: aiohttp.ClientError, trail: _Trail) -> Outcome:
    detail = {**trail.detail, "error": _words(error)}
    match error:
        case aiohttp.ClientConnectorDNSError():
            return not_asked(error.os_error, trail.sent_ns, trail.detail)
        case aiohttp.ClientConnectorCertificateError() if not (
            trail.options.ca_file or system_trusts_anyone()
        ):
            return not_asked(OSError("no CA certificates on this host"), trail.sent_ns, detail)
        case aiohttp.ClientConnectorCertificateError():
            reason = certificate_fault(error.certificate_error)
        case aiohttp.ClientConnectorSSLError():
            reason = "TLS handshake failed"
        case aiohttp.ClientConnectorError():
            return failed(error.os_error, trail.sent_ns, trail.sockaddr, detail)
        case aiohttp.ClientOSError():
            return failed(error, trail.sent_ns, trail.sockaddr, detail)
        case aiohttp.ServerDisconnectedError():
            reason = "closed without an answer"
        case aiohttp.ClientPayloadError():
            reason = "body broken off"
        case aiohttp.TooManyRedirects():
            reason = "too many redirects"
        case aiohttp.RedirectClientError():
            reason = "bad redirect"
        case aiohttp.InvalidURL():
            return Outcome(Verdict.NOT_ASKED, trail.sent_ns, "invalid URL", detail=detail)
        case _:
            reason = "not HTTP"
    return Outcome(Verdict.BAD, trail.sent_ns, reason, detail=detail)


def _words(error: aiohttp.ClientError) -> str:
    """What went wrong, without aiohttp's own wrapping."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return str(error.certificate_error)
    if isinstance(error, aiohttp.ClientConnectorError):
        return str(error.os_error)
    return str(error) or type(error).__name__


PROBER = HttpProber
