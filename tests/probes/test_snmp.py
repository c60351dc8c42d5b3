"""SNMP probes: answered well, answered badly, not answered, could not ask."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pysnmp.proto.api import v2c

from probes.outcome import Outcome, Verdict
from probes.prober import prober_for
from probes.snmp import SnmpOptions, SnmpProber, SnmpTarget
from probes.snmp.message import Community, decode, encode
from probes.snmp.pdu import Malformed, Request
from probes.snmp.question import IF_DESCR, IF_NAME, IF_OPER_STATUS, SYS_UP_TIME, Question, parse_expected
from tests.pace import lasting
from tests.probes.daemons import free_port
from tests.probes.hosts import no_file_descriptors, open_sockets, probe_without_network
from tests.probes.snmp_agent import Agent, Answers, read, serving, silent_port
from tests.probes.snmp_peers import probe
from tests.probes.snmp_peers import snmpd as running_snmpd

PUBLIC = Community("2c", "public")


@pytest.fixture(scope="module")
def snmpd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a real net-snmp agent."""
    with running_snmpd(tmp_path_factory.mktemp("snmpd")) as port:
        yield port


def probe_agent(agent: Agent, path: str = "", times: int = 1, **options: object) -> list[Outcome]:
    async def scenario() -> list[Outcome]:
        prober = SnmpProber()
        async with serving(agent) as port:
            target = SnmpProber.parse(f"snmp://127.0.0.1:{port}/{path}")
            asked = SnmpOptions.model_validate({"timeout": "200ms", **options})
            outcomes = [await prober.probe(target, asked) for _ in range(times)]
        await prober.close()
        return outcomes

    return asyncio.run(scenario())


def answering(answers: Answers) -> Outcome:
    return probe_agent(Agent(answers))[0]


def test_an_agent_that_answers_is_good_and_says_how_long_it_is_up(snmpd: int) -> None:
    outcome = probe(snmpd)
    assert (outcome.verdict, outcome.reason) == (Verdict.GOOD, "answered")
    assert outcome.round_trip_s is not None
    assert 0 < outcome.round_trip_s < 0.1
    assert outcome.phases[1] == ("response", outcome.round_trip_s)
    value, uptime_s = outcome.detail["value"], outcome.detail["uptime_s"]
    assert isinstance(value, int)
    assert uptime_s == value / 100
    assert outcome.detail["oid"] == "1.3.6.1.2.1.1.3.0"


def test_ipv6_works_as_ipv4_does(snmpd: int) -> None:
    assert probe(snmpd, host="[::1]").verdict is Verdict.GOOD
    assert probe(snmpd, host="localhost", family="ipv4").detail["address"] == "127.0.0.1"


def test_version_1_works_as_2c_does(snmpd: int) -> None:
    assert probe(snmpd, "sysName", version=1, expect="lab-router").verdict is Verdict.GOOD
    assert probe(snmpd, "ifOperStatus/lo", version="1").reason == "up"
    missing = probe(snmpd, "1.3.6.1.2.1.1.5.7", version=1)
    assert (missing.verdict, missing.reason) == (Verdict.BAD, "noSuchInstance")
    assert probe(snmpd, "ifOperStatus/nosuch0", version=1).reason == "no such interface"


@pytest.mark.parametrize("path", ["sysName", "sysName.0", "1.3.6.1.2.1.1.5.0", ".1.3.6.1.2.1.1.5.0"])
def test_an_object_is_asked_for_by_name_or_number(snmpd: int, path: str) -> None:
    outcome = probe(snmpd, path, expect="lab-router")
    assert outcome.verdict is Verdict.GOOD
    assert outcome.detail["value"] == "lab-router"


@pytest.mark.parametrize(
    ("path", "expect", "verdict"),
    [
        ("sysName", "other", Verdict.BAD),
        ("sysUpTime", "0..9999999", Verdict.GOOD),
        ("sysUpTime", "-2..-1", Verdict.BAD),
        ("ifOperStatus.1", 1, Verdict.GOOD),
        ("ifOperStatus.1", 2, Verdict.BAD),
        ("ifOperStatus.1", "up", Verdict.BAD),
    ],
)
def test_the_operator_says_which_value_is_good(
    snmpd: int, path: str, expect: object, verdict: Verdict
) -> None:
    outcome = probe(snmpd, path, expect=expect)
    assert outcome.verdict is verdict
    assert "value" in outcome.detail


