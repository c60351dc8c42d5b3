"""Whom a reflector answers."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

ANY = "any"
"""The word for every network."""

_REMEMBERED = 256


def parse_network(text: str) -> tuple[Network, ...]:
    """``10.0.0.0/8``, ``2001:db8::/32``, an address alone, or ANY. Raises ValueError that says what was expected."""
    if text == ANY:
        return ipaddress.IPv4Network("0.0.0.0/0"), ipaddress.IPv6Network("::/0")
    try:
        return (ipaddress.ip_network(text),)
    except ValueError as error:
        raise ValueError(f"expected a network such as 10.20.0.0/16, or {ANY}: {error}") from None


class Networks:
    """Whether an address is in one of the networks. Tells of each address that is not, once."""

    def __init__(self, networks: Sequence[Network], on_refused: Callable[[str], None]) -> None:
        self._networks = networks
        self._on_refused = on_refused
        self._told: set[str] = set()

    def __call__(self, host: str) -> bool:
        address = ipaddress.ip_address(host)
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped  # as a socket of both families shows an IPv4 peer
        if any(address in network for network in self._networks):
            return True
        if host not in self._told and len(self._told) < _REMEMBERED:
            self._told.add(host)
            self._on_refused(host)
        return False
