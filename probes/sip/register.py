"""REGISTER as a test: an account gets a short-lived contact of ours, and loses it again.

Whatever becomes of the probe, the contact is removed: where the probe itself could not (time-out, cancelled,
closed), it is tried once more in a conversation of its own. What a dead registrar keeps ends with ``expires``.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

from probes.outcome import Outcome, Verdict
from probes.sip.address import parse_address
from probes.sip.conversation import Conversation, Question, Script
from probes.sip.exchange import Reply
from probes.sip.message import NotSip, Response
from probes.sip.methods import judged_register, registration
from probes.sip.request import new_token

REMOVAL_MS = 2_000
"""For how long it is tried to remove what a probe left behind."""

CLOSING_S = 1.0
"""Seconds that this may hold up the closing of the prober."""

LONGEST_EXPIRES_S = 86_400
"""What a registrar can demand (423), and we grant: the contact is removed at once anyway."""

_REMOVALS_AT_ONCE = 1_024
_SECONDS = re.compile(r"[0-9]{1,9}")


@dataclass(slots=True, eq=False)
class _Held:
    """A contact of ours that a registrar may have, and the conversation in which it got it."""

    contact: str
    conversation: Conversation


class Registrations:
    """The contacts that registrars may hold of us at this moment.

    ``converse`` opens a conversation about a question and has it go through a script; it never raises.
    """

    def __init__(self, converse: Callable[[Question, Script], Awaitable[Outcome]]) -> None:
        self._converse = converse
        self._held: set[_Held] = set()
        self._removals: set[asyncio.Task[Outcome]] = set()
        self._closing = False

    async def register(self, conversation: Conversation) -> Outcome:
        """Add a contact, and remove it. Raises as Conversation.ask does."""
        if self._closing:
            raise OSError("prober was closed")
        held = _Held(_contact(conversation), conversation)
        template = registration(conversation)
        self._held.add(held)
        kept = True
        try:
            reply = await _add(conversation, held.contact)
            outcome = judged_register(conversation, reply, phase="register")
            if not 200 <= reply.response.status < 300:
                kept = False
                return outcome
            conversation.detail |= _granted(reply.response, held.contact)
            conversation.so_far = _not_removed(outcome)
            began_ns = time.monotonic_ns()
            removed = await conversation.ask(template, _removal(held.contact))
            kept = not _is_gone(removed.response, held.contact)
            if kept:
                conversation.detail["removal_status"] = removed.response.status
                return conversation.so_far
            remove_s = max(0, removed.received_ns - began_ns) / 1e9
            return replace(outcome, phases=(*outcome.phases, ("remove", remove_s)))
        finally:
            self._held.discard(held)
            if kept and not self._closing:
                self._remove(held)

    async def close(self) -> None:
        """Remove what is held, as far as the registrars answer within CLOSING_S."""
        self._closing = True
        for held in list(self._held):
            held.conversation.ended = True
            self._remove(held)
        if self._removals:
            await asyncio.wait(self._removals, timeout=CLOSING_S)
        for removal in self._removals:
            removal.cancel()

    def _remove(self, held: _Held) -> None:
        """Begin to remove a contact, in a conversation of its own: the connection of the first may be broken."""
        before = held.conversation
        if before.token is None or len(self._removals) >= _REMOVALS_AT_ONCE:
            return
        question = before.question._replace(
            options=before.question.options.model_copy(update={"timeout": REMOVAL_MS}),
            started_ns=time.monotonic_ns(),
            resolve_s=0.0,
        )
        # a transaction may be under way, with the next number
        say = partial(_say_removal, contact=held.contact, token=before.token, cseq=before.cseq + 1)
        removal = asyncio.ensure_future(self._converse(question, say))
        self._removals.add(removal)
        removal.add_done_callback(self._removals.discard)


async def _add(conversation: Conversation, contact: str) -> Reply:
    """Register the contact; for longer, if the registrar finds it too brief (RFC 3261 §10.2.8)."""
    template = registration(conversation)
    expires_s = conversation.question.options.expires // 1_000
    reply = await conversation.ask(template, _addition(contact, expires_s))
    least_s = _seconds(reply.response.get("min-expires"))
    if reply.response.status == 423 and least_s is not None and expires_s < least_s <= LONGEST_EXPIRES_S:
        reply = await conversation.ask(template, _addition(contact, least_s))
    return reply


async def _say_removal(conversation: Conversation, *, contact: str, token: bytes, cseq: int) -> Outcome:
    conversation.resume(token, cseq)
    reply = await conversation.ask(registration(conversation), _removal(contact))
    return judged_register(conversation, reply, phase="remove")


def _contact(conversation: Conversation) -> str:
    """One that nobody else has, so that to remove it removes nothing else."""
    question = conversation.question
    if question.options.contact_uri is not None:
        return question.options.contact_uri
    user = f"ringback-{new_token().decode()[:12]}"
    sips = question.target.scheme == "sips"
    return conversation.identity.contact(user, question.member.transport, sips=sips)


def _addition(contact: str, expires_s: int) -> str:
    return f"Contact: <{contact}>;expires={expires_s}\r\nExpires: {expires_s}\r\n"


def _removal(contact: str) -> str:
    return f"Contact: <{contact}>;expires=0\r\n"


def _not_removed(outcome: Outcome) -> Outcome:
    """The registrar registers, but keeps what it should forget: nobody is down for that."""
    if outcome.verdict is not Verdict.GOOD:
        return outcome
    return replace(outcome, verdict=Verdict.DEGRADED, reason="not removed")


def _granted(response: Response, contact: str) -> dict[str, object]:
    """How many contacts the account has by now, and for how long it has ours."""
    contacts = response.all("contact")
    granted_s = next((_expires_s(one) for one in contacts if _is_of(one, contact)), None)
    if granted_s is None:
        granted_s = _seconds(response.get("expires"))
    told: dict[str, object] = {"bindings": len(contacts)}
    return told if granted_s is None else told | {"expires_s": granted_s}


def _is_gone(response: Response, contact: str) -> bool:
    listed = any(_is_of(one, contact) for one in response.all("contact"))
    return 200 <= response.status < 300 and not listed


def _is_of(value: str, contact: str) -> bool:
    try:
        return parse_address(value).uri == contact
    except NotSip:
        return False


def _expires_s(value: str) -> int | None:
    try:
        return _seconds(parse_address(value).parameters.get("expires"))
    except NotSip:
        return None


def _seconds(text: str | None) -> int | None:
    match = _SECONDS.fullmatch((text or "").strip())
    return int(match[0]) if match else None