@pytest.mark.parametrize("path", ["ifOperStatus/lo", "ifOperStatus.1", "ifOperStatus/l%6F"])
def test_an_interface_that_is_up_is_good(snmpd: int, path: str) -> None:
    outcome = probe(snmpd, path)
    assert (outcome.verdict, outcome.reason) == (Verdict.GOOD, "up")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("1.3.6.1.9.9.9", "noSuchObject"),
        ("1.3.6.1.2.1.1.5.7", "noSuchInstance"),
        ("ifOperStatus.999", "noSuchInstance"),
        ("ifOperStatus/nosuch0", "no such interface"),
    ],
)
def test_what_the_agent_does_not_have_is_bad(snmpd: int, path: str, reason: str) -> None:
    outcome = probe(snmpd, path)
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, reason)


def test_the_community_comes_from_a_file(snmpd: int, tmp_path: Path) -> None:
    secret = tmp_path / "community"
    secret.write_text("hidden\n")
    assert probe(snmpd, community_file=str(secret)).verdict is Verdict.GOOD
    secret.write_text("wrong\n")
    assert probe(snmpd, community_file=str(secret), timeout="200ms").reason == "timeout"


def test_the_community_comes_from_systemd_credentials(
    snmpd: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "acme-community").write_text("hidden")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert probe(snmpd, community_file="acme-community").verdict is Verdict.GOOD


@pytest.mark.parametrize("content", [None, "", "\n", b"\xff\xfe"])
def test_a_community_that_cannot_be_read_is_our_fault(
    snmpd: int, tmp_path: Path, content: str | bytes | None
) -> None:
    secret = tmp_path / "community"
    if content is not None:
        secret.write_bytes(content.encode() if isinstance(content, str) else content)
    outcome = probe(snmpd, community_file=str(secret))
    assert outcome.verdict is Verdict.NOT_ASKED
    assert outcome.reason.startswith("community file")


@pytest.mark.parametrize(
    ("value", "word"),
    [(2, "down"), (3, "testing"), (4, "unknown"), (5, "dormant"), (6, "notPresent"), (7, "lowerLayerDown")],
)
def test_an_interface_that_is_not_up_is_bad_in_the_words_of_the_mib(value: int, word: str) -> None:
    agent = Agent()
    agent.objects[(*IF_OPER_STATUS, 7)] = v2c.Integer(value)
    (outcome,) = probe_agent(agent, "ifOperStatus.7")
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, word)


def test_another_status_can_be_the_wanted_one() -> None:
    agent = Agent()
    agent.objects[(*IF_OPER_STATUS, 7)] = v2c.Integer(5)
    (outcome,) = probe_agent(agent, "ifOperStatus.7", expect=5)
    assert (outcome.verdict, outcome.reason) == (Verdict.GOOD, "dormant")


def router(names: dict[int, str], column: tuple[int, ...] = IF_NAME) -> Agent:
    agent = Agent()
    for index, name in names.items():
        agent.objects[(*column, index)] = v2c.OctetString(name.encode())
        agent.objects[(*IF_OPER_STATUS, index)] = v2c.Integer(1)
    return agent


@pytest.mark.parametrize("column", [IF_NAME, IF_DESCR])
def test_an_interface_is_found_once_and_then_asked_directly(column: tuple[int, ...]) -> None:
    agent = router({n: f"Gi0/{n}" for n in range(1, 101)}, column)
    first, second = probe_agent(agent, "ifOperStatus/Gi0%2F99", times=2)
    assert first.verdict is second.verdict is Verdict.GOOD
    assert first.detail["oid"] == "1.3.6.1.2.1.2.2.1.8.99"
    before = agent.asked
    assert before < 20
    (again,) = probe_agent(agent, "ifOperStatus/Gi0/99")
    assert again.verdict is Verdict.GOOD


