"""The client side of a non-INVITE transaction (RFC 3261 §17.1.2), without sockets and with time as a value."""

from __future__ import annotations

from dataclasses import dataclass, field

from probes.sip.message import NotSip, Response, Via, cseq, top_via

T1_MS = 500
T2_MS = 4_000


@dataclass(slots=True)
class Transaction:
    """One request and its answers. Instants are integer nanoseconds of one clock.

    Timer E retransmits over unreliable transports: after T1, then doubling up to T2; once a provisional
    answer is there, every T2. How long to wait in all is the caller's business: a check has its own time-out.
    """

    branch: str
    method: str
    reliable: bool
    sent_ns: list[int] = field(default_factory=list)
    provisional: int | None = None
    via: Via | None = None
    """Our own Via, as the last answer gave it back."""
    _interval_ms: int = T1_MS

    def sent(self, at_ns: int) -> None:
        """The request was sent (again)."""
        if self.sent_ns:
            self._interval_ms = T2_MS if self.provisional else min(2 * self._interval_ms, T2_MS)
        self.sent_ns.append(at_ns)

    @property
    def retransmit_ns(self) -> int | None:
        """When to send the request again if nothing final has come by then; None: never."""
        return None if self.reliable else self.sent_ns[-1] + self._interval_ms * 1_000_000

    def accept(self, response: Response) -> bool:
        """Whether this is the final response. Raises NotSip where it belongs to another transaction."""
        via, (_, method) = top_via(response), cseq(response)
        if via.branch != self.branch or method != self.method:
            raise NotSip("an answer to something else")
        self.via = via
        if response.status < 200:
            self.provisional = response.status
            return False
        return True

    def asked_ns(self, received_ns: int) -> int:
        """When the last transmission before an answer left."""
        if len(self.sent_ns) == 1:
            return self.sent_ns[0]
        return max((at for at in self.sent_ns if at <= received_ns), default=self.sent_ns[0])

    def round_trip_s(self, received_ns: int) -> float | None:
        """Seconds; None where a retransmission leaves open which transmission was answered."""
        if len(self.sent_ns) > 1:
            return None
        return max(0, received_ns - self.sent_ns[0]) / 1e9
