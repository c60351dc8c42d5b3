"""SNMP v2c: does the agent answer, and with the wanted value? ``snmp://host[:port]/OID-or-name``"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, InstanceOf

from probes.attention import Expired, attended, silence
from probes.blame import failed, not_asked
from probes.outcome import Outcome, Verdict
from probes.prober import Options
from probes.resolve import Family, Resolver, Sockaddr
from probes.snmp.community import read_community
from probes.snmp.exchange import Exchange
from probes.snmp.message import MISSING, Binding, Oid
from probes.snmp.question import (
    IF_DESCR,
    IF_NAME,
    IF_OPER_STATUS,
    OPER_STATUS,
    SYS_UP_TIME,
    Expected,
    Question,
    parse_expected,
    parse_question,
)
from probes.snmp.session import BadAnswer, Session
from probes.target import split

_ROWS_KEPT = 8_192


@dataclass(frozen=True, slots=True)
class SnmpTarget:
    host: str
    port: int
    question: Question


class SnmpOptions(Options):
    """What an SNMP check can be told. An agent answers a wrong community with silence: it reads as a time-out."""

    community: Literal["public"] = "public"
    """The one community that is no secret; all others come from a file."""

    community_file: Path | None = None
    """File with the community in its first line; a name alone is a systemd credential."""

    expect: Annotated[InstanceOf[Expected], BeforeValidator(parse_expected)] | None = None
    """The wanted value: a number, a range such as 0..80, or a text. Default: 1 (up) for ifOperStatus, else any."""

    family: Family = "any"
    """Which addresses of a name count: any, ipv4 or ipv6. The first one is asked."""


_UP = Expected("up", 1, 1)


@dataclass(frozen=True, slots=True)
class _Row:
    """Where an interface was found: its index, and the column that holds its name."""

    index: int
    column: Oid


class SnmpProber:
    """Sends one GET, and no second: what is lost on the way is for ``fall`` to weigh.

    An interface that is asked for by name is looked for in ifName, then in ifDescr, and remembered. Each probe
    reads the name with the status, so that an index that moved (a reboot, another card) is noticed and looked
    for again, and never judged.
    """

    schemes: ClassVar[tuple[str, ...]] = ("snmp",)
    options: ClassVar[type[Options]] = SnmpOptions

    def __init__(self) -> None:
        self._resolver = Resolver()
        self._rows: dict[tuple[Sockaddr, str], _Row] = {}
        self._blocks: set[attended] = set()
        self._closed = False

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
            if self._closed:
                raise OSError("prober was closed")
            community = (
                read_community(options.community_file) if options.community_file else options.community
            )
            resolution = await self._resolver.resolve(target.host, options.family, timeout_s=timeout_s)
        except OSError as error:
            return not_asked(error, started_ns)
        resolve_s = (time.monotonic_ns() - started_ns) / 1e9
        session = Session(resolution.addresses[0].sockaddr(target.port), community)
        outcome = await self._converse(session, target.question, options, resolve_s)
        phases = (("resolve", resolve_s), ("response", outcome.round_trip_s or 0.0))
        return replace(outcome, phases=phases, detail={**resolution.detail, **outcome.detail})

    async def close(self) -> None:
        self._closed = True
        for block in self._blocks:
            block.end()
        await self._resolver.close()

    async def _converse(
        self, session: Session, question: Question, options: SnmpOptions, resolve_s: float
    ) -> Outcome:
        block = attended(options.timeout / 1000 - resolve_s)
        self._blocks.add(block)
        try:
            async with block:
                binding = await self._value(session, question)
        except Expired:
            return self._unanswered(session, block, resolve_s)
        except BadAnswer as error:
            return Outcome(Verdict.BAD, session.last.sent_ns, str(error), session.last.round_trip_s)
        except OSError as error:
            return failed(error, session.last.sent_ns, session.sockaddr, {})
        finally:
            self._blocks.discard(block)
        return _judge(binding, question, options, session.last)

    def _unanswered(self, session: Session, block: attended, resolve_s: float) -> Outcome:
        if self._closed:
            return not_asked(OSError("prober was closed"), session.last.sent_ns)
        outcome = silence(block.deadline, session.last.sent_ns, {}, resolve_s=resolve_s)
        if session.last.unusable and outcome.verdict is Verdict.BAD:
            return replace(outcome, reason="not SNMP")
        return outcome

    async def _value(self, session: Session, question: Question) -> Binding:
        if not question.interface:
            return (await session.get(question.oid))[0]
        place = (session.sockaddr, question.interface)
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
        async for cell in session.column(column):
            if cell.value == name:
                return _Row(cell.oid[-1], column)
    raise BadAnswer("no such interface")


def _judge(binding: Binding, question: Question, options: SnmpOptions, exchange: Exchange) -> Outcome:
    detail: dict[str, object] = {"oid": ".".join(map(str, binding.oid))}
    verdict = Verdict.BAD
    if binding.kind in MISSING or binding.kind == "Null":
        reason = binding.kind[0].lower() + binding.kind[1:]
    else:
        detail["value"] = binding.value
        expected = options.expect or (_UP if question.is_oper_status else None)
        if expected is None or expected.accepts(binding.value):
            verdict = Verdict.GOOD
        reason = _word(binding, question, verdict)
        if binding.oid == SYS_UP_TIME and isinstance(binding.value, int):
            detail["uptime_s"] = binding.value / 100
    return Outcome(verdict, exchange.sent_ns, reason, exchange.round_trip_s, detail=detail)


def _word(binding: Binding, question: Question, verdict: Verdict) -> str:
    if question.is_oper_status and isinstance(binding.value, int):
        return OPER_STATUS.get(binding.value, "no such status")
    return "answered" if verdict is Verdict.GOOD else "unexpected value"
