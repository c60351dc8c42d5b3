"""The endpoints that the demo watches, on loopback, in a process of their own: ``python -m monitor.demo.lab``.

It writes one line, the ports as JSON, and then does what it is told on its standard input: ``trunk silent`` and
``trunk answers``. When that is closed it ends, so that it cannot outlive whoever started it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import sys
from dataclasses import asdict

from aiohttp import web

from monitor.demo import snmp
from monitor.demo.orders import HOST, TRUNK_ANSWERS, TRUNK_SILENT, Ports
from monitor.demo.sip import Endpoint


class Lab:
    """Everything that answers."""

    def __init__(self) -> None:
        self.trunk = Endpoint()
        self.pbx = Endpoint()

    async def open(self) -> Ports:
        """Raises OSError where an address cannot be had."""
        trunk = await self.trunk.serve(HOST)
        pbx = await self.pbx.serve_tcp(HOST)
        accepting = await asyncio.start_server(_accept, HOST, 0)
        tcp = accepting.sockets[0].getsockname()[1]
        uptime = _free_udp_port()
        snmp.serve(HOST, uptime)
        return Ports(trunk, pbx, await _serve_web(), tcp, uptime)

    def obey(self, word: str) -> None:
        if word == TRUNK_SILENT:
            self.trunk.answering = False
        elif word == TRUNK_ANSWERS:
            self.trunk.answering = True


async def _accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        await reader.read()
    writer.close()


async def _serve_web() -> int:
    app = web.Application()
    app.router.add_get("/", _administration)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    return int(runner.addresses[0][1])


async def _administration(_: web.Request) -> web.Response:
    return web.Response(text="PBX administration\n")


def _free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((HOST, 0))
        return int(sock.getsockname()[1])


async def run() -> None:
    loop = asyncio.get_running_loop()
    lab = Lab()
    ports = await lab.open()
    print(json.dumps(asdict(ports)), flush=True)
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    ended = asyncio.current_task()
    assert ended is not None
    loop.add_signal_handler(signal.SIGTERM, ended.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        while line := await orders.readline():
            lab.obey(line.decode().strip())


if __name__ == "__main__":
    asyncio.run(run())
