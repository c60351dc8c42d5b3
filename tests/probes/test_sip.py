"""SIP OPTIONS: answered well, answered badly, not answered, could not ask; over UDP and TCP."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from pathlib import Path

import pytest
from pydantic import ValidationError

from probes.outcome import Outcome, Verdict
from probes.resolve import Address, Resolver
from probes.sip import SipOptions, SipProber
from probes.trace import traced
from tests.pace import lasting
from tests.peers import peer
from tests.probes.hosts import in_namespace, no_file_descriptors, probe_without_network
from tests.probes.servers import closed_port
from tests.probes.sip_peers import answer, ask, kamailio, probe, udp_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    folder: Path = tmp_path_factory.mktemp("kamailio")
    with kamailio(folder) as port:
        yield port


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_kamailio_answers_well(server, transport):
    outcome = probe(f"sip:127.0.0.1:{server};transport={transport}")
    assert (outcome.verdict, outcome.reason) == (Verdict.GOOD, "200")
    assert outcome.round_trip_s is not None
    assert 0 < outcome.round_trip_s < 0.1
    assert outcome.detail["status"] == 200
    assert "kamailio" in str(outcome.detail["server"])
    names = [name for name, _ in outcome.phases]
    assert (names[0], names[-1]) == ("resolve", "answer")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize(
    ("user", "verdict", "reason"),
    [
        ("members", Verdict.GOOD, "401"),
        ("nobody", Verdict.GOOD, "404"),
        ("old", Verdict.GOOD, "405"),
        ("barred", Verdict.DEGRADED, "403"),
        ("busy", Verdict.BAD, "503"),
        ("silent", Verdict.BAD, "timeout"),
    ],
)
def test_kamailio_answers_otherwise(server, transport, user, verdict, reason):
    outcome = probe(f"sip:{user}@127.0.0.1:{server};transport={transport}", timeout="300ms")
    assert (outcome.verdict, outcome.reason) == (verdict, reason)


def test_retry_after_is_kept_as_evidence(server):
    assert probe(f"sip:busy@127.0.0.1:{server}").detail["retry_after_s"] == 30


def test_the_operator_says_which_codes_are_good(server):
    busy, nobody = (f"sip:{user}@127.0.0.1:{server}" for user in ("busy", "nobody"))
    assert probe(busy, up_codes=["5xx"]).verdict is Verdict.GOOD
    assert probe(busy, degraded_codes=[503]).verdict is Verdict.DEGRADED
    assert probe(nobody, up_codes=[200]).verdict is Verdict.BAD
    assert probe(nobody, down_codes=[404]).verdict is Verdict.BAD


def test_the_peer_tells_from_where_it_saw_us(server):
    detail = probe(f"sip:127.0.0.1:{server}").detail
    assert detail["received"] == "127.0.0.1"
    assert 0 < int(str(detail["rport"])) < 65_536


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_port_that_nobody_listens_on_is_refused_at_once(transport):
    with closed_port() as port, lasting():
        outcome = probe(f"sip:127.0.0.1:{port};transport={transport}")
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "refused")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_kamailio_that_was_killed_refuses_at_once(tmp_path, transport):
    with kamailio(tmp_path) as port:
        target = f"sip:127.0.0.1:{port};transport={transport}"
        assert probe(target).verdict is Verdict.GOOD
    with lasting():
        assert probe(target).reason == "refused"


def test_who_said_that_nobody_listens_is_kept_as_evidence():
    with closed_port() as port:
        detail = probe(f"sip:127.0.0.1:{port}").detail
    assert (detail["icmp"], detail["by"]) == ("3/3", "127.0.0.1")


ASK = """
import asyncio
from probes.sip import SipOptions, SipProber
from tests.pace import lasting
async def main():
    prober = SipProber()
    outcome = await prober.probe(SipProber.parse("%s"), SipOptions(timeout="2s"))
    print(outcome.verdict.name, outcome.reason, outcome.detail)
    await prober.close()
