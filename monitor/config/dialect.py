"""blackbox_exporter's words for what our probers call otherwise.

Its keys are those of https://github.com/prometheus/blackbox_exporter/blob/master/CONFIGURATION.md; what is called the
same there and here is not repeated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from monitor.config.tree import Series, Table, Tree

Keys = dict[str, object]
"""Options of a prober, as a check would have them."""

_NOT_SPOKEN = ("HTTP/2", "HTTP/2.0", "HTTP/3", "HTTP/3.0")
_BYTES = re.compile(r"(\d{1,9})(?:([KMG])i?)?B?", re.ASCII)
_FACTORS = {None: 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_TLS_VERSIONS = {"TLS10": "1.0", "TLS11": "1.1", "TLS12": "1.2", "TLS13": "1.3"}
_TRUTH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the keys of one section read in the words of a prober's options."""

    names: Mapping[str, str] = field(default_factory=dict)
    """Keys that only have another name."""

    forms: Mapping[str, Callable[[Tree], Keys]] = field(default_factory=dict)
    """Keys whose value has another form, too. Each raises ValueError that says what was expected."""

    inside: Mapping[str, Dialect] = field(default_factory=dict)
    """Sections whose keys stand one level higher here. They have no keys but those of their dialect."""

    without: Mapping[str, str] = field(default_factory=dict)
    """Keys that have no counterpart, with what to do instead."""

    @property
    def keys(self) -> set[str]:
        """All keys that can stand in the section beside those of our own."""
        return {*self.names, *self.forms, *self.inside}


def truth(value: Tree) -> bool:
    """Raises ValueError."""
    if not isinstance(value, str) or value.lower() not in _TRUTH:
        raise ValueError(f"expected true or false, not {value!r:.40}")
    return _TRUTH[value.lower()]


def _unless_empty(key: str) -> Callable[[Tree], Keys]:
    """An empty list there means what no list means here."""
    return lambda value: {} if value in ([], "") else {key: value}


def _inverse(key: str) -> Callable[[Tree], Keys]:
    return lambda value: {key: not truth(value)}


def _only_false(what: str) -> Callable[[Tree], Keys]:
    def form(value: Tree) -> Keys:
        if truth(value):
            raise ValueError(f"expected false: {what}")
        return {}

    return form


def _tls_version(key: str) -> Callable[[Tree], Keys]:
    def form(value: Tree) -> Keys:
        if not isinstance(value, str) or value not in _TLS_VERSIONS:
            raise ValueError(f"expected one of {', '.join(_TLS_VERSIONS)}, not {value!r:.40}")
        return {key: _TLS_VERSIONS[value]}

    return form


def _http_versions(value: Tree) -> Keys:
    """Those that are spoken here; a list of others alone would never be met."""
    if not isinstance(value, Series):
        return _unless_empty("http_versions")(value)
    spoken = [version for version in value if version not in _NOT_SPOKEN]
    if value and not spoken:
        raise ValueError("expected HTTP/1.0 or HTTP/1.1 among them: no other version is spoken here")
    return {"http_versions": spoken} if spoken else {}


def _body_size_limit(value: Tree) -> Keys:
    """``10MB`` counts by 1,024, and 0 is no limit."""
    match = _BYTES.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"expected a size such as 512KB or 10MB, not {value!r:.40}")
    limit = int(match[1]) * _FACTORS[match[2]]
    return {"body_limit": limit, "max_body": limit + 1} if limit else {}


def _basic_auth(value: Tree) -> Keys:
    if isinstance(value, Table) and "password" in value:
        raise ValueError("expected password_file instead of password: no secret stands in a configuration")
    return {"basic_auth": value}


def _authorization_type(value: Tree) -> Keys:
    if str(value).lower() != "bearer":
        raise ValueError(f"expected Bearer (header_files has any other), not {value!r:.40}")
    return {}


def _query_response(value: Tree) -> Keys:
    """Labels are a list of names and values there, and a mapping here."""
    if not isinstance(value, Series):
        return {"query_response": value}
    return {"query_response": [_turn(turn) if isinstance(turn, Table) else turn for turn in value]}


def _turn(turn: Table) -> Keys:
    labels = turn.get("labels")
    if not isinstance(labels, Series):
        return dict(turn)
    pairs = [label for label in labels if isinstance(label, Table) and set(label) == {"name", "value"}]
    if len(pairs) < len(labels):
        raise ValueError("expected labels that have a name and a value each")
    return {**turn, "labels": {str(pair["name"]): pair["value"] for pair in pairs}}


_FILE_INSTEAD = "use {}: no secret stands in a configuration"
_IN_A_FILE = "use {}_file"

TLS_CONFIG = Dialect(
    names={
        "ca_file": "ca_file",
        "cert_file": "certificate_file",
        "key_file": "key_file",
        "server_name": "server_name",
    },
    forms={
        "insecure_skip_verify": _inverse("verify_tls"),
        "min_version": _tls_version("tls_min"),
        "max_version": _tls_version("tls_max"),
    },
    without={key: _IN_A_FILE.format(key) for key in ("ca", "cert", "key")},
)

_WAY = {"source_ip_address": "source_address"}
_TLS = {"tls_config": TLS_CONFIG}
_NO_PROXY = "no proxy is spoken to"

DIALECTS: Mapping[str, Dialect] = {
    "http": Dialect(
        names={
            **_WAY,
            "fail_if_ssl": "refuse_tls",
            "fail_if_not_ssl": "require_tls",
            "fail_if_body_matches_regexp": "body_rejects",
            "fail_if_body_not_matches_regexp": "body_matches",
            "fail_if_header_matches": "header_rejects",
            "fail_if_header_not_matches": "header_matches",
        },
        forms={
            "valid_status_codes": _unless_empty("status"),
            "valid_http_versions": _http_versions,
            "compression": _unless_empty("compression"),
            "no_follow_redirects": _inverse("follow_redirects"),
            "body_size_limit": _body_size_limit,
            "enable_http2": _only_false("HTTP/2 is not spoken here"),
            "basic_auth": _basic_auth,
        },
        inside={
            **_TLS,
            "authorization": Dialect(
                names={"credentials_file": "bearer_token_file"},
                forms={"type": _authorization_type},
                without={"credentials": _FILE_INSTEAD.format("credentials_file")},
            ),
        },
        without={
            "proxy_url": _NO_PROXY,
            "no_proxy": _NO_PROXY,
            "proxy_from_environment": _NO_PROXY,
            "proxy_connect_header": _NO_PROXY,
            "skip_resolve_phase_with_proxy": _NO_PROXY,
            "bearer_token": _FILE_INSTEAD.format("bearer_token_file"),
            "oauth2": "use bearer_token_file or header_files",
            "http_headers": "use headers or header_files",
            "body_file": "use body",
            "fail_if_body_json_matches_cel": "use json_matches",
            "fail_if_body_json_not_matches_cel": "use json_matches",
        },
    ),
    "tcp": Dialect(names=_WAY, forms={"query_response": _query_response}, inside=_TLS),
    "icmp": Dialect(names={**_WAY, "payload_size": "size"}),
    "dns": Dialect(
        names={
            **_WAY,
            "query_type": "record",
            "recursion_desired": "recursion",
            "validate_answer_rrs": "answer",
            "validate_authority_rrs": "authority",
            "validate_additional_rrs": "additional",
        },
        forms={"valid_rcodes": _unless_empty("rcodes")},
        inside=_TLS,
    ),
}
"""Of the probers that both have, by their names there, which are schemes here."""
