"""SIP URIs as targets: ``sip:user@host:port;transport=udp`` (RFC 3261 §19.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass

DEFAULT_PORT = 5060
TRANSPORTS = ("udp", "tcp")

_URI = re.compile(
    r"""sip:
    (?:(?P<user>[A-Za-z0-9\-_.!~*'()&=+$,;?/%]+)@)?
    (?P<host>\[[0-9A-Fa-f:.%A-Za-z0-9]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)
    (?::(?P<port>\d{1,5}))?
    (?P<parameters>(?:;[A-Za-z0-9\-_.!~*'()%\[\]/:&+$]+(?:=[A-Za-z0-9\-_.!~*'()%\[\]/:&+$]+)?)*)""",
    re.VERBOSE | re.IGNORECASE,
)
_EXAMPLE = "sip:sbc.example.net:5060;transport=udp"


@dataclass(frozen=True, slots=True)
class SipTarget:
    """Whom to ask, and over what. ``uri`` is the Request-URI; ``host`` an IPv6 address without its brackets."""

    uri: str
    host: str
    port: int
    transport: str
    user: str | None = None


def parse_target(text: str) -> SipTarget:
    """Raises ValueError with what was expected."""
    if text.lower().startswith("sips:"):
        raise ValueError(f"sips: is not probed yet; expected a target such as {_EXAMPLE}")
    match = _URI.fullmatch(text)
    if match is None:
        raise ValueError(f"expected a target such as {_EXAMPLE}, not {text!r}")
    parameters = _parameters(match["parameters"])
    transport = parameters.get("transport", "udp").lower()
    if transport not in TRANSPORTS:
        raise ValueError(f"expected transport=udp or transport=tcp, not {transport!r}")
    port = int(match["port"]) if match["port"] else DEFAULT_PORT
    if not 0 < port < 65_536:
        raise ValueError(f"expected a port from 1 to 65535, not {port}")
    return SipTarget(text, match["host"].strip("[]"), port, transport, match["user"])


def _parameters(text: str) -> dict[str, str]:
    pairs = (one.partition("=") for one in text.split(";") if one)
    return {name.lower(): value for name, _, value in pairs}
