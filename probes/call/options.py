"""What a call check can be told."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from probes.sip.options import UserAgentOptions
from probes.units import Duration, Ratio

CLOSING_MS = 2_000
"""What of the time-out is kept for hanging up."""

_LONGEST_TALK_MS = 40_000


def _score(value: object) -> object:
    """YAML's number with the digits as written."""
    return Decimal(str(value)) if isinstance(value, float | int) and not isinstance(value, bool) else value


Score = Annotated[Decimal, BeforeValidator(_score), Field(ge=1, le=5)]
"""A mean opinion score, 1 to 5 (ITU-T P.800)."""


class CallOptions(UserAgentOptions):
    """How the call is made, and what it is judged by; for the codes without lists, see probes.call.judgement."""

    timeout: Duration = "20s"  # type: ignore[assignment]
    """Milliseconds for all of it: look-up, ringing, talk, and hanging up."""

    answer_within: Duration = "10s"  # type: ignore[assignment]
    """Milliseconds from the beginning within which the call has to be answered."""

    duration: Duration = "5s"  # type: ignore[assignment]
    """Milliseconds to talk before we hang up."""

    until: Literal["answer", "ringing"] = "answer"
    """``ringing``: hang up as soon as it rings; nobody has to answer, and no media is judged."""

    calls_per_hour: Annotated[int, Field(ge=1, le=3_600)] = 12
    """Calls that this check's number may get within an hour, from all checks of this host together."""

    codecs: Annotated[tuple[Literal["PCMA", "PCMU"], ...], Field(min_length=1, max_length=2)] = (
        "PCMA",
        "PCMU",
    )
    """What we offer, the best first (ITU-T G.711)."""

    audio: Literal["packets", "sound", "ignored"] = "packets"
    """What has to come back: RTP at all, RTP that is not silence, or nothing."""

    early_end: Literal["degraded", "good", "bad"] = "degraded"
    """What it is when the other side hangs up before ``duration`` is over."""

    media_dscp: Annotated[int, Field(ge=0, le=63)] = 46
    """Differentiated services code point of RTP and RTCP (46: expedited forwarding, RFC 3246)."""

    pdd_degraded: Duration | None = None
    """Milliseconds of post-dial delay, from INVITE to ringing, from which on the call is degraded."""

    loss_degraded: Ratio | None = None
    loss_down: Ratio | None = None
    """Shares of lost RTP packets, in whichever direction, from which on the call is degraded, or bad."""

    jitter_degraded: Duration | None = None
    """Milliseconds of jitter (RFC 3550), in whichever direction, from which on the call is degraded."""

    mos_degraded: Score | None = None
    mos_down: Score | None = None
    """Mean opinion scores below which the call is degraded, or bad."""

    @model_validator(mode="after")
    def _has_time_for_all_of_it(self) -> CallOptions:
        needed_ms = self.answer_within + self.duration + CLOSING_MS
        if self.timeout < needed_ms:
            raise ValueError(
                f"expected a timeout of at least {needed_ms} ms: answer_within, duration, and {CLOSING_MS} ms "
                f"to hang up; not {self.timeout} ms"
            )
        if self.duration > _LONGEST_TALK_MS:
            raise ValueError(f"expected a duration of at most {_LONGEST_TALK_MS} ms, not {self.duration} ms")
        return self
