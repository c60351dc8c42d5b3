"""The sockets at which our own servers are asked."""

from __future__ import annotations

import socket

from probes.resolve import Address, literal

EVERYWHERE = "*"
"""The host that stands for every address of this one, IPv4 and IPv6."""

_EVERY = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}  # noqa: S104 (they are meant to be reached)


def addresses(host: str) -> list[Address]:
    """Those that a literal address, or EVERYWHERE, stands for. Raises OSError for anything else."""
    if host == EVERYWHERE:
        families = [socket.AF_INET, socket.AF_INET6] if socket.has_ipv6 else [socket.AF_INET]
        return [Address(family, _EVERY[family]) for family in families]
    known = literal(host)
    if known is None:
        raise OSError(f"expected an IP address of this host, not {host!r}")
    return list(known.addresses)


def bound(address: Address, kind: socket.SocketKind, port: int) -> socket.socket:
    """A socket that does not block, for this family alone. Raises OSError where the port cannot be had."""
    sock = socket.socket(address.family, kind)
    try:
        sock.setblocking(False)
        if address.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address.sockaddr(port))
    except OSError:
        sock.close()
        raise
    return sock
