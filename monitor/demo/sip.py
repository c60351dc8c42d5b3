"""The lab's SIP endpoint: what a healthy trunk says to OPTIONS (RFC 3261 §§8.2.6, 11.2; RFC 3581)."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
from collections.abc import Iterator
from typing import cast

_FULL_NAME = {"v": "via", "f": "from", "t": "to", "i": "call-id", "l": "content-length"}
_COPIED = ("via", "from", "to", "call-id", "cseq")
_RPORT = re.compile(r";\s*rport(?=[;,\s]|$)", re.IGNORECASE)
_LARGEST = 65_536
_ATTEMPTS = 20


class Endpoint:
    """Answers while ``answering``; otherwise it takes every request in, and says nothing."""

    def __init__(self) -> None:
        self.answering = True

    async def serve(self, host: str) -> int:
        """Over UDP and TCP; returns the port. Raises OSError where no port is free for both."""
        loop = asyncio.get_running_loop()
        left = _ATTEMPTS
        while True:
            datagrams, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), (host, 0))
            try:
                return await self.serve_tcp(host, datagrams.get_extra_info("sockname")[1])
            except OSError:
                datagrams.close()
                left -= 1
                if not left:
                    raise

    async def serve_tcp(self, host: str, port: int = 0) -> int:
        """Returns the port."""
        server = await asyncio.start_server(self._converse, host, port, limit=_LARGEST)
        return int(server.sockets[0].getsockname()[1])

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")[:2]
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(_content_length(request))
                if self.answering and (response := answer(request, peer)):
                    writer.write(response)
                    await writer.drain()
        writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._endpoint.answering and (response := answer(data, addr[:2])):
            self._transport.sendto(response, addr)


def answer(request: bytes, peer: tuple[str, int]) -> bytes | None:
    """The response to a request that came from ``peer``: 200 to OPTIONS, 405 to all else, None to what is no
    request or must not be answered (ACK)."""
    first, *lines = request.decode(errors="replace").partition("\r\n\r\n")[0].split("\r\n")
    method, _, rest = first.partition(" ")
    headers = [_header(line) for line in lines if ":" in line]
    names = {name for name, _, _ in headers}
    if not rest.endswith(" SIP/2.0") or method == "ACK" or not names.issuperset(_COPIED):
        return None
    status = "200 OK" if method == "OPTIONS" else "405 Method Not Allowed"
    out = [f"SIP/2.0 {status}", *_copies(headers, peer)]
    out += ["Allow: OPTIONS", "Accept: application/sdp", "Server: ringback-lab", "Content-Length: 0", "", ""]
    return "\r\n".join(out).encode()


def _copies(headers: list[tuple[str, str, str]], peer: tuple[str, int]) -> Iterator[str]:
    """The headers that a response takes over, in their order."""
    topmost = True
    for name, label, value in headers:
        if name == "via" and topmost:
            topmost = False
            yield f"{label}: {_seen_from(value, peer)}"
        elif name == "to" and ";tag=" not in value.lower():
            yield f"{label}: {value};tag={secrets.token_hex(4)}"
        elif name in _COPIED:
            yield f"{label}: {value}"


def _header(line: str) -> tuple[str, str, str]:
    """The name in full and lower case, the name as written, the value."""
    label, _, value = line.partition(":")
    name = label.strip().lower()
    return _FULL_NAME.get(name, name), label.strip(), value.strip()


def _seen_from(via: str, peer: tuple[str, int]) -> str:
    """The topmost Via as the server gives it back: with the address that the request really came from."""
    host, port = peer
    first, comma, others = via.partition(",")
    first = _RPORT.sub(f";rport={port}", first, count=1)
    return f"{first};received={host}{comma}{others}"


def _content_length(request: bytes) -> int:
    for line in request.decode(errors="replace").split("\r\n")[1:]:
        if ":" in line:
            name, _, value = _header(line)
            if name == "content-length" and value.isdecimal():
                return min(int(value), _LARGEST)
    return 0
