"""Whom to ask, and for which name: the ``dns:`` URIs of RFC 4501, without their query."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import dns.exception
import dns.name

from probes.target import split

RESOLV_CONF = Path("/etc/resolv.conf")

_EXAMPLE = "dns://ns1.example.net/example.net"


@dataclass(frozen=True, slots=True)
class DnsTarget:
    """``server`` None: the first one that this host asks itself. ``port`` None: the usual one of the transport."""

    server: str | None
    port: int | None
    name: dns.name.Name


def parse_target(text: str) -> DnsTarget:
    """The target of ``dns://SERVER[:PORT]/NAME`` or ``dns:NAME``. Raises ValueError that says what was expected.

    What a URL cannot hold of a name is percent-encoded; ``.`` is the root.
    """
    scheme, _, rest = text.partition(":")
    if scheme.lower() != "dns" or any(c in "?#" or c.isspace() or not c.isprintable() for c in rest):
        raise ValueError(f"expected {_EXAMPLE} or dns:NAME and no more, not {text!r}")
    if not rest.startswith("//"):
        return DnsTarget(None, None, _name(rest, text))
    parts = split(text, _EXAMPLE)
    if parts.port == 0:
        raise ValueError(f"expected a port from 1 to 65535, not {text!r}")
    return DnsTarget(parts.hostname, parts.port, _name(parts.path.removeprefix("/"), text))


def _name(path: str, text: str) -> dns.name.Name:
    if not path:
        raise ValueError(f"expected a name to ask for, such as {_EXAMPLE}, not {text!r}")
    try:
        return dns.name.from_text(unquote(path, errors="strict"))
    except (dns.exception.DNSException, UnicodeError) as error:
        raise ValueError(f"expected a domain name in {text!r}: {error}") from None


def first_nameserver(file: Path = RESOLV_CONF) -> str:
    """The first server that resolv.conf(5) names. Raises OSError where there is none."""
    for line in file.read_text(errors="replace").splitlines():
        match line.split():
            case ["nameserver", address, *_]:
                return address
    raise OSError("no nameserver in resolv.conf")
