"""TCP probes: answered well, answered badly, not answered, could not ask."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from probes.outcome import Outcome, Verdict
from probes.prober import prober_for
from probes.target import HostPort
from probes.tcp import TcpOptions, TcpProber
from tests.pace import lasting
from tests.probes.hosts import no_file_descriptors, open_sockets, probe_without_network
from tests.probes.servers import closed_port, listener, silent_listener


def probe(port: int, host: str = "127.0.0.1", **options: object) -> Outcome:
    async def scenario() -> Outcome:
        prober = TcpProber()
        outcome = await prober.probe(HostPort(host, port), TcpOptions.model_validate(options))
        await prober.close()
        return outcome

    return asyncio.run(scenario())


def test_a_port_that_takes_connections_is_good() -> None:
    with listener() as server:
        outcome = probe(server.getsockname()[1])
    assert (outcome.verdict, outcome.reason) == (Verdict.GOOD, "connected")
    assert outcome.round_trip_s is not None
    assert 0 < outcome.round_trip_s < 0.1
    assert [name for name, _ in outcome.phases] == ["resolve", "connect"]
    assert outcome.detail == {"address": "127.0.0.1"}


def test_a_name_is_resolved_and_the_address_noted() -> None:
    with listener() as server:
        outcome = probe(server.getsockname()[1], "localhost", family="ipv4")
    assert outcome.verdict is Verdict.GOOD
    assert outcome.detail["address"] == "127.0.0.1"


def test_ipv6_works_as_ipv4_does() -> None:
    with listener(host="::1") as server:
        assert probe(server.getsockname()[1], "::1").verdict is Verdict.GOOD


def test_a_round_trip_over_the_limit_is_degraded() -> None:
    async def scenario(port: int) -> list[Outcome]:
        prober = TcpProber()
        target = HostPort("127.0.0.1", port)
        any_is_slow = TcpOptions.model_construct(timeout=4000, rtt_degraded=0)
        generous = TcpOptions.model_validate({"rtt_degraded": "1s"})
        return [await prober.probe(target, options) for options in (any_is_slow, generous)]

    with listener() as server:
        slow, fast = asyncio.run(scenario(server.getsockname()[1]))
    assert (slow.verdict, slow.reason) == (Verdict.DEGRADED, "slow")
    assert slow.round_trip_s is not None
    assert fast.verdict is Verdict.GOOD


def test_a_refused_connection_is_bad() -> None:
    with closed_port() as port:
        outcome = probe(port)
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "refused")
    assert outcome.round_trip_s is None


def test_silence_is_bad_after_the_time_out() -> None:
    with silent_listener() as server, lasting(0.2):
        outcome = probe(server.getsockname()[1], timeout="200ms")
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "timeout")


def test_after_a_lost_syn_the_round_trip_is_unknown_and_good_does_not_reach_back() -> None:
    with silent_listener() as server:

        async def scenario() -> tuple[Outcome, int]:
            prober = TcpProber()
            target = HostPort("127.0.0.1", server.getsockname()[1])
            probing = asyncio.create_task(prober.probe(target, TcpOptions()))
            await asyncio.sleep(0)
            open_again_ns = time.monotonic_ns()
            server.accept()[0].close()
            return await probing, open_again_ns

        outcome, open_again_ns = asyncio.run(scenario())
    assert outcome.verdict is Verdict.GOOD
    assert outcome.round_trip_s is None
    assert outcome.detail["retransmissions"] == 1
    assert outcome.sent_ns > open_again_ns


def test_a_connection_made_in_time_is_good_however_late_the_loop_is() -> None:
    async def scenario() -> Outcome:
        prober = TcpProber()
        with listener() as server:
            target = HostPort("127.0.0.1", server.getsockname()[1])
            probing = asyncio.create_task(
                prober.probe(target, TcpOptions.model_validate({"timeout": "50ms"}))
            )
            await asyncio.sleep(0)
            time.sleep(0.2)
            return await probing

    outcome = asyncio.run(scenario())
    assert outcome.verdict is Verdict.GOOD
    assert outcome.round_trip_s is not None
    assert outcome.round_trip_s < 0.1, "the kernel measured it, not the loop"


def test_silence_while_the_loop_was_away_is_not_held_against_the_target() -> None:
    async def scenario() -> Outcome:
        prober = TcpProber()
        with silent_listener() as server:
            target = HostPort("127.0.0.1", server.getsockname()[1])
            probing = asyncio.create_task(
                prober.probe(target, TcpOptions.model_validate({"timeout": "50ms"}))
            )
            await asyncio.sleep(0)
            time.sleep(0.2)
            return await probing

    outcome = asyncio.run(scenario())
    assert (outcome.verdict, outcome.reason) == (Verdict.NOT_ASKED, "loop was late")


def test_a_name_without_an_address_is_not_held_against_the_target() -> None:
    outcome = probe(5060, "a" * 64 + ".example")
    assert (outcome.verdict, outcome.reason) == (Verdict.NOT_ASKED, "name not resolved")


def test_an_address_of_the_wrong_family_cannot_be_asked() -> None:
    assert probe(5060, "127.0.0.1", family="ipv6").verdict is Verdict.NOT_ASKED


@pytest.mark.parametrize(
    ("target", "reason"),
    [("tcp://192.0.2.1:5060", "no route"), ("tcp://[2001:db8::1]:5060", "cannot assign requested address")],
)
def test_no_route_from_this_host_is_not_held_against_the_target(target: str, reason: str) -> None:
    assert probe_without_network(target) == f"NOT_ASKED {reason}"


def test_no_file_descriptor_is_not_held_against_the_target() -> None:
    async def scenario() -> Outcome:
        prober = TcpProber()
        with no_file_descriptors():
            return await prober.probe(HostPort("127.0.0.1", 5060), TcpOptions())

    outcome = asyncio.run(scenario())
    assert (outcome.verdict, outcome.reason) == (Verdict.NOT_ASKED, "too many open files")


def with_probe_under_way(end: str) -> Outcome | None:
    """End a probe of a silent target by closing the prober or cancelling the task."""

    async def scenario() -> Outcome | None:
        prober = TcpProber()
        before = open_sockets()
        with silent_listener() as server:
            target = HostPort("127.0.0.1", server.getsockname()[1])
            held = open_sockets()
            probing = asyncio.create_task(prober.probe(target, TcpOptions()))
            await asyncio.sleep(0)
            assert open_sockets() == held + 1
            if end == "close":
                await prober.close()
            else:
                probing.cancel()
            (result,) = await asyncio.gather(probing, return_exceptions=True)
            assert open_sockets() == held
        assert open_sockets() == before
        return result if isinstance(result, Outcome) else None

    return asyncio.run(scenario())


def test_closing_the_prober_ends_probes_as_not_asked() -> None:
    outcome = with_probe_under_way("close")
    assert outcome is not None
    assert (outcome.verdict, outcome.reason) == (Verdict.NOT_ASKED, "prober was closed")


def test_a_cancelled_probe_leaves_no_socket_behind() -> None:
    assert with_probe_under_way("cancel") is None


def test_probes_leave_no_local_ports_occupied() -> None:
    async def scenario(port: int) -> set[Verdict]:
        prober = TcpProber()
        target = HostPort("127.0.0.1", port)
        outcomes = await asyncio.gather(*(prober.probe(target, TcpOptions()) for _ in range(100)))
        return {outcome.verdict for outcome in outcomes}

    with listener() as server:
        port = server.getsockname()[1]
        assert asyncio.run(scenario(port)) == {Verdict.GOOD}
        connections = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        assert [row for row in connections if row[2].endswith(f":{port:04X}")] == []


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("tcp://sbc.example.net:5061", HostPort("sbc.example.net", 5061)),
        ("tcp://192.0.2.1:5061", HostPort("192.0.2.1", 5061)),
        ("TCP://[2001:db8::1]:5061", HostPort("2001:db8::1", 5061)),
        ("tcp://[fe80::1%25eth0]:5061", HostPort("fe80::1%eth0", 5061)),
        ("tcp://[fe80::1%eth0]:5061", HostPort("fe80::1%eth0", 5061)),
    ],
)
def test_targets_are_a_host_and_a_port(text: str, target: HostPort) -> None:
    assert prober_for(text) is TcpProber
    assert TcpProber.parse(text) == target


@pytest.mark.parametrize(
    "text",
    [
        "tcp://sbc.example.net",
        "tcp://:5060",
        "tcp://sbc.example.net:0",
        "tcp://sbc.example.net:65536",
        "tcp://sbc.example.net:sip",
        "tcp://sbc.example.net:5060/path",
        "tcp://[2001:db8::1",
        "tcp://user:secret@sbc.example.net:5060",
        "tcp://sbc .example.net:5060",
        "udp://sbc.example.net:5060",
        "",
    ],
)
def test_other_targets_are_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        TcpProber.parse(text)


def test_credentials_in_a_target_are_not_repeated_in_the_error() -> None:
    with pytest.raises(ValueError) as refused:
        TcpProber.parse("tcp://user:secret@sbc.example.net:5060")
    assert "secret" not in str(refused.value)
