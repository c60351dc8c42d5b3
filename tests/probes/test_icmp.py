"""ICMP echo: answered well, answered badly, not answered, could not ask."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pydantic import ValidationError

from probes.icmp import IcmpOptions, IcmpProber
from probes.icmp.sockets import MOST, Way
from probes.outcome import Outcome, Verdict
from probes.trace import traced
from tests.peers import peer
from tests.probes.hosts import in_namespace, no_file_descriptors, open_sockets, probe_without_network

ROOT = Path(__file__).parents[2]


async def ask(target: str, **options: object) -> Outcome:
    prober = IcmpProber()
    outcome = await prober.probe(IcmpProber.parse(target), IcmpOptions.model_validate(options))
    await prober.close()
    return outcome


def probe(target: str, **options: object) -> Outcome:
    return asyncio.run(ask(target, **options))


ASK = """
import asyncio, sys
from probes.icmp import IcmpOptions, IcmpProber
async def main():
    prober = IcmpProber()
    outcome = await prober.probe(IcmpProber.parse("%s"), IcmpOptions.model_validate(%s))
    print(outcome.verdict.name, outcome.reason, {line.sock.type.name for line in prober._lines._lines.values()})
    await prober.close()
asyncio.run(main())
"""


SHORT = '{"timeout": "200ms"}'


@pytest.mark.parametrize("target", ["icmp://127.0.0.1", "icmp://[::1]", "icmp4://localhost", "icmp6://[::1]"])
def test_a_host_that_echoes_is_good(target):
    outcome = probe(target)
    assert (outcome.verdict, outcome.reason) == (Verdict.GOOD, "echo")
    assert outcome.round_trip_s is not None
    assert 0 < outcome.round_trip_s < 0.2
    assert outcome.detail["ttl"] == 64


def test_a_burst_is_counted():
    detail = probe("icmp://127.0.0.1", count=5).detail
    assert (detail["sent"], detail["received"]) == (5, 5)
    assert 0 < detail["rtt_min_ms"] <= detail["rtt_avg_ms"] <= detail["rtt_max_ms"] < 50
    assert 0 <= detail["jitter_ms"] <= detail["rtt_max_ms"] - detail["rtt_min_ms"]


def samples(outcome: Outcome) -> dict[str, float]:
    return {
        " ".join([metric.name, *labels.values()]): value
        for metric in IcmpProber.metrics
        for labels, value in metric.samples(outcome)
    }


def test_metrics_are_those_of_blackbox_exporter_and_the_figures_of_the_burst():
    outcome = probe("icmp://127.0.0.1", count=3)
    shown = samples(outcome)
    phases = ("resolve", "setup", "rtt")
    assert [name for name in shown if "duration" in name] == [
        f"probe_icmp_duration_seconds {phase}" for phase in phases
    ]
    assert shown["probe_icmp_duration_seconds rtt"] == outcome.round_trip_s
    assert shown["probe_icmp_reply_hop_limit"] == 64
    assert shown["probe_icmp_loss_ratio"] == 0
    assert shown["probe_icmp_rtt_min_seconds"] <= shown["probe_icmp_rtt_max_seconds"] < 0.2
    assert shown["probe_icmp_jitter_seconds"] < 0.2


def test_metrics_of_a_probe_that_was_not_asked_are_its_phases_alone():
    shown = samples(probe("icmp4://127.0.0.1", family="ipv6", source_address="::1"))
    assert set(shown.values()) == {0.0}
    assert {name.split()[0] for name in shown} == {"probe_icmp_duration_seconds"}


def test_the_log_has_each_step_with_its_request():
    with traced() as trace:
        probe("icmp://127.0.0.1", count=2)
    steps = [line.what for line in trace.lines]
    assert steps[0] == "resolved"
    assert steps.count("sent echo request") == steps.count("echo reply") == 2


def test_a_silent_host_is_bad_after_the_time_out():
    peer("iptables")
    silence = "iptables -A INPUT -d 127.0.0.9 -j DROP"
    assert in_namespace(ASK % ("icmp://127.0.0.9", SHORT), silence).startswith("BAD timeout")


def test_both_kinds_of_socket_serve():
    script = ASK % ("icmp://127.0.0.1", "{}")
    closed = in_namespace(script, "true")  # a new namespace lets nobody
    opened = in_namespace(script, "echo 0 0 > /proc/sys/net/ipv4/ping_group_range")
    assert closed.split()[0] == opened.split()[0] == "GOOD"
    assert "SOCK_RAW" in closed
    assert "SOCK_DGRAM" in opened


def test_a_rejected_echo_is_an_answer_and_a_bad_one():
    peer("iptables")
    script = ASK % ("icmp://127.0.0.9", "{}")
    rule = "iptables -A INPUT -d 127.0.0.9 -p icmp --icmp-type echo-request"
    refusal = in_namespace(script, f"{rule} -j REJECT --reject-with icmp-host-prohibited")
    assert refusal.startswith("BAD prohibited")


def test_half_lost_is_degraded_and_down_where_it_is_configured_so():
    peer("iptables")
    rule = "iptables -A INPUT -d 127.0.0.9 -p icmp --icmp-type echo-request"
    half = f"{rule} -m limit --limit 1/hour --limit-burst 2 -j ACCEPT; {rule} -j DROP"
    for options, verdict in [
        ('{"count": 4, "timeout": "300ms", "loss_degraded": "50 %"}', "DEGRADED loss"),
        ('{"count": 4, "timeout": "300ms", "loss_down": "50 %"}', "BAD loss"),
        ('{"count": 4, "timeout": "300ms", "loss_degraded": "51 %"}', "GOOD echo"),
    ]:
        assert in_namespace(ASK % ("icmp://127.0.0.9", options), half).startswith(verdict)


def test_echoes_that_were_refused_end_the_wait_and_spoil_no_others():
    peer("iptables")
    rule = "iptables -A INPUT -d 127.0.0.9 -p icmp --icmp-type echo-request"
    accept_two = f"{rule} -m limit --limit 1/hour --limit-burst 2 -j ACCEPT"
    setup = f"{accept_two}; {rule} -j REJECT --reject-with icmp-host-prohibited"
    options = '{"count": 4, "timeout": "90s", "loss_degraded": "50 %"}'
    assert in_namespace(ASK % ("icmp://127.0.0.9", options), setup).startswith("DEGRADED loss")


@pytest.mark.parametrize("late_s", [0.4, 0.7])
def test_a_late_loop_sends_no_echo_that_it_would_count_as_lost(late_s):
    async def scenario() -> Outcome:
        prober = IcmpProber()
        options = IcmpOptions.model_validate(
            {"count": 5, "spacing": "50ms", "timeout": "600ms", "loss_degraded": "1 %"}
        )
        task = asyncio.create_task(prober.probe(IcmpProber.parse("icmp://127.0.0.1"), options))
        for _ in range(3):
            await asyncio.sleep(0)
        time.sleep(late_s)
        outcome = await task
        await prober.close()
        return outcome

    outcome = asyncio.run(scenario())
    assert outcome.verdict is Verdict.GOOD
    assert (outcome.detail["sent"], outcome.detail["received"]) == (1, 1)


def test_a_raw_socket_is_not_woken_by_its_own_requests():
    script = """
