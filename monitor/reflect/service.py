"""The life of the reflect process: open, say so, answer, stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

import structlog

from monitor.agent import logs
from monitor.agent.notify import ServiceManager
from monitor.reflect.networks import Network, Networks
from monitor.reflect.place import Place
from probes.stamp.reflector import Reflector

log = structlog.get_logger("reflect")


@dataclass(frozen=True, slots=True)
class Settings:
    """What is answered where, and for whom. A place that is None is not listened at."""

    networks: Sequence[Network]
    stamp: Place | None
    sip: Place | None


class CannotListen(OSError):
    """A place is taken, is not ours, or is not for us; ``str()`` says which and why."""


class _Server(Protocol):
    async def serve(self, host: str, port: int) -> int: ...

    async def close(self) -> None: ...


def run(settings: Settings) -> None:
    """Answer until SIGTERM or SIGINT. Raises CannotListen."""
    logs.configure("auto", "info")
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    allow = Networks(settings.networks, lambda host: log.warning("not in an allowed network", source=host))
    reflector = Reflector(allow)
    servers: list[_Server] = []
    listening: dict[str, str] = {}
    try:
        if settings.stamp is not None:
            servers.append(reflector)
            listening["stamp"] = await _open(reflector, settings.stamp)
        if settings.sip is not None:
            from probes.echo import EchoServer  # noqa: PLC0415 - not needed to reflect packets alone

            servers.append(EchoServer(allow))
            listening["sip"] = await _open(servers[-1], settings.sip)
        await _answer(listening, stop)
    finally:
        for server in servers:
            await server.close()
    log.info("stopped", **asdict(reflector.tally))


async def _open(server: _Server, place: Place) -> str:
    """The place as it came to be. Raises CannotListen."""
    try:
        port = await server.serve(place.host, place.port)
    except OSError as error:
        hint = "; ports below 1024 need CAP_NET_BIND_SERVICE" if isinstance(error, PermissionError) else ""
        raise CannotListen(f"cannot listen at {place}: {error.strerror or error}{hint}") from error
    return str(Place(place.host, port))


async def _answer(listening: dict[str, str], stop: asyncio.Event) -> None:
    manager = ServiceManager()
    log.info("ready", **listening)
    manager.ready("answering " + ", ".join(f"{name} at {place}" for name, place in listening.items()))
    await stop.wait()
    manager.stopping()
    log.info("stopping")
