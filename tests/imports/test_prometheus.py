"""``ringback import prometheus`` against a real Prometheus: a month that was filled in, and one that scrapes."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from monitor.imports.errors import SourceError
from monitor.imports.prometheus import Query, Server, recorded
from tests.agent.real import Process, eventually, free_port
from tests.cli.sites import Site
from tests.peers import peer
from tests.probes.servers import listener
from tests.probes.test_blackbox import blackbox_exporter

FROM = int(datetime(2026, 9, 30, 22, tzinfo=UTC).timestamp())  # the first of October in Luxembourg
TO = int(datetime(2026, 10, 31, 23, tzinfo=UTC).timestamp())  # an hour longer for the clocks that go back
STEP = 60
SCRAPED = 7
"""Seconds after the minute at which the samples were taken."""

DOWN = (range(6300, 6420), range(35_000, 35_060), range(44_600, 44_700))
"""Minutes of the month."""
MISSING = range(20_000, 20_030)

QUERY = 'last_over_time(probe_success{instance="sbc"}[60s])'
REMOVED = """
services:
  - id: acme-trunk
    kind: sip-trunk
    monthly_fee: 100.00 EUR
    timezone: Europe/Luxembourg
    contract_from: 2026-01-01
    plan: other/strict
"""
PLAN = "provider: other\nname: Other\nplans: {strict: {name: Strict, guarantee: 99.9 %, unknown_time: removed}}\n"


class Prometheus:
    def __init__(self, folder: Path, scrape: str = "[]") -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.data = folder / "data"
        config = folder / "prometheus.yml"
        config.write_text(f"global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs: {scrape}\n")
        argv = [
            peer("prometheus"),
            f"--config.file={config}",
            f"--storage.tsdb.path={self.data}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address=127.0.0.1:{self.port}",
        ]
        self.process = Process(argv, lambda: bool(self.ask("vector(1)")), folder / "prometheus.log")

    def ask(self, query: str, at: float | None = None) -> Any:
        form = {"query": query} | ({} if at is None else {"time": str(at)})
        address = f"{self.url}/api/v1/query?{urllib.parse.urlencode(form)}"
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                return json.load(answer)["data"]["result"]
        except urllib.error.HTTPError as error:
            raise OSError(error.read()) from None

    def number(self, query: str, at: float) -> int:
        return int(self.ask(query, at)[0]["value"][1])


@contextmanager
def serving(prometheus: Prometheus) -> Iterator[Prometheus]:
    prometheus.process.start()
    try:
        yield prometheus
    finally:
        prometheus.process.kill()


@pytest.fixture(scope="module")
def october(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A month of one sample a minute, with outages and half an hour of which there is none."""
    folder = tmp_path_factory.mktemp("october")
    prometheus = Prometheus(folder)
    lines = ["# TYPE probe_success gauge"]
    for minute in range((TO - FROM) // STEP):
        if minute not in MISSING:
            up = not any(minute in down for down in DOWN)
            at = FROM + minute * STEP - STEP + SCRAPED
            lines.append(f'probe_success{{instance="sbc"}} {up:d} {at}')
            lines.append(f'probe_success{{instance="other"}} 1 {at}')
    samples = folder / "samples.om"
    samples.write_text("\n".join([*sorted(lines, key=lambda line: line.split()[0])[::1], "# EOF\n"]))
    argv = [peer("promtool"), "tsdb", "create-blocks-from", "openmetrics", str(samples), str(prometheus.data)]
    subprocess.run(argv, check=True, capture_output=True, timeout=120)
    with serving(prometheus):
        yield prometheus


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    (tmp_path / "other.yml").write_text(PLAN)
    site.config.write_text(f"agent: {{name: lux, state_dir: '{tmp_path}'}}\nplans: [other.yml]\n{REMOVED}")
    return site


def bring_in(site: Site, prometheus: Prometheus, *more: str, query: str = QUERY) -> Any:
    window = ("--from", "2026-10-01", "--to", "2026-11-01")
    return site.run(
        "import", "prometheus", prometheus.url, "--service", "acme-trunk", "--query", query, *window, *more
    )


def test_a_month_has_the_availability_that_prometheus_says(site: Site, october: Prometheus) -> None:
    result = bring_in(site, october)
    assert result.exit_code == 0, result.output
    (month,) = site.json("report", "2026-10")["services"]
    taken = f'probe_success{{instance="sbc"}}[{TO - FROM}s]'
    up = october.number(f"sum_over_time({taken})", TO - STEP)
    total = october.number(f"count_over_time({taken})", TO - STEP)
    assert month["down_ms"] == (total - up) * STEP * 1000 == sum(map(len, DOWN)) * STEP * 1000
    assert month["total_ms"] == total * STEP * 1000
    assert Fraction(month["total_ms"] - month["down_ms"], month["total_ms"]) == Fraction(up, total)
    assert month["unknown_ms"] == len(MISSING) * STEP * 1000
    assert month["outages"] == len(DOWN)


def test_importing_it_again_changes_nothing(site: Site, october: Prometheus) -> None:
    bring_in(site, october)
    again = json.loads(bring_in(site, october, "--json").stdout)
    assert (again["spans"], again["revised"]) == (0, [])
    assert again["known"] > 0


def test_a_dry_run_writes_nothing(site: Site, october: Prometheus) -> None:
    result = json.loads(bring_in(site, october, "--dry-run", "--json").stdout)
    assert (result["applied"], result["spans"]) == (False, 7)
    assert json.loads(bring_in(site, october, "--json").stdout)["spans"] == 7


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("probe_success", "expected one series, not 2 of 'probe_success'"),
        ("probe_success{instance='nobody'}", "expected values of"),
        ("probe_success{", "parse error"),
        (
            'last_over_time(probe_success{instance="sbc"}[60s]) + 1',
            "expected values 0 (down) and 1 (up), not 2",
        ),
    ],
)
def test_what_cannot_be_brought_in_is_told_and_nothing_is(
    site: Site, october: Prometheus, query: str, told: str
) -> None:
    result = bring_in(site, october, query=query)
    assert result.exit_code == 1
    assert told in result.stderr
    assert not site.database.exists()


