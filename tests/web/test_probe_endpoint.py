"""``/probe``: one probe on demand, by module and target, with the names of blackbox_exporter's metrics."""

from __future__ import annotations

import asyncio
import re
import subprocess
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from probes.echo import EchoServer
from tests.peers import peer
from tests.probes import dns_peers
from tests.probes.servers import closed_port, listener, silent_listener
from tests.probes.sip_peers import kamailio
from tests.probes.snmp_peers import snmpd
from tests.probes.stamp_peers import reflector_in_a_thread
from tests.web.house import House, Site

MODULES = """
modules:
  http_2xx: {prober: http, timeout: 2s, http: {preferred_ip_protocol: ip4}}
  tcp: {prober: tcp, timeout: 2s}
  slow: {prober: tcp, timeout: 60s, tcp: {query_response: [{expect: never}]}}
  picky: {prober: snmp, timeout: 2s, snmp: {degraded: "0.."}}
  icmp: {prober: icmp, timeout: 2s}
  dns: {prober: dns, timeout: 2s, dns: {query_name: a.lab.test, query_type: A}}
  sip: {prober: sip, timeout: 2s}
  snmp: {prober: snmp, timeout: 2s}
  interfaces: {prober: snmp, timeout: 2s, snmp: {sensor: interfaces, row: lo}}
  secret: {prober: snmp, timeout: 2s, snmp: {community_file: /nowhere/community}}
  stamp: {prober: stamp, timeout: 2s, stamp: {count: 3, spacing: 10ms}}
  call: {prober: call, timeout: 15s, call: {duration: 600ms, answer_within: 4s, calls_per_hour: 3600}}
"""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = furnished(tmp_path)
    yield house
    house.close()


def furnished(folder: Path, probe: str = "{}") -> House:
    (folder / "modules.yml").write_text(MODULES)
    return House(folder, agent=f"  probe: {probe}\n")


def url(module: str, target: str, **more: str) -> str:
    return "/probe?" + urllib.parse.urlencode({"module": module, "target": target, **more})


def samples(text: str) -> dict[str, float]:
    return {name: float(value) for name, value in re.findall(r"^(probe_.*) (\S+)$", text, re.MULTILINE)}


async def asked(site: Site, module: str, target: str, **more: str) -> dict[str, float]:
    return samples(await site.text(url(module, target, **more)))


async def refused(site: Site, path: str, status: int, headers: dict[str, str] | None = None) -> str:
    async with site.client.get(path, headers=headers) as answer:
        assert answer.status == status, await answer.text()
        assert answer.content_type == "text/plain"
        return await answer.text()


def test_every_prober_can_be_asked_by_a_target_without_its_scheme(house: House, tmp_path: Path) -> None:
    async def ask(ports: dict[str, int]) -> dict[str, dict[str, float]]:
        echo = EchoServer(lambda _: True)
        echoing = await echo.serve("127.0.0.1", 0)
        async with house.served() as site:
            targets = {
                "http_2xx": site.url.removeprefix("http://") + "/healthz",
                "tcp": f"127.0.0.1:{ports['tcp']}",
                "icmp": "::1",
                "dns": f"127.0.0.1:{ports['dns']}",
                "sip": f"127.0.0.1:{ports['sip']}",
                "snmp": f"127.0.0.1:{ports['snmp']}/sysUpTime",
                "interfaces": f"127.0.0.1:{ports['snmp']}",
                "stamp": f"127.0.0.1:{ports['stamp']}",
                "call": f"echo@127.0.0.1:{echoing}",
            }
            found = {module: await asked(site, module, target) for module, target in targets.items()}
        await echo.close()
        return found

    with ExitStack() as stack:
        (tmp_path / "dns").mkdir()
        (tmp_path / "sip").mkdir()
        ports = {
            "tcp": stack.enter_context(listener()).getsockname()[1],
            "dns": stack.enter_context(dns_peers.unbound(tmp_path / "dns")).port,
            "sip": stack.enter_context(kamailio(tmp_path / "sip")),
            "snmp": stack.enter_context(snmpd(tmp_path / "snmp")),
            "stamp": stack.enter_context(reflector_in_a_thread()),
        }
        found = asyncio.run(ask(ports))
    assert {module: one["probe_success"] for module, one in found.items()} == dict.fromkeys(found, 1.0)
    assert all(one["probe_not_asked"] == one["probe_degraded"] == 0 for one in found.values())
    assert all(one["probe_duration_seconds"] > 0 for one in found.values())
    assert found["icmp"]["probe_ip_protocol"] == 6
    assert found["http_2xx"]["probe_http_status_code"] == 200
    assert found["dns"]["probe_dns_query_succeeded"] == 1
    assert found["interfaces"]['probe_snmp_interface_oper_status{row="lo"}'] == 1
    assert found["stamp"]["probe_ip_protocol"] == found["sip"]["probe_ip_protocol"] == 4