def test_an_interface_that_got_another_index_is_looked_for_again() -> None:
    async def scenario() -> list[object]:
        prober = SnmpProber()
        agent = router({1: "lo", 2: "wan0", 3: "lan0"})
        async with serving(agent) as port:
            target = SnmpProber.parse(f"snmp://127.0.0.1:{port}/ifOperStatus/wan0")
            before = await prober.probe(target, SnmpOptions())
            asked = agent.asked
            await prober.probe(target, SnmpOptions())
            assert agent.asked == asked + 1
            agent.objects = router({1: "lo", 2: "lan0", 9: "wan0"}).objects
            agent.objects[(*IF_OPER_STATUS, 2)] = v2c.Integer(2)
            after = await prober.probe(target, SnmpOptions())
            agent.objects = router({1: "lo", 2: "lan0"}).objects
            gone = await prober.probe(target, SnmpOptions())
        await prober.close()
        return [before.reason, before.detail["oid"], after.reason, after.detail["oid"], gone.reason]

    assert asyncio.run(scenario()) == [
        "up",
        "1.3.6.1.2.1.2.2.1.8.2",
        "up",
        "1.3.6.1.2.1.2.2.1.8.9",
        "no such interface",
    ]


def test_a_table_that_does_not_advance_is_bad_and_ends() -> None:
    cell = ((*IF_NAME, 5), v2c.OctetString(b"x"))
    (outcome,) = probe_agent(
        Agent(lambda question: [Agent().response(read(question), [cell, cell])]), "ifOperStatus/w"
    )
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "table does not advance")


def test_a_table_without_end_is_read_up_to_a_limit() -> None:
    def endless(datagram: bytes) -> list[bytes]:
        message = read(datagram)
        ((oid, _),) = v2c.apiPDU.get_varbinds(v2c.apiMessage.get_pdu(message))
        start = int(oid[-1]) if len(oid) > len(IF_NAME) else 0
        column = tuple(oid)[: len(IF_NAME)]
        cells = [((*column, start + n), v2c.OctetString(b"x")) for n in range(1, 17)]
        return [Agent().response(message, cells)]

    (outcome,) = probe_agent(Agent(endless), "ifOperStatus/wan0", timeout="60s")
    assert (outcome.verdict, outcome.reason) == (
        Verdict.NOT_ASKED,
        "table is too large; ask for a row of it",
    )


def test_the_agents_error_status_is_bad_and_the_reason() -> None:
    agent = Agent()
    agent.error_status = 5
    (outcome,) = probe_agent(agent)
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "genErr")


def truthful(datagram: bytes) -> bytes:
    agent = Agent()
    agent.objects[SYS_UP_TIME] = v2c.TimeTicks(4242)
    return agent.truthful(datagram)[0]


def other_request(datagram: bytes) -> bytes:
    at = datagram.index(b"\x02\x04") + 2
    return datagram[:at] + bytes([datagram[at] ^ 1]) + datagram[at + 1 :]


@pytest.mark.parametrize(
    "answers",
    [
        lambda question: [b"", b"garbage", bytes(2000), truthful(question)],
        lambda question: [truthful(other_request(question)), truthful(question)],
        lambda question: [truthful(question), b"garbage", truthful(question)],
    ],
    ids=["garbage first", "another request's answer first", "garbage and a duplicate after"],
)
def test_the_answer_is_found_among_other_datagrams(answers: Answers) -> None:
    outcome = answering(answers)
    assert (outcome.verdict, outcome.detail.get("value")) == (Verdict.GOOD, 4242)


@pytest.mark.parametrize(
    "answers",
    [
        lambda question: [question],
        lambda question: [truthful(question)[:-1]],
        lambda question: [truthful(question) + b"x"],
        lambda question: [truthful(question).replace(b"public", b"publik")],
        lambda question: [truthful(question).replace(b"\x02\x01\x01\x04", b"\x02\x01\x00\x04", 1)],
    ],
    ids=["echo", "cut short", "too long", "other community", "other version"],
)
def test_an_answer_that_is_none_is_bad(answers: Answers) -> None:
    outcome = answering(answers)
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "not SNMP")


