"""Where to listen."""

from __future__ import annotations

from dataclasses import dataclass

_PORTS = 65_536


@dataclass(frozen=True, slots=True)
class Place:
    """``host`` is an address, or ``*`` for every one of this host; ``port`` 0 is any."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_place(text: str) -> Place:
    """``10.20.0.1:862``, ``[fd00::1]:862`` or ``*:862``. Raises ValueError that says what was expected."""
    host, _, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    bracketed = bare != host
    if not bare or bracketed is not (":" in bare) or not _is_port(port):
        raise ValueError(f"expected an address and a port such as 10.20.0.1:862 or *:862, not {text!r}")
    return Place(bare, int(port))


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) < _PORTS
