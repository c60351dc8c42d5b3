"""Whether a request is one that a user agent server may act on (RFC 3261 §8.2; the cases of RFC 4475)."""

from __future__ import annotations

import re

from probes.sip.address import parse_address, parse_parameters
from probes.sip.message import NotSip, Request, cseq

_REQUIRED = ("via", "from", "to", "call-id", "cseq")
_SINGLE = ("from", "to", "call-id", "cseq", "max-forwards", "content-type", "expires")
_SENT_BY = re.compile(r"SIP\s*/\s*2\.0\s*/\s*[A-Za-z0-9\-.!%*_+`'~]+\s+[^\s;,]+(?:\s*:\s*[0-9]{1,5})?", re.I)
_NUMBER = re.compile(r"[0-9]{1,9}")


class Refused(Exception):
    """The request is to be answered with ``status``; ``str()`` says why, fit for a reason phrase."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def check_request(request: Request) -> None:
    """Raises Refused: 400 for a request that is malformed, 416 for a Request-URI that is none of SIP's, 483 for
    one that came too far. Whether its method, extensions and body are understood is for the caller to say."""
    try:
        _check_headers(request)
    except NotSip as error:
        raise Refused(400, str(error)) from None
    scheme, _, rest = request.uri.partition(":")
    if scheme.lower() not in ("sip", "sips", "tel"):
        raise Refused(416, f"scheme {scheme:.20}")
    if "?" in rest.rpartition("@")[2]:
        raise Refused(400, "headers in the Request-URI")
    forwards = request.get("max-forwards")
    if (
        forwards is not None
        and _NUMBER.fullmatch(forwards)
        and int(forwards) == 0
        and request.method != "OPTIONS"
    ):
        raise Refused(483, "Max-Forwards is 0")


def _check_headers(request: Request) -> None:
    for name in _REQUIRED:
        if not request.get(name):
            raise NotSip(f"no {name} header")
    for name in _SINGLE:
        if len(request.headers.get(name, ())) > 1:
            raise NotSip(f"several {name} headers")
    if cseq(request)[1] != request.method.upper():
        raise NotSip("CSeq names another method")
    forwards = request.get("max-forwards")
    if forwards is not None and not _NUMBER.fullmatch(forwards):
        raise NotSip("Max-Forwards is no number")
    for via in request.all("via"):
        sent_by = _SENT_BY.match(via)
        if sent_by is None:
            raise NotSip("no Via that can be read")
        parse_parameters(via, sent_by.end())
    for name in ("from", "to"):
        parse_address(request.get(name) or "")
    for contact in request.all("contact"):
        if contact != "*":
            parse_address(contact)
