"""A vantage with a history: a configuration, a database written by the real writer, and what is live of it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from monitor.agent.showing import Showing
from monitor.config.loading import load
from monitor.config.values import Configuration
from monitor.ledger.agreement import agreed
from monitor.ledger.freezing import freeze
from monitor.ledger.frozen import Revision
from monitor.ledger.importing import importing
from monitor.ledger.request import Request
from monitor.ledger.rollup import Ledger, around_month
from monitor.live import Live, LiveCheck, LiveService
from monitor.sla.months import month_of, parse_instant
from monitor.store.database import open_for_reading
from monitor.store.writer import Writer
from monitor.track.states import ServiceChange, State
from monitor.track.tracker import Statement
from monitor.web import web_app
from probes.outcome import Outcome, Verdict
from probes.prober import Prober
from tests.ledger.books import LUXEMBOURG

NOW = "2026-11-20T14:02:31"
TRUNK, PBX, LINK = "acme-trunk", "acme-pbx", "acme-link"

SERVICES = """
  - id: acme-trunk
    name: ACME head office trunk
    kind: sip-trunk
    customer: ACME S.A.
    tags: [voice]
    plan: mixvoip/enterprise
    monthly_fee: 100.00 EUR
    contract_from: 2026-01-01
    checks:
      - {target: "tcp://127.0.0.1:5060", name: signalling}
      - {target: "tcp://127.0.0.1:5061", name: 'the "second\\way" é'}
  - id: acme-pbx
    name: ACME PBX
    kind: pbx
    customer: ACME S.A.
    plan: mixvoip/office
    monthly_fee: 60.00 EUR
    contract_from: 2026-01-01
    checks: ["tcp://127.0.0.1:5070"]
  - id: acme-link
    name: <b>Fibre</b> & co
    checks: ["tcp://127.0.0.1:443"]
