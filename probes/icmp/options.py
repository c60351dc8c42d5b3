"""What an ICMP check can be told."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from probes.icmp.packet import SMALLEST
from probes.prober import Options
from probes.resolve import Family, Unresolved, literal
from probes.units import Duration, Ratio

LARGEST = 65_000
"""Bytes of data in an echo request; with its headers it still is an IP packet (65,535)."""


def _is_address(text: str) -> str:
    try:
        known = literal(text)
    except Unresolved:
        return text  # of an interface that may be there later
    if known is None:
        raise ValueError(f"expected an IP address of this host, not {text!r}")
    return text


class IcmpOptions(Options):
    """Of a burst of echo requests, and of how its outcome is judged."""

    family: Family = "any"
    """Which addresses of a name count; ``icmp4://`` and ``icmp6://`` say it themselves."""

    count: Annotated[int, Field(ge=1, le=20)] = 1
    """Echo requests in a probe."""

    spacing: Duration = "20ms"  # type: ignore[assignment]
    """Milliseconds between them, at least; they leave at probes.datagram.SWEEP_S."""

    size: Annotated[int, Field(ge=SMALLEST, le=LARGEST)] = 56
    """Bytes of data in each. IP and ICMP add 28 bytes (IPv4) or 48 (IPv6)."""

    dont_fragment: bool = False
    """Send each in one piece, or not at all: what is too big for the path is then bad."""

    ttl: Annotated[int, Field(ge=1, le=255)] | None = None
    """TTL or hop limit of the requests; without it the host's own."""

    dscp: Annotated[int, Field(ge=0, le=63)] = 0
    """Differentiated services code point of the requests (RFC 2474)."""

    source_address: Annotated[str, AfterValidator(_is_address)] | None = None
    """Address of this host from which to ask. Only addresses of its family are asked then."""

    loss_degraded: Ratio | None = None
    loss_down: Ratio = Decimal(1)
    """Shares of lost requests from which on the probe is degraded, or bad."""

    rtt_degraded: Duration | None = None
    """Milliseconds of mean round trip from which on the probe is degraded."""

    jitter_degraded: Duration | None = None
    """Milliseconds of jitter from which on the probe is degraded (see probes.icmp.burst.jitter_s)."""

    @model_validator(mode="after")
    def _leaves_time_for_the_last_answer(self) -> IcmpOptions:
        burst_ms = (self.count - 1) * self.spacing
        if 2 * burst_ms > self.timeout:
            raise ValueError(
                f"expected count and spacing to send within half of the timeout ({self.timeout / 2:g} ms), "
                f"but they take {burst_ms} ms"
            )
        return self

    @model_validator(mode="after")
    def _has_jitter_to_judge(self) -> IcmpOptions:
        if self.jitter_degraded is not None and self.count < 2:
            raise ValueError("expected a count of at least 2 with jitter_degraded: one answer has no jitter")
        return self
