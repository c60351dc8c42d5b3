"""The SIP prober: OPTIONS and REGISTER over UDP, TCP and TLS."""

from __future__ import annotations

import asyncio
import time
from typing import ClassVar

from probes.blame import not_asked
from probes.metric import Metric
from probes.outcome import Outcome, Verdict
from probes.prober import Options
from probes.resolve import Resolver
from probes.sip.conversation import Question, Script
from probes.sip.credentials import account_of
from probes.sip.locate import Location, Locator
from probes.sip.members import Listed, first_addresses, together
from probes.sip.methods import ask_options, read_bindings
from probes.sip.metrics import METRICS
from probes.sip.network import Network
from probes.sip.options import SipOptions
from probes.sip.register import Registrations
from probes.sip.uri import SipTarget, parse_target
from probes.trace import tell

MEMBERS_AT_ONCE = 16
"""Members of one target that are asked at the same time."""

_QUEUE_SHARE = 0.1
"""Of the time-out, what a member may have waited for its turn and still be judged."""


class SipProber:
    """Asks every host that RFC 3263 finds behind a target.

    Over UDP all probes that leave this host in the same way share one socket; over TCP and TLS each has a
    connection. An answer counts when branch, CSeq method and transport are ours, wherever it comes from:
    proxies answer from other addresses. The check's time-out is its own, not Timer F, and holds the look-ups.
    """

    schemes: ClassVar[tuple[str, ...]] = ("sip", "sips")
    options: ClassVar[type[Options]] = SipOptions
    metrics: ClassVar[tuple[Metric, ...]] = METRICS

    def __init__(self, resolver: Resolver | None = None) -> None:
        self._resolver = resolver or Resolver()
        self._locator = Locator(self._resolver)
        self._network = Network()
        self._registrations = Registrations(self._network.converse)
        self._scripts: dict[str, Script] = {
            "options": ask_options,
            "register": self._registrations.register,
            "bindings": read_bindings,
        }

    parse = staticmethod(parse_target)

    async def probe(self, target: SipTarget, options: SipOptions) -> Outcome:
        started_ns = time.monotonic_ns()
        try:
            account = account_of(target, options)
            location = await self._locate(options.first_hop or target, options)
        except OSError as error:
            return not_asked(error, started_ns)
        resolve_s = (time.monotonic_ns() - started_ns) / 1e9
        members, script = location.members, self._scripts[options.method]
        tell("resolved", members=Listed(members))
        if options.addresses == "first" and len(members) > 1:
            members = first_addresses(members)
        questions = [
            Question(target, options, member, account, started_ns, resolve_s, location.stale)
            for member in members
        ]
        if len(questions) == 1:
            return await self._network.converse(questions[0], script)
        outcomes = await self._converse_with_all(questions, script)
        return together(list(zip(members, outcomes, strict=True)), options.partly_up)

    async def close(self) -> None:
        await self._registrations.close()
        self._network.close()
        await self._locator.close()
        await self._resolver.close()

    async def _locate(self, hop: SipTarget, options: SipOptions) -> Location:
        """Raises Unresolved."""
        family, port, transport = options.asked_family, hop.port, hop.transport
        known = self._locator.at_once(
            hop.host, port=port, transport=transport, secure=hop.secure, family=family
        )
        if known is not None:
            return known
        timeout_s = options.timeout / 1000
        return await self._locator.locate(
            hop.host, port=port, transport=transport, secure=hop.secure, family=family, timeout_s=timeout_s
        )

    async def _converse_with_all(self, questions: list[Question], script: Script) -> list[Outcome]:
        free = asyncio.Semaphore(MEMBERS_AT_ONCE)

        async def converse(question: Question) -> Outcome:
            async with free:
                waited_ms = (time.monotonic_ns() - question.started_ns) / 1e6 - question.resolve_s * 1e3
                if waited_ms > question.options.timeout * _QUEUE_SHARE:
                    # what is left may be too short for an answer: that would be our fault
                    return Outcome(Verdict.NOT_ASKED, time.monotonic_ns(), "too many members")
                return await self._network.converse(question, script)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(converse(question)) for question in questions]
        return [task.result() for task in tasks]
