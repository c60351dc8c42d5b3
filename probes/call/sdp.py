"""Session descriptions of calls with one audio stream (RFC 8866, and RFC 3264 for what answers an offer). No
sockets here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PROFILES = ("RTP/AVP", "RTP/AVPF")
"""Those without keys: audio in the clear is all that we have."""

DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")

_LINE = re.compile(r"([a-z])=(.*)")
_MEDIA = re.compile(r"(\S+) ([0-9]{1,5})(?:/[0-9]+)? (\S+)((?: \S+)+)")
_CONNECTION = re.compile(r"IN (IP4|IP6) ([^\s/]+)(?:/\S*)?")
_RTPMAP = re.compile(r"([0-9]{1,3}) ([^\s/]+)/([0-9]{1,6})(?:/[0-9]+)?")
_RTCP = re.compile(r"([0-9]{1,5})(?: IN (?:IP4|IP6) (\S+))?")
_PTIME = re.compile(r"([0-9]{1,3})(?:\.[0-9]+)?")
_MOST_LINES = 1_000


class NotSdp(ValueError):
    """No session description, or one that breaks the rules. ``str()`` says where."""


@dataclass(frozen=True, slots=True)
class Codec:
    """How audio is written, under which payload type."""

    payload_type: int
    name: str
    clock_rate: int = 8_000


PCMU = Codec(0, "PCMU")
PCMA = Codec(8, "PCMA")
_STATIC = {codec.payload_type: codec for codec in (PCMU, PCMA)}


@dataclass(frozen=True, slots=True)
class Media:
    """Where a peer takes audio, and in which codecs, the best first; a rejected stream is none."""

    host: str
    port: int
    codecs: tuple[Codec, ...]
    direction: str
    ptime_ms: int | None
    rtcp_host: str
    rtcp_port: int


@dataclass(slots=True)
class _Section:
    """The session itself, or one stream of it."""

    transport: tuple[str, int, str, tuple[str, ...]] = ("", 0, "", ())
    host: str = ""
    attributes: tuple[tuple[str, str], ...] = ()

    def attribute(self, name: str) -> str | None:
        return next((value for key, value in self.attributes if key == name), None)

    @property
    def direction(self) -> str | None:
        return next((key for key, _ in self.attributes if key in DIRECTIONS), None)


def describe(
    host: str,
    port: int,
    codecs: Iterable[Codec],
    *,
    session_id: int,
    version: int = 1,
    direction: str = "sendrecv",
    ptime_ms: int = 20,
) -> bytes:
    """An offer, or an answer, of audio at one address; ``host`` is a literal one."""
    kind = "IP6" if ":" in host else "IP4"
    spoken = list(codecs)
    lines = [
        "v=0",
        f"o=- {session_id} {version} IN {kind} {host}",
        "s=-",
        f"c=IN {kind} {host}",
        "t=0 0",
        f"m=audio {port} RTP/AVP {' '.join(str(codec.payload_type) for codec in spoken)}",
        *(f"a=rtpmap:{codec.payload_type} {codec.name}/{codec.clock_rate}" for codec in spoken),
        f"a=ptime:{ptime_ms}",
        f"a={direction}",
    ]
    return "".join(f"{line}\r\n" for line in lines).encode()


def parse_sdp(body: bytes) -> Media | None:
    """The first audio stream that was not rejected; None where there is none. Raises NotSdp."""
    session, *streams = _sections(body)
    for stream in streams:
        kind, port, profile, formats = stream.transport
        if kind.lower() == "audio" and port and profile.upper() in PROFILES:
            return _media(session, stream, port, formats)
    return None


def _media(session: _Section, stream: _Section, port: int, formats: Sequence[str]) -> Media:
    host = stream.host or session.host
    if not host:
        raise NotSdp("audio without an address: expected a line c=IN IP4 or c=IN IP6")
    rtcp_host, rtcp_port = host, port + 1
    told = stream.attribute("rtcp")
    if told is not None and (match := _RTCP.fullmatch(told)):
        rtcp_host, rtcp_port = match[2] or host, int(match[1])
    pace = _PTIME.fullmatch(stream.attribute("ptime") or "")
    return Media(
        host=host,
        port=_port(port),
        codecs=tuple(_codecs(stream, formats)),
        direction=stream.direction or session.direction or "sendrecv",
        ptime_ms=int(pace[1]) if pace else None,
        rtcp_host=rtcp_host,
        rtcp_port=_port(min(rtcp_port, 65_535)),
    )


def _codecs(stream: _Section, formats: Sequence[str]) -> Iterable[Codec]:
    mapped = {
        int(match[1]): Codec(int(match[1]), match[2].upper(), int(match[3]))
        for name, value in stream.attributes
        if name == "rtpmap" and (match := _RTPMAP.fullmatch(value))
    }
    for text in formats[:_MOST_LINES]:
        if not text.isascii() or not text.isdigit() or len(text) > 3 or int(text) > 127:
            raise NotSdp(f"payload type {text[:20]!r}: expected a number of 0 to 127")
        codec = mapped.get(int(text)) or _STATIC.get(int(text))
        if codec is not None:
            yield codec


def _sections(body: bytes) -> list[_Section]:
    """The session first, then its streams."""
    lines = body.decode("utf-8", "replace").replace("\r\n", "\n").rstrip("\n").split("\n")
    if lines[0].rstrip() != "v=0":
        raise NotSdp("expected a first line v=0")
    if len(lines) > _MOST_LINES:
        raise NotSdp(f"more than {_MOST_LINES} lines")
    sections = [_Section()]
    attributes: list[list[tuple[str, str]]] = [[]]
    for number, line in enumerate(lines[1:], 2):
        match = _LINE.fullmatch(line.rstrip("\r "))
        if match is None:
            raise NotSdp(f"line {number}: expected a letter, =, and a value, not {line[:40]!r}")
        kind, value = match[1], match[2]
        if kind == "m":
            sections.append(_Section(transport=_transport(value, number)))
            attributes.append([])
        elif kind == "c":
            sections[-1].host = sections[-1].host or _host(value, number)
        elif kind == "a":
            name, _, told = value.partition(":")
            attributes[-1].append((name.lower(), told))
    for section, its in zip(sections, attributes, strict=True):
        section.attributes = tuple(its)
    return sections


def _transport(value: str, number: int) -> tuple[str, int, str, tuple[str, ...]]:
    match = _MEDIA.fullmatch(value)
    if match is None:
        raise NotSdp(f"line {number}: expected media, port, profile and formats, not {value[:40]!r}")
    return match[1], _port(int(match[2])), match[3], tuple(match[4].split())


def _host(value: str, number: int) -> str:
    match = _CONNECTION.fullmatch(value)
    if match is None:
        raise NotSdp(f"line {number}: expected IN IP4 or IN IP6 and an address, not {value[:40]!r}")
    return match[2]


def _port(port: int) -> int:
    if port > 65_535:
        raise NotSdp(f"port {port}: expected at most 65535")
    return port
