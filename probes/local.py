"""Which way a probe takes from this host: the family of the address, the address of our own, the marking."""

from __future__ import annotations

import socket
from typing import Annotated

from pydantic import AfterValidator, Field

from probes.prober import Options
from probes.resolve import Family, Unresolved, literal

_IP_BIND_ADDRESS_NO_PORT = 24  # <linux/in.h>


def _is_address(text: str) -> str:
    try:
        known = literal(text)
    except Unresolved:
        return text  # of an interface that may be there later
    if known is None:
        raise ValueError(f"expected an IP address of this host, not {text!r}")
    return text


class WayOptions(Options):
    """Which way a connection takes."""

    family: Family = "any"
    """Which addresses of a name count. The first one is asked."""

    source_address: Annotated[str, AfterValidator(_is_address)] | None = None
    """Address of this host from which to ask. Only addresses of its family are asked then."""

    dscp: Annotated[int, Field(ge=0, le=63)] = 0
    """Differentiated services code point of what we send (RFC 2474)."""

    @property
    def reachable(self) -> Family:
        """The addresses that can be asked. Raises OSError where our own one is of a family that is not wanted."""
        if self.source_address is None:
            return self.family
        ours: Family = "ipv6" if ":" in self.source_address else "ipv4"
        if self.family in ("ipv4", "ipv6") and self.family != ours:
            raise OSError("source_address is of the other family")
        return ours


def set_out(sock: socket.socket, source: str | None, dscp: int) -> None:
    """Have a socket that is not connected yet send from ``source``, and mark what it sends. Raises OSError."""
    if dscp:
        mark_packets(sock, dscp)
    if source is not None:
        # the kernel then chooses the port by the destination, too: there are as many as it has ports
        sock.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
        found = literal(source)
        assert found is not None
        sock.bind(found.addresses[0].sockaddr(0))


def mark_packets(sock: socket.socket, dscp: int) -> None:
    """Mark what the socket sends with a DSCP of 0 to 63 (RFC 2474)."""
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, dscp << 2)
    else:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, dscp << 2)
