"""SNMP: does the agent answer, and with wanted values? ``snmp://host[:port]/OBJECT``"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import ClassVar

from probes.blame import failed, not_asked
from probes.datagram import silent
from probes.metric import Metric
from probes.outcome import Outcome, Verdict
from probes.prober import Options
from probes.resolve import Resolver
from probes.snmp.agent import BadAnswer, Refused
from probes.snmp.agents import Agents, credentials
from probes.snmp.figures import counts
from probes.snmp.history import History
from probes.snmp.judgement import Judged, judge_object, judge_sensor
from probes.snmp.metrics import METRICS
from probes.snmp.options import SnmpOptions
from probes.snmp.question import IF_DESCR, IF_NAME, Question, parse_question
from probes.snmp.rates import Reading
from probes.snmp.reading import read_sensor
from probes.snmp.rows import Places
from probes.snmp.sensor import Sensor
from probes.snmp.sensors import SENSORS
from probes.snmp.session import Session, TooLarge
from probes.snmp.sharing import SharedGets
from probes.snmp.wire import Asker, Lines, Silent, Way
from probes.target import split
from probes.trace import tell
from probes.unreachable import Unreachable


@dataclass(frozen=True, slots=True)
class SnmpTarget:
    host: str
    port: int
    question: Question


class SnmpProber:
    """Sends each question once, and never again: what is lost on the way is for ``fall`` to weigh. Objects that
    several checks ask one agent for at nearly the same time share a request."""

    schemes: ClassVar[tuple[str, ...]] = ("snmp",)
    options: ClassVar[type[Options]] = SnmpOptions
    metrics: ClassVar[tuple[Metric, ...]] = METRICS

    def __init__(self) -> None:
        self._resolver = Resolver()
        self._lines = Lines()
        self._agents = Agents()
        self._shared = SharedGets()
        self._places = Places()
        self._history = History()

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
            resolution = await self._resolver.resolve(target.host, options.reachable, timeout_s=timeout_s)
            address = resolution.addresses[0]
            tell("resolved", **resolution.detail)
            line = self._lines.of(Way(address.family, options.source_address, options.dscp))
        except OSError as error:
            return not_asked(error, started_ns)
        resolve_s = (time.monotonic_ns() - started_ns) / 1e9
        sockaddr = address.sockaddr(target.port)
        asker = Asker(left_ns=int((timeout_s - resolve_s) * 1e9))
        session = Session(self._agents.of(sockaddr, asked_with), line, sockaddr, asker, self._shared)
        outcome = await self._converse(session, target.question, options, resolve_s)
        phases = (("resolve", resolve_s), ("response", outcome.round_trip_s or 0.0))
        return replace(outcome, phases=phases, detail={**resolution.detail, **outcome.detail})

    async def close(self) -> None:
        self._shared.close()
        self._lines.close()
        await self._resolver.close()

    async def _converse(
        self, session: Session, question: Question, options: SnmpOptions, resolve_s: float
    ) -> Outcome:
        told = session.asker
        try:
            judged = await self._judged(session, question, options)
        except Silent as silence:
            if silence.unusable:
                detail = {"unusable": str(silence.unusable)}
                return Outcome(Verdict.BAD, told.sent_ns, silence.unusable.reason, detail=detail)
            return silent(options.timeout, told.sent_ns, {}, resolve_s=resolve_s)
        except BadAnswer as error:
            return Outcome(Verdict.BAD, told.sent_ns, str(error), told.round_trip_s)
        except TooLarge:
            return Outcome(Verdict.NOT_ASKED, told.sent_ns, "table is too large; ask for a row of it")
        except Refused as error:
            return Outcome(Verdict.NOT_ASKED, told.sent_ns, str(error), detail={"agent_says": error.said})
        except Unreachable as error:
            return error.outcome(told.sent_ns, {})
        except OSError as error:
            return failed(error, told.sent_ns, session.sockaddr, {})
        return Outcome(judged.verdict, told.sent_ns, judged.reason, told.round_trip_s, detail=judged.detail)

    async def _judged(self, session: Session, question: Question, options: SnmpOptions) -> Judged:
        """Raises what a session raises."""
        if options.sensor is not None:
            return await self._sensed(session, SENSORS[options.sensor], options)
        if not question.interface:
            return judge_object((await session.get(question.oid))[0], question, options)
        names = (IF_NAME, IF_DESCR)
        found = await self._places.read(session, names, question.interface, (question.oid,))
        if found is None:
            raise BadAnswer("no such interface")
        return judge_object(found[0], question, options)

    async def _sensed(self, session: Session, sensor: Sensor, options: SnmpOptions) -> Judged:
        read = await read_sensor(session, self._places, sensor, options.row)
        at_ns = session.asker.received_ns or time.monotonic_ns()
        now = Reading(at_ns, read.ticks, counts(sensor, read.rows))
        before = self._history.earlier((session.sockaddr, sensor.name, options.row), now)
        return judge_sensor(sensor, read.rows, options, before, now)
