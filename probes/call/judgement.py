"""From what happened in a call to its outcome."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from probes.call.caller import Course
from probes.call.media import MediaReport
from probes.call.mos import mos, rating
from probes.call.options import CallOptions
from probes.outcome import Outcome, Verdict
from probes.sip.codes import REFUSALS
from probes.sip.judgement import note

BUSY = frozenset({486, 600})
"""The number is in a call: the way to it works, and its media cannot be judged. Degraded."""

_PACKETISATION_MS = 20.0
_JITTER_BUFFER = 2.0
"""A receiver's buffer, in jitters: what a fixed one needs so that few packets come too late for it."""

_EARLY_END = {"degraded": Verdict.DEGRADED, "good": Verdict.GOOD, "bad": Verdict.BAD}

Finding = tuple[Verdict, str]


class Call(NamedTuple):
    """A call that is over. ``phases`` and ``detail`` hold what was known before the INVITE; ``agreed`` whether
    there was a codec to talk with; ``media`` is None where there was no talk; ``first_ns`` is when the first
    audio came, also if it was before the answer."""

    course: Course
    options: CallOptions
    phases: tuple[tuple[str, float], ...]
    detail: Mapping[str, object]
    agreed: bool = False
    media: MediaReport | None = None
    first_ns: int | None = None


def judged(call: Call) -> Outcome:
    """The outcome of a call with a final answer, or with the ringing that was waited for."""
    course, options = call.course, call.options
    final = course.final
    status = final.status if final is not None else course.provisional
    named = options.named.get(status)
    if options.until == "ringing" and (course.rung_ns or course.answered_ns):
        verdict, reason = Verdict.GOOD, "ringing" if course.answered_ns is None else "200"
    elif final is not None and 200 <= status < 300:
        verdict, reason = Verdict.GOOD if named is None else named, str(status)
    else:
        verdict, reason = _refused(status) if named is None else (named, str(status))
    if verdict is Verdict.GOOD:
        verdict, reason = max(
            [(verdict, reason), *_findings(call)], key=lambda finding: finding[0]
        )  # the first of the worst
    return Outcome(verdict, course.asked_ns, reason, _round_trip_s(course), _phases(call), _detail(call))


def unanswered(call: Call, silence: Outcome) -> Outcome:
    """The outcome of a call that was not answered in time, from what the silence is worth."""
    rang = call.course.rung_ns is not None
    reason = "no answer" if rang and silence.verdict is Verdict.BAD else silence.reason
    return replace(silence, reason=reason, phases=_phases(call), detail={**silence.detail, **_detail(call)})


def _refused(status: int) -> Finding:
    if status in REFUSALS:
        return Verdict.BAD, "credentials refused" if status != 403 else "403"
    return (Verdict.DEGRADED if status in BUSY else Verdict.BAD), str(status)


def _findings(call: Call) -> Iterator[Finding]:
    """What speaks against a call that was answered."""
    course, options, media = call.course, call.options, call.media
    if options.pdd_degraded is not None and (pdd_ms := _pdd_ms(course)) and pdd_ms >= options.pdd_degraded:
        yield Verdict.DEGRADED, "slow to ring"
    if options.until == "ringing" or course.answered_ns is None:
        return
    if options.audio != "ignored":
        if not call.agreed:
            yield Verdict.BAD, "no codec agreed"
        elif media is not None:
            yield from _heard(media, options)
    if course.ended_by == "peer":
        yield _EARLY_END[options.early_end], "hung up early"
    if course.ended_by == "us" and course.closed_ns is None:
        yield Verdict.DEGRADED, "BYE not answered"


def _heard(media: MediaReport, options: CallOptions) -> Iterator[Finding]:
    """What speaks against the media of a call. What was our own doing does not."""
    heard, far = media.heard, media.far
    if media.unsent and not media.sent:
        yield Verdict.NOT_ASKED, "audio not sent"
        return
    if heard.received == 0:
        hears_us = far is not None and far.lost_ratio < 1
        yield Verdict.BAD, "one-way audio" if hears_us else "no audio"
        return
    if heard.silent and options.audio == "sound":
        yield Verdict.BAD, "silence"
    if far is not None and far.lost_ratio >= 1:
        yield Verdict.BAD, "one-way audio"
    if not media.overrun:
        yield from _measured(media, options)


def _measured(media: MediaReport, options: CallOptions) -> Iterator[Finding]:
    far = media.far
    loss = max(media.heard.lost_ratio, far.lost_ratio if far else 0.0)
    if options.loss_down is not None and loss >= options.loss_down:
        yield Verdict.BAD, "loss"
    elif options.loss_degraded is not None and loss >= options.loss_degraded:
        yield Verdict.DEGRADED, "loss"
    far_jitter_ms = far.jitter_ms if far and not media.late else None
    jitter_ms = max(media.heard.jitter_ms or 0.0, far_jitter_ms or 0.0)
    if options.jitter_degraded is not None and jitter_ms >= options.jitter_degraded:
        yield Verdict.DEGRADED, "jitter"
    score = score_of(media)
    if options.mos_down is not None and score < options.mos_down:
        yield Verdict.BAD, "MOS"
    elif options.mos_degraded is not None and score < options.mos_degraded:
        yield Verdict.DEGRADED, "MOS"


