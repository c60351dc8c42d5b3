"""``/healthz`` and ``/readyz``: does the process live, does it do its work."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from monitor.config.values import Configuration
from monitor.live import Live
from monitor.store.timelines import FRESH_MS


class Health:
    """Answers are small JSON objects."""

    def __init__(
        self, live: Live, configuration: Callable[[], Configuration], now_ms: Callable[[], int]
    ) -> None:
        self._live = live
        self._configuration = configuration
        self._now_ms = now_ms

    async def healthz(self, _: web.Request) -> web.Response:
        """That it answers at all is the news: the loop turns."""
        return web.json_response({"status": "alive", "version": self._live.version})

    async def readyz(self, _: web.Request) -> web.Response:
        reasons = self.troubles()
        if reasons:
            return web.json_response({"status": "not ready", "reasons": reasons}, status=503)
        return web.json_response({"status": "ready"})

    def troubles(self) -> list[str]:
        """Why the agent is not probing and writing, in plain words; empty: it is."""
        live = self._live
        reasons = []
        if not live.probing:
            reasons.append("not probing: the agent is starting or stopping")
        if live.store_failing is not None:
            reasons.append(f"the database cannot be written: {live.store_failing}")
        behind_ms = self._now_ms() - live.covered_ms
        if live.covered_ms and behind_ms > max(FRESH_MS, 3 * self._configuration().agent.heartbeat_ms):
            reasons.append(f"nothing has been written for {behind_ms // 1000} s")
        return reasons
