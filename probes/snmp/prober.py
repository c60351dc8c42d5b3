"""SNMP: does the agent answer, and with the wanted value? ``snmp://host[:port]/OBJECT``"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import ClassVar

from probes.blame import failed, not_asked
from probes.datagram import silent
from probes.metric import Metric
from probes.outcome import Outcome, Verdict
from probes.prober import Options
from probes.resolve import Resolver, Sockaddr
from probes.snmp.agent import BadAnswer, Refused
from probes.snmp.agents import Agents, credentials
from probes.snmp.options import SnmpOptions
from probes.snmp.pdu import Binding, Oid
from probes.snmp.question import (
    IF_DESCR,
    IF_NAME,
    IF_OPER_STATUS,
    OPER_STATUS,
    SYS_UP_TIME,
    Expected,
    Question,
    parse_question,
)
from probes.snmp.session import Session
from probes.snmp.wire import Conversation, Lines, Silent, Way
from probes.target import split
from probes.trace import tell
from probes.unreachable import Unreachable

_ROWS_KEPT = 8_192


@dataclass(frozen=True, slots=True)
class SnmpTarget:
    host: str
    port: int
    question: Question


_UP = Expected("up", 1, 1)


@dataclass(frozen=True, slots=True)
class _Row:
    """Where an interface was found: its index, and the column that holds its name."""

    index: int
    column: Oid


class SnmpProber:
    """Sends each question once, and never again: what is lost on the way is for ``fall`` to weigh.

    An interface that is asked for by name is looked for in ifName, then in ifDescr, and remembered. Each probe
    reads the name with the status, so that an index that moved (a reboot, another card) is noticed and looked
    for again, and never judged.
    """

    schemes: ClassVar[tuple[str, ...]] = ("snmp",)
    options: ClassVar[type[Options]] = SnmpOptions
    metrics: ClassVar[tuple[Metric, ...]] = ()

    def __init__(self) -> None:
        self._resolver = Resolver()
        self._lines = Lines()
        self._agents = Agents()
        self._rows: dict[tuple[Sockaddr, str], _Row] = {}

    @staticmethod
    def parse(text: str) -> SnmpTarget:
        parts = split(text, "snmp://router.example.net/sysUpTime")
        if parts.scheme != "snmp" or parts.query or parts.fragment or parts.port == 0:
            raise ValueError(f"expected snmp://HOST[:PORT]/OBJECT, not {text!r}")
        return SnmpTarget(parts.hostname or "", parts.port or 161, parse_question(parts.path))

    async def probe(self, target: SnmpTarget, options: SnmpOptions) -> Outcome:
        started_ns = time.monotonic_ns()
        timeout_s = options.timeout / 1000
        try:
            asked_with = credentials(options)
            family = options.reachable
            resolution = await self._resolver.resolve(target.host, family, timeout_s=timeout_s)
            address = resolution.addresses[0]
            tell("resolved", **resolution.detail)
            line = self._lines.of(Way(address.family, options.source_address, options.dscp))
        except OSError as error:
            return not_asked(error, started_ns)
        resolve_s = (time.monotonic_ns() - started_ns) / 1e9
        conversation = Conversation(line, address.sockaddr(target.port), timeout_s - resolve_s)
        session = Session(self._agents.of(conversation.sockaddr, asked_with), conversation)
        outcome = await self._converse(session, target.question, options, resolve_s)
        phases = (("resolve", resolve_s), ("response", outcome.round_trip_s or 0.0))
        return replace(outcome, phases=phases, detail={**resolution.detail, **outcome.detail})

    async def close(self) -> None:
        self._lines.close()
        await self._resolver.close()

    async def _converse(
        self, session: Session, question: Question, options: SnmpOptions, resolve_s: float
    ) -> Outcome:
        told = session.conversation
        try:
            binding = await self._value(session, question)
        except Silent as silence:
            if silence.unusable:
                detail = {"unusable": str(silence.unusable)}
                return Outcome(Verdict.BAD, told.sent_ns, silence.unusable.reason, detail=detail)
            return silent(options.timeout, told.sent_ns, {}, resolve_s=resolve_s)
        except BadAnswer as error:
            return Outcome(Verdict.BAD, told.sent_ns, str(error), told.round_trip_s)
        except Refused as error:
            return Outcome(Verdict.NOT_ASKED, told.sent_ns, str(error), detail={"agent_says": error.said})
        except Unreachable as error:
            return error.outcome(told.sent_ns, {})
        except OSError as error:
            return failed(error, told.sent_ns, told.sockaddr, {})
        return _judge(binding, question, options, told)

    async def _value(self, session: Session, question: Question) -> Binding:
        if not question.interface:
            return (await session.get(question.oid))[0]
        place = (session.conversation.sockaddr, question.interface)
        row = self._rows.get(place)
        if row is not None:
            status = await _status(session, row, question.interface)
            if status is not None:
                return status
        row = self._rows[place] = await _find(session, question.interface)
        if len(self._rows) > _ROWS_KEPT:
            del self._rows[next(iter(self._rows))]
        status = await _status(session, row, question.interface)
        if status is None:
            raise BadAnswer("no such interface")
        return status


async def _status(session: Session, row: _Row, name: str) -> Binding | None:
    """The status in this row, None if the row no longer has this name."""
    status, label = await session.get((*IF_OPER_STATUS, row.index), (*row.column, row.index))
    return status if label.value == name else None


async def _find(session: Session, name: str) -> _Row:
    for column in (IF_NAME, IF_DESCR):
        table = await session.walk([column])
        for index, cells in table.rows.items():
            if cells[column].value == name:
                return _Row(index[-1], column)
    raise BadAnswer("no such interface")


def _judge(binding: Binding, question: Question, options: SnmpOptions, told: Conversation) -> Outcome:
    detail: dict[str, object] = {"oid": ".".join(map(str, binding.oid))}
    verdict = Verdict.BAD
    if binding.missing:
        reason = binding.kind[0].lower() + binding.kind[1:]
    else:
        detail["value"] = binding.value
        expected = options.expect or (_UP if question.is_oper_status else None)
        if expected is None or expected.accepts(binding.value):
            verdict = Verdict.GOOD
        reason = _word(binding, question, verdict)
        if binding.oid == SYS_UP_TIME and isinstance(binding.value, int):
            detail["uptime_s"] = binding.value / 100
    return Outcome(verdict, told.sent_ns, reason, told.round_trip_s, detail=detail)


def _word(binding: Binding, question: Question, verdict: Verdict) -> str:
    if question.is_oper_status and isinstance(binding.value, int):
        return OPER_STATUS.get(binding.value, "no such status")
    return "answered" if verdict is Verdict.GOOD else "unexpected value"