@pytest.mark.parametrize(
    "answer", [b"garbage", b"", truthful(encode(PUBLIC, Request((SYS_UP_TIME,)), 2**30))]
)
def test_what_answers_another_request_or_none_is_silence(answer: bytes) -> None:
    outcome = answering(lambda _: [answer])
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "timeout")


def test_a_flood_of_bad_answers_is_looked_at_for_no_longer_than_the_first_few() -> None:
    outcome = answering(lambda question: [truthful(question)[:-1]] * 60 + [truthful(question)])
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "not SNMP")


def test_an_answer_for_another_object_is_bad() -> None:
    def confused(question: bytes) -> list[bytes]:
        return [Agent().response(read(question), [((1, 3, 6, 1), v2c.Integer(1))])]

    assert answering(confused).reason == "answered for another object"
    assert (
        answering(lambda question: [Agent().response(read(question), [])]).reason == "answered for no object"
    )


def test_an_answer_from_elsewhere_is_none() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as elsewhere:

        class Impostor(Agent):
            def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
                elsewhere.sendto(truthful(data), addr)

        (outcome,) = probe_agent(Impostor())
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "timeout")


def test_silence_is_bad_after_the_time_out() -> None:
    with silent_port() as port, lasting(0.2):
        outcome = probe(port, timeout="200ms")
    assert (outcome.verdict, outcome.reason, outcome.round_trip_s) == (Verdict.BAD, "timeout", None)


def test_a_port_on_which_nobody_listens_is_refused_at_once() -> None:
    with lasting():
        outcome = probe(free_port(socket.SOCK_DGRAM), timeout="5s")
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "refused")


def stalled_probe(port: int) -> Outcome:
    async def scenario() -> Outcome:
        prober = SnmpProber()
        options = SnmpOptions.model_validate({"timeout": "300ms"})
        probing = asyncio.create_task(prober.probe(SnmpProber.parse(f"snmp://127.0.0.1:{port}"), options))
        await asyncio.sleep(0)
        time.sleep(0.8)
        outcome = await probing
        await prober.close()
        return outcome

    return asyncio.run(scenario())


def test_an_answer_in_time_is_good_however_late_the_loop_reads_it(snmpd: int) -> None:
    outcome = stalled_probe(snmpd)
    assert outcome.verdict is Verdict.GOOD
    assert outcome.round_trip_s is not None
    assert outcome.round_trip_s < 0.3, "the kernel stamped it, not the loop"


def test_silence_is_silence_however_late_the_loop_looks() -> None:
    with silent_port() as port:
        outcome = stalled_probe(port)
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "timeout"), "the socket was read up to the time"


def test_a_name_without_an_address_is_not_held_against_the_target() -> None:
    assert probe(161, host="a" * 64 + ".example").reason == "name not resolved"


def test_no_route_from_this_host_is_not_held_against_the_target() -> None:
    assert probe_without_network("snmp://192.0.2.1/") == "NOT_ASKED no route"


def test_no_file_descriptor_is_not_held_against_the_target() -> None:
    async def scenario() -> Outcome:
        prober = SnmpProber()
        with no_file_descriptors():
            outcome = await prober.probe(SnmpProber.parse("snmp://127.0.0.1/"), SnmpOptions())
        await prober.close()
        return outcome

    outcome = asyncio.run(scenario())
    assert (outcome.verdict, outcome.reason) == (Verdict.NOT_ASKED, "too many open files")


@pytest.mark.parametrize("end", ["close", "cancel"])
def test_probes_under_way_leave_no_socket_behind(end: str) -> None:
    async def scenario() -> object:
        prober = SnmpProber()
        held = open_sockets()
        with silent_port() as port:
            target = SnmpProber.parse(f"snmp://127.0.0.1:{port}/")
            probing = asyncio.create_task(prober.probe(target, SnmpOptions()))
            await asyncio.sleep(0.02)
            if end == "cancel":
                probing.cancel()
            else:
                await prober.close()
            (result,) = await asyncio.gather(probing, return_exceptions=True)
            await prober.close()
        assert open_sockets() == held
        return result

    result = asyncio.run(scenario())
    if end == "close":
        assert isinstance(result, Outcome)
        assert (result.verdict, result.reason) == (Verdict.NOT_ASKED, "prober was closed")
    else:
        assert isinstance(result, asyncio.CancelledError)


