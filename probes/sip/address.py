"""The values of To, From, Contact and Route: a URI, with or without a name and parameters (RFC 3261 §20.10, §25.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from probes.sip.message import NotSip

_WORD = r"[A-Za-z0-9\-.!%*_+`'~]+"
_NAMED = re.compile(r"(?:\"((?:[^\"\\]|\\.)*)\"\s*|([A-Za-z0-9\-.!%*_+`'~ \t]*))<([^<>\"\s]+)>", re.DOTALL)
_BARE = re.compile(r"[^\s<>\";,?]+")
_PARAMETER = re.compile(rf"\s*;\s*({_WORD})(?:\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;,\"<>?]+)))?", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.")


@dataclass(frozen=True, slots=True)
class Address:
    """``name``: the display name, "" for none. ``parameters`` are the header's; those of the URI stay in it."""

    uri: str
    name: str
    parameters: Mapping[str, str]

    @property
    def tag(self) -> str | None:
        return self.parameters.get("tag")


def parse_address(value: str) -> Address:
    """One value of such a header. Raises NotSip for quotes without an end, spaces in the URI, and the like."""
    value = value.strip()
    match = _NAMED.match(value)
    if match is not None:
        name = (match[2] or "").strip() if match[1] is None else _ESCAPED.sub(r"\1", match[1])
        uri, end = match[3], match.end()
    else:
        bare = _BARE.match(value)
        if bare is None:
            raise NotSip(f"no address but {value!r:.80}")
        name, uri, end = "", bare[0], bare.end()
    if not _SCHEME.match(uri):
        raise NotSip(f"no URI but {uri!r:.80}")
    return Address(uri, name, parse_parameters(value, end))


def parse_parameters(value: str, start: int) -> Mapping[str, str]:
    """The ``;name=value`` parameters from ``start`` to the end of the value; a first one of a name counts, and
    names are in lower case. Raises NotSip for anything else that stands there."""
    found: dict[str, str] = {}
    while (match := _PARAMETER.match(value, start)) is not None:
        text = (match[3] or "") if match[2] is None else _ESCAPED.sub(r"\1", match[2])
        found.setdefault(match[1].lower(), text)
        start = match.end()
    if value[start:].strip():
        raise NotSip(f"no parameter but {value[start:]!r:.80}")
    return found
