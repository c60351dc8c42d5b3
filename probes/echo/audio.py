"""The audio of a call that is answered: every packet goes back to where it came from, under our own SSRC."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable

from probes.call.ports import AudioPorts
from probes.call.reception import Heard
from probes.call.reports import Reports
from probes.call.rtcp import NotRtcp
from probes.call.rtp import NotRtp, parse_rtp
from probes.resolve import Sockaddr

MOST_PER_SECOND = 200
"""Packets of one call that go back within a second: four times what audio takes."""

_REPORT_GAP_NS = 500_000_000


class EchoAudio:
    """Numbers and timestamps stay as they came, so that the caller knows each packet again; how they came here is
    in our reports, one for each report of the caller's. Made inside a running loop."""

    def __init__(
        self, family: socket.AddressFamily, host: str, allow: Callable[[str], bool] | None, dscp: int
    ) -> None:
        """At an address of this host. Raises OSError."""
        self.echoes = True
        self._allow = allow
        self._ports = AudioPorts(family, host, self._take_rtp, self._take_rtcp, dscp=dscp)
        self._reports = Reports()
        self._sent = self._octets = self._timestamp = 0
        self._second, self._this_second = 0, 0
        self._reported_ns = 0

    @property
    def port(self) -> int:
        return self._ports.port

    def close(self) -> None:
        self._ports.close()

    def _take_rtp(self, data: bytes, source: Sockaddr, at_ns: int) -> None:
        second = at_ns // 1_000_000_000
        if second != self._second:
            self._second, self._this_second = second, 0
        self._this_second += 1
        if self._this_second > MOST_PER_SECOND or not self._is_allowed(source):
            return
        try:
            packet = parse_rtp(data)
        except NotRtp:
            return
        self._reports.hear(Heard(packet.sequence, packet.timestamp, packet.ssrc, at_ns, True))
        if not self.echoes:
            return
        with contextlib.suppress(OSError):
            self._ports.send_rtp(packet._replace(ssrc=self._reports.ssrc).encode(), source)
            self._sent += 1
            self._octets += len(packet.payload)
            self._timestamp = packet.timestamp

    def _take_rtcp(self, data: bytes, source: Sockaddr, at_ns: int) -> None:
        if not self._is_allowed(source):
            return
        try:
            self._reports.take(data, at_ns, None)
        except NotRtcp:
            return
        now_ns = time.monotonic_ns()
        if now_ns - self._reported_ns < _REPORT_GAP_NS:
            return
        self._reported_ns = now_ns
        with contextlib.suppress(OSError):
            self._ports.send_rtcp(
                self._reports.write(now_ns, self._timestamp, self._sent, self._octets), source
            )

    def _is_allowed(self, source: Sockaddr) -> bool:
        return self._allow is None or self._allow(source[0].partition("%")[0])
