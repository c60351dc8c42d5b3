"""The requests that we send, from a template: only what must differ each time is made anew."""

from __future__ import annotations

import os
from dataclasses import dataclass

from probes.sip.uri import SipTarget

COOKIE = b"z9hG4bK"
"""What every branch begins with (RFC 3261 §8.1.1.7)."""

_BRANCH = len(COOKIE) + 24


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks: the local address as it stands in Via and Contact, and the names in From and User-Agent."""

    host: str
    port: int
    user: str = "ringback"
    agent: str = "Ringback"

    @property
    def sent_by(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request ready to be sent, and the branch by which its answers are known."""

    branch: bytes
    data: bytes


class OptionsTemplate:
    """An OPTIONS request for one target and one identity (RFC 3261 §11.1)."""

    __slots__ = ("_parts",)

    def __init__(self, target: SipTarget, identity: Identity, max_forwards: int) -> None:
        sent_by = identity.sent_by
        contact = f"<sip:{identity.user}@{sent_by}{';transport=tcp' if target.transport == 'tcp' else ''}>"
        head = f"OPTIONS {target.uri} SIP/2.0\r\nVia: SIP/2.0/{target.transport.upper()} {sent_by};branch="
        to_from = (
            f";rport\r\nMax-Forwards: {max_forwards}\r\nTo: <{target.uri}>\r\n"
            f"From: <sip:{identity.user}@{sent_by}>;tag="
        )
        rest = (
            f"\r\nCSeq: 1 OPTIONS\r\nContact: {contact}\r\nAccept: application/sdp\r\n"
            f"User-Agent: {identity.agent}\r\nContent-Length: 0\r\n\r\n"
        )
        self._parts = (head.encode(), to_from.encode(), b"\r\nCall-ID: ", rest.encode())

    def new(self) -> Outgoing:
        """A request of its own: new branch, tag and Call-ID."""
        head, to_from, call_id, rest = self._parts
        token = os.urandom(12).hex().encode()  # not to be guessed: who can may answer for another target
        branch = COOKIE + token
        data = b"".join((head, branch, to_from, token[:10], call_id, token[10:], token[:6], rest))
        return Outgoing(branch, data)


def branch_of(data: bytes) -> bytes | None:
    """The first branch in a message or the beginning of one, found without parsing it; None without any."""
    start = data.find(COOKIE)
    return data[start : start + _BRANCH] if start >= 0 else None