def test_promtool_finds_nothing_to_say(house: House, tmp_path: Path) -> None:
    async def ask(port: int) -> str:
        async with house.served() as site:
            return await site.text(url("interfaces", f"127.0.0.1:{port}"))

    with snmpd(tmp_path / "snmp") as port:
        text = asyncio.run(ask(port))
    told = subprocess.run(
        [peer("promtool"), "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert (told.returncode, told.stdout + told.stderr) == (0, "")


def test_what_this_host_could_not_ask_is_no_success_and_says_whose_fault_it_is(house: House) -> None:
    async def ask() -> tuple[dict[str, float], dict[str, float]]:
        with closed_port() as port:
            async with house.served() as site:
                return await asked(site, "tcp", f"127.0.0.1:{port}"), await asked(site, "secret", "127.0.0.1")

    theirs, ours = asyncio.run(ask())
    assert (theirs["probe_success"], theirs["probe_not_asked"]) == (0, 0)
    assert (ours["probe_success"], ours["probe_not_asked"]) == (0, 1)


@pytest.mark.parametrize(
    ("path", "headers", "status", "said"),
    [
        ("/probe", {}, 400, "target: expected one"),
        ("/probe?module=icmp", {}, 400, "target: expected one"),
        ("/probe?target=127.0.0.1&module=nope", {}, 400, "Unknown module 'nope'"),
        ("/probe?target=127.0.0.1&module=tcp", {}, 400, "expected tcp://HOST:PORT"),
        ("/probe?target=tcp://127.0.0.1:1&module=icmp", {}, 400, "target: expected"),
        ("/probe?target=%00&module=icmp", {}, 400, "target: expected"),
        (f"/probe?target={'x' * 2_001}&module=icmp", {}, 400, "at most 2000 characters"),
        (url("icmp", "127.0.0.1"), {"X-Prometheus-Scrape-Timeout-Seconds": "soon"}, 400, "expected seconds"),
        (url("icmp", "127.0.0.1"), {"X-Prometheus-Scrape-Timeout-Seconds": "nan"}, 400, "expected seconds"),
        (url("call", "echo@127.0.0.1"), {"X-Prometheus-Scrape-Timeout-Seconds": "2"}, 400, "within 1500 ms"),
        (url("icmp", "127.0.0.1"), {"Sec-Fetch-Site": "cross-site"}, 403, "page of another site"),
    ],
)
def test_what_cannot_be_asked_is_told(
    house: House, path: str, headers: dict[str, str], status: int, said: str
) -> None:
    async def ask() -> str:
        async with house.served() as site:
            return await refused(site, path, status, headers)

    assert said in asyncio.run(ask())


def test_the_time_out_is_that_of_the_scrape_less_half_a_second_where_that_is_shorter(house: House) -> None:
    async def ask(seconds: str) -> float:
        with silent_listener() as silent:
            target = f"127.0.0.1:{silent.getsockname()[1]}"
            async with house.served() as site:
                begun = time.monotonic()
                headers = {"X-Prometheus-Scrape-Timeout-Seconds": seconds}
                async with site.client.get(url("slow", target), headers=headers) as answer:
                    assert samples(await answer.text())["probe_success"] == 0
                return time.monotonic() - begun

    assert 0.2 <= min(asyncio.run(ask("0.7")) for _ in range(3)) < 0.7


def test_only_targets_and_modules_that_are_allowed_are_asked(tmp_path: Path) -> None:
    house = furnished(tmp_path, r"{targets: ['127\.0\.0\.[0-9]+'], modules: [icmp]}")

    async def ask() -> None:
        async with house.served() as site:
            assert (await asked(site, "icmp", "127.0.0.1"))["probe_success"] == 1
            assert "agent.probe.targets" in await refused(site, url("icmp", "localhost"), 403)
            assert "agent.probe.targets" in await refused(site, url("icmp", "127.0.0.1.example.net"), 403)
            assert "agent.probe.modules" in await refused(site, url("tcp", "127.0.0.1"), 403)

    asyncio.run(ask())
    house.close()


def test_more_probes_at_once_than_are_allowed_are_told_to_come_back(tmp_path: Path) -> None:
    house = furnished(tmp_path, "{concurrency: 2}")

    async def ask() -> list[tuple[int, str | None]]:
        async def one(target: str) -> tuple[int, str | None]:
            headers = {"X-Prometheus-Scrape-Timeout-Seconds": "0.9"}
            async with site.client.get(url("slow", target), headers=headers) as answer:
                return answer.status, answer.headers.get("Retry-After")

        with silent_listener() as silent:
            async with house.served() as site:
                target = f"127.0.0.1:{silent.getsockname()[1]}"
                answers = await asyncio.gather(*(one(target) for _ in range(3)))
                assert (await asked(site, "icmp", "127.0.0.1"))["probe_success"] == 1
                return list(answers)

    assert sorted(asyncio.run(ask()), key=lambda one: one[0]) == [(200, None), (200, None), (503, "1")]
    house.close()


def test_an_agent_that_stops_asks_nobody_any_more(house: House) -> None:
    async def ask() -> str:
        async with house.served() as site:
            house.live.probing = False
            return await refused(site, url("icmp", "127.0.0.1"), 503)

    assert "stopping" in asyncio.run(ask())


def test_debug_shows_the_log_of_that_probe_its_metrics_and_its_module(house: House) -> None:
    async def ask() -> str:
        async with house.served() as site:
            target = site.url.removeprefix("http://") + "/healthz?<script>"
            async with site.client.get(url("http_2xx", target, debug="true")) as answer:
                assert (answer.status, answer.content_type) == (200, "text/plain")
                return await answer.text()

    log, _, rest = asyncio.run(ask()).partition("Metrics that would have been returned:\n")
    metrics, _, module = rest.partition("Module configuration:\n")
    assert log.startswith("Logs for the probe: 127.0.0.1:")
    assert "request" in log
    assert "Result: good: 200" in log
    assert samples(metrics)["probe_success"] == 1
    assert yaml.safe_load(module)["http_2xx"]["prober"] == "http"


def test_the_name_of_the_host_can_be_given_apart_from_its_address(house: House) -> None:
    async def ask() -> tuple[str, str]:
        async with house.served() as site:
            target = site.url.removeprefix("http://") + "/healthz"
            return (
                await site.text(url("http_2xx", target, hostname="pbx.example.net", debug="true")),
                await site.text(url("http_2xx", target, debug="true")),
            )

    named, plain = asyncio.run(ask())
    assert "probe_success 1" in named
    assert "probe_success 1" in plain


def test_a_poor_answer_is_a_success_and_told_as_degraded(house: House, tmp_path: Path) -> None:
    async def ask(port: int) -> dict[str, float]:
        async with house.served() as site:
            return await asked(site, "picky", f"127.0.0.1:{port}")

    with snmpd(tmp_path / "snmp") as port:
        told = asyncio.run(ask(port))
    assert (told["probe_success"], told["probe_degraded"], told["probe_not_asked"]) == (1, 1, 0)
