"""The lab's endpoints, asked by real programs."""

from __future__ import annotations

import subprocess
import urllib.request
from collections.abc import Iterator

import pytest

from monitor.demo import processes
from monitor.demo.processes import Lab
from monitor.demo.sip import answer
from tests.agent.real import eventually
from tests.peers import peer


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with processes.lab() as running:
        yield running


def sipsak(port: int, transport: str = "udp") -> int:
    argv = [peer("sipsak"), "-E", transport, "-D", "1", "-s", f"sip:lab@127.0.0.1:{port}"]
    try:
        return subprocess.run(argv, capture_output=True, check=False, timeout=2).returncode
    except subprocess.TimeoutExpired:
        return -1


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_the_trunk_answers_options_over_udp_and_tcp(lab: Lab, transport: str) -> None:
    assert sipsak(lab.ports.trunk, transport) == 0


def test_the_trunk_falls_silent_and_answers_again_as_it_is_told(lab: Lab) -> None:
    lab.silence_trunk()
    eventually(lambda: sipsak(lab.ports.trunk) != 0)
    assert sipsak(lab.ports.pbx, "tcp") == 0
    lab.let_trunk_answer()
    eventually(lambda: sipsak(lab.ports.trunk) == 0)


def test_the_snmp_agent_tells_its_uptime(lab: Lab) -> None:
    argv = [peer("snmpget"), "-v2c", "-c", "public", f"127.0.0.1:{lab.ports.snmp}", "1.3.6.1.2.1.1.3.0"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=10)
    assert "Timeticks" in done.stdout


def test_the_web_page_is_there(lab: Lab) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{lab.ports.web}/", timeout=5) as page:
        assert page.status == 200


REQUEST = (
    b"OPTIONS sip:x@127.0.0.1 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKa;rport\r\n"
    b"v: SIP/2.0/UDP 10.0.0.8;branch=z9hG4bKb;rport\r\n"
    b"Max-Forwards: 70\r\nf: <sip:a@b>;tag=1\r\nTo: <sip:x@127.0.0.1>\r\ni: abc\r\nCSeq: 7 OPTIONS\r\n\r\n"
)


def test_an_answer_copies_what_it_must_and_tells_where_the_request_came_from() -> None:
    response = answer(REQUEST, ("127.0.0.1", 4321))
    assert response is not None
    lines = response.decode().split("\r\n")
    assert lines[0] == "SIP/2.0 200 OK"
    assert lines[1] == "Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKa;rport=4321;received=127.0.0.1"
    assert lines[2] == "v: SIP/2.0/UDP 10.0.0.8;branch=z9hG4bKb;rport"
    assert lines[3] == "f: <sip:a@b>;tag=1"
    assert lines[4].startswith("To: <sip:x@127.0.0.1>;tag=")
    assert lines[5:7] == ["i: abc", "CSeq: 7 OPTIONS"]


def test_other_methods_are_refused_and_an_ack_is_not_answered() -> None:
    refused = answer(REQUEST.replace(b"OPTIONS", b"INVITE"), ("127.0.0.1", 1))
    assert refused is not None
    assert refused.startswith(b"SIP/2.0 405 ")
    assert answer(REQUEST.replace(b"OPTIONS", b"ACK"), ("127.0.0.1", 1)) is None


@pytest.mark.parametrize(
    "noise", [b"", b"\x00\xff" * 40, b"SIP/2.0 200 OK\r\n\r\n", b"OPTIONS x SIP/2.0\r\n\r\n"]
)
def test_noise_is_not_answered(noise: bytes) -> None:
    assert answer(noise, ("127.0.0.1", 1)) is None