def test_all_probes_share_one_socket() -> None:
    async def scenario() -> int:
        prober = SnmpProber()
        with silent_port() as port:
            held = open_sockets()
            target = SnmpProber.parse(f"snmp://127.0.0.1:{port}/")
            options = SnmpOptions.model_validate({"timeout": "60ms"})
            await asyncio.gather(*(prober.probe(target, options) for _ in range(50)))
            opened = open_sockets() - held
        await prober.close()
        return opened

    assert asyncio.run(scenario()) == 1


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("snmp://router", SnmpTarget("router", 161, Question(SYS_UP_TIME))),
        ("snmp://router/", SnmpTarget("router", 161, Question(SYS_UP_TIME))),
        ("snmp://192.0.2.1:1161/sysUpTime", SnmpTarget("192.0.2.1", 1161, Question(SYS_UP_TIME))),
        ("SNMP://[2001:db8::1]/1.3.6.1", SnmpTarget("2001:db8::1", 161, Question((1, 3, 6, 1)))),
        ("snmp://router/ifOperStatus.7", SnmpTarget("router", 161, Question((*IF_OPER_STATUS, 7)))),
        ("snmp://router/ifOperStatus/Gi0/1", SnmpTarget("router", 161, Question(IF_OPER_STATUS, "Gi0/1"))),
        (
            "snmp://router/ifOperStatus/Slot%200",
            SnmpTarget("router", 161, Question(IF_OPER_STATUS, "Slot 0")),
        ),
    ],
)
def test_targets_are_a_host_and_an_object(text: str, target: SnmpTarget) -> None:
    assert prober_for(text) is SnmpProber
    assert SnmpProber.parse(text) == target


@pytest.mark.parametrize(
    "text",
    [
        "snmp://",
        "snmp://router:0/",
        "snmp://router/sysLocation.x",
        "snmp://router/ifOperStatus",
        "snmp://router/ifOperStatus/",
        "snmp://router/ifOperStatus.eth0",
        "snmp://router/3.1",
        "snmp://router/1.40.1",
        "snmp://router/1.3.4294967296",
        "snmp://public@router/",
        "snmp://router/1.3?x",
        "tcp://router:1",
    ],
)
def test_other_targets_are_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        SnmpProber.parse(text)


@pytest.mark.parametrize(
    "options",
    [
        {"community": "hidden"},
        {"expect": "9..1"},
        {"expect": True},
        {"expect": 1.5},
        {"expect": None, "port": 1},
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SnmpOptions.model_validate(options)


@given(first=st.integers(-(2**31), 2**64), width=st.integers(0, 1000), value=st.integers(-(2**31), 2**64))
def test_a_range_accepts_what_lies_within_it(first: int, width: int, value: int) -> None:
    expected = parse_expected(f"{first}..{first + width}")
    assert expected.accepts(value) == (first <= value <= first + width)
    assert parse_expected(first).accepts(first)


@given(st.binary(max_size=300))
def test_hostile_bytes_are_malformed_and_nothing_else(datagram: bytes) -> None:
    with pytest.raises(Malformed):
        decode(datagram, PUBLIC)


@given(st.integers(0, 200), st.integers(0, 255))
def test_an_answer_with_any_octet_changed_is_read_or_malformed(at: int, octet: int) -> None:
    datagram = bytearray(truthful(encode(PUBLIC, Request((SYS_UP_TIME,)), 2**30 + 5)))
    datagram[at % len(datagram)] = octet
    with contextlib.suppress(Malformed):
        decode(bytes(datagram), PUBLIC)


@given(st.integers(0, 2**32 - 1))
def test_numbers_come_back_as_the_agent_gave_them(ticks: int) -> None:
    agent = Agent()
    agent.objects[SYS_UP_TIME] = v2c.TimeTicks(ticks)
    answer = decode(agent.truthful(encode(PUBLIC, Request((SYS_UP_TIME,)), 2**30))[0], PUBLIC)
    assert answer.bindings[0].value == ticks
