"""``/events``: tells open pages when to look again (server-sent events)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

from aiohttp import web

from monitor.live import Live, LiveService
from monitor.web.slices import in_turns

LISTENERS = 100
"""Pages that listen at once at most."""

LOOK_S = 1.0
"""How often states are compared while somebody listens."""

TICK = 10
"""Every so many looks an event comes although no state changed: figures and durations grow."""

SLICE = 1_000
"""Services that are compared before the loop gets its turn."""


class Events:
    """Sends ``change`` within a second of a change of state, and ``tick`` now and then."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._listeners: set[asyncio.Queue[str | None]] = set()
        self._looking: asyncio.Task[None] | None = None

    async def listen(self, request: web.Request) -> web.StreamResponse:
        if len(self._listeners) >= LISTENERS:
            raise web.HTTPServiceUnavailable(
                text="too many pages are listening", headers={"Retry-After": "30"}
            )
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
        )
        await response.prepare(request)
        if request.method == "HEAD":
            return response
        waiting: asyncio.Queue[str | None] = asyncio.Queue(maxsize=1)
        self._listeners.add(waiting)
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        try:
            await response.write(b"retry: 3000\n\n")
            while (event := await waiting.get()) is not None:
                await response.write(f"event: {event}\ndata:\n\n".encode())
        except ConnectionResetError:
            pass  # the page was closed
        finally:
            self._leave(waiting)
        return response

    async def close(self, _: web.Application) -> None:
        """End all streams: the agent stops, and does not wait for open pages."""
        for waiting in self._listeners:
            with contextlib.suppress(asyncio.QueueEmpty):
                waiting.get_nowait()
            waiting.put_nowait(None)

    def _leave(self, waiting: asyncio.Queue[str | None]) -> None:
        self._listeners.discard(waiting)
        if not self._listeners and self._looking is not None:
            self._looking.cancel()
            self._looking = None

    async def _look(self) -> None:
        seen = await in_turns(self._marks())
        looks = 0
        while True:
            await asyncio.sleep(LOOK_S)
            looks += 1
            marks = await in_turns(self._marks())
            if marks != seen:
                seen = marks
                self._tell("change")
            elif looks % TICK == 0:
                self._tell("tick")

    def _tell(self, event: str) -> None:
        for waiting in self._listeners:
            if waiting.empty():
                waiting.put_nowait(event)

    def _marks(self) -> Iterator[int]:
        """What is compared: the states of everything, a number for each slice."""
        live = self._live
        yield hash((live.cut_off, live.store_failing is None, live.config_ok, live.probing))
        services = tuple(live.services.values())
        for start in range(0, len(services), SLICE):
            yield hash(tuple(map(_mark, services[start : start + SLICE])))


def _mark(service: LiveService) -> tuple[str, int, int | None]:
    return service.config.id, service.state, service.since_ms
