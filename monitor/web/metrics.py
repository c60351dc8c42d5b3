"""``/metrics``: the exposition, rendered in turns with everything else that the loop has to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from itertools import chain

from aiohttp import web

from monitor.live import Live
from monitor.web.agent_metrics import agent_exposition, agent_registry
from monitor.web.claim_metrics import claim_exposition
from monitor.web.exposition import Exposition
from monitor.web.incident_metrics import incident_exposition
from monitor.web.slices import Shared, in_turns

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Scrapes that come at once get the same rendering."""

    def __init__(self, live: Live, now_ms: Callable[[], int]) -> None:
        self._live = live
        self._registry = agent_registry(live)
        self._exposition = Exposition(live.services)
        self._now_ms = now_ms
        self._shared = Shared()

    async def scrape(self, request: web.Request) -> web.StreamResponse:
        """Prometheus' text format, whatever else the client says that it would accept."""
        response = web.StreamResponse(headers={"Content-Type": CONTENT_TYPE})
        if request.method == "HEAD":
            await response.prepare(request)
            return response
        pieces = await self._shared.result("", lambda: in_turns(self._pieces()))
        response.content_length = sum(map(len, pieces))
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
            await asyncio.sleep(0)  # to a reader that keeps up write never waits
        return response

    def _pieces(self) -> Iterator[bytes]:
        yield agent_exposition(self._registry).encode()
        for text in chain(
            self._exposition.pieces(self._now_ms()),
            claim_exposition(self._live.claims),
            incident_exposition(self._live.incidents),
        ):
            yield text.encode()
