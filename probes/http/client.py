"""aiohttp as a prober needs it: no pool, no second address, no decoding, and a trail of every step."""

from __future__ import annotations

import socket
import ssl
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import Connection

from probes.http.trail import current
from probes.local import set_out

_OWN_HEADERS = {"User-Agent": "ringback", "Accept": "*/*", "Accept-Encoding": "identity"}
_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class _Names(AbstractResolver):
    """aiohttp's view of our resolver: one address, so that the outcome can say which one was asked."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        trail = current.get()
        options = trail.options
        found = await trail.resolver.resolve(host, options.reachable, timeout_s=options.timeout / 1000)
        trail.detail.update(found.detail)
        address = found.addresses[0]
        return [
            ResolveResult(
                hostname=host, host=str(address), port=port, family=address.family, proto=0, flags=_NUMERIC
            )
        ]

    async def close(self) -> None:
        pass


class _Connector(aiohttp.TCPConnector):
    async def connect(self, *args: Any, **kwargs: Any) -> Connection:
        trail = current.get()
        trail.enter("resolve")
        trail.detail = {}
        connection = await super().connect(*args, **kwargs)
        transport = connection.transport
        trail.connected(transport.get_extra_info("ssl_object") if transport else None)
        return connection


def _open_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    family, kind, protocol, _, sockaddr = address
    trail = current.get()
    trail.connecting(sockaddr)
    sock = socket.socket(family, kind, protocol)
    try:
        set_out(sock, trail.options.source_address, trail.options.dscp)
    except OSError:
        sock.close()
        raise
    return sock


class TlsContext(ssl.SSLContext):
    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """asyncio calls this once the connection stands and the handshake begins."""
        current.get().enter("tls")
        return super().wrap_bio(*args, **kwargs)


def open_session() -> aiohttp.ClientSession:
    """For the probes of one loop; each sets ``current`` before it asks."""
    return aiohttp.ClientSession(
        connector=_Connector(
            limit=0,
            force_close=True,
            use_dns_cache=False,
            resolver=_Names(),
            happy_eyeballs_delay=None,
            socket_factory=_open_socket,
        ),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=_OWN_HEADERS,
        skip_auto_headers=("Content-Type",),
        auto_decompress=False,
        trust_env=False,
    )
