"""``/probe`` beside a real blackbox_exporter: the same module file, the same targets, the same answers; and a real
Prometheus that scrapes both by jobs that differ in the address alone."""

from __future__ import annotations

import asyncio
import json
import re
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.agent.real import Process, eventually
from tests.peers import peer
from tests.probes import dns_peers, test_blackbox, test_dns_blackbox
from tests.probes.daemons import free_port
from tests.probes.test_blackbox import CASES, blackbox_exporter, filled, servers
from tests.web.house import House

QUESTIONS = test_dns_blackbox.QUESTIONS[:19]

ECHOES = {
    "echo": ("127.0.0.1", {}),
    "echo over IPv6": ("::1", {}),
    "echo of a name": ("localhost", {"preferred_ip_protocol": "ip4"}),
    "echo to the other family": (
        "127.0.0.1",
        {"preferred_ip_protocol": "ip6", "ip_protocol_fallback": False},
    ),
    "large echo": ("127.0.0.1", {"payload_size": 1_000, "dont_fragment": True}),
}

NEWER = ("probe_tls_cipher_info", "probe_degraded", "probe_not_asked")
"""Metrics that 0.23 does not have."""

TIMES = re.compile(r"duration|dns_lookup_time")


@dataclass(frozen=True)
class Both:
    """The module file, the port of blackbox_exporter, and the target of each module."""

    file: Path
    exporter: int
    targets: dict[str, str]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("both")
    with servers(folder) as words, dns_peers.unbound(tmp_path_factory.mktemp("unbound")) as server:
        modules = {name: test_blackbox.module(case, words) for name, case in CASES.items()}
        targets = {n: str(filled(case.target, words)).removeprefix("tcp://") for n, case in CASES.items()}
        for number, question in enumerate(QUESTIONS):
            modules[f"dns {number}"] = test_dns_blackbox.module(question, server)
            port = server.tls if question.get("transport") == "tls" else server.port
            targets[f"dns {number}"] = f"127.0.0.1:{port}"
        for name, (target, told) in ECHOES.items():
            modules[name], targets[name] = {"prober": "icmp", "timeout": "2s", "icmp": told}, target
        with blackbox_exporter(folder, modules) as (exporter, file):
            yield Both(file, exporter, targets)


@pytest.fixture
def house(both: Both, tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path, agent=f"  modules: {both.file}\n")
    yield house
    house.close()


def samples(text: str) -> dict[str, float]:
    return {name: float(value) for name, value in re.findall(r"^(probe_.*) (\S+)$", text, re.MULTILINE)}


def query(both: Both, name: str) -> str:
    return "/probe?" + urllib.parse.urlencode({"module": name, "target": both.targets[name]})


def theirs(both: Both, name: str) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{both.exporter}{query(both, name)}", timeout=10) as answer:
        return samples(answer.read().decode())


def test_both_have_the_same_success_metrics_and_numbers_for_all_targets(both: Both, house: House) -> None:
    assert len(both.targets) > 50

    async def ours() -> dict[str, dict[str, float]]:
        async with house.served() as site:
            return {name: samples(await site.text(query(both, name))) for name in both.targets}

    answered = asyncio.run(ours())
    expected = {name: theirs(both, name) for name in both.targets}
    assert {name: one["probe_success"] for name, one in answered.items()} == {
        name: one["probe_success"] for name, one in expected.items()
    }
    assert 15 < sum(one["probe_success"] for one in expected.values()) < len(expected) - 15
    for name, wanted in expected.items():
        apart = set(CASES[name].apart) if name in CASES else set()
        shown = {key: value for key, value in answered[name].items() if not key.startswith(NEWER)}
        known = {key: value for key, value in wanted.items() if not key.startswith(NEWER)}
        if name in CASES:
            assert set(shown) - apart == set(known) - apart, name
        else:  # a burst, and DNS over TLS, have more to tell here
            assert set(known) <= set(shown), name
        for key in set(known) - apart:
            if not TIMES.search(key):
                assert shown[key] == known[key], (name, key)


def test_a_real_prometheus_scrapes_both_by_jobs_that_differ_in_the_address_alone(
    both: Both, house: House, tmp_path: Path
) -> None:
    port = free_port()

    def job(name: str, address: str) -> dict[str, object]:
        scraped = [
            {
                "targets": [address],
                "labels": {"__param_module": module, "__param_target": target, "case": module},
            }
            for module, target in both.targets.items()
        ]
        times = {"scrape_interval": "3s", "scrape_timeout": "3s"}
        return {"job_name": name, "metrics_path": "/probe", **times, "static_configs": scraped}

    def ask(expression: str) -> dict[tuple[str, str], float]:
        url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                result = json.load(answer)["data"]["result"]
        except OSError:
            return {}
        return {(one["metric"]["job"], one["metric"]["case"]): float(one["value"][1]) for one in result}

    async def scraped() -> dict[tuple[str, str], float]:
        async with house.served() as site:
            jobs = [
                job("blackbox", f"127.0.0.1:{both.exporter}"),
                job("ringback", site.url.removeprefix("http://")),
            ]
            config = tmp_path / "prometheus.yml"
            config.write_text(yaml.safe_dump({"scrape_configs": jobs}))
            argv = [peer("prometheus"), f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}"]
            argv.append(f"--storage.tsdb.path={tmp_path}/data")
            prometheus = Process(argv, lambda: bool(ask("up == 1")), tmp_path / "prometheus.log")
            try:
                await asyncio.to_thread(prometheus.start)
                wanted = 2 * len(both.targets)
                await asyncio.to_thread(eventually, lambda: len(ask("probe_success")) == wanted)
                assert len(ask("up == 1")) == wanted
                return ask("probe_success")
            finally:
                if prometheus.child is not None:
                    prometheus.kill()

    found = asyncio.run(scraped())
    for case in both.targets:
        assert found["ringback", case] == found["blackbox", case], case
