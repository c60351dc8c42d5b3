"""SIP URIs (RFC 3261 §19.1): targets such as ``sip:user@host:port;transport=udp``, and those in headers."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass

TRANSPORTS = ("udp", "tcp", "tls")

_URI = re.compile(
    r"""(?P<scheme>sips?):
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
    something on this host only and is not sent. Where the URI names no ``port`` or no ``transport``, RFC 3263
    says what they are. ``secure``: a ``sips:`` URI, or TLS by name.
    """

    uri: str
    host: str
    port: int | None
    transport: str | None
    user: str | None = None
    secure: bool = False

    @property
    def domain(self) -> str:
        """The host as it stands in a URI."""
        host = self.host.partition("%")[0]
        return f"[{host}]" if ":" in host else host

    def record(self, user: str | None) -> str:
        """The URI of a user at this domain as it may stand in To and From: without port and transport
        (RFC 3261 §19.1.1, table 1)."""
        return f"{self.scheme}:{user}@{self.domain}" if user else f"{self.scheme}:{self.domain}"

    @property
    def scheme(self) -> str:
        return "sips" if self.uri[:5].lower() == "sips:" else "sip"


def parse_target(text: str) -> SipTarget:
    """Raises ValueError with what was expected."""
    match = _URI.fullmatch(text)
    if match is None or not _is_v6_or_none(match["v6"]):
        raise ValueError(f"expected a target such as {_EXAMPLE}, not {text!r}")
    transport = _parameters(match["parameters"]).get("transport")
    if transport is not None and transport.lower() not in TRANSPORTS:
        raise ValueError(f"expected transport=udp, transport=tcp or transport=tls, not {transport!r}")
    port = int(match["port"]) if match["port"] else None
    if port is not None and not 0 < port < 65_536:
        raise ValueError(f"expected a port from 1 to 65535, not {port}")
    zone = match["zone"] or ""
    uri = f"{text[: match.start('zone')]}{text[match.end('zone') :]}" if zone else text
    return SipTarget(
        uri=uri,
        host=match["name"] or match["v6"] + zone,
        port=port,
        transport=_transport(match["scheme"].lower() == "sips", transport),
        user=match["user"],
        secure=match["scheme"].lower() == "sips" or (transport or "").lower() == "tls",
    )


def parse_uri(text: str) -> str:
    """A URI as it may stand in To, From and Contact. Raises ValueError with what was expected."""
    if parse_target(text).host.find("%") >= 0:
        raise ValueError(f"expected an address without an interface, not {text!r}")
    return text


def parse_route(text: str) -> str:
    """The URI of a proxy that routes loosely (RFC 3261 §16.12). Raises ValueError with what was expected."""
    match = _URI.fullmatch(parse_uri(text))
    if match is None or "lr" not in _parameters(match["parameters"]):
        raise ValueError(f"expected a route such as sip:proxy.example.net;lr, not {text!r}")
    return text


def _transport(sips: bool, named: str | None) -> str | None:
    """``sips:`` means TLS, whatever reliable transport is named below it (RFC 3261 §26.2.2)."""
    if not sips:
        return named.lower() if named else None
    if named is not None and named.lower() == "udp":
        raise ValueError("expected sips: over TLS; transport=udp has none")
    return "tls"


def _is_v6_or_none(number: str | None) -> bool:
    try:
        return number is None or bool(socket.inet_pton(socket.AF_INET6, number))
    except OSError:
        return False


def _parameters(text: str) -> dict[str, str]:
    pairs = (one.partition("=") for one in text.split(";") if one)
    return {name.lower(): value for name, _, value in pairs}
