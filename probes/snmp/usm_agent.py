"""An agent of version 3: its engine is discovered, its time followed, its reports understood (RFC 3414 §3, §4)."""

from __future__ import annotations

import time
from dataclasses import dataclass

from probes.snmp.agent import BadAnswer, Refused
from probes.snmp.mark import new_number
from probes.snmp.pdu import Answer, Oid, Request, request_pdu
from probes.snmp.usm import Clock, User, localized
from probes.snmp.v3_message import ANYBODY, Asker, Engine, Forged, Received, decode, encode
from probes.snmp.wire import Conversation, Silent
from probes.trace import tell

_LONGEST_ENGINE_ID = 32  # RFC 3411 §5, SnmpEngineID

_USM_STATS: Oid = (1, 3, 6, 1, 6, 3, 15, 1, 1)
_NOT_IN_TIME: Oid = (*_USM_STATS, 2, 0)
_UNKNOWN_ENGINE: Oid = (*_USM_STATS, 4, 0)
_REFUSALS: dict[Oid, tuple[str, str]] = {
    (*_USM_STATS, 1, 0): ("security level not supported", "usmStatsUnsupportedSecLevels"),
    (*_USM_STATS, 3, 0): ("unknown user", "usmStatsUnknownUserNames"),
    (*_USM_STATS, 5, 0): ("wrong key", "usmStatsWrongDigests"),
    (*_USM_STATS, 6, 0): ("wrong privacy key", "usmStatsDecryptionErrors"),
    (1, 3, 6, 1, 6, 3, 12, 1, 5, 0): ("unknown context", "snmpUnknownContexts"),
}
"""Reports that speak of what we ask with, and not of how the agent is: reason, and the agent's word."""


@dataclass(slots=True)
class _Known:
    """An engine, with the keys for it."""

    id: bytes
    asker: Asker
    clock: Clock

    def at(self, now_ns: int) -> Engine:
        return Engine(self.id, self.clock.boots, self.clock.now_s(now_ns))

    def hear(self, said: Engine, conversation: Conversation) -> None:
        """Follow the clock of an answer, unless a later one was heard before it (RFC 3414 §3.2, 7b)."""
        if (said.boots, said.time_s) > (self.clock.boots, self.clock.time_s):
            self.clock = _clock(said, conversation)


class UsmAgent:
    """Discovers the engine with the first question; again when the agent says that it has become another."""

    version = "3"

    def __init__(self, user: User) -> None:
        self.alone_until_ns = 0
        self._user = user
        self._engine: _Known | None = None

    async def ask(self, conversation: Conversation, request: Request) -> Answer:
        discovered = self._engine is None
        try:
            return await self._insist(conversation, request)
        except Silent as silence:
            self._engine = None  # it may be another one by now, that does not answer messages for this one
            if discovered and conversation.answered and silence.unusable is None:
                raise BadAnswer("answers discovery only") from None
            raise

    async def _insist(self, conversation: Conversation, request: Request) -> Answer:
        """Ask, and once more where the agent says that the engine or its time is another."""
        discovered = resynchronised = False
        while True:
            engine = self._engine = self._engine or await self._discover(conversation)
            received = await _ask(conversation, engine, request)
            report = _report(received.answer)
            if report is None:
                engine.hear(received.engine, conversation)
                return received.answer
            tell("report", oid=".".join(map(str, report)))
            if report == _UNKNOWN_ENGINE and not discovered:
                self._engine, discovered = None, True
            elif report == _NOT_IN_TIME and received.authentic and not resynchronised:
                engine.clock, resynchronised = _clock(received.engine, conversation), True
            else:
                raise _complaint(report)

    async def _discover(self, conversation: Conversation) -> _Known:
        received = await _ask(conversation, _Known(b"", Asker(ANYBODY), Clock(0, 0, 0)), Request(()))
        engine = received.engine
        if _report(received.answer) != _UNKNOWN_ENGINE or not 0 < len(engine.id) <= _LONGEST_ENGINE_ID:
            raise BadAnswer("engine not discovered")
        tell("discovered", engine=engine.id.hex(), boots=engine.boots, time_s=engine.time_s)
        asker = Asker(self._user, localized(self._user, engine.id))
        return _Known(engine.id, asker, _clock(engine, conversation))


async def _ask(conversation: Conversation, engine: _Known, request: Request) -> Received:
    number = new_number()

    def read(datagram: bytes) -> Received:
        received = decode(datagram, engine.asker, engine.id, number)
        said, now_ns = received.engine, time.monotonic_ns()
        timely = engine.clock.accepts(said.boots, said.time_s, now_ns)
        if received.authentic and not received.answer.is_report and not timely:
            raise Forged("outside of the time window")
        return received

    pdu = request_pdu(request, number, "3")
    question = encode(engine.asker, engine.at(time.monotonic_ns()), pdu, number)
    return await conversation.ask(number, question, read)


def _clock(engine: Engine, conversation: Conversation) -> Clock:
    heard_ns = conversation.received_ns
    assert heard_ns is not None
    return Clock(engine.boots, engine.time_s, heard_ns)


def _report(answer: Answer) -> Oid | None:
    """What a report is about; None for an answer that is none."""
    if not answer.is_report:
        return None
    return answer.bindings[0].oid if answer.bindings else ()


def _complaint(report: Oid) -> BadAnswer | Refused:
    if report in _REFUSALS:
        return Refused(*_REFUSALS[report])
    if report == _UNKNOWN_ENGINE:
        return BadAnswer("unknown engine")
    if report == _NOT_IN_TIME:
        return BadAnswer("not in time window")
    return BadAnswer("could not be processed")
