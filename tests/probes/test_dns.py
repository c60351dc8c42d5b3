"""DNS probes, mostly of a real unbound: answered well, answered badly, not answered, could not ask."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import dns.flags
import dns.message
import pytest

from probes.dns_server import DnsOptions, DnsProber
from probes.outcome import Outcome, Verdict
from probes.trace import traced
from tests.pace import lasting, not_good
from tests.probes import dns_peers
from tests.probes.certificates import Authority
from tests.probes.dns_peers import HOST, LARGE, Unbound, answer, ask, datagram_server, shown
from tests.probes.hosts import all_closed, no_file_descriptors, open_sockets, probe_without_network
from tests.probes.servers import closed_port

ADDRESSES = ["A 127.0.0.1", "A 127.0.0.2"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unbound]:
    with dns_peers.unbound(tmp_path_factory.mktemp("unbound")) as server:
        yield server


def target(server: Unbound, name: str, *, tls: bool = False, host: str = "127.0.0.1") -> str:
    return f"dns://{host}:{server.tls if tls else server.port}/{name}"


def probe(server: Unbound, name: str, **options: object) -> Outcome:
    return dns_peers.probe(target(server, name), **options)


def probe_over_tls(server: Unbound, name: str = "a.lab.test", **options: object) -> Outcome:
    told = {"transport": "tls", "ca_file": server.ca_file, "server_name": HOST, **options}
    return dns_peers.probe(target(server, name, tls=True), **told)


def said(outcome: Outcome) -> tuple[Verdict, str]:
    return outcome.verdict, outcome.reason


class TestAnsweredWell:
    @pytest.mark.parametrize("transport", ["udp", "tcp"])
    def test_a_name_that_is_there_is_good(self, server: Unbound, transport: str) -> None:
        outcome = probe(server, "a.lab.test", transport=transport)
        assert said(outcome) == (Verdict.GOOD, "noerror")
        assert sorted(outcome.detail["answers"]) == ADDRESSES
        assert outcome.detail["address"] == "127.0.0.1"
        assert outcome.round_trip_s is not None
        assert 0 < outcome.round_trip_s < 0.5
        assert dict(outcome.phases)["request"] == outcome.round_trip_s

    def test_over_tls_the_certificate_is_noted_and_the_round_trip_is_without_the_handshake(
        self, server: Unbound
    ) -> None:
        outcome = probe_over_tls(server)
        assert said(outcome) == (Verdict.GOOD, "noerror")
        assert sorted(outcome.detail["answers"]) == ADDRESSES
        assert outcome.detail["tls"] == "TLSv1.3"
        assert outcome.detail["certificate_names"] == [HOST]
        assert [name for name, _ in outcome.phases] == ["resolve", "connect", "tls", "request"]
        assert outcome.round_trip_s == dict(outcome.phases)["request"]

    def test_the_server_does_not_have_to_wait_for_our_acknowledgement(self, server: Unbound) -> None:
        outcomes = [probe_over_tls(server) for _ in range(5)]
        assert min(outcome.round_trip_s or 1 for outcome in outcomes) < 0.02, (
            "40 ms if Nagle's algorithm waits"
        )

    def test_ipv6_works_as_ipv4_does(self, server: Unbound) -> None:
        outcome = dns_peers.probe(target(server, "a.lab.test", host="[::1]"))
        assert said(outcome) == (Verdict.GOOD, "noerror")

    def test_a_server_may_be_a_name(self, server: Unbound) -> None:
        outcome = dns_peers.probe(target(server, "a.lab.test", host="localhost"), family="ipv4")
        assert outcome.verdict is Verdict.GOOD
        assert outcome.detail["address"] == "127.0.0.1"

    def test_a_truncated_answer_is_asked_for_again_over_tcp(self, server: Unbound) -> None:
        outcome = probe(server, "large.lab.test")
        assert said(outcome) == (Verdict.GOOD, "noerror")
        assert outcome.detail["truncated"] is True
        assert outcome.detail["answer_rrs"] == LARGE
        assert [name for name, _ in outcome.phases] == ["resolve", "truncated", "connect", "request"]

    def test_the_same_address_is_asked_again_over_tcp(self, server: Unbound) -> None:
        text = target(server, "large.lab.test", host="localhost")
        outcome = dns_peers.probe(text, family="ipv6-first", source_address="127.0.0.1")
        assert outcome.verdict is Verdict.GOOD
        assert outcome.detail["address"] == "127.0.0.1"

    def test_a_code_that_is_expected_is_good(self, server: Unbound) -> None:
        outcome = probe(server, "nobody.lab.test", rcodes=["NXDOMAIN"])
        assert said(outcome) == (Verdict.GOOD, "nxdomain")
        assert outcome.detail["answers"] == []

    @pytest.mark.parametrize(
        ("name", "record", "expected"),
        [
            ("a.lab.test", "A", ["127.0.0.2"]),
            ("A.Lab.Test", "A", ["127.0.0.1", "127.0.0.2"]),
            ("mail.lab.test", "MX", ["10 a.LAB.test"]),
            ("_sip._udp.lab.test", "SRV", ["10 5 5060 a.lab.test."]),
            ("text.lab.test", "TXT", ['"v=spf1 -all"']),
            ("lab.test", "NS", ["ns.lab.test"]),
        ],
    )
    def test_records_that_are_expected_and_there_are_good(
        self, server: Unbound, name: str, record: str, expected: list[str]
    ) -> None:
        assert said(probe(server, name, record=record, expect=expected)) == (Verdict.GOOD, "noerror")

    def test_a_validated_answer_is_good(self, server: Unbound) -> None:
        outcome = probe(server, "www.signed.test", dnssec=True, expect=["127.0.0.9"])
        assert said(outcome) == (Verdict.GOOD, "noerror")
        assert "AD" in outcome.detail["flags"].split()

    def test_the_serial_of_a_zone_is_shown(self, server: Unbound) -> None:
        outcome = probe(server, "lab.test", record="SOA")
        assert outcome.detail["serial"] == 2026112401


class TestAnsweredBadly:
    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("nobody.lab.test", "nxdomain"),
            ("x.forbidden.test", "query refused"),
            ("www.bogus.test", "servfail"),
        ],
    )
    def test_another_code_is_bad(self, server: Unbound, name: str, reason: str) -> None:
        outcome = probe(server, name)
        assert said(outcome) == (Verdict.BAD, reason)
        assert outcome.round_trip_s is not None

    def test_a_name_that_is_there_is_bad_where_it_should_not_be(self, server: Unbound) -> None:
        assert said(probe(server, "a.lab.test", rcodes=["NXDOMAIN"])) == (Verdict.BAD, "noerror")

    @pytest.mark.parametrize(
        ("name", "missing"), [("a.lab.test", "127.0.0.3"), ("mail.lab.test", "127.0.0.1")]
    )
    def test_a_record_that_is_missing_is_bad(self, server: Unbound, name: str, missing: str) -> None:
        outcome = probe(server, name, expect=["127.0.0.1", missing])
        assert said(outcome) == (Verdict.BAD, "record missing")
        assert outcome.detail["condition"] == missing

    def test_an_answer_that_is_bogus_is_bad_and_tells_why(self, server: Unbound) -> None:
        outcome = probe(server, "www.bogus.test", dnssec=True)
        assert said(outcome) == (Verdict.BAD, "servfail")
        assert outcome.detail["extended_error"].startswith("EDE ")

    def test_an_answer_that_is_not_validated_is_bad_where_that_was_asked_for(self, server: Unbound) -> None:
        assert said(probe(server, "www.plain.test", dnssec=True)) == (Verdict.BAD, "not validated")
        assert probe(server, "www.plain.test").verdict is Verdict.GOOD

    def test_rules_hold_for_each_section(self, server: Unbound) -> None:
        outcome = probe(server, "a.lab.test", answer={"fail_if_matches_regexp": [r"\tA\t127\.0\.0\.2$"]})
        assert said(outcome) == (Verdict.BAD, "answer rejected")
        outcome = probe(
            server, "nobody.lab.test", rcodes=["NXDOMAIN"], authority={"fail_if_matches_regexp": ["SOA"]}
        )
        assert said(outcome) == (Verdict.BAD, "authority rejected")
        outcome = probe(server, "a.lab.test", additional={"fail_if_not_matches_regexp": ["."]})
        assert said(outcome) == (Verdict.BAD, "additional does not match")
        assert outcome.detail["condition"] == "."

    def test_a_port_on_which_nobody_listens_is_bad(self) -> None:
        with closed_port() as port:
            for transport in ("udp", "tcp", "tls"):
                outcome = dns_peers.probe(f"dns://127.0.0.1:{port}/lab.test", transport=transport)
                assert said(outcome) == (Verdict.BAD, "refused")
                assert outcome.round_trip_s is None
                assert outcome.phases[0][0] == "resolve"

    def test_a_certificate_for_another_name_is_bad(self, server: Unbound) -> None:
        outcome = probe_over_tls(server, server_name="other.lab.test")
        assert outcome.verdict is Verdict.BAD
        assert outcome.reason.startswith("certificate")

    def test_the_name_of_the_server_is_verified_where_no_other_one_is_given(self, server: Unbound) -> None:
        outcome = dns_peers.probe(
            target(server, "a.lab.test", tls=True, host="localhost"),
            transport="tls",
            ca_file=server.ca_file,
            family="ipv4",
        )
        assert outcome.verdict is Verdict.BAD
        assert outcome.reason.startswith("certificate")

    def test_a_certificate_of_another_authority_is_bad_unless_it_is_not_verified(
        self, server: Unbound, tmp_path: Path
    ) -> None:
        other = Authority(tmp_path).ca_file
        outcome = probe_over_tls(server, ca_file=other)
        assert outcome.verdict is Verdict.BAD
        assert outcome.reason.startswith("certificate")
        assert probe_over_tls(server, ca_file=other, verify_tls=False).verdict is Verdict.GOOD

    def test_a_certificate_that_ends_soon_degrades_and_then_fails(self, server: Unbound) -> None:
        outcome = probe_over_tls(server, expires_degraded="30d")
        assert said(outcome) == (Verdict.DEGRADED, "certificate expires")
        assert outcome.detail["rcode"] == "NOERROR"
        assert said(probe_over_tls(server, expires_down="30d")) == (Verdict.BAD, "certificate expires")

    def test_a_bad_answer_is_worse_than_a_certificate_that_ends_soon(self, server: Unbound) -> None:
        outcome = probe_over_tls(server, "nobody.lab.test", expires_degraded="30d")
        assert said(outcome) == (Verdict.BAD, "nxdomain")


class TestNotAnswered:
    def test_silence_is_bad_after_the_time_out(self, server: Unbound) -> None:
        with lasting(0.2):
            outcome = probe(server, "x.mute.test", timeout="200ms")
        assert said(outcome) == (Verdict.BAD, "timeout")
        assert outcome.round_trip_s is None

    @pytest.mark.parametrize("transport", ["tcp", "tls"])
    def test_silence_on_a_connection_is_bad_after_the_time_out(self, server: Unbound, transport: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as mute:
            text = f"dns://127.0.0.1:{mute.getsockname()[1]}/lab.test"
            outcome = dns_peers.probe(text, timeout="200ms", transport=transport)
        assert said(outcome) == (Verdict.BAD, "timeout")
        assert outcome.round_trip_s is None

    def test_silence_after_a_truncated_answer_is_bad_within_one_time_out(self) -> None:
        def truncated(question: bytes, _: object) -> list[bytes]:
            said = dns.message.make_response(dns.message.from_wire(question))
            said.flags |= dns.flags.TC
            return [said.to_wire()]

        with datagram_server(truncated) as port, socket.create_server(("127.0.0.1", port)), lasting(0.29):
            outcome = dns_peers.probe(f"dns://127.0.0.1:{port}/lab.test", timeout="300ms")
        assert said(outcome) == (Verdict.BAD, "timeout")
        assert outcome.detail["truncated"] is True

    def test_an_answer_after_the_time_out_does_not_count(self) -> None:
        def late(question: bytes, _: object) -> Iterator[bytes]:
            time.sleep(0.5)
            yield answer(question, "A 127.0.0.1")

        async def scenario(port: int) -> Outcome:
            probing = asyncio.create_task(ask(f"dns://127.0.0.1:{port}/lab.test", timeout="300ms"))
            await asyncio.sleep(0)
            time.sleep(0.8)  # both the end of the time and the answer come while the loop is away
            return await probing

        with datagram_server(late) as port:
            assert said(asyncio.run(scenario(port))) == (Verdict.BAD, "timeout")


class TestCouldNotAsk:
    @pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
    def test_no_socket_is_not_held_against_the_server(self, transport: str) -> None:
        async def scenario() -> Outcome:
            prober = DnsProber()
            asked, options = DnsProber.parse("dns://127.0.0.1/a"), DnsOptions(transport=transport)
            with no_file_descriptors():
                return await prober.probe(asked, options)

        assert said(asyncio.run(scenario())) == (Verdict.NOT_ASKED, "too many open files")

    def test_no_route_is_not_held_against_the_server(self) -> None:
        assert probe_without_network("dns://10.255.255.1/lab.test") == "NOT_ASKED no route"

    def test_a_file_of_authorities_that_cannot_be_read_is_ours(self, server: Unbound, tmp_path: Path) -> None:
        outcome = probe_over_tls(server, ca_file=tmp_path / "none.pem")
        assert outcome.verdict is Verdict.NOT_ASKED
        assert "readable" in outcome.reason

    @pytest.mark.parametrize("transport", ["udp", "tcp"])
    def test_a_server_without_an_address_is_not_held_against_it(self, transport: str) -> None:
        outcome = dns_peers.probe(f"dns://{'a' * 64}.example/lab.test", transport=transport)
        assert said(outcome) == (Verdict.NOT_ASKED, "name not resolved")

    def test_an_address_that_is_not_ours_cannot_be_asked_from(self, server: Unbound) -> None:
        outcome = probe(server, "a.lab.test", source_address="10.255.255.1")
        assert said(outcome) == (Verdict.NOT_ASKED, "cannot assign requested address")

    @pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
    def test_who_closes_the_prober_learns_nothing(self, transport: str) -> None:
        async def scenario() -> Outcome:
            before = open_sockets()
            prober = DnsProber()
            with socket.create_server(("127.0.0.1", 0)) as mute, datagram_server(lambda *_: []) as port:
                asked = mute.getsockname()[1] if transport != "udp" else port
                probing = asyncio.create_task(
                    prober.probe(
                        DnsProber.parse(f"dns://127.0.0.1:{asked}/lab.test"), DnsOptions(transport=transport)
                    )
                )
                while open_sockets() < before + 3:
                    await asyncio.sleep(0)
                await prober.close()
                outcome = await probing
            await all_closed(before)
            return outcome

        assert said(asyncio.run(scenario())) == (Verdict.NOT_ASKED, "prober was closed")


class TestLateLoop:
    def test_an_answer_that_came_in_time_is_good_however_late_the_loop_is(self, server: Unbound) -> None:
        async def scenario() -> Outcome:
            probing = asyncio.create_task(ask(target(server, "a.lab.test"), timeout="300ms"))
            await asyncio.sleep(0)
            time.sleep(0.8)
            return await probing

        outcome = asyncio.run(scenario())
        assert outcome.verdict is Verdict.GOOD
        assert outcome.round_trip_s is not None
        assert outcome.round_trip_s < 0.3, "the kernel measured it, not the loop"

    def test_what_our_own_loop_takes_degrades_nobody(self, server: Unbound) -> None:
        async def busy() -> None:
            while True:
                time.sleep(0.06)
                await asyncio.sleep(0)

        async def scenario() -> Outcome:
            work = asyncio.create_task(busy())
            text = target(server, "a.lab.test", host="localhost")
            outcome = await ask(text, family="ipv4", latency_degraded="50ms")
            work.cancel()
            return outcome

        outcome = asyncio.run(scenario())
        assert dict(outcome.phases)["resolve"] > 0.05
        assert outcome.verdict is Verdict.GOOD


class TestLatency:
    @pytest.mark.parametrize("limit", ["rtt_degraded", "latency_degraded"])
    def test_a_slow_answer_is_degraded(self, limit: str) -> None:
        def slow(question: bytes, _: object) -> Iterator[bytes]:
            time.sleep(0.06)
            yield answer(question, "A 127.0.0.1")

        with datagram_server(slow) as port:
            text = f"dns://127.0.0.1:{port}/lab.test"
            found = not_good(lambda: dns_peers.probe(text, **{limit: "50ms"}))
            assert said(found) == (Verdict.DEGRADED, "slow")
            assert said(dns_peers.probe(text, **{limit: "1s"})) == (Verdict.GOOD, "noerror")
            missing = dns_peers.probe(text, expect=["127.0.0.2"], **{limit: "50ms"})
            assert said(missing) == (Verdict.BAD, "record missing"), "worse than slow"

    def test_the_limit_of_the_round_trip_is_for_the_answer_not_for_the_handshake(
        self, server: Unbound
    ) -> None:
        any_is_slow = DnsOptions.model_construct(
            transport="tls", ca_file=server.ca_file, server_name=HOST, timeout=2000, rtt_degraded=0
        )

        async def scenario() -> Outcome:
            prober = DnsProber()
            outcome = await prober.probe(DnsProber.parse(target(server, "a.lab.test", tls=True)), any_is_slow)
            await prober.close()
            return outcome

        outcome = asyncio.run(scenario())
        assert said(outcome) == (Verdict.DEGRADED, "slow")
        assert outcome.detail["rcode"] == "NOERROR"


class TestMetrics:
    def test_an_answer_shows_what_blackbox_exporter_shows(self, server: Unbound) -> None:
        outcome = probe(server, "lab.test", record="SOA")
        values = shown(outcome)
        assert values["probe_dns_query_succeeded"] == 1
        assert values["probe_dns_serial"] == 2026112401
        assert (values["probe_dns_answer_rrs"], values["probe_dns_additional_rrs"]) == (1, 0)
        assert values["probe_dns_duration_seconds{phase=request}"] == outcome.round_trip_s
        assert values["probe_dns_duration_seconds{phase=connect}"] == 0

    def test_a_bad_answer_is_a_query_that_succeeded(self, server: Unbound) -> None:
        values = shown(probe(server, "nobody.lab.test"))
        assert (values["probe_dns_query_succeeded"], values["probe_dns_authority_rrs"]) == (1, 1)

    def test_silence_shows_zeros(self, server: Unbound) -> None:
        values = shown(probe(server, "x.mute.test", timeout="100ms"))
        assert values["probe_dns_query_succeeded"] == values["probe_dns_answer_rrs"] == 0
        assert "probe_dns_serial" not in values
        assert {name for name in values if "duration" in name} == {
            f"probe_dns_duration_seconds{{phase={phase}}}" for phase in ("resolve", "connect", "request")
        }

    def test_connecting_and_shaking_hands_is_one_phase(self, server: Unbound) -> None:
        outcome = probe_over_tls(server)
        took = dict(outcome.phases)
        values = shown(outcome)
        assert values["probe_dns_duration_seconds{phase=connect}"] == took["connect"] + took["tls"]
        assert values["probe_tls_version_info{version=TLS 1.3}"] == 1


def test_the_log_of_a_probe_tells_its_steps(server: Unbound) -> None:
    with traced() as trace:
        probe(server, "large.lab.test")
    told = [line.what for line in trace.lines]
    assert told == ["asking", "sent", "truncated", "connecting", "sent", "judged"]