import asyncio
from probes.icmp import IcmpOptions, IcmpProber
async def main():
    prober = IcmpProber()
    for target in ("icmp://127.0.0.1", "icmp://[::1]"):
        print((await prober.probe(IcmpProber.parse(target), IcmpOptions(count=5))).verdict.name)
    for line in prober._lines._lines.values():
        print(line.sock.type.name, line.unclaimed)
    await prober.close()
asyncio.run(main())
"""
    assert in_namespace(script, "true").split() == ["GOOD", "GOOD", "SOCK_RAW", "0", "SOCK_RAW", "0"]


def test_the_family_of_the_scheme_goes_before_the_option_and_both_choose_among_a_names_addresses():
    assert probe("icmp://localhost", family="ipv4").detail["address"] == "127.0.0.1"
    assert probe("icmp4://localhost", family="ipv6").detail["address"] == "127.0.0.1"
    assert probe("icmp://localhost", source_address="127.0.0.1").detail["address"] == "127.0.0.1"


@pytest.mark.parametrize(
    ("target", "source_address", "reason"),
    [
        ("icmp://127.0.0.1", "::1", "source_address is of the other family"),
        ("icmp6://localhost", "127.0.0.1", "source_address is of the other family"),
        ("icmp://127.0.0.1", "10.99.99.99", "cannot assign requested address"),
    ],
)
def test_an_address_that_is_not_ours_cannot_ask(target, source_address, reason):
    outcome = probe(target, source_address=source_address)
    assert (outcome.verdict, outcome.reason) == (Verdict.NOT_ASKED, reason)


def test_ways_of_sending_have_sockets_of_their_own_and_only_so_many():
    async def scenario() -> None:
        prober = IcmpProber()
        target = IcmpProber.parse("icmp://127.0.0.1")
        for ttl in range(1, MOST + 20):
            outcome = await prober.probe(target, IcmpOptions(ttl=ttl))
            assert outcome.verdict is Verdict.GOOD
            assert len(prober._lines._lines) == min(ttl, MOST)
        before = open_sockets()
        ways = [Way(socket.AF_INET, ttl=ttl) for ttl in range(100, 100 + MOST)]
        held = [prober._lines.of(way).exchange(b"question") for way in ways]
        outcome = await prober.probe(target, IcmpOptions(ttl=99))
        assert outcome.verdict is Verdict.NOT_ASKED
        for exchange in held:
            exchange.close()
        assert (await prober.probe(target, IcmpOptions(ttl=99))).verdict is Verdict.GOOD
        assert open_sockets() == before
        await prober.close()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "options",
    [
        {"count": 20, "spacing": "150ms"},
        {"count": 2, "spacing": "300ms", "timeout": "500ms"},
        {"count": 0},
        {"count": 21},
        {"size": 4},
        {"size": 65_001},
        {"ttl": 0},
        {"ttl": 256},
        {"dscp": 64},
        {"source_address": "probe.example.net"},
        {"jitter_degraded": "5ms"},
    ],
)
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(ValidationError):
        IcmpOptions.model_validate(options)


def test_a_host_without_a_route_could_not_ask():
    assert probe_without_network("icmp://192.0.2.1") == "NOT_ASKED no route"


def test_a_host_without_file_descriptors_could_not_ask():
    async def scenario() -> Outcome:
        with no_file_descriptors():
            return await ask("icmp://127.0.0.1")

    assert asyncio.run(scenario()).verdict is Verdict.NOT_ASKED


def test_without_permission_for_any_icmp_socket_nothing_was_asked_and_the_hint_says_what_to_do():
    script = ASK % ("icmp://127.0.0.1", "{}")
    shell = "ip link set lo up; "
    nobody = "setpriv --bounding-set=-all --inh-caps=-all --ambient-caps=-all --reuid=65534"
    drop = f"exec {nobody} {sys.executable} -c '{script}'"
    peer("setpriv")
    command = [peer("unshare"), "--net", "/bin/sh", "-c", shell + drop]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    if "Permission denied" in done.stderr:
        pytest.skip("this interpreter cannot be run by another user")
    assert done.stdout.startswith("NOT_ASKED no permission for ICMP"), done.stderr


def test_the_round_trip_is_the_kernels_however_late_the_loop_is():
    async def scenario() -> Outcome:
        prober = IcmpProber()
        options = IcmpOptions.model_validate({"timeout": "200ms"})
        task = asyncio.create_task(prober.probe(IcmpProber.parse("icmp://127.0.0.1"), options))
        for _ in range(3):
            await asyncio.sleep(0)
        time.sleep(0.5)
        outcome = await task
        await prober.close()
        return outcome

    outcome = asyncio.run(scenario())
    assert outcome.verdict is Verdict.GOOD
    assert outcome.round_trip_s is not None
    assert outcome.round_trip_s < 0.2


def test_many_at_once_share_one_socket_and_each_gets_its_own_answer():
    async def scenario() -> list[Outcome]:
        prober = IcmpProber()
        targets = [IcmpProber.parse(f"icmp://127.0.{i // 200}.{i % 200 + 1}") for i in range(1_000)]
        outcomes = await asyncio.gather(*(prober.probe(t, IcmpOptions()) for t in targets))
        assert len(prober._lines._lines) == 1
        await prober.close()
        return list(outcomes)

    outcomes = asyncio.run(scenario())
    assert {outcome.verdict for outcome in outcomes} == {Verdict.GOOD}
    assert len({outcome.detail["address"] for outcome in outcomes}) == 1_000


@pytest.mark.parametrize(
    "text",
    [
        "icmp://",
        "icmp://host:80",
        "icmp://host/x",
        "icmp://a b",
        "icmp:host",
        "icmp4://[::1]",
        "icmp6://192.0.2.1",
    ],
)
def test_what_is_no_target_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match="expected"):
        IcmpProber.parse(text)
