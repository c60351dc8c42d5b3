"""SIP URIs as targets: ``sip:user@host:port;transport=udp`` (RFC 3261 §19.1)."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass

DEFAULT_PORT = 5060
TRANSPORTS = ("udp", "tcp")

_URI = re.compile(
    r"""sip:
    (?:(?P<user>(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/]|%[2-7][0-9A-F])+)@)?
    (?:\[(?P<v6>[0-9A-F:.]+)(?P<zone>%[A-Za-z0-9._-]{1,16})?\]|(?P<name>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?))
    (?::(?P<port>[0-9]{1,5}))?
    (?P<parameters>(?:;[A-Za-z0-9\-_.!~*'()\[\]/:&+$]+(?:=[A-Za-z0-9\-_.!~*'()\[\]/:&+$]+)?)*)""",
    re.VERBOSE | re.IGNORECASE,
)
_EXAMPLE = "sip:sbc.example.net:5060;transport=udp"


@dataclass(frozen=True, slots=True)
class SipTarget:
    """Whom to ask, and over what.

    ``uri`` is the Request-URI; ``host`` an IPv6 address without its brackets, but with its zone, which means
    something on this host only and is not sent.
    """

    uri: str
    host: str
    port: int
    transport: str
    user: str | None = None


def parse_target(text: str) -> SipTarget:
    """Raises ValueError with what was expected."""
    if text.lower().startswith("sips:"):
        raise ValueError(
            f"sips: is not probed yet, only UDP and TCP are; expected a target such as {_EXAMPLE}"
        )
    match = _URI.fullmatch(text)
    if match is None or not _is_v6_or_none(match["v6"]):
        raise ValueError(f"expected a target such as {_EXAMPLE}, not {text!r}")
    parameters = _parameters(match["parameters"])
    transport = parameters.get("transport", "udp").lower()
    if transport not in TRANSPORTS:
        raise ValueError(f"expected transport=udp or transport=tcp, not {transport!r}")
    port = int(match["port"]) if match["port"] else DEFAULT_PORT
    if not 0 < port < 65_536:
        raise ValueError(f"expected a port from 1 to 65535, not {port}")
    zone = match["zone"] or ""
    host = match["name"] or match["v6"] + zone
    uri = f"{text[: match.start('zone')]}{text[match.end('zone') :]}" if zone else text
    return SipTarget(uri, host, port, transport, match["user"])


def _is_v6_or_none(number: str | None) -> bool:
    try:
        return number is None or bool(socket.inet_pton(socket.AF_INET6, number))
    except OSError:
        return False


def _parameters(text: str) -> dict[str, str]:
    pairs = (one.partition("=") for one in text.split(";") if one)
    return {name.lower(): value for name, _, value in pairs}
