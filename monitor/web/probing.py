"""``/probe``: asks a target once and shows what was seen, as blackbox_exporter does."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from typing import Any

import yaml
from aiohttp import web

from monitor.config.values import Configuration
from monitor.live import Live
from monitor.web import probe_request
from monitor.web.asking import BadRequest, Forbidden
from monitor.web.metrics import CONTENT_TYPE
from monitor.web.probe_exposition import probe_exposition
from monitor.web.probe_request import Asked
from probes.outcome import Outcome
from probes.prober import Prober
from probes.trace import Trace, traced

AskedProber = Callable[[type[Prober[Any, Any]]], Prober[Any, Any]]
"""Of a kind of prober the one that is at work, whose sockets all its probes share."""

RETRY_AFTER_S = 1


class Probing:
    """The probes that are asked for over HTTP, as many at once as the configuration allows."""

    def __init__(self, live: Live, configuration: Callable[[], Configuration], prober: AskedProber) -> None:
        self._live = live
        self._configuration = configuration
        self._prober = prober
        self._under_way = 0

    async def probe(self, request: web.Request) -> web.Response:
        agent = self._configuration().agent
        try:
            if request.headers.get("Sec-Fetch-Site") == "cross-site":
                raise Forbidden("expected a scrape, not a page of another site")
            asked = probe_request.read(request.query, request.headers, agent.modules, agent.probe)
        except BadRequest as error:
            return web.Response(text=f"{error}\n", status=400)
        except Forbidden as error:
            return web.Response(text=f"{error}\n", status=403)
        if not self._live.probing:
            return _later("the agent is starting, or stopping")
        if self._under_way >= agent.probe.concurrency:
            return _later("as many probes are under way as are allowed (agent.probe.concurrency)")
        self._under_way += 1
        try:
            return await self._answer(asked)
        finally:
            self._under_way -= 1

    async def _answer(self, asked: Asked) -> web.Response:
        with traced() if asked.debug else contextlib.nullcontext() as trace:
            begun_ns = time.monotonic_ns()
            outcome = await self._prober(asked.prober).probe(asked.parsed, asked.options)
            took_s = (time.monotonic_ns() - begun_ns) / 1e9
        text = probe_exposition(outcome, asked.prober.metrics, took_s)
        if trace is None:
            return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE})
        return web.Response(text=_debugged(asked, outcome, trace, begun_ns, text))


def _later(why: str) -> web.Response:
    return web.Response(text=f"{why}\n", status=503, headers={"Retry-After": str(RETRY_AFTER_S)})


def _debugged(asked: Asked, outcome: Outcome, trace: Trace, begun_ns: int, metrics: str) -> str:
    steps = [
        f"{(line.at_ns - begun_ns) / 1e6:10.3f} ms  {line.what}"
        + "".join(f" {name}={json.dumps(fact, ensure_ascii=False)}" for name, fact in line.facts.items())
        for line in trace.lines
    ]
    if trace.more:
        steps.append(f"{trace.more} more steps")
    result = f"{outcome.verdict.word}: {outcome.reason}"
    detail = json.dumps(dict(outcome.detail), ensure_ascii=False, default=str)
    return "\n".join(
        (
            f"Logs for the probe: {asked.target}",
            *steps,
            f"Result: {result}",
            f"Detail: {detail}",
            "\n\n\nMetrics that would have been returned:",
            metrics,
            "\n\nModule configuration:",
            _module(asked),
        )
    )


def _module(asked: Asked) -> str:
    """As a check would have it; the secrets of it are in files."""
    module = asked.module
    told = {
        "prober": module.scheme,
        "timeout": f"{asked.options.timeout}ms",
        module.scheme: dict(module.options),
    }
    return yaml.safe_dump(json.loads(json.dumps({module.name: told}, default=str)), sort_keys=False)
