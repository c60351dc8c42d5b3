"""The audio of one call: what is sent every 20 ms, what comes back, and how."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import secrets
import socket
import time
from dataclasses import dataclass

from probes.call.ports import AudioPorts
from probes.call.reception import Heard, Reception, reception
from probes.call.reports import Far, Reports, next_report_ns
from probes.call.rtcp import NotRtcp
from probes.call.rtp import NotRtp, RtpPacket, parse_rtp
from probes.call.sdp import PCMA, PCMU, Codec
from probes.call.tone import FRAME_NS, SAMPLES, frame, is_audible
from probes.datagram import from_elsewhere
from probes.resolve import Sockaddr

MOST_PACKETS = 20_000
"""Packets of one call that are looked at; a peer that floods us fills no memory."""

LATE_NS = 10_000_000
"""From when on a frame of ours left late: half of the time between two."""

_TOO_LATE_NS = 200_000_000
"""From when on frames are left out: no receiver has a use for so old ones."""

_KEEPS_ALIVE = 4
"""Bytes of a datagram that says nothing, but keeps a translation of addresses alive (RFC 6263 §4.1)."""

_BY_TYPE = {codec.payload_type: codec for codec in (PCMU, PCMA)}


@dataclass(frozen=True, slots=True)
class MediaReport:
    """``late``: frames that we sent
    too late; ``unsent``: those that this host could not send; ``overrun``: packets of the peer's that we did not
    read in time. All three are our own doing. ``refused``: ICMP errors about our packets; ``foreign``: datagrams
    from elsewhere, and what was no RTP. ``far``: how the peer says that it hears us, if it says so."""

    codec: str
    heard: Reception
    sent: int
    late: int
    unsent: int
    overrun: int
    refused: int
    foreign: int
    far: Far | None


class MediaSession:
    """Listens from the beginning: audio may come before any answer (RFC 3264 §5.1). Made inside a running loop."""

    def __init__(self, family: socket.AddressFamily, host: str, *, dscp: int = 46) -> None:
        """At an address of this host. Raises OSError."""
        anywhere = "::" if family == socket.AF_INET6 else "0.0.0.0"  # noqa: S104
        at = anywhere if ipaddress.ip_address(host.partition("%")[0]).is_link_local else host
        self._ports = AudioPorts(family, at, self._take_rtp, self._take_rtcp, dscp=dscp)
        self._loop = asyncio.get_running_loop()
        self._reports = Reports()
        self._sequence = self._reports.first_sequence
        self._timestamp = secrets.randbits(32)
        self._codec: Codec | None = None
        self._frame = b""
        self._to: Sockaddr | None = None
        self._rtcp_to: Sockaddr | None = None
        self._source: Sockaddr | None = None
        self._heard: list[Heard] = []
        self._timer: asyncio.TimerHandle | None = None
        self._begun_ns: int | None = None
        self._next_ns = self._report_ns = 0
        self._sends = False
        self._sent = self._late = self._unsent = self._foreign = 0
        self._overrun = 0
        self._closed = False

    @property
    def port(self) -> int:
        """For RTP; RTCP has the next one."""
        return self._ports.port

    @property
    def first_ns(self) -> int | None:
        """When the peer's first packet arrived, also if it was before the answer."""
        return self._heard[0].at_ns if self._heard else None

    def play(self, codec: Codec, to: Sockaddr, rtcp_to: Sockaddr, *, send: bool = True) -> None:
        """Send a tone there from now on, and reports; without ``send`` the reports alone. Called again, it goes
        on in the same stream."""
        if to != self._to:
            self._source = None
        self._codec, self._to, self._rtcp_to, self._sends = codec, to, rtcp_to, send
        self._frame = frame(codec)
        if self._timer is None and not self._closed:
            self._next_ns = self._report_ns = time.monotonic_ns()
            self._send_due()

    def stop(self) -> None:
        """Send no more; the peer is told that this was the last."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._report(time.monotonic_ns(), goodbye=True)

    def report(self, from_ns: int, until_ns: int) -> MediaReport:
        """What there is to say, with the packets that arrived between these instants. After ``close`` as well as
        before."""
        heard = [packet for packet in self._heard if from_ns <= packet.at_ns < until_ns]
        return MediaReport(
            codec=self._codec.name if self._codec else "",
            heard=reception(heard),
            sent=self._sent,
            late=self._late,
            unsent=self._unsent,
            overrun=self._overrun if self._closed else self._ports.overrun(),
            refused=self._ports.refused,
            foreign=self._foreign,
            far=self._reports.far,
        )

    def close(self) -> None:
        """Give the ports back."""
        if not self._closed:
            self.stop()
            self._closed, self._overrun = True, self._ports.overrun()
            self._ports.close()

    # What we send

    def _send_due(self) -> None:
        now_ns = time.monotonic_ns()
        skipped = (now_ns - self._next_ns) // FRAME_NS if now_ns - self._next_ns > _TOO_LATE_NS else 0
        self._skip(skipped)
        while self._next_ns <= now_ns:
            if self._sends:
                self._late += now_ns - self._next_ns > LATE_NS
                self._send_frame(now_ns)
            self._timestamp = self._timestamp + SAMPLES & 0xFFFFFFFF
            self._next_ns += FRAME_NS
        if now_ns >= self._report_ns:
            self._report(now_ns)
            self._report_ns = next_report_ns(now_ns)
        delay_s = (self._next_ns - time.monotonic_ns()) / 1e9
        self._timer = self._loop.call_later(max(0.0, delay_s), self._send_due)

    def _skip(self, frames: int) -> None:
        self._unsent += frames if self._sends else 0
        self._timestamp = self._timestamp + frames * SAMPLES & 0xFFFFFFFF
        self._next_ns += frames * FRAME_NS

    def _send_frame(self, now_ns: int) -> None:
        assert self._codec is not None
        assert self._to is not None
        first = self._begun_ns is None
        packet = RtpPacket(
            self._codec.payload_type, self._sequence, self._timestamp, self._reports.ssrc, self._frame, first
        )
        try:
            self._ports.send_rtp(packet.encode(), self._to)
        except OSError:
            self._unsent += 1
            return
        if first:
            self._begun_ns = now_ns
        self._sent += 1
        self._sequence = self._sequence + 1 & 0xFFFF

    def _report(self, now_ns: int, *, goodbye: bool = False) -> None:
        if self._rtcp_to is None:
            return
        data = self._reports.write(
            now_ns, self._timestamp, self._sent, self._sent * len(self._frame), goodbye=goodbye
        )
        with contextlib.suppress(OSError):  # a report that is lost is followed by another one
            self._ports.send_rtcp(data, self._rtcp_to)

    # What comes

    def _take_rtp(self, data: bytes, source: Sockaddr, at_ns: int) -> None:
        if len(data) <= _KEEPS_ALIVE:
            return
        try:
            packet = parse_rtp(data)
        except NotRtp:
            self._foreign += 1
            return
        if not self._is_of_the_peer(source) or len(self._heard) >= MOST_PACKETS:
            self._foreign += 1
            return
        codec = _BY_TYPE.get(packet.payload_type)
        if codec is None and self._codec and self._codec.payload_type == packet.payload_type:
            codec = self._codec
        audible = None if codec is None else is_audible(packet.payload, codec)
        heard = Heard(packet.sequence, packet.timestamp, packet.ssrc, at_ns, audible)
        self._heard.append(heard)
        self._reports.hear(heard)

    def _is_of_the_peer(self, source: Sockaddr) -> bool:
        """From where it said; else from where its first packet came: it may sit behind a translation of addresses."""
        if source == self._source:
            return True
        if self._source is None or (self._to is not None and not from_elsewhere(source, self._to)):
            self._source = source
            return True
        return False

    def _take_rtcp(self, data: bytes, source: Sockaddr, at_ns: int) -> None:
        hosts = {place[0] for place in (self._rtcp_to, self._source) if place is not None}
        if source[0] not in hosts:
            return
        with contextlib.suppress(NotRtcp):
            self._reports.take(data, at_ns, self._begun_ns)
