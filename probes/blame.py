"""Whose fault an operating system error is: the target's or the way to it, or our own host's."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Mapping
from types import MappingProxyType

from probes.outcome import Outcome, Verdict
from probes.resolve import Sockaddr, Unresolved

_THEIRS = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.ECONNABORTED: "reset",
    errno.EPIPE: "reset",
    errno.ETIMEDOUT: "timeout",
    errno.EHOSTUNREACH: "host unreachable",
    errno.EHOSTDOWN: "host unreachable",
    errno.ENETUNREACH: "network unreachable",
    errno.ENOPROTOOPT: "protocol unreachable",
    errno.EPROTO: "reset",
    errno.EACCES: "prohibited",
}
"""What a peer, or a router on the way, can bring about. Everything else comes from this host."""

_NOTHING: Mapping[str, object] = MappingProxyType({})
_NO_ROUTE = {errno.EHOSTUNREACH, errno.ENETUNREACH}
_EITHER = {*_NO_ROUTE, errno.EACCES}
"""What a router may say, and this host's own routing table as well."""


def has_route(sockaddr: Sockaddr) -> bool:
    """Whether this host's own tables know a way to the address. Sends nothing.

    The kernel has one number for "my table has no route" and "a router told me there is none", another for its
    own and a router's prohibition; connecting a datagram socket asks the table alone.
    """
    family = socket.AF_INET if len(sockaddr) == 2 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.connect(sockaddr)
    except OSError:
        return False
    return True


def failed(error: OSError, sent_ns: int, sockaddr: Sockaddr, detail: Mapping[str, object]) -> Outcome:
    """The outcome of a probe that ended with an error of the operating system while it asked ``sockaddr``.

    BAD for what the target or a router on the way did: refused, reset, host or network unreachable. (So is a
    neighbour that answers no ARP: the link is up, the target is not.) NOT_ASKED for what this host lacks: a
    route, a local address or port, a file descriptor, memory, a permission.
    """
    reason = _THEIRS.get(error.errno or 0) or ("reset" if isinstance(error, ConnectionError) else None)
    if reason is None or (error.errno in _EITHER and not has_route(sockaddr)):
        return not_asked(error, sent_ns, detail)
    return Outcome(Verdict.BAD, sent_ns, reason, detail=detail)


def not_asked(error: OSError, sent_ns: int, detail: Mapping[str, object] = _NOTHING) -> Outcome:
    """The outcome of a probe that this host could not make; the reason is the system's own phrase."""
    if isinstance(error, Unresolved):
        return Outcome(
            Verdict.NOT_ASKED, sent_ns, "name not resolved", detail={**detail, "error": str(error)}
        )
    if error.errno in _NO_ROUTE:
        return Outcome(Verdict.NOT_ASKED, sent_ns, "no route", detail=detail)
    reason = os.strerror(error.errno).lower() if error.errno else str(error)
    return Outcome(Verdict.NOT_ASKED, sent_ns, reason, detail=detail)
