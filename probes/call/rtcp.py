"""What two ends of an audio stream report to each other (RFC 3550 §6). No sockets here.

Instants are in NTP's middle 32 bits: units of 1/65536 s that wrap after eighteen hours.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_HEADER = struct.Struct("!BBH")
_SSRC = struct.Struct("!I")
_SENDER = struct.Struct("!IIIII")
_BLOCK = struct.Struct("!IIIIII")
_VERSION_2 = 0x80
SENDER_REPORT, RECEIVER_REPORT, DESCRIPTION, GOODBYE = 200, 201, 202, 203
_TYPES = range(192, 224)
_CNAME = 1
_MOST_LOST = 0x7FFFFF


class NotRtcp(ValueError):
    """No packet of RTCP. ``str()`` says why."""


@dataclass(frozen=True, slots=True)
class Block:
    """How one source is heard: since its beginning, ``lost`` of all up to ``highest`` (extended by its cycles).

    ``jitter`` is in units of the stream's clock; ``last_report`` and ``delay`` are LSR and DLSR.
    """

    ssrc: int
    fraction_lost: int
    lost: int
    highest: int
    jitter: int
    last_report: int = 0
    delay: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """Of one end. ``sent_at``: when, by its clock, if it sends audio itself; ``said_goodbye``: it leaves."""

    ssrc: int
    blocks: tuple[Block, ...] = ()
    sent_at: int | None = None
    said_goodbye: bool = False


def ntp(wall_ns: int) -> int:
    """An NTP timestamp of 64 bits from nanoseconds of Unix time."""
    seconds, rest = divmod(wall_ns, 1_000_000_000)
    return (seconds + 2_208_988_800 & 0xFFFFFFFF) << 32 | (rest << 32) // 1_000_000_000


def middle(stamp: int) -> int:
    """The middle 32 of its 64 bits."""
    return stamp >> 16 & 0xFFFFFFFF


def round_trip_s(block: Block, arrived_at: int) -> float | None:
    """Seconds to the other end and back (§6.4.1, figure 2); None where it has had no report of ours, or its
    figures cannot be."""
    if not block.last_report:
        return None
    units = (arrived_at - block.last_report - block.delay) & 0xFFFFFFFF
    return None if units & 0x80000000 else units / 65_536


def sender_report(
    ssrc: int,
    cname: str,
    at: int,
    timestamp: int,
    packets: int,
    octets: int,
    blocks: tuple[Block, ...] = (),
    *,
    goodbye: bool = False,
) -> bytes:
    """A compound packet: SR, SDES with the CNAME, and BYE if it is the last. ``at``: 64 bits of NTP; ``packets``
    and ``octets`` of payload were sent so far."""
    sender = _SENDER.pack(at >> 32, at & 0xFFFFFFFF, timestamp, packets & 0xFFFFFFFF, octets & 0xFFFFFFFF)
    body = _SSRC.pack(ssrc) + sender + b"".join(map(_written, blocks))
    return _packet(SENDER_REPORT, len(blocks), body) + _described(ssrc, cname, goodbye)


def receiver_report(ssrc: int, cname: str, blocks: tuple[Block, ...] = (), *, goodbye: bool = False) -> bytes:
    """Likewise of an end that sends nothing."""
    body = _SSRC.pack(ssrc) + b"".join(map(_written, blocks))
    return _packet(RECEIVER_REPORT, len(blocks), body) + _described(ssrc, cname, goodbye)


def parse_rtcp(data: bytes) -> tuple[Report, ...]:
    """The reports in a compound packet, also in one of reduced size (RFC 5506). Raises NotRtcp."""
    return tuple(_reports(data))


def _reports(data: bytes) -> Iterator[Report]:
    if not data:
        raise NotRtcp("empty")
    at = 0
    while at < len(data):
        if at + _HEADER.size > len(data):
            raise NotRtcp("rest shorter than a header")
        first, kind, words = _HEADER.unpack_from(data, at)
        end = at + 4 * (words + 1)
        if first & 0xC0 != _VERSION_2:
            raise NotRtcp("another version than 2")
        if kind not in _TYPES:
            raise NotRtcp(f"packet type {kind}")
        if end > len(data):
            raise NotRtcp("longer than the datagram")
        yield from _report(kind, first & 0x1F, data[at + _HEADER.size : end])
        at = end


def _report(kind: int, count: int, body: bytes) -> Iterator[Report]:
    if kind == GOODBYE and count and len(body) >= _SSRC.size:
        yield Report(_SSRC.unpack_from(body)[0], said_goodbye=True)
    if kind not in (SENDER_REPORT, RECEIVER_REPORT):
        return
    begin = _SSRC.size + (_SENDER.size if kind == SENDER_REPORT else 0)
    if begin + count * _BLOCK.size > len(body):
        raise NotRtcp("more reports announced than there are")
    (ssrc,) = _SSRC.unpack_from(body)
    sent_at = None
    if kind == SENDER_REPORT:
        seconds, fraction, *_ = _SENDER.unpack_from(body, _SSRC.size)
        sent_at = middle(seconds << 32 | fraction)
    yield Report(ssrc, tuple(_read(body, begin + n * _BLOCK.size) for n in range(count)), sent_at)


def _read(body: bytes, at: int) -> Block:
    ssrc, losses, highest, jitter, last_report, delay = _BLOCK.unpack_from(body, at)
    lost = losses & 0xFFFFFF
    return Block(
        ssrc,
        losses >> 24,
        lost - 0x1000000 if lost & 0x800000 else lost,
        highest,
        jitter,
        last_report,
        delay,
    )


def _written(block: Block) -> bytes:
    lost = max(-_MOST_LOST, min(_MOST_LOST, block.lost)) & 0xFFFFFF
    losses = block.fraction_lost << 24 | lost
    return _BLOCK.pack(block.ssrc, losses, block.highest, block.jitter, block.last_report, block.delay)


def _described(ssrc: int, cname: str, goodbye: bool) -> bytes:
    name = cname.encode()[:255]
    items = _SSRC.pack(ssrc) + bytes((_CNAME, len(name))) + name
    items += bytes(4 - len(items) % 4)  # the list ends with at least one zero
    text = _packet(DESCRIPTION, 1, items)
    return text + _packet(GOODBYE, 1, _SSRC.pack(ssrc)) if goodbye else text


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return _HEADER.pack(_VERSION_2 | count, kind, len(body) // 4) + body
