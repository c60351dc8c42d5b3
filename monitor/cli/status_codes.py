"""Reasons of outcomes in words: the phrase of a status code, or a sentence."""

from __future__ import annotations

from http import HTTPStatus

_SIP = {  # RFC 3261 §21, and those that the IANA registry has of later documents
    100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 182: "Queued", 183: "Session Progress",
    200: "OK", 202: "Accepted", 204: "No Notification",
    300: "Multiple Choices", 301: "Moved Permanently", 302: "Moved Temporarily", 305: "Use Proxy",
    380: "Alternative Service",
    400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 406: "Not Acceptable", 407: "Proxy Authentication Required",
    408: "Request Timeout", 410: "Gone", 412: "Conditional Request Failed", 413: "Request Entity Too Large",
    414: "Request-URI Too Long", 415: "Unsupported Media Type", 416: "Unsupported URI Scheme",
    420: "Bad Extension", 421: "Extension Required", 422: "Session Interval Too Small",
    423: "Interval Too Brief", 428: "Use Identity Header", 430: "Flow Failed", 433: "Anonymity Disallowed",
    437: "Unsupported Credential", 438: "Invalid Identity Header", 439: "First Hop Lacks Outbound Support",
    440: "Max-Breadth Exceeded", 480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist",
    482: "Loop Detected", 483: "Too Many Hops", 484: "Address Incomplete", 485: "Ambiguous",
    486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here", 489: "Bad Event",
    491: "Request Pending", 493: "Undecipherable", 494: "Security Agreement Required",
    500: "Server Internal Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
    504: "Server Time-out", 505: "Version Not Supported", 513: "Message Too Large",
    580: "Precondition Failure",
    600: "Busy Everywhere", 603: "Decline", 604: "Does Not Exist Anywhere", 606: "Not Acceptable",
    607: "Unwanted", 608: "Rejected",
}  # fmt: skip

_HTTP = {one.value: one.phrase for one in HTTPStatus}
_PHRASES = {"sip": _SIP, "sips": _SIP, "call": _SIP, "register": _SIP, "http": _HTTP, "https": _HTTP}

_SENTENCES = {
    "echo": "it answers pings",
    "connected": "the port takes connections",
    "timeout": "no answer came in time",
    "refused": "the host answers, but nothing listens there",
    "reset": "the other side broke the connection off",
    "host unreachable": "the host is not on its network, or does not answer there",
    "network unreachable": "a router on the way knows no path to that network",
    "protocol unreachable": "the host does not speak that protocol",
    "prohibited": "a firewall or router on the way forbids it",
    "time exceeded": "the packet ran out of hops: its TTL was short, or routers pass it in a circle",
    "too big for the path": "a router on the way passes on only smaller packets, and may not cut them",
    "too big for this host's own interface": "the interface of this host sends only smaller packets",
    "certificate": "a client that verifies certificates would not go on",
    "loss": "too many requests were lost",
    "slow": "it took too long",
    "jitter": "the round trips are too uneven",
    "no route": "the routing table of this host has no way to the target",
    "name not resolved": "the resolver of this host gave no address for the name",
    "resolver was slow": "the resolver of this host used up the time that the target should have had",
}


def phrase(target: str, reason: str) -> str | None:
    """The standard phrase of a status code, by the target's scheme; None where the reason is no such code."""
    known = _PHRASES.get(target.partition(":")[0].lower(), {})
    return known.get(int(reason)) if reason.isascii() and reason.isdigit() else None


def sentence(reason: str) -> str | None:
    """What a reason that is no code means. Of ``certificate: has expired`` the part before the colon decides."""
    return _SENTENCES.get(reason.partition(":")[0])
