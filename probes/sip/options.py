"""What a SIP check can be told, and what of it any user agent client can."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from probes.outcome import Verdict
from probes.prober import Options
from probes.resolve import Family, Unresolved, literal
from probes.sip.codes import Codes
from probes.sip.uri import SipTarget, parse_route, parse_target, parse_uri
from probes.tls import TlsOptions
from probes.units import Duration

_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")  # RFC 3261 §25.1
_SECRET_HEADERS = {"authorization", "proxy-authorization"}
_OUR_HEADERS = {
    *("via", "v", "from", "f", "to", "t", "call-id", "i", "cseq", "contact", "m", "max-forwards", "route"),
    *("content-length", "l", "user-agent", "accept", "expires"),
}
_MOST_HEADERS = 32

Uri = Annotated[str, AfterValidator(parse_uri)]
User = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.!~*'()&=+$,;?/-]{1,64}$")]


def _headers(value: object) -> object:
    """A mapping as pairs, so that options stay hashable."""
    if not isinstance(value, Mapping):
        return value
    pairs = tuple((str(name), str(text)) for name, text in value.items())
    for name, text in pairs:
        if name.lower() in _SECRET_HEADERS:
            raise ValueError(f"expected headers without secrets, not {name}")
        if name.lower() in _OUR_HEADERS:
            raise ValueError(f"expected headers beside those that every request has, not {name}")
        if not (_TOKEN.fullmatch(name) and text.isprintable()):
            raise ValueError(f"expected a header such as X-Name: text, not {name!r}: {text!r}")
    return pairs


def _is_address(text: str) -> str:
    try:
        known = literal(text)
    except Unresolved:
        return text  # of an interface that may be there later
    if known is None:
        raise ValueError(f"expected an IP address of this host, not {text!r}")
    return text


class Style(NamedTuple):
    """How requests are written, as far as it is for the operator to say. ``account``: the user to be, if any;
    ``user``: what to be called otherwise."""

    from_uri: str | None = None
    to_uri: str | None = None
    contact_uri: str | None = None
    account: str | None = None
    user: str = "ringback"
    agent: str = "Ringback"
    max_forwards: int = 70
    headers: tuple[tuple[str, str], ...] = ()


class UserAgentOptions(Options, TlsOptions):
    """As whom and over what a user agent client asks, and how it takes the codes of the answers."""

    up_codes: Codes | None = None
    """Codes that are good. Without it each prober has a table; with it, all codes that no list names are bad."""

    degraded_codes: Codes | None = None
    down_codes: Codes | None = None

    family: Family = "any"

    source_address: Annotated[str, AfterValidator(_is_address)] | None = None
    """Address of this host from which to ask. Only addresses of its family are asked then."""

    dscp: Annotated[int, Field(ge=0, le=63)] = 0
    """Differentiated services code point of our SIP messages (RFC 2474)."""

    route: Annotated[tuple[Annotated[str, AfterValidator(parse_route)], ...], Field(max_length=8)] = ()
    """Proxies on the way, in their order (RFC 3261 §8.1.1.1): the request goes to the first."""

    from_uri: Uri | None = Field(None, alias="from")
    to_uri: Uri | None = Field(None, alias="to")
    contact_uri: Uri | None = Field(None, alias="contact")
    headers: Annotated[
        tuple[tuple[str, str], ...], BeforeValidator(_headers), Field(max_length=_MOST_HEADERS)
    ] = ()
    """More headers, as a mapping. Secrets have no place in a configuration, and so not here."""

    from_user: User = "ringback"
    user_agent: Annotated[str, Field(pattern=r"^[!-~](?:[ -~]{0,126}[!-~])?$")] = "Ringback"
    max_forwards: Annotated[int, Field(ge=0, le=255)] = 70

    user: User | None = None
    """Whose account it is: the user of From, and with REGISTER of To."""

    auth_user: Annotated[str, Field(pattern=r"^[ -~]{1,128}$")] | None = None
    """User name of the credentials, where it is not ``user``."""

    password_file: Path | None = None
    realm: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    """The only realm to whose challenges to answer; without it any."""

    @model_validator(mode="after")
    def _asks_from_a_family_that_it_asks(self) -> Self:
        ours = self.source_family
        if ours is not None and self.family in ("ipv4", "ipv6") and self.family != ours:
            raise ValueError(f"expected a source_address of the family {self.family}, not {ours}")
        return self

    @cached_property
    def named(self) -> Mapping[int, Verdict]:
        """What the operator says of codes. Where that is something of good ones, all others are bad."""
        others = () if self.up_codes is None else range(100, 700)
        return {
            **dict.fromkeys(others, Verdict.BAD),
            **dict.fromkeys(self.down_codes or (), Verdict.BAD),
            **dict.fromkeys(self.degraded_codes or (), Verdict.DEGRADED),
            **dict.fromkeys(self.up_codes or (), Verdict.GOOD),
        }

    @property
    def source_family(self) -> Literal["ipv4", "ipv6"] | None:
        if self.source_address is None:
            return None
        return "ipv6" if ":" in self.source_address else "ipv4"

    @cached_property
    def asked_family(self) -> Family:
        """Which addresses can be asked: those that ``source_address`` can reach, where there is one."""
        return self.source_family or self.family

    @cached_property
    def style(self) -> Style:
        """What of it stands in our requests."""
        return Style(
            from_uri=self.from_uri,
            to_uri=self.to_uri,
            contact_uri=self.contact_uri,
            account=self.user,
            user=self.from_user,
            agent=self.user_agent,
            max_forwards=self.max_forwards,
            headers=(*(("Route", f"<{uri}>") for uri in self.route), *self.headers),
        )

    @cached_property
    def first_hop(self) -> SipTarget | None:
        """Where requests go if not to the target."""
        return parse_target(self.route[0]) if self.route else None


class SipOptions(UserAgentOptions):
    """What the target is asked, and how its answers are judged; for the codes without lists, see probes.sip.codes."""

    method: Literal["options", "register", "bindings"] = "options"
    """``register`` adds a short-lived contact to an account and removes it again; ``bindings`` reads them."""

    rtt_degraded: Duration | None = None
    """Milliseconds of round trip from which on a good answer counts as degraded."""

    partly_up: Literal["degraded", "good", "bad"] = "degraded"
    """What it is when some of the hosts behind a name are bad, and others are not."""

    addresses: Literal["first", "all"] = "first"
    """Of each host behind the target, which addresses are asked."""

    source_port: Annotated[int, Field(ge=1, le=65_535)] | None = None
    """Port from which to ask over UDP. A connection has any."""

    expires: Duration = "60s"  # type: ignore[assignment]
    """Milliseconds for which ``register`` asks its contact to be kept, in whole seconds."""

    bindings_min: Annotated[int, Field(ge=0, le=1_000)] | None = None
    """Contacts that ``bindings`` must find."""

    @model_validator(mode="after")
    def _says_what_its_method_can_do(self) -> SipOptions:
        if self.bindings_min is not None and self.method != "bindings":
            raise ValueError("expected bindings_min with method: bindings only")
        if self.method == "options" and self.password_file and not (self.user or self.auth_user):
            raise ValueError("expected user or auth_user with password_file")
        if self.expires % 1_000:
            raise ValueError(f"expected expires in whole seconds, not {self.expires} ms")
        return self
