"""SIP messages: lenient in what is read, strict in what is sent (RFC 3261 §7, §25).

Read are: folded lines, compact header names, bare line feeds, several values in one header, missing reason
phrases, any bytes in texts. Refused, as NotSip: what has no status line or header section, a Content-Length
that is none, and whatever is larger than a prober has any use for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

LARGEST_HEAD = 32_768
LARGEST_BODY = 65_536

_STATUS_LINE = re.compile(r"SIP/2\.0[ \t]+([1-6][0-9][0-9])(?:[ \t]+(.*))?", re.IGNORECASE)
_REQUEST_LINE = re.compile(r"([A-Za-z0-9.!%*_+`'~-]+)[ \t]+([^\s<>\"]+)[ \t]+SIP/2\.0", re.IGNORECASE)
_FOLD = re.compile(r"\n[ \t]+")
_CSEQ = re.compile(r"([0-9]{1,10})[ \t]+(\S+)")
_PORT = re.compile(r"[0-9]{1,5}")
_SECONDS = re.compile(r"[ \t]*([0-9]{1,9})(?![0-9])")
_LENGTH = re.compile(r"[0-9]{1,9}")
_COMPACT = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
    "c": "content-type",
    "k": "supported",
    "s": "subject",
    "e": "content-encoding",
}
_USUAL = "Via From To Call-ID CSeq Contact Content-Length Server User-Agent Allow Supported Accept Warning"
_FULL_NAMES = {**_COMPACT, **{name: name.lower() for name in _USUAL.split()}}
"""Names as they are usually written; what is written otherwise has to be looked at."""


Headers = Mapping[str, Sequence[str]]


class NotSip(ValueError):
    """The bytes are no SIP message that can be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What requests and responses share; ``headers`` by lower-case full name, one value for each line."""

    headers: Headers
    body: bytes = b""

    def get(self, name: str) -> str | None:
        """The first value of a header."""
        values = self.headers.get(name)
        return values[0] if values else None

    def all(self, name: str) -> list[str]:
        """Every value of a header, those that share a line one by one."""
        return [one for value in self.headers.get(name, ()) for one in split_values(value)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Message):
    """A request; ``method`` as it was written, for methods are case-sensitive (RFC 3261 §7.1)."""

    method: str
    uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Response(Message):
    status: int
    phrase: str


@dataclass(frozen=True, slots=True)
class Via:
    """The topmost Via: our own, as the peer gave it back."""

    branch: str
    received: str | None
    rport: int | None


def parse_message(data: bytes) -> Request | Response:
    """A whole message, as a datagram carries it, line ends before it left aside. Raises NotSip."""
    data = data.lstrip(b"\r\n")
    body = _body_start(data, 0, LARGEST_HEAD)
    if body is None:
        raise NotSip("no end of the header section")
    start_line, headers = _parse_head(data[:body])
    content = _content(headers, data[body:])
    status = _STATUS_LINE.fullmatch(start_line)
    if status is not None:
        phrase = (status[2] or "").strip()
        return Response(status=int(status[1]), phrase=phrase, headers=headers, body=content)
    asked = _REQUEST_LINE.fullmatch(start_line)
    if asked is None:
        raise _no_start_line(start_line)
    return Request(method=asked[1], uri=asked[2], headers=headers, body=content)


def parse_response(data: bytes) -> Response:
    """Like parse_message, for who waits for a response. Raises NotSip for a request, too."""
    message = parse_message(data)
    if not isinstance(message, Response):
        raise NotSip("a request")
    return message


def top_via(message: Message) -> Via:
    """Raises NotSip where there is none with a branch."""
    first = message.get("via") or ""
    parameters = _parameters((split_values(first) or [""])[0] if "," in first else first)
    branch = parameters.get("branch")
    if not branch:
        raise NotSip("no Via with a branch")
    rport = parameters.get("rport", "")
    return Via(branch, parameters.get("received"), int(rport) if _PORT.fullmatch(rport) else None)


def cseq(message: Message) -> tuple[int, str]:
    """Sequence number and method. Raises NotSip."""
    match = _CSEQ.fullmatch(message.get("cseq") or "")
    if match is None or (number := int(match[1])) >= 2**31:
        raise NotSip("no CSeq")
    return number, match[2].upper()


def retry_after_s(response: Response) -> int | None:
    """Seconds of a Retry-After header (RFC 3261 §20.33)."""
    match = _SECONDS.match(response.get("retry-after") or "")
    return int(match[1]) if match else None


def split_values(value: str) -> list[str]:
    """The values of a header that stand in one line; commas in quotes and angle brackets do not part them."""
    if "," not in value:
        return [value] if value else []
    parts, start, quoted, depth, i = [], 0, False, 0, 0
    while i < len(value):
        char = value[i]
        if quoted and char == "\\":
            i += 1
        elif char == '"':
            quoted = not quoted
        elif not quoted and char == "<":
            depth += 1
        elif not quoted and char == ">":
            depth = max(0, depth - 1)
        elif char == "," and not quoted and not depth:
            parts.append(value[start:i].strip())
            start = i + 1
        i += 1
    parts.append(value[start:].strip())
    return [part for part in parts if part]


class Framer:
    """Cuts a stream into messages by Content-Length (RFC 3261 §18.3). Bounded; skips keep-alive line ends."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._searched = 0
        self._total: int | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Whole messages that are there by now. Raises NotSip when there never will be one."""
        self._data += data
        while (message := self._next()) is not None:
            yield message

    def _next(self) -> bytes | None:
        if self._total is None:
            self._total = self._find_total()
        if self._total is None or len(self._data) < self._total:
            return None
        message = bytes(self._data[: self._total])
        del self._data[: self._total]
        self._searched, self._total = 0, None
        return message

    def _find_total(self) -> int | None:
        """Bytes of the message that the data begins with; None until its header section is there."""
        if self._searched == 0:
            del self._data[: len(self._data) - len(self._data.lstrip(b"\r\n"))]
        body = _body_start(self._data, max(0, self._searched - 2), len(self._data))
        if body is None:
            self._searched = len(self._data)
            if len(self._data) > LARGEST_HEAD:
                raise NotSip(f"a header section of more than {LARGEST_HEAD} bytes")
            return None
        return body + _body_length(bytes(self._data[:body]))


def _body_start(data: bytes | bytearray, start: int, end: int) -> int | None:
    """Where the header section that an empty line closes is over; None where no line is empty."""
    with_return, without = data.find(b"\n\r\n", start, end), data.find(b"\n\n", start, end)
    if with_return >= 0 and (without < 0 or with_return < without):
        return with_return + 3
    return without + 2 if without >= 0 else None


def _content(headers: Headers, rest: bytes) -> bytes:
    """The body; what follows it in the datagram is left aside (RFC 3261 §18.3)."""
    length = _content_length(headers)
    if length is None:
        return rest
    if length > len(rest):
        raise NotSip(f"a Content-Length of {length}, and {len(rest)} bytes")
    return rest[:length]


def _body_length(head: bytes) -> int:
    start_line, headers = _parse_head(head)
    if not (_STATUS_LINE.fullmatch(start_line) or _REQUEST_LINE.fullmatch(start_line)):
        raise _no_start_line(start_line)
    return _content_length(headers) or 0


def _content_length(headers: Headers) -> int | None:
    values = headers.get("content-length")
    if values is None:
        return None
    if len(values) > 1 or not _LENGTH.fullmatch(values[0]) or int(values[0]) > LARGEST_BODY:
        raise NotSip(f"a Content-Length of {', '.join(values)!r:.40}")
    return int(values[0])


def _no_start_line(line: str) -> NotSip:
    return NotSip(f"no status line and no request line but {line!r:.80}")


def _parse_head(head: bytes) -> tuple[str, Headers]:
    """The start line, and the headers."""
    text = head.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    if "\n " in text or "\n\t" in text:
        text = _FOLD.sub(" ", text)
    first, *lines = text.split("\n")
    headers: dict[str, list[str]] = {}
    for line in lines:
        written, colon, value = line.partition(":")
        name = _FULL_NAMES.get(written)
        if name is None:
            name = written.strip().lower()
            name = _COMPACT.get(name, name)
        if not (colon and name):
            continue
        if name in headers:
            headers[name].append(value.strip())
        else:
            headers[name] = [value.strip()]
    return first.strip(" \t"), headers


def _parameters(value: str) -> dict[str, str]:
    """The ``;name=value`` parameters of a header value; quotes around a value are taken off."""
    found: dict[str, str] = {}
    for part in value.split(";")[1:]:
        name, _, text = part.partition("=")
        found.setdefault(name.strip().lower(), text.strip().strip('"'))
    return found
