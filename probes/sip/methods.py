"""What is asked with OPTIONS, and with a REGISTER that only reads."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial

from probes.outcome import Outcome, Verdict
from probes.sip.codes import options_verdict, register_verdict
from probes.sip.conversation import Conversation
from probes.sip.judgement import judged
from probes.sip.options import Style
from probes.sip.request import Identity, Template
from probes.sip.uri import SipTarget

judged_register = partial(judged, usual=register_verdict, not_taken=Verdict.BAD)


async def ask_options(conversation: Conversation) -> Outcome:
    """OPTIONS (RFC 3261 §11). Raises as Conversation.ask does."""
    question, us = conversation.question, conversation.identity
    template = _options(question.target, question.member.transport, us.host, us.port, question.options.style)
    reply = await conversation.ask(template)
    return judged(conversation, reply, options_verdict, not_taken=Verdict.DEGRADED, phase="answer")


async def read_bindings(conversation: Conversation) -> Outcome:
    """REGISTER without a contact: which ones are there? (RFC 3261 §10.2.3). Raises as Conversation.ask does."""
    reply = await conversation.ask(registration(conversation))
    outcome = judged_register(conversation, reply, phase="answer")
    if not 200 <= reply.response.status < 300:
        return outcome
    found = len(reply.response.all("contact"))
    conversation.detail["bindings"] = found
    wanted = conversation.question.options.bindings_min
    if wanted is not None and found < wanted:
        return replace(outcome, verdict=Verdict.BAD, reason="too few bindings")
    return outcome


def registration(conversation: Conversation) -> Template:
    """REGISTER for the account that is asked about (RFC 3261 §10.2). Raises OSError where none is named."""
    question, style = conversation.question, conversation.question.options.style
    target = question.target
    user = style.account or target.user
    if user is None and style.to_uri is None:
        raise OSError("no user to register")
    record = style.to_uri or target.record(user)
    _, at, host = target.uri.rpartition("@")
    return Template(
        "REGISTER",
        f"{target.scheme}:{host}" if at else target.uri,
        via=(question.member.transport, conversation.identity.sent_by),
        to_uri=record,
        from_uri=style.from_uri or record,
        max_forwards=style.max_forwards,
        headers=(*style.headers, ("User-Agent", style.agent)),
    )


@lru_cache(maxsize=65_536)
def _options(target: SipTarget, transport: str, host: str, port: int, style: Style) -> Template:
    us = Identity(host, port, style.account or style.user, style.agent)
    ours = target.record(style.account) if style.account else us.record
    contact = style.contact_uri or us.contact(us.user, transport, sips=target.scheme == "sips")
    return Template(
        "OPTIONS",
        target.uri,
        via=(transport, us.sent_by),
        to_uri=style.to_uri or target.record(target.user),
        from_uri=style.from_uri or ours,
        max_forwards=style.max_forwards,
        headers=(
            *style.headers,
            ("Contact", f"<{contact}>"),
            ("Accept", "application/sdp"),
            ("User-Agent", us.agent),
        ),
    )
