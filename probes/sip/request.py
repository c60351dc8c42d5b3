"""The requests that we send, from a template: only what must differ each time is made anew."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import NamedTuple

COOKIE = b"z9hG4bK"
"""What every branch begins with (RFC 3261 §8.1.1.7)."""

_BRANCH = len(COOKIE) + 24
_SECRET = re.compile(r"^((?:proxy-)?authorization[ \t]*:).*(?:\n[ \t].*)*", re.IGNORECASE | re.MULTILINE)


class Identity(NamedTuple):
    """Who asks: the local address as it stands in Via and Contact, and the names in From and User-Agent."""

    host: str
    port: int
    user: str = "ringback"
    agent: str = "Ringback"

    @property
    def sent_by(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def record(self) -> str:
        """Our URI as it may stand in From, without a port (RFC 3261 §19.1.1, table 1)."""
        return f"sip:{self.user}@[{self.host}]" if ":" in self.host else f"sip:{self.user}@{self.host}"

    def contact(self, user: str, transport: str, *, sips: bool = False) -> str:
        """The URI at which we can be reached: of the scheme with which we ask (RFC 3261 §8.1.1.8)."""
        if sips:
            return f"sips:{user}@{self.sent_by}"
        return f"sip:{user}@{self.sent_by}{'' if transport == 'udp' else f';transport={transport}'}"


class Outgoing(NamedTuple):
    """A request ready to be sent. ``branch`` is by what its answers are known, ``token`` what tag and Call-ID
    were made of, ``cseq`` its number among the requests with this Call-ID."""

    branch: bytes
    data: bytes
    token: bytes = b""
    cseq: int = 1

    def __str__(self) -> str:
        return legible(self.data)


class Incoming(NamedTuple):
    """A message as it came, for whoever watches the probe."""

    data: bytes

    def __str__(self) -> str:
        return legible(self.data)


_TOKEN = 24
_DRAW = 256
"""Tokens drawn at once: each call of the kernel for random bytes takes as long as a tenth of a probe."""

_drawn: list[bytes] = []


class Template:
    """The requests of one method to one URI (RFC 3261 §8.1.1); ``via`` is transport and sent-by."""

    __slots__ = ("_after_call_id", "_after_cseq", "_from", "_head", "_rest", "method", "uri")

    def __init__(
        self,
        method: str,
        uri: str,
        *,
        via: tuple[str, str],
        to_uri: str,
        from_uri: str,
        max_forwards: int = 70,
        headers: Iterable[tuple[str, str]] = (),
    ) -> None:
        self.method, self.uri = method, uri
        transport, sent_by = via
        head = f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/{transport.upper()} {sent_by};branch="
        to_from = f";rport\r\nMax-Forwards: {max_forwards}\r\nTo: <{to_uri}>\r\nFrom: <{from_uri}>;tag="
        written = "".join(f"{name}: {value}\r\n" for name, value in headers)
        self._head, self._from = head.encode(), to_from.encode()
        self._after_cseq = f" {method}\r\n{written}".encode()
        self._rest = b"Content-Length: 0\r\n\r\n"
        self._after_call_id = b"\r\nCSeq: 1" + self._after_cseq + self._rest

    def new(self) -> Outgoing:
        """A request of its own: new branch, tag and Call-ID."""
        token = new_token()
        branch = COOKIE + token
        tag, call_id = token[:10], token[10:] + token[:6]
        data = b"".join((self._head, branch, self._from, tag, b"\r\nCall-ID: ", call_id, self._after_call_id))
        return Outgoing(branch, data, token)

    def next(self, token: bytes, cseq: int, headers: str = "") -> Outgoing:
        """One more with the tag and the Call-ID that are made of ``token``; ``headers`` are whole lines."""
        branch = COOKIE + new_token()
        numbered = f"\r\nCSeq: {cseq}".encode() + self._after_cseq + headers.encode() + self._rest
        tag, call_id = token[:10], token[10:] + token[:6]
        data = b"".join((self._head, branch, self._from, tag, b"\r\nCall-ID: ", call_id, numbered))
        return Outgoing(branch, data, token, cseq)


def new_token() -> bytes:
    """24 hexadecimal digits, not to be guessed: who can may answer for another target."""
    try:
        return _drawn.pop()
    except IndexError:
        digits = os.urandom(_DRAW * _TOKEN // 2).hex().encode()
        _drawn.extend(digits[start : start + _TOKEN] for start in range(0, len(digits), _TOKEN))
        return _drawn.pop()


def branch_of(data: bytes) -> bytes | None:
    """The first branch in a message or the beginning of one, found without parsing it; None without any."""
    start = data.find(COOKIE)
    return data[start : start + _BRANCH] if start >= 0 else None


def legible(data: bytes) -> str:
    """A message as text, its credentials blanked."""
    return _SECRET.sub(r"\1 (blanked)", data.decode("utf-8", "backslashreplace"))


def written(method: str, uri: str, headers: Iterable[tuple[str, str]], body: bytes = b"") -> bytes:
    """A request with these headers in this order, and its Content-Length."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"{method} {uri} SIP/2.0\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body