def test_a_server_that_is_none_is_told(site: Site) -> None:
    for url, told in (
        (f"http://127.0.0.1:{free_port()}", "Connect call failed"),
        ("prometheus:9090", "expected an address such as http://prometheus:9090"),
    ):
        result = site.run(
            "import", "prometheus", url, "--service", "acme-trunk", "--query", "up",
            "--from", "2026-10-01", "--to", "2026-11-01",
        )  # fmt: skip
        assert (result.exit_code, told in result.stderr) == (1, True), result.stderr


def test_an_outage_that_blackbox_exporter_saw_has_its_length(site: Site, tmp_path: Path) -> None:
    with listener() as target, blackbox_exporter(tmp_path, {"tcp": {"prober": "tcp"}}) as (exporter, _):
        place = f"127.0.0.1:{target.getsockname()[1]}"
        job = (
            f"[{{job_name: blackbox, metrics_path: /probe, params: {{module: [tcp], target: ['{place}']}},"
            f" static_configs: [{{targets: ['127.0.0.1:{exporter}']}}]}}]"
        )
        begun = int(time.time())
        with serving(Prometheus(tmp_path, job)) as prometheus:
            eventually(lambda: prometheus.number("sum_over_time(probe_success[1m])", time.time()) >= 3)
            target.close()
            failed = "count_over_time((last_over_time(probe_success[1s]) == 0)[1m:1s])"
            eventually(lambda: prometheus.number(failed, time.time()) >= 3)
            ended = int(time.time())
            window = (str(datetime.fromtimestamp(at, UTC).isoformat()) for at in (begun, ended))
            options = dict(zip(("--from", "--to"), window, strict=True))
            result = site.run(
                "import", "prometheus", prometheus.url, "--service", "acme-trunk", "--step", "1s", "--query",
                "last_over_time(probe_success[1s])", *(word for pair in options.items() for word in pair),
            )  # fmt: skip
            assert result.exit_code == 0, result.output
            evaluated = f"(last_over_time(probe_success[1s]))[{ended - begun}s:1s]"
            counted = prometheus.number(f"count_over_time({evaluated})", ended - 0.5)
            up = prometheus.number(f"sum_over_time({evaluated})", ended - 0.5)
    measured = site.json(
        "availability", "--service", "acme-trunk", *(word for pair in options.items() for word in pair)
    )
    assert measured["down_ms"] == (counted - up) * 1000 > 0
    assert measured["total_ms"] == counted * 1000


@pytest.mark.parametrize(
    "answer",
    [
        "<html>",
        "[]",
        '{"status": "success"}',
        '{"status": "success", "data": {"resultType": "matrix", "result": [1]}}',
        '{"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}, "values": [[1]]}]}}',
        '{"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}, "values": [[1, "x"]]}]}}',
        '{"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}, "values": [["inf", "1"]]}]}}',
    ],
)
def test_an_answer_that_is_none_of_prometheus_is_told(answer: str) -> None:
    async def said(_: web.Request) -> web.Response:
        return web.Response(text=answer)

    async def ask() -> None:
        app = web.Application()
        app.router.add_post("/api/v1/query_range", said)
        async with TestServer(app) as server:
            await recorded(Server(str(server.make_url("/"))), Query("up", 0, 60_000, 60_000), lambda _: None)

    with pytest.raises(SourceError, match="expected an answer of Prometheus' API"):
        asyncio.run(ask())
