"""What the benchmarks probe: a process on loopback that answers SIP (UDP), HTTP and TCP as cheaply as can be.

``python -m benchmarks.responders SIP_PORT HTTP_PORT TCP_PORT`` answers until it is ended.
"""

from __future__ import annotations

import asyncio
import re
import socket
import sys

_KEPT = re.compile(rb"^(?:Via|From|To|Call-ID|CSeq):.*\r\n", re.MULTILINE | re.IGNORECASE)
_HTTP = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"


def sip_answer(request: bytes) -> bytes:
    kept = b"".join(_KEPT.findall(request)).replace(b"\r\nTo:", b"\r\nTo:")
    return b"SIP/2.0 200 OK\r\n" + kept + b"Content-Length: 0\r\n\r\n"


def _answer_sip(channel: socket.socket) -> None:
    while True:
        try:
            request, peer = channel.recvfrom(4096)
        except BlockingIOError:
            return
        channel.sendto(sip_answer(request), peer)


class Http(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(_HTTP)  # type: ignore[attr-defined]
        self.transport.close()


class Tcp(asyncio.Protocol):
    """Accepts, and leaves the closing to the prober."""


async def answer(sip_port: int, http_port: int, tcp_port: int) -> None:
    loop = asyncio.get_running_loop()
    channel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    channel.bind(("127.0.0.1", sip_port))
    channel.setblocking(False)
    loop.add_reader(channel, _answer_sip, channel)
    await loop.create_server(Http, "127.0.0.1", http_port, backlog=4096)
    await loop.create_server(Tcp, "127.0.0.1", tcp_port, backlog=4096)
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(answer(*map(int, sys.argv[1:4])))
