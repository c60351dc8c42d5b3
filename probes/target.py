"""Reading the URLs by which targets are named."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

_ZONE = re.compile(r"(\[[^\]]*)%25")  # RFC 6874 §2; the sockets take fe80::1%eth0


def split(text: str, example: str) -> SplitResult:
    """The parts of a target URL with a host and no credentials. Raises ValueError that shows ``example``."""
    try:
        parts = urlsplit(_ZONE.sub(r"\1%", text))
        parts.port  # noqa: B018 (raises for a port that is none)
    except ValueError as error:
        raise ValueError(f"expected a target such as {example}, not {text!r}: {error}") from None
    if not parts.hostname or any(c.isspace() or not c.isprintable() for c in text):
        raise ValueError(f"expected a target such as {example}, not {text!r}")
    if "@" in parts.netloc:
        raise ValueError(f"expected a target without credentials, such as {example}")
    return parts


@dataclass(frozen=True, slots=True)
class HostPort:
    """A name or an address (IPv6 without brackets), and a port of 1 to 65535."""

    host: str
    port: int


def host_and_port(text: str, scheme: str) -> HostPort:
    """What ``scheme://host:port`` names. Raises ValueError where there is more, or less."""
    parts = split(text, f"{scheme}://sbc.example.net:5061")
    if parts.scheme != scheme or not parts.port or parts.path or parts.query or parts.fragment:
        raise ValueError(f"expected {scheme}://HOST:PORT and no more, not {text!r}")
    return HostPort(parts.hostname or "", parts.port)
