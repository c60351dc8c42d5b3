"""From an answer to an outcome: what the code says, and what else the answer tells."""

from __future__ import annotations

from collections.abc import Callable

from probes.outcome import Outcome, Verdict
from probes.sip.conversation import Conversation
from probes.sip.exchange import Reply
from probes.sip.message import Response, Via, retry_after_s
from probes.sip.options import SipOptions

_LONGEST_TEXT = 160
_TOLD = (
    ("server", "server"),
    ("server", "user-agent"),
    ("allow", "allow"),
    ("supported", "supported"),
    ("warning", "warning"),
)
"""Name in the detail, and header."""


def judged(
    conversation: Conversation,
    reply: Reply,
    usual: Callable[[int], Verdict],
    *,
    not_taken: Verdict,
    phase: str,
) -> Outcome:
    """The outcome that a final response makes, unless the operator named its code.

    ``usual``: what the code says as a rule. ``not_taken``: what it is when our credentials were refused.
    ``phase``: what the time from the request to this answer is called.
    """
    asked, options, status = conversation.asked, conversation.question.options, reply.response.status
    assert asked is not None
    named = options.named.get(status)
    if conversation.refused(status):
        verdict, reason = not_taken if named is None else named, "credentials refused"
    else:
        verdict, reason = usual(status) if named is None else named, str(status)
    round_trip_s = asked.round_trip_s(reply.received_ns)
    if verdict is Verdict.GOOD and _is_slow(round_trip_s, options):
        verdict, reason = Verdict.DEGRADED, "slow"
    detail = conversation.detail
    note(reply.response, asked.via, detail)
    if reply.source is not None:
        detail["source"] = reply.source
    if len(asked.sent_ns) > 1:
        detail["retransmissions"] = len(asked.sent_ns) - 1
    sent_ns = asked.sent_ns[0] if verdict is Verdict.BAD else asked.asked_ns(reply.received_ns)
    phases = _with_challenge(conversation)
    answer_s = max(0, reply.received_ns - asked.sent_ns[0]) / 1e9
    return Outcome(verdict, sent_ns, reason, round_trip_s, (*phases, (phase, answer_s)), detail)


def _is_slow(round_trip_s: float | None, options: SipOptions) -> bool:
    slow_ms = options.rtt_degraded
    return slow_ms is not None and round_trip_s is not None and round_trip_s * 1000 >= slow_ms


def _with_challenge(conversation: Conversation) -> tuple[tuple[str, float], ...]:
    if conversation.challenge_s is None:
        return conversation.phases
    return (*conversation.phases, ("challenge", conversation.challenge_s))


def note(response: Response, via: Via | None, detail: dict[str, object]) -> None:
    """Note what the answer tells of the peer and of the way to it."""
    detail["status"] = response.status
    if response.phrase:
        detail["phrase"] = clipped(response.phrase)
    headers = response.headers
    for name, header in _TOLD:
        if header in headers and name not in detail and (text := ", ".join(headers[header])):
            detail[name] = clipped(text)
    if via is not None and via.received:
        detail["received"] = clipped(via.received)
    if via is not None and via.rport is not None:
        detail["rport"] = via.rport
    if "retry-after" in headers and (seconds := retry_after_s(response)) is not None:
        detail["retry_after_s"] = seconds


def clipped(text: str) -> str:
    """What a peer said, of a length and in characters that fit a record."""
    text = text[:_LONGEST_TEXT]
    return text if text.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in text)
