"""One SNMP agent as one asker sees it, and what it can answer other than what was asked for."""

from __future__ import annotations

from typing import Protocol

from probes.snmp.mark import new_number
from probes.snmp.message import Community, decode, encode
from probes.snmp.pdu import Answer, Request
from probes.snmp.wire import Conversation

NOT_ALLOWED = frozenset({"authorizationError", "noAccess"})
"""Errors that speak of what we ask with, and not of how the agent is."""


class BadAnswer(Exception):
    """The agent answered, but not the question. ``str()`` is the reason."""


class Refused(Exception):
    """The agent does not know us: what we ask with is configured wrongly. ``str()`` is the reason.

    ``said`` names the agent's own word for it, such as usmStatsWrongDigests: it is reachable.
    """

    def __init__(self, reason: str, said: str) -> None:
        super().__init__(reason)
        self.said = said


class Agent(Protocol):
    """Asks by one version of SNMP, with one set of credentials."""

    version: str

    alone_until_ns: int
    """Until when (``time.monotonic_ns()``) it is not asked for several probes at once."""

    async def ask(self, conversation: Conversation, request: Request) -> Answer:
        """The answer to one request. Raises BadAnswer, Refused, Silent, and OSError."""


class CommunityAgent:
    """An agent of version 1 or 2c. It answers a wrong community with silence."""

    def __init__(self, community: Community) -> None:
        self._community = community
        self.version: str = community.version
        self.alone_until_ns = 0

    async def ask(self, conversation: Conversation, request: Request) -> Answer:
        number = new_number()
        question = encode(self._community, request, number)
        return await conversation.ask(number, question, lambda data: decode(data, self._community))
