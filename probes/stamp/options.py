"""What a STAMP check can be told."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from probes.prober import Options
from probes.resolve import Family, Unresolved, literal
from probes.stamp.packet import BASE, LARGEST, SMALLEST
from probes.stamp.padding import FIELD
from probes.units import Duration, Ratio

Mode = Literal["stamp", "twamp-light"]


def _is_address(text: str) -> str:
    try:
        known = literal(text)
    except Unresolved:
        return text  # of an interface that may be there later
    if known is None:
        raise ValueError(f"expected an IP address of this host, not {text!r}")
    return text


class StampOptions(Options):
    """Of a burst of test packets, and of how its outcome is judged."""

    family: Family = "any"
    """Which addresses of a name count. The first one is asked."""

    mode: Mode = "stamp"
    """``stamp`` sends a session identifier, and padding in a field of its own (RFC 8972); ``twamp-light`` neither
    (RFC 5357 appendix I)."""

    count: Annotated[int, Field(ge=1, le=30)] = 10
    """Test packets in a probe. All their answers, each of them twice, fit into probes.datagram.KEPT."""

    spacing: Duration = "20ms"  # type: ignore[assignment]
    """Milliseconds between them, at least; they leave at probes.datagram.SWEEP_S."""

    size: Annotated[int, Field(ge=SMALLEST, le=LARGEST)] = BASE
    """Octets of each packet, in both directions. IP and UDP add 28 (IPv4) or 48 (IPv6)."""

    dscp: Annotated[int, Field(ge=0, le=63)] = 0
    """Differentiated services code point of the packets (RFC 2474)."""

    source_address: Annotated[str, AfterValidator(_is_address)] | None = None
    """Address of this host from which to ask. Only addresses of its family are asked then."""

    loss_degraded: Ratio | None = None
    loss_down: Ratio = Decimal(1)
    """Shares of lost packets, in whichever direction, from which on the probe is degraded, or bad."""

    rtt_degraded: Duration | None = None
    """Milliseconds of mean round trip from which on the probe is degraded."""

    jitter_degraded: Duration | None = None
    """Milliseconds of jitter, in the worse direction, from which on the probe is degraded."""

    delay_degraded: Duration | None = None
    """Milliseconds of mean delay, in the worse direction, from which on the probe is degraded. Judged only where
    it can be known: see probes.stamp.delay."""

    @model_validator(mode="after")
    def _leaves_time_for_the_last_answer(self) -> StampOptions:
        burst_ms = (self.count - 1) * self.spacing
        if 2 * burst_ms > self.timeout:
            raise ValueError(
                f"expected count and spacing to send within half of the timeout ({self.timeout / 2:g} ms), "
                f"but they take {burst_ms} ms"
            )
        return self

    @model_validator(mode="after")
    def _has_jitter_to_judge(self) -> StampOptions:
        if self.jitter_degraded is not None and self.count < 2:
            raise ValueError("expected a count of at least 2 with jitter_degraded: one answer has no jitter")
        return self

    @model_validator(mode="after")
    def _has_a_size_that_can_be(self) -> StampOptions:
        if self.mode == "stamp" and self.size != BASE and self.size < BASE + FIELD:
            raise ValueError(
                f"expected a size of {BASE}, or of at least {BASE + FIELD}, in the mode stamp, not {self.size}"
            )
        return self
