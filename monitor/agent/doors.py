"""Where the agent is spoken to: pages and metrics on its address, the operators' commands on its socket."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from monitor.config.values import Configuration
from monitor.control import control_app, socket_path
from monitor.live import Live
from monitor.store.writer import Writer
from monitor.timeline import Timeline
from monitor.web import web_app
from monitor.web.probing import AskedProber


class Doors:
    """The two servers. ``open`` raises OSError where an address cannot be had."""

    def __init__(
        self,
        live: Live,
        configuration: Callable[[], Configuration],
        writer: Writer,
        timeline: Timeline,
        prober: AskedProber,
    ) -> None:
        agent = configuration().agent
        self._listen = agent.listen
        self._socket: Path = socket_path(agent.state_dir)
        self._web = web.AppRunner(
            web_app(live, configuration, agent.database, prober, timeline.now_ms), access_log=None
        )
        self._control = web.AppRunner(control_app(writer.submit, configuration), access_log=None)
        self.address = ""

    async def open(self) -> None:
        host, port = self._listen
        await self._web.setup()
        site = web.TCPSite(self._web, host, port, shutdown_timeout=1.0)
        await site.start()
        self.address = _url(self._web.addresses[0])
        await self._control.setup()
        self._socket.unlink(missing_ok=True)  # of an agent that died; we hold the writer's lock
        await web.UnixSite(self._control, str(self._socket)).start()
        self._socket.chmod(0o660)

    async def close(self) -> None:
        await self._control.cleanup()
        await self._web.cleanup()


def _url(address: tuple[str, int]) -> str:
    host, port = address[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
