"""Asking once over HTTP."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import ClassVar

import aiohttp
from yarl import URL

from probes.attention import Deadline, Expired, attended, silence
from probes.blame import not_asked
from probes.expiry import judged_by_expiry
from probes.http.body import read_body
from probes.http.client import TlsContext, open_session
from probes.http.failure import failure
from probes.http.judgement import Answer, judged
from probes.http.metrics import METRICS
from probes.http.options import HttpOptions
from probes.http.request import BadRedirect, Request, first_request, redirected
from probes.http.trail import Trail, current
from probes.http.url import askable
from probes.metric import Metric
from probes.outcome import Outcome, Verdict
from probes.prober import Options
from probes.resolve import Resolver, literal
from probes.target import split
from probes.tls import Contexts
from probes.trace import tell

_EXAMPLE = "https://pbx.example.net/status"
_JUDGED_AT_ONCE = 65_536
"""Bytes of a body that are searched in the loop; more, and JSON, in a thread."""


@dataclass(frozen=True, slots=True)
class HttpTarget:
    url: URL


class HttpProber:
    """Makes a fresh connection for each request, reads the body, and hangs up.

    The phases resolve, connect, tls, processing and transfer are always all there, and add up to the round
    trip, which is the time from the start of the probe to the end of the body. Where the loop was late the round
    trip is unknown: unlike a connection, an answer in pieces has no time stamps of the kernel's.
    """

    schemes: ClassVar[tuple[str, ...]] = ("http", "https")
    options: ClassVar[type[Options]] = HttpOptions
    metrics: ClassVar[tuple[Metric, ...]] = METRICS

    def __init__(self) -> None:
        self._resolver = Resolver()
        self._contexts = Contexts(TlsContext)
        self._contexts.get(HttpOptions())  # takes 20 ms: not in the first probe
        self._blocks: set[attended] = set()
        self._closed = False
        self._session = open_session()

    @staticmethod
    def parse(text: str) -> HttpTarget:
        parts = split(text, _EXAMPLE)
        try:
            return HttpTarget(askable(URL(parts.geturl())))
        except ValueError as error:
            raise ValueError(f"expected a target such as {_EXAMPLE}, not {text!r}: {error}") from None

    async def probe(self, target: HttpTarget, options: HttpOptions) -> Outcome:
        trail = Trail(self._resolver, options)
        block = attended(options.timeout / 1000)
        token = current.set(trail)
        self._blocks.add(block)
        try:
            async with block:
                answer = await self._ask(target, options, trail)
            stalled_s = block.deadline.stalled_s
        except (Expired, aiohttp.ClientError, BadRedirect, OSError) as error:
            tell("failed", error=error)
            outcome = self._failure(error, trail, block.deadline)
            return replace(outcome, phases=tuple(trail.end().items()))
        finally:
            self._blocks.discard(block)
            current.reset(token)
        return judged_by_expiry(_timed(await _judged(answer, trail), trail, stalled_s), options)

    async def close(self) -> None:
        self._closed = True
        for block in self._blocks:
            block.end()
        await self._session.close()
        await self._resolver.close()

    async def _ask(self, target: HttpTarget, options: HttpOptions, trail: Trail) -> Answer:
        """Raises Expired, aiohttp.ClientError, BadRedirect, and OSError for what this host lacks."""
        request = first_request(target.url, options)
        while True:
            async with self._send(request, options) as response:
                trail.answered(response)
                if request.hops:
                    trail.detail |= {"redirects": request.hops, "url": str(request.url)}
                following = _following(request, response) if options.follow_redirects else None
                if following is None:
                    return await _read(response, trail)
            tell("redirect", to=following.url)
            request = following

    def _send(
        self, request: Request, options: HttpOptions
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """Raises OSError for what this host lacks."""
        if self._closed:
            raise OSError("prober was closed")
        literal(request.url.host or "", options.reachable)
        tell("request", method=request.method, url=request.url)
        return self._session.request(
            request.method,
            request.url,
            headers=request.all_headers,
            data=request.body or None,
            allow_redirects=False,
            ssl=self._contexts.get(options) if request.url.scheme == "https" else True,
            server_hostname=request.server_name,
        )

    def _failure(
        self, error: Expired | aiohttp.ClientError | BadRedirect | OSError, trail: Trail, deadline: Deadline
    ) -> Outcome:
        """The outcome of a probe without an answer. A peer may hang up on us because our own loop was late."""
        if self._closed:
            return not_asked(OSError("prober was closed"), trail.sent_ns, trail.detail)
        if isinstance(error, Expired) or deadline.unattended:
            return silence(deadline, trail.sent_ns, trail.detail, resolve_s=trail.end()["resolve"])
        if isinstance(error, aiohttp.ClientError | BadRedirect):
            return failure(error, trail)
        return not_asked(error, trail.sent_ns, trail.detail)


def _following(request: Request, response: aiohttp.ClientResponse) -> Request | None:
    cookies = {name: morsel.coded_value for name, morsel in response.cookies.items()}
    return redirected(request, response.status, response.headers.get("Location"), cookies)


async def _read(response: aiohttp.ClientResponse, trail: Trail) -> Answer:
    """Raises aiohttp.ClientError."""
    body = await read_body(response.content, trail.options)
    trail.end()
    trail.detail["body_bytes"] = body.size
    version = str(trail.detail.get("http", ""))
    return Answer(response.status, version, "tls" in trail.detail, response.headers, body)


async def _judged(answer: Answer, trail: Trail) -> Outcome:
    """What is slow here is no time-out of the target's."""
    options = trail.options
    if options.json_matches or len(answer.body.data) > _JUDGED_AT_ONCE:
        found = await asyncio.to_thread(judged, answer, options)
    else:
        found = judged(answer, options)
    tell("judged", reason=found.reason, **found.detail)
    return Outcome(found.verdict, trail.sent_ns, found.reason, detail={**trail.detail, **found.detail})


def _timed(outcome: Outcome, trail: Trail, stalled_s: float) -> Outcome:
    """With its phases; a good one with its round trip, if the loop was there to see it."""
    seconds = trail.end()
    outcome = replace(outcome, phases=tuple(seconds.items()))
    if outcome.verdict is not Verdict.GOOD:
        return outcome
    if stalled_s > 0:
        return replace(outcome, detail={**outcome.detail, "loop_stalled_s": round(stalled_s, 3)})
    total_s, limit = sum(seconds.values()), trail.options.latency_degraded
    if limit is not None and total_s * 1000 >= limit:
        outcome = replace(outcome, verdict=Verdict.DEGRADED, reason="slow")
    return replace(outcome, round_trip_s=total_s)
