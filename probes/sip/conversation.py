"""What is asked of one member, and how it goes on: one Call-ID, rising CSeq, credentials once asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from probes.outcome import Outcome
from probes.sip.codes import REFUSALS
from probes.sip.credentials import Account, Credentials
from probes.sip.exchange import Channel, Reply
from probes.sip.locate import Member
from probes.sip.options import SipOptions
from probes.sip.request import Identity, Outgoing, Template, new_token
from probes.sip.transaction import Transaction
from probes.sip.uri import SipTarget


class Question(NamedTuple):
    """What is to be asked, and of whom. ``started_ns``: when the probe began, in ``time.monotonic_ns()``;
    ``resolve_s``: seconds that went by until the member was known. ``stale``: it may be no longer the one."""

    target: SipTarget
    options: SipOptions
    member: Member
    account: Account | None
    started_ns: int
    resolve_s: float
    stale: bool

    @property
    def deadline_ns(self) -> int:
        return self.started_ns + self.options.timeout * 1_000_000

    @property
    def detail(self) -> dict[str, object]:
        """What an outcome says of the address that was asked."""
        asked: dict[str, object] = {"address": str(self.member.address)}
        return asked | {"address_stale": True} if self.stale else asked


class Conversation:
    """The requests of one probe to one member, each a transaction of its own."""

    __slots__ = (
        *("_channel", "_credentials", "asked", "challenge_s", "cseq", "detail", "ended", "identity"),
        *("phases", "question", "so_far", "token"),
    )

    def __init__(
        self,
        question: Question,
        channel: Channel,
        identity: Identity,
        phases: tuple[tuple[str, float], ...],
        detail: dict[str, object],
    ) -> None:
        self.question = question
        self.identity = identity
        self.phases = phases
        """Those before the first request."""
        self.detail = detail
        self.asked: Transaction | None = None
        """The transaction under way, or the last one."""
        self.challenge_s: float | None = None
        """Seconds that challenges took, if there were any."""
        self.ended = False
        """Whether there must be no further request."""
        self.token: bytes | None = None
        self.cseq = 0
        self.so_far: Outcome | None = None
        """What is certain already, should all that follows fail."""
        self._channel = channel
        self._credentials = Credentials(question.account) if question.account else None

    def resume(self, token: bytes, cseq: int) -> None:
        """Go on where an earlier conversation broke off."""
        self.token, self.cseq = token, cseq

    def refused(self, status: int) -> bool:
        """Whether a status means that our credentials were not taken."""
        return self._credentials is not None and self._credentials.given and status in REFUSALS

    async def ask(self, template: Template, headers: str = "") -> Reply:
        """The final response to a request with these further lines, after the challenges that it took.

        Raises what Channel.ask does, and OSError where this host cannot answer a challenge.
        """
        credentials = self._credentials
        if credentials is not None:
            credentials.begin()
        while True:
            request = self._next(template, headers)
            asked = self.asked = Transaction(request.branch.decode(), template.method, self._channel.reliable)
            reply = await self._channel.ask(request, asked)
            if credentials is None or not credentials.take(reply.response):
                return reply
            took_s = max(0, reply.received_ns - asked.sent_ns[0]) / 1e9
            self.challenge_s = (self.challenge_s or 0.0) + took_s

    def _next(self, template: Template, headers: str) -> Outgoing:
        if self.ended:
            raise OSError("prober was closed")
        self.cseq += 1
        if self.token is None and not headers:
            request = template.new()
            self.token = request.token
            return request
        if self._credentials is not None:
            headers += self._credentials.headers(template.method, template.uri)
        self.token = self.token or new_token()
        return template.next(self.token, self.cseq, headers)


Script = Callable[[Conversation], Awaitable[Outcome]]
"""What is said in a conversation, and what comes of it. What cannot be said, it raises as Conversation.ask does."""