"""

HISTORY = [
    (TRUNK, "up", "2026-10-01", "2026-10-10T10:00"),
    (TRUNK, "down", "2026-10-10T10:00", "2026-10-10T12:00"),
    (TRUNK, "up", "2026-10-10T12:00", "2026-11-20T10:00"),
    (PBX, "up", "2026-10-01", "2026-10-12T03:00"),
    (PBX, "unknown", "2026-10-12T03:00", "2026-10-12T04:00"),
    (PBX, "up", "2026-10-12T04:00", "2026-11-20T10:00"),
]
"""The October of INTERFACES for the trunk: two hours of downtime."""


def at(text: str) -> int:
    return parse_instant(text, LUXEMBOURG)


@dataclass
class House:
    """``now_ms`` can be set; what is live is shown as the agent shows it."""

    directory: Path
    services: str = SERVICES
    live: Live = field(default_factory=lambda: Live("lux-1", "0.1.0"))
    now_ms: int = field(default_factory=lambda: at(NOW))
    agent: str = ""
    """More of the agent's section."""
    probers: dict[type[Prober[Any, Any]], Prober[Any, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        file = self.directory / "ringback.yml"
        file.write_text(
            f"agent:\n  name: lux-1\n  state_dir: {self.directory}\n{self.agent}"
            f"plans: [plans/mixvoip.yml]\nservices:\n{self.services}"
        )
        self.configuration: Configuration = load(file)
        self.clock: Callable[[], int] = lambda: self.now_ms
        self.showing = Showing(self.live)
        self.live.probing = True
        self.live.config_loaded_ms = self.live.covered_ms = self.now_ms
        for service in self.configuration.services:
            self.showing.adopt(service)
        self.writer = Writer(self.database, lambda: self.now_ms)
        self.writer.begin_run("lux-1", "0.1.0", self.now_ms - 4 * 3_600_000).result()

    def prober(self, kind: type[Prober[Any, Any]]) -> Prober[Any, Any]:
        if kind not in self.probers:
            self.probers[kind] = kind()
        return self.probers[kind]

    @property
    def database(self) -> Path:
        return self.configuration.agent.database

    def bring_in(self, history: Sequence[tuple[str, str, str, str]] = HISTORY) -> None:
        """Import a history, and freeze the months that are over."""
        lines = [{"service": s, "state": state, "from": a, "to": b} for s, state, a, b in history]
        content = "\n".join(map(json.dumps, lines)).encode()
        self.writer.submit(importing(self.configuration, content, "x.jsonl", self.now_ms)).result()

        def frozen(db: sqlite3.Connection) -> list[Revision]:
            return freeze(db, self.configuration.services, self.now_ms)

        self.writer.submit(frozen).result()

    def ask(self, request: Request) -> None:
        """Have a change of the ledger done."""
        self.writer.submit(request.task(self.configuration, self.now_ms)).result()

    def turn(
        self, service: str, state: State, when: str, seen: str | None = None, reason: str = "timeout"
    ) -> None:
        """The service changes its state: written, and then shown."""
        shown = self.live.services[service]
        at_ms = at(when)
        change = ServiceChange(at_ms, state, None if seen is None else at(seen), 0, reason)
        statement = Statement(service, shown.checks[0].name, (), (change,), None, None, state, state, at_ms)
        assert self.writer.record([statement])
        self.writer.beat(self.now_ms)
        self.writer.submit(lambda _: None).result()
        self.showing.show([statement])
        shown.checks[0].state = state

    def answer(self, service: str, outcome: Outcome, check: int = 0) -> None:
        """A probe of one of its checks came back."""
        shown = self.live.services[service].checks[check]
        shown.outcome, shown.seen_ms = outcome, self.now_ms - 1_250
        shown.counts[outcome.verdict] += 1

    def measure(self) -> None:
        """Roll the running month up, as the agent does now and then."""
        db = open_for_reading(self.database)
        month = month_of(self.now_ms, LUXEMBOURG)
        ledger = Ledger(db, self.now_ms, around_month(month))
        for service in self.live.services.values():
            service.figures = ledger.month(agreed(service.config, self.now_ms), month)
        db.close()

    def app(self) -> web.Application:
        return web_app(self.live, lambda: self.configuration, self.database, self.prober, self.clock)

    @asynccontextmanager
    async def served(self, port: int = 0) -> AsyncIterator[Site]:
        """On loopback, with a client."""
        runner = web.AppRunner(self.app(), access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            url = "http://{}:{}".format(*runner.addresses[0])
            async with aiohttp.ClientSession(url, timeout=aiohttp.ClientTimeout(20)) as client:
                yield Site(url, client)
        finally:
            await runner.cleanup()
            for prober in self.probers.values():
                await prober.close()
            self.probers.clear()

    def close(self) -> None:
        self.writer.close()


@dataclass(frozen=True)
class Site:
    url: str
    client: aiohttp.ClientSession

    async def text(self, path: str, status: int = 200) -> str:
        async with self.client.get(path) as answer:
            assert answer.status == status, await answer.text()
            return await answer.text()

    async def series(self) -> dict[str, str]:
        """The samples of /metrics, by what stands before their value."""
        lines = (await self.text("/metrics")).splitlines()
        return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


GOOD = Outcome(
    Verdict.GOOD, 0, "200", 0.012345, (("resolve", 0.001), ("answer", 0.011345)), {"server": "kamailio"}
)
BAD = Outcome(Verdict.BAD, 0, "timeout")
NOT_ASKED = Outcome(Verdict.NOT_ASKED, 0, "no route")


def lively(directory: Path) -> House:
    """The trunk is down, the PBX up, the link not asked yet."""
    house = House(directory)
    house.bring_in()
    house.turn(TRUNK, State.UP, "2026-11-20T10:02:31", reason="200")
    house.turn(PBX, State.UP, "2026-11-20T10:02:31", reason="accepted")
    house.turn(TRUNK, State.DOWN, "2026-11-20T13:50:00", "2026-11-20T13:49:55")
    house.answer(TRUNK, BAD)
    house.answer(TRUNK, GOOD, 1)
    house.answer(PBX, GOOD)
    house.answer(LINK, NOT_ASKED)
    house.measure()
    return house


def crowd(live: Live, number: int, checks: int = 1) -> None:
    """So many more services, all alike."""
    alike = next(iter(live.services.values()))
    for n in range(number):
        service_id = f"service-{n:05}"
        config = replace(alike.config, id=service_id, name=f"Service {n}")
        own = tuple(LiveCheck(f"check {c}", GOOD, 0) for c in range(checks))
        live.services[service_id] = LiveService(config, own, State.UP, 0, "200", figures=alike.figures)


def counting_turns() -> list[int]:
    """Its one item is how many turns the loop has made since."""
    counted = [0]

    def turn() -> None:
        counted[0] += 1
        loop.call_soon(turn)

    loop = asyncio.get_running_loop()
    loop.call_soon(turn)
    return counted
