"""What one end of an audio stream tells the other by RTCP, and is told. No sockets here."""

from __future__ import annotations

import random
import secrets
import time
from dataclasses import dataclass, field, replace

from probes.call.reception import Heard, Stream, Streams
from probes.call.rtcp import (
    Block,
    Report,
    middle,
    ntp,
    parse_rtcp,
    receiver_report,
    round_trip_s,
    sender_report,
)

INTERVAL_S = 5.0
"""Seconds from report to report at least, drawn from half to one and a half of it (RFC 3550 §6.2, §6.3.1)."""

_MOST_BLOCKS = 4
_PATIENCE_NS = 1_500_000_000
"""How long after our first packet a report that does not know us says that it hears nothing."""

_NTP_UNITS = 1 << 16
"""Of a second, in NTP's middle 32 bits."""


def new_ssrc() -> int:
    return secrets.randbits(32)


def next_report_ns(now_ns: int) -> int:
    return now_ns + int(INTERVAL_S * random.uniform(0.5, 1.5) * 1e9)  # noqa: S311 - against synchrony


@dataclass(frozen=True, slots=True)
class Far:
    """How the other end says that it hears us. ``lost_ratio`` 1: not at all."""

    lost_ratio: float
    jitter_ms: float | None = None
    round_trip_ms: float | None = None


@dataclass(slots=True)
class Reports:
    """One end. ``first_sequence``: the number of the first packet that it sends; below 2^15, so that no call of
    ours is long enough for it to wrap. Instants are of ``time.monotonic_ns()``."""

    ssrc: int = field(default_factory=new_ssrc)
    first_sequence: int = field(default_factory=lambda: secrets.randbits(15))
    clock_rate: int = 8_000
    far: Far | None = None
    _cname: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    _wall_ns: int = field(default_factory=lambda: time.time_ns() - time.monotonic_ns())
    _streams: Streams = field(default_factory=Streams)
    _peers: dict[int, tuple[int, int]] = field(default_factory=dict)
    """By SSRC: when it sent its last report, by its own clock, and when that arrived."""

    _told: dict[int, tuple[int, int]] = field(default_factory=dict)
    """By SSRC: what was expected and received up to our last report."""

    def hear(self, packet: Heard) -> None:
        """A packet of audio."""
        self._streams.take(packet)

    def take(self, data: bytes, at_ns: int, began_ns: int | None) -> None:
        """Reports of the other end; ``began_ns``: when we began to send. Raises NotRtcp."""
        for report in parse_rtcp(data):
            known = report.ssrc in self._peers or len(self._peers) < _MOST_BLOCKS
            if report.sent_at is not None and known:
                self._peers[report.ssrc] = (report.sent_at, at_ns)
            if not report.said_goodbye:
                self._take_blocks(report, at_ns, began_ns)

    def _take_blocks(self, report: Report, at_ns: int, began_ns: int | None) -> None:
        block = next((one for one in report.blocks if one.ssrc == self.ssrc), None)
        if block is not None:
            self.far = self._far(block, at_ns)
        elif began_ns is not None and at_ns - began_ns > _PATIENCE_NS and self.far is None:
            self.far = Far(1.0)

    def _far(self, block: Block, at_ns: int) -> Far:
        expected = max(1, block.highest - self.first_sequence + 1)
        trip_s = round_trip_s(block, middle(ntp(at_ns + self._wall_ns)))
        if trip_s is None and self.far is not None and self.far.round_trip_ms is not None:
            trip_s = self.far.round_trip_ms / 1000
        return Far(
            lost_ratio=min(1.0, max(0, block.lost) / expected),
            jitter_ms=block.jitter / self.clock_rate * 1000,
            round_trip_ms=None if trip_s is None else trip_s * 1000,
        )

    def write(
        self, now_ns: int, timestamp: int, packets: int, octets: int, *, goodbye: bool = False
    ) -> bytes:
        """A report for the other end. ``timestamp``: that of audio sent now; ``packets`` and ``octets`` of
        payload were sent so far."""
        blocks = tuple(
            self._block(stream, now_ns) for stream in list(self._streams.current.values())[-_MOST_BLOCKS:]
        )
        if not packets:
            return receiver_report(self.ssrc, self._cname, blocks, goodbye=goodbye)
        at = ntp(now_ns + self._wall_ns)
        return sender_report(
            self.ssrc, self._cname, at, timestamp & 0xFFFFFFFF, packets, octets, blocks, goodbye=goodbye
        )

    def _block(self, stream: Stream, now_ns: int) -> Block:
        expected, lost = stream.expected, stream.lost
        before = self._told.get(stream.ssrc, (0, 0))
        self._told[stream.ssrc] = (expected, expected - lost)
        newly_expected, newly_received = expected - before[0], expected - lost - before[1]
        newly_lost = max(0, newly_expected - newly_received)
        block = Block(
            ssrc=stream.ssrc,
            fraction_lost=min(255, (newly_lost << 8) // newly_expected) if newly_expected > 0 else 0,
            lost=lost,
            highest=stream.highest & 0xFFFFFFFF,
            jitter=int(stream.smoothed),
        )
        peer = self._peers.get(stream.ssrc)
        if peer is None:
            return block
        delay = ((now_ns - peer[1]) * _NTP_UNITS // 1_000_000_000) & 0xFFFFFFFF
        return replace(block, last_report=peer[0], delay=delay)
