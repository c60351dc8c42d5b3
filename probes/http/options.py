"""What an HTTP check can be told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from probes.expiry import ExpiryOptions
from probes.http.jsonpath import JsonCondition
from probes.local import WayOptions
from probes.regex import Regex
from probes.tls import TlsOptions
from probes.units import Duration

_SECRET_HEADERS = {"authorization", "cookie", "proxy-authorization"}
_OUR_HEADERS = {"content-length", "transfer-encoding"}
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2
_MOST_CONDITIONS = 32

Version = Literal["1.0", "1.1", "2.0"]


def _statuses(value: object) -> object:
    """``[200, 404]``, ``[2xx, 401]``: three digits each, or a class."""
    if isinstance(value, frozenset):
        return value
    listed = value if isinstance(value, list | tuple) else [value]
    accepted: set[int] = set()
    for one in map(str, listed):
        if len(one) != 3 or one[0] not in "12345" or not (one[1:] == "xx" or one[1:].isdigit()):
            raise ValueError(f"expected statuses such as 200 or 2xx, not {one!r}")
        first = int(one.replace("x", "0"))
        accepted.update(range(first, first + 100) if one.endswith("xx") else [first])
    return frozenset(accepted)


def _headers(value: object) -> object:
    """A mapping as pairs, so that options stay hashable."""
    if not isinstance(value, Mapping):
        return value
    pairs = tuple((str(name), str(text)) for name, text in value.items())
    for name, text in pairs:
        if name.lower() in _SECRET_HEADERS:
            raise ValueError(f"expected headers without secrets (header_files has them), not {name}")
        if name.lower() in _OUR_HEADERS or not (_TOKEN.fullmatch(name) and text.isprintable()):
            raise ValueError(f"expected a header such as X-Name: text, not {name!r}: {text!r}")
    return pairs


def _header_files(value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    for name in value:
        if not _TOKEN.fullmatch(str(name)) or str(name).lower() in _OUR_HEADERS:
            raise ValueError(f"expected a header such as X-Api-Key: FILE, not {name!r}")
    return tuple((str(name), file) for name, file in value.items())


def _method(value: str) -> str:
    if not _TOKEN.fullmatch(value) or value.upper() == "CONNECT":
        raise ValueError(f"expected a method such as GET, not {value!r}")
    return value


def _versions(value: object) -> object:
    """``[1.1]`` or ``[HTTP/1.1]``."""
    listed = value if isinstance(value, list | tuple) else [value]
    versions = tuple(str(one).removeprefix("HTTP/") for one in listed)
    if versions and not {"1.0", "1.1"} & set(versions):
        raise ValueError("expected 1.0 or 1.1 among the versions: no other one is spoken here")
    return versions


class HeaderCondition(BaseModel):
    """An expression for the values of one header of the answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    header: str = Field(min_length=1)
    regexp: Regex
    allow_missing: bool = False
    """Whether an answer without the header will do."""


class BasicAuth(BaseModel):
    """Who to be (RFC 7617)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    username: Annotated[str, Field(pattern=r"^[^:\x00-\x1f\x7f]*$")]
    password_file: Path


Conditions = Annotated[tuple[HeaderCondition, ...], Field(max_length=_MOST_CONDITIONS)]
Expressions = Annotated[tuple[Regex, ...], Field(max_length=_MOST_CONDITIONS)]


class HttpOptions(WayOptions, TlsOptions, ExpiryOptions):
    """What to ask for, as whom, and how the answer is judged."""

    method: Annotated[str, AfterValidator(_method)] = "GET"
    headers: Annotated[tuple[tuple[str, str], ...], BeforeValidator(_headers)] = ()
    """A mapping of request headers. Secrets have no place in a configuration, and so not here. ``Host`` is asked
    for and verified in TLS as well, unless ``server_name`` is given."""

    header_files: Annotated[tuple[tuple[str, Path], ...], BeforeValidator(_header_files)] = ()
    """A mapping of request headers to the files that hold their values."""

    basic_auth: BasicAuth | None = None
    bearer_token_file: Path | None = None
    """File of the token (RFC 6750). This, ``basic_auth`` and ``header_files`` go to no other host."""

    body: str = ""
    """Of the request."""

    compression: Literal["identity", "gzip", "deflate"] | None = None
    """What the body of the answer has to come in, and is asked for in."""

    follow_redirects: bool = True
    """Follow up to ten, and judge the last answer."""

    status: Annotated[frozenset[int], BeforeValidator(_statuses)] = frozenset(range(200, 300))
    """Statuses that count as good: a list of numbers and classes such as 2xx."""

    http_versions: Annotated[tuple[Version, ...], BeforeValidator(_versions)] = ()
    """Versions that count as good; all, where there are none."""

    require_tls: bool = False
    """Whether the answer that is judged has to come over TLS."""

    refuse_tls: bool = False
    """Whether it must not."""

    header_matches: Conditions = ()
    """One value of each header has to match."""

    header_rejects: Conditions = ()
    """No value of these headers may match."""

    body_matches: Expressions = ()
    """All of them have to match."""

    body_rejects: Expressions = ()
    """None of them may match."""

    json_matches: Annotated[tuple[JsonCondition, ...], Field(max_length=_MOST_CONDITIONS)] = ()
    """What has to hold for the body, as JSON."""

    max_body: int = Field(1 << 20, ge=0, le=1 << 26)
    """Bytes of the body to read; the rest is left unread, which is no fault of the target."""

    body_limit: Annotated[int, Field(ge=1)] | None = None
    """Bytes that a body may have, after decompression."""

    latency_degraded: Duration | None = None
    """Milliseconds from the start of the probe to the end of the body from which on it counts as degraded."""

    @model_validator(mode="after")
    def _is_one_thing(self) -> HttpOptions:
        if self.require_tls and self.refuse_tls:
            raise ValueError("expected require_tls or refuse_tls, not both")
        named = [name.lower() for name, _ in self.header_files]
        named += ["authorization"] * ((self.basic_auth is not None) + (self.bearer_token_file is not None))
        if len(set(named)) < len(named):
            raise ValueError("expected each credential once")
        if self.body_limit is not None and self.body_limit >= self.max_body:
            raise ValueError("expected max_body to be more than body_limit, so that it shows")
        return self

    @property
    def judges_body(self) -> bool:
        """Whether the body matters, beyond its size."""
        return bool(self.body_matches or self.body_rejects or self.json_matches)
