"""The responses that a user agent server gives (RFC 3261 §8.2.6)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from probes.sip.address import parse_address
from probes.sip.message import NotSip, Request

_SENT_BY = re.compile(r"SIP\s*/\s*2\.0\s*/\s*\S+\s+(\[[^\]]*\]|[^\s;,:]+)", re.IGNORECASE)
_RPORT = re.compile(r";[ \t]*rport[ \t]*(?==?[ \t]*(?:;|,|$))=?", re.IGNORECASE)

_PHRASES = {
    100: "Trying",
    180: "Ringing",
    183: "Session Progress",
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    422: "Session Interval Too Small",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    491: "Request Pending",
    500: "Server Internal Error",
    503: "Service Unavailable",
}
_MAKES_A_DIALOG = ("INVITE", "SUBSCRIBE", "REFER")


def respond(
    request: Request,
    status: int,
    phrase: str | None = None,
    *,
    source: tuple[str, int] | None = None,
    to_tag: str = "",
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    content_type: str = "application/sdp",
) -> bytes:
    """The response to a request, with what it has to give back: every Via, From, To, Call-ID, CSeq, and the
    Record-Route of what makes a dialog.

    ``source`` is where the request came from, for ``received`` and ``rport`` of the topmost Via (RFC 3581 §4);
    ``to_tag`` goes to To, where that has no tag and the response is none of 100.
    """
    vias = list(request.headers.get("via", ()))
    if vias and source is not None:
        vias[0] = _with_source(vias[0], source)
    lines = [*(("Via", via) for via in vias)]
    if request.method in _MAKES_A_DIALOG and 100 < status < 300:
        lines += [("Record-Route", route) for route in request.headers.get("record-route", ())]
    lines += [
        ("From", request.get("from") or ""),
        ("To", _tagged(request.get("to") or "", to_tag if status > 100 else "")),
        ("Call-ID", request.get("call-id") or ""),
        ("CSeq", request.get("cseq") or ""),
        *headers,
    ]
    if body:
        lines.append(("Content-Type", content_type))
    text = "".join(f"{name}: {value}\r\n" for name, value in lines)
    said = phrase or _PHRASES.get(status, "Unknown")
    return f"SIP/2.0 {status} {said}\r\n{text}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _with_source(via: str, source: tuple[str, int]) -> str:
    """The first of the values in a line, with what the sender could not know of itself."""
    match = _SENT_BY.match(via)
    end = len(via) if (comma := via.find(",")) < 0 else comma
    first, rest = via[:end], via[end:]
    asked_for_port = _RPORT.search(first)
    if asked_for_port is not None:
        first = f"{first[: asked_for_port.start()]};rport={source[1]}{first[asked_for_port.end() :]}"
    host = source[0].partition("%")[0]
    if asked_for_port is not None or match is None or match[1].strip("[]").lower() != host.lower():
        first += f";received={host}"
    return first + rest


def _tagged(to: str, tag: str) -> str:
    if not tag:
        return to
    try:
        known = parse_address(to).tag
    except NotSip:
        known = None
    return to if known else f"{to};tag={tag}"