asyncio.run(main())
"""


def test_what_this_hosts_own_firewall_forbids_was_not_asked():
    peer("iptables")
    rule = "iptables -A OUTPUT -d 127.0.0.9 -p udp -j REJECT --reject-with icmp-port-unreachable"
    assert in_namespace(ASK % "sip:127.0.0.9", rule).startswith("NOT_ASKED operation not permitted")


def test_a_neighbour_that_is_not_there_is_silent_and_that_is_its_fault():
    """The kernel says so itself, once its ARP requests were in vain."""
    setup = (
        "ip link add near type veth peer name far; ip link set near up; ip link set far up; "
        "ip address add 192.0.2.1/24 dev near; echo 20 > /proc/sys/net/ipv4/neigh/near/retrans_time_ms"
    )
    said = in_namespace(ASK % "sip:192.0.2.9", setup)
    assert said.startswith("BAD host unreachable")
    assert "'by': '192.0.2.1'" in said


def test_an_answer_from_elsewhere_is_an_answer_and_says_whence():
    async def scenario() -> Outcome:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.2", 0))

            def divert(data: bytes, sender: tuple[str, int], sock: socket.socket) -> None:
                other.sendto(answer(data), sender)

            async with udp_server(divert) as port:
                return await ask(f"sip:127.0.0.1:{port}")

    outcome = asyncio.run(scenario())
    assert outcome.verdict is Verdict.GOOD
    assert str(outcome.detail["source"]).startswith("127.0.0.2:")


def test_a_name_that_took_most_of_the_time_leaves_no_word_on_a_silent_target():
    async def scenario(port: int) -> Outcome:
        def slowly(host: str, family: str) -> tuple[Address, ...]:
            time.sleep(0.15)
            return (Address(socket.AF_INET, "127.0.0.1"),)

        prober = SipProber(Resolver(slowly))
        options = SipOptions.model_validate({"timeout": "300ms"})
        outcome = await prober.probe(SipProber.parse(f"sip:sbc.example.net:{port}"), options)
        await prober.close()
        return outcome

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        outcome = asyncio.run(scenario(silent.getsockname()[1]))
    assert (outcome.verdict, outcome.reason) == (Verdict.NOT_ASKED, "resolver was slow")


@pytest.mark.parametrize(
    "options",
    [
        {"user_agent": "a\r\nEvil: 1"},
        {"user_agent": ""},
        {"user_agent": "a\n"},
        {"from_user": "a@b"},
        {"from_user": "a>\r\nEvil: 1"},
        {"max_forwards": 256},
        {"up_codes": ["2xy"]},
        {"up_codes": 200},
    ],
)
def test_options_that_would_spoil_the_request_are_refused(options):
    with pytest.raises(ValidationError):
        SipOptions.model_validate(options)


def test_over_udp_an_unanswered_request_is_sent_again_after_t1_and_the_round_trip_is_left_open():
    async def scenario() -> tuple[Outcome, list[bytes]]:
        heard: list[bytes] = []

        def second_time_lucky(data: bytes, sender: tuple[str, int], sock: socket.socket) -> None:
            heard.append(data)
            if len(heard) == 2:
                sock.sendto(answer(data), sender)

        async with udp_server(second_time_lucky) as port:
            return await ask(f"sip:127.0.0.1:{port}", timeout="2s"), heard

    started_ns = time.monotonic_ns()
    outcome, heard = asyncio.run(scenario())
    assert heard[0] == heard[1], "a retransmission is the same request"
    assert (outcome.verdict, outcome.round_trip_s) == (Verdict.GOOD, None)
    assert outcome.detail["retransmissions"] == 1
    assert outcome.sent_ns - started_ns >= 450_000_000, "good since the second transmission, not before"


def test_a_provisional_answer_does_not_end_it():
    async def scenario() -> Outcome:
        def slowly(data: bytes, sender: tuple[str, int], sock: socket.socket) -> None:
            sock.sendto(answer(data, "100 Trying"), sender)
            sock.sendto(answer(data), sender)

        async with udp_server(slowly) as port:
            return await ask(f"sip:127.0.0.1:{port}")

    assert asyncio.run(scenario()).reason == "200"


def stalled(after_s: float) -> Outcome:
    """Of a probe with 200 ms, while the loop sleeps from 0 to 500 and the answer comes in between."""

    async def scenario(server: int) -> Outcome:
        prober = SipProber()
        options = SipOptions.model_validate({"timeout": "200ms"})
        task = asyncio.create_task(prober.probe(SipProber.parse(f"sip:127.0.0.1:{server}"), options))
        for _ in range(3):
            await asyncio.sleep(0)
        time.sleep(0.5)
        outcome = await task
        await prober.close()
        return outcome

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))

        def serve() -> None:
            data, sender = sock.recvfrom(4096)
            time.sleep(after_s)
            sock.sendto(answer(data), sender)

        thread = threading.Thread(target=serve)
        thread.start()
        outcome = asyncio.run(scenario(sock.getsockname()[1]))
        thread.join()
    return outcome


def test_an_answer_that_arrived_in_time_counts_however_late_the_loop_reads_it():
    outcome = stalled(after_s=0)
    assert outcome.verdict is Verdict.GOOD
    assert outcome.round_trip_s is not None
    assert outcome.round_trip_s < 0.1, "the kernel's time, not the loop's"


def test_an_answer_that_arrived_too_late_does_not_count_though_the_loop_was_late_as_well():
    assert stalled(after_s=0.3).reason == "timeout"


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_host_without_a_route_could_not_ask(transport):
    assert probe_without_network(f"sip:192.0.2.1;transport={transport}") == "NOT_ASKED no route"


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_host_without_file_descriptors_could_not_ask(transport):
    async def scenario() -> Outcome:
        with no_file_descriptors():
            return await ask(f"sip:127.0.0.1:5060;transport={transport}")

    assert asyncio.run(scenario()).verdict is Verdict.NOT_ASKED


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_probes_under_way_when_the_prober_closes_were_not_asked(server, transport):
    async def scenario() -> Outcome:
        prober = SipProber()
        target = SipProber.parse(f"sip:silent@127.0.0.1:{server};transport={transport}")
        task = asyncio.create_task(prober.probe(target, SipOptions()))
        await asyncio.sleep(0.05)
        assert not task.done()
        await prober.close()
        return await asyncio.wait_for(task, 1)

    outcome = asyncio.run(scenario())
    assert (outcome.verdict, outcome.reason) == (Verdict.NOT_ASKED, "prober was closed")


def test_a_request_that_may_go_no_further_is_answered_so(server):
    outcome = probe(f"sip:127.0.0.1:{server}", max_forwards=0)
    assert (outcome.verdict, outcome.reason) == (Verdict.DEGRADED, "483")


def test_prometheus_sees_code_phases_and_when_to_come_back(server):
    outcome = probe(f"sip:busy@127.0.0.1:{server}")
    shown = {metric.name: list(metric.samples(outcome)) for metric in SipProber.metrics}
    assert shown["probe_sip_status_code"] == [({}, 503.0)]
    assert shown["probe_sip_retry_after_seconds"] == [({}, 30.0)]
    phases = {labels["phase"]: seconds for labels, seconds in shown["probe_sip_duration_seconds"]}
    assert phases["answer"] > 0
    assert phases["tls"] == phases["challenge"] == phases["register"] == 0
    assert shown["probe_sip_members"] == []


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_who_watches_sees_each_step_and_both_messages(server, transport):
    with traced() as trace:
        probe(f"sip:127.0.0.1:{server};transport={transport}")
    told = {line.what: line.facts for line in trace.lines}
    assert list(told) == ["resolved", *(["connecting"] if transport == "tcp" else []), "sent", "received"]
    assert told["resolved"]["members"] == f"127.0.0.1 127.0.0.1 {server}/{transport}"
    assert told["sent"]["message"].startswith("OPTIONS sip:127.0.0.1:")
    assert told["received"]["message"].startswith("SIP/2.0 200 OK\r\n")


def test_what_a_peer_can_do_is_told():
    async def scenario() -> Outcome:
        def able(data: bytes, sender: tuple[str, int], sock: socket.socket) -> None:
            headers = "Allow: INVITE\r\nAllow: BYE\r\nSupported: timer\r\nUser-Agent: pbx\r\n"
            sock.sendto(answer(data, extra=f'{headers}Warning: 399 pbx "soon"\r\n'), sender)

        async with udp_server(able) as port:
            return await ask(f"sip:127.0.0.1:{port}")

    detail = asyncio.run(scenario()).detail
    told = {name: detail[name] for name in ("allow", "supported", "server", "warning")}
    assert told == {
        "allow": "INVITE, BYE",
        "supported": "timer",
        "server": "pbx",
        "warning": '399 pbx "soon"',
    }


def test_a_slow_answer_is_degraded():
    async def scenario() -> Outcome:
        def slowly(data: bytes, sender: tuple[str, int], sock: socket.socket) -> None:
            loop = asyncio.get_running_loop()
            loop.call_later(0.05, sock.sendto, answer(data), sender)

        async with udp_server(slowly) as port:
            return await ask(f"sip:127.0.0.1:{port}", rtt_degraded="20ms")

    outcome = asyncio.run(scenario())
    assert (outcome.verdict, outcome.reason) == (Verdict.DEGRADED, "slow")