def score_of(media: MediaReport) -> float:
    """The mean opinion score of what we hear, by the E-model: half of RTCP's round trip where the peer sends
    reports (else none), the packets' own 20 ms, and a buffer for the jitter."""
    far, heard = media.far, media.heard
    path_ms = (far.round_trip_ms or 0.0) / 2 if far else 0.0
    delay_ms = path_ms + _PACKETISATION_MS + _JITTER_BUFFER * (heard.jitter_ms or 0.0)
    return mos(rating(delay_ms, heard.lost_ratio))


def _round_trip_s(course: Course) -> float | None:
    """From the INVITE to the first word of the peer's."""
    if course.heard_ns is None or course.retransmissions:
        return None
    return max(0, course.heard_ns - course.asked_ns) / 1e9


def _pdd_ms(course: Course) -> float | None:
    """Post-dial delay: from the INVITE to ringing, or to what made ringing needless."""
    rung_ns = course.rung_ns or course.answered_ns
    return None if rung_ns is None else max(0, rung_ns - course.asked_ns) / 1e6


def _phases(call: Call) -> tuple[tuple[str, float], ...]:
    course = call.course
    phases = list(call.phases)
    steps = (
        ("challenge", course.challenged_ns, course.asked_ns),
        ("ring", course.asked_ns, course.rung_ns or course.answered_ns or course.final_ns),
        ("answer", course.rung_ns, course.answered_ns or course.final_ns),
        ("talk", course.answered_ns, course.hung_up_ns),
        ("bye", course.hung_up_ns if course.ended_by == "us" else None, course.closed_ns),
    )
    for name, begun_ns, ended_ns in steps:
        if begun_ns is not None and ended_ns is not None:
            phases.append((name, max(0, ended_ns - begun_ns) / 1e9))
    return tuple(phases)


def _detail(call: Call) -> dict[str, object]:
    course = call.course
    detail = dict(call.detail)
    if course.final is not None and not _by_cancel(course):
        note(course.final, None, detail)
    elif course.provisional:
        detail["provisional"] = course.provisional
    if course.retransmissions:
        detail["retransmissions"] = course.retransmissions
    if (pdd_ms := _pdd_ms(course)) is not None:
        detail["pdd_ms"] = round(pdd_ms, 3)
    if course.ended_by and course.answered_ns is not None:
        detail["ended_by"] = course.ended_by
    if course.bye_status is not None:
        detail["bye_status"] = course.bye_status
    detail |= _first_audio(call)
    if call.media is not None:
        detail |= _media_detail(call.media)
    return detail


def _media_detail(media: MediaReport) -> dict[str, object]:
    heard = media.heard
    told: dict[str, object] = {
        "codec": media.codec,
        "rtp_sent": media.sent,
        "rtp_received": heard.received,
        "rtp_lost": heard.lost,
        "rtp_loss_percent": round(heard.lost_ratio * 100, 3),
        "rtp_reordered": heard.reordered,
        "rtp_duplicates": heard.duplicates,
    }
    if heard.received:
        told |= {"silent": heard.silent, "mos": round(score_of(media), 2)}
    for name, value in (("rtp_jitter_ms", heard.jitter_ms), ("rtp_longest_gap_ms", heard.longest_gap_ms)):
        if value is not None:
            told[name] = round(value, 3)
    for name, count in (
        ("rtp_late_frames", media.late),
        ("rtp_unsent", media.unsent),
        ("rtp_overrun", media.overrun),
        ("rtp_refused", media.refused),
        ("rtp_foreign", media.foreign),
    ):
        if count:
            told[name] = count
    return told | _far_detail(media)


def _by_cancel(course: Course) -> bool:
    """Whether the final answer is what our own hanging up led to."""
    hung_up_ns, final_ns = course.hung_up_ns, course.final_ns
    return hung_up_ns is not None and final_ns is not None and final_ns > hung_up_ns


def _first_audio(call: Call) -> dict[str, object]:
    course, first_ns = call.course, call.first_ns
    if first_ns is None:
        return {}
    if course.answered_ns is None or first_ns < course.answered_ns:
        return {"early_media_ms": round((first_ns - course.asked_ns) / 1e6, 3)}
    return {"first_audio_ms": round((first_ns - course.answered_ns) / 1e6, 3)}


def _far_detail(media: MediaReport) -> dict[str, object]:
    far = media.far
    if far is None:
        return {}
    told: dict[str, object] = {"far_loss_percent": round(far.lost_ratio * 100, 3)}
    for name, value in (("far_jitter_ms", far.jitter_ms), ("rtcp_round_trip_ms", far.round_trip_ms)):
        if value is not None:
            told[name] = round(value, 3)
    return told
