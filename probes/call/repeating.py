"""What is sent again until it is answered: the timers of client transactions (RFC 3261 §17.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from probes.resolve import Sockaddr
from probes.sip.request import legible
from probes.sip.transaction import T1_MS, T2_MS

PATIENCE_NS = 64 * T1_MS * 1_000_000
"""How long a transaction waits for its answer (Timers B and F), and what came late may come again (Timer D)."""


class Packet(NamedTuple):
    """A message to send: to an address, to the host that a URI names, or else where the INVITE went."""

    data: bytes
    hop: str | None = None
    to: Sockaddr | None = None

    def __str__(self) -> str:
        return legible(self.data)


@dataclass(slots=True)
class Repeated:
    """A request under way. Instants are nanoseconds of one clock.

    ``next_ns`` None: it is not sent again; ``ends_ns`` None: it may wait for its answer without end.
    """

    packet: Packet
    branch: str
    method: str
    next_ns: int | None
    ends_ns: int | None
    interval_ms: int = T1_MS

    @classmethod
    def begin(cls, packet: Packet, branch: str, method: str, now_ns: int, *, reliable: bool) -> Repeated:
        again_ns = None if reliable else now_ns + T1_MS * 1_000_000
        return cls(packet, branch, method, again_ns, now_ns + PATIENCE_NS)

    @property
    def due_ns(self) -> int | None:
        return min((one for one in (self.next_ns, self.ends_ns) if one is not None), default=None)

    def again(self, now_ns: int) -> Packet:
        """Send it once more: Timer A doubles without end, Timer E up to T2."""
        self.interval_ms *= 2
        if self.method != "INVITE":
            self.interval_ms = min(self.interval_ms, T2_MS)
        self.next_ns = now_ns + self.interval_ms * 1_000_000
        return self.packet

    def proceeding(self) -> None:
        """There is a provisional answer: an INVITE just waits, another request goes out every T2."""
        if self.method == "INVITE":
            self.next_ns = self.ends_ns = None
        else:
            self.interval_ms = T2_MS

    def last_wait(self, now_ns: int) -> None:
        """Do not send it again, and wait for its answer no longer than usual."""
        self.next_ns, self.ends_ns = None, now_ns + PATIENCE_NS
