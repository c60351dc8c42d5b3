"""TLS probes of any port: handshakes that hold, that do not, that hang; certificates that end too soon."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from probes.outcome import Outcome, Verdict
from probes.prober import prober_for
from probes.target import HostPort
from probes.tls_port import TlsPortOptions, TlsProber
from probes.trace import traced
from tests.pace import lasting
from tests.probes.certificates import Authority, Certificate, self_signed
from tests.probes.daemons import free_port
from tests.probes.hosts import all_closed, no_file_descriptors, open_sockets, probe_without_network
from tests.probes.nginx import files, nginx
from tests.probes.servers import (
    Handler,
    closed_port,
    dripping,
    forever,
    reset,
    server_in_a_thread,
    silent_listener,
    stream_server,
)

NAMES = ("plain", "good", "new", "old", "ancient", "demanding", "wrong", "self-signed", "expired", "soon")


@dataclass(frozen=True, slots=True)
class Servers:
    ports: dict[str, int]
    authority: Authority
    ours: Certificate
    expires: datetime


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    folder = tmp_path_factory.mktemp("nginx")
    authority = Authority(folder)
    good = authority.certificate("localhost")
    others = {
        "wrong": authority.certificate("elsewhere.test"),
        "self-signed": self_signed(folder, "localhost"),
        "expired": authority.certificate("localhost", timedelta(days=-1)),
        "soon": authority.certificate("localhost", timedelta(days=2)),
    }
    more = {
        "new": "ssl_protocols TLSv1.3;",
        "old": "ssl_protocols TLSv1.2;",
        "ancient": "ssl_protocols TLSv1; ssl_ciphers DEFAULT@SECLEVEL=0;",
        "demanding": f"ssl_client_certificate {authority.ca_file}; ssl_verify_client on;",
    }
    ports = {name: free_port() for name in NAMES}
    blocks = [f"server {{ listen 127.0.0.1:{ports['plain']}; }}"]
    for name in NAMES[1:]:
        told = files(others.get(name, good)) + more.get(name, "")
        blocks.append(f"server {{ listen 127.0.0.1:{ports[name]} ssl; server_name localhost; {told} }}")
    with nginx(folder, "\n".join(blocks), ports["soon"]):
        yield Servers(ports, authority, authority.certificate("probe.example.net"), good.expires)


def probe(port: int, host: str = "localhost", **options: object) -> Outcome:
    async def scenario() -> Outcome:
        before = open_sockets()
        prober = TlsProber()
        told = TlsPortOptions.model_validate({"family": "ipv4", "timeout": "2s", **options})
        outcome = await prober.probe(HostPort(host, port), told)
        await prober.close()
        await all_closed(before)
        return outcome

    return asyncio.run(scenario())


def probe_server(handler: Handler, **options: object) -> Outcome:
    async def scenario() -> Outcome:
        prober = TlsProber()
        async with stream_server(handler) as port:
            told = TlsPortOptions.model_validate({"timeout": "200ms", **options})
            outcome = await prober.probe(HostPort("127.0.0.1", port), told)
        await prober.close()
        return outcome

    return asyncio.run(scenario())


def test_a_certificate_that_holds_is_good(servers: Servers) -> None:
    outcome = probe(servers.ports["good"], ca_file=servers.authority.ca_file)
    assert (outcome.verdict, outcome.reason) == (Verdict.GOOD, "shaken hands")
    assert [name for name, _ in outcome.phases] == ["resolve", "connect", "tls"]
    assert outcome.round_trip_s is not None
    assert outcome.detail["address"] == "127.0.0.1"
    assert outcome.detail["tls"] == "TLSv1.3"
    assert outcome.detail["certificate_names"] == ["localhost"]
    assert outcome.detail["certificate_expires"] == servers.expires.isoformat()


def test_a_server_of_tls_1_2_is_good_and_may_be_too_old(servers: Servers) -> None:
    common = {"ca_file": servers.authority.ca_file}
    assert probe(servers.ports["old"], **common).detail["tls"] == "TLSv1.2"
    refused = probe(servers.ports["old"], **common, tls_min="1.3")
    assert (refused.verdict, refused.reason) == (Verdict.BAD, "TLS handshake failed")


def test_a_server_of_tls_1_3_alone_is_good_and_may_be_too_new(servers: Servers) -> None:
    common = {"ca_file": servers.authority.ca_file}
    assert probe(servers.ports["new"], **common).detail["tls"] == "TLSv1.3"
    refused = probe(servers.ports["new"], **common, tls_max="1.2")
    assert (refused.verdict, refused.reason) == (Verdict.BAD, "TLS handshake failed")


def test_a_round_trip_over_the_limit_is_degraded(servers: Servers) -> None:
    async def scenario() -> list[tuple[Verdict, str]]:
        prober = TlsProber()
        target = HostPort("localhost", servers.ports["good"])
        generous = TlsPortOptions.model_validate(
            {"family": "ipv4", "ca_file": servers.authority.ca_file, "rtt_degraded": "1s"}
        )
        any_is_slow = generous.model_copy(update={"rtt_degraded": 0})
        outcomes = [await prober.probe(target, options) for options in (generous, any_is_slow)]
        await prober.close()
        return [(outcome.verdict, outcome.reason) for outcome in outcomes]

    assert asyncio.run(scenario()) == [(Verdict.GOOD, "shaken hands"), (Verdict.DEGRADED, "slow")]


def test_a_server_of_tls_1_0_alone_is_bad_unless_it_is_asked_for(servers: Servers) -> None:
    common = {"ca_file": servers.authority.ca_file}
    refused = probe(servers.ports["ancient"], **common)
    assert (refused.verdict, refused.reason) == (Verdict.BAD, "TLS handshake failed")
    outcome = probe(servers.ports["ancient"], **common, tls_min="1.0")
    assert outcome.verdict is Verdict.GOOD
    shown = {metric.name: list(metric.samples(outcome)) for metric in TlsProber.metrics}
    assert shown["probe_tls_version_info"] == [({"version": "TLS 1.0"}, 1.0)]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("wrong", "certificate: Hostname mismatch"),
        ("self-signed", "certificate: self-signed certificate"),
        ("expired", "certificate: certificate has expired"),
        ("plain", "TLS handshake failed"),
    ],
)
def test_a_handshake_that_does_not_hold_is_bad(servers: Servers, name: str, reason: str) -> None:
    outcome = probe(servers.ports[name], ca_file=servers.authority.ca_file)
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, reason)
    assert [phase for phase, _ in outcome.phases] == ["resolve", "connect"]


def test_an_authority_that_we_do_not_know_is_bad(servers: Servers, tmp_path: Path) -> None:
    outcome = probe(servers.ports["good"], ca_file=Authority(tmp_path).ca_file)
    assert outcome.verdict is Verdict.BAD
    assert outcome.reason.startswith("certificate: ")


def test_the_name_to_verify_can_be_another_than_the_host(servers: Servers) -> None:
    port, ca_file = servers.ports["good"], servers.authority.ca_file
    assert probe(port, "127.0.0.1", ca_file=ca_file, server_name="localhost").verdict is Verdict.GOOD
    mismatch = probe(port, "127.0.0.1", ca_file=ca_file)
    assert (mismatch.verdict, mismatch.reason) == (Verdict.BAD, "certificate: IP address mismatch")


def test_who_does_not_verify_still_sees_when_it_ends(servers: Servers) -> None:
    outcome = probe(servers.ports["expired"], verify_tls=False, expires_degraded="14d")
    assert (outcome.verdict, outcome.reason) == (Verdict.DEGRADED, "certificate expires")


def test_a_certificate_that_ends_too_soon_is_degraded_or_bad(servers: Servers) -> None:
    port, ca_file = servers.ports["soon"], servers.authority.ca_file
    assert probe(port, ca_file=ca_file, expires_degraded="1d").verdict is Verdict.GOOD
    assert probe(port, ca_file=ca_file, expires_degraded="3d").verdict is Verdict.DEGRADED
    assert probe(port, ca_file=ca_file, expires_degraded="4d", expires_down="3d").verdict is Verdict.BAD


def test_our_own_certificate_is_shown_to_who_asks_for_it(servers: Servers) -> None:
    ours = {"certificate_file": servers.ours.chain, "key_file": servers.ours.key}
    outcome = probe(servers.ports["demanding"], ca_file=servers.authority.ca_file, **ours)
    assert outcome.verdict is Verdict.GOOD


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_server_that_refuses_us_for_want_of_a_certificate_is_bad(servers: Servers, version: str) -> None:
    """In TLS 1.3 the refusal comes when the handshake is over for us."""
    demanding = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = servers.authority.certificate("localhost")
    demanding.load_cert_chain(certificate.chain, certificate.key)
    demanding.load_verify_locations(servers.authority.ca_file)
    demanding.verify_mode = ssl.CERT_REQUIRED

    with server_in_a_thread(lambda connection: None, demanding) as port:
        common = {"ca_file": servers.authority.ca_file, "tls_max": version}
        unknown = probe(port, **common)
        known = probe(port, **common, certificate_file=servers.ours.chain, key_file=servers.ours.key)
    assert (unknown.verdict, unknown.reason) == (Verdict.BAD, "TLS handshake failed")
    assert (known.verdict, known.reason) == (Verdict.GOOD, "shaken hands")


def test_a_server_that_says_nothing_after_the_handshake_is_good_all_the_same(servers: Servers) -> None:
    quiet = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = servers.authority.certificate("localhost")
    quiet.load_cert_chain(certificate.chain, certificate.key)
    quiet.num_tickets = 0
    with server_in_a_thread(lambda connection: connection.recv(1) and None, quiet) as port, lasting():
        outcome = probe(port, ca_file=servers.authority.ca_file)
    assert outcome.verdict is Verdict.GOOD


def test_a_handshake_byte_by_byte_is_one(servers: Servers) -> None:
    slow = dripping(servers.ports["good"])
    common = {"ca_file": servers.authority.ca_file, "server_name": "localhost"}
    assert probe_server(slow, **common, timeout="3s").verdict is Verdict.GOOD


async def drips_for_ever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")  # a ServerHello of 16 KiB
    while True:
        writer.write(b"\x03")
        await writer.drain()
        await asyncio.sleep(0.01)


async def floods(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"\x16\x03\x03\x00\x04\x00\x00\x00\x00" * 1000)  # HelloRequests, which clients ignore
        await writer.drain()


async def resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    reset(writer)


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(65_536)


@pytest.mark.parametrize(
    ("handler", "reasons"),
    [
        (forever, {"timeout"}),
        (drips_for_ever, {"timeout", "TLS handshake failed"}),
        (floods, {"timeout", "TLS handshake failed"}),
        (resets, {"reset"}),
        (hangs_up, {"reset"}),
    ],
)
def test_a_hostile_peer_costs_the_time_out_at_most(handler: Handler, reasons: set[str]) -> None:
    with lasting():
        outcome = probe_server(handler, timeout="500ms")
    assert outcome.verdict is Verdict.BAD
    assert outcome.reason in reasons


def test_a_refused_connection_is_bad() -> None:
    with closed_port() as port:
        outcome = probe(port)
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "refused")


def test_silence_is_bad_after_the_time_out() -> None:
    with silent_listener() as server:
        outcome = probe(server.getsockname()[1], timeout="200ms")
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "timeout")


def test_files_that_cannot_be_read_are_not_held_against_the_target(servers: Servers, tmp_path: Path) -> None:
    missing = probe(servers.ports["good"], ca_file=tmp_path / "none.pem")
    assert missing.verdict is Verdict.NOT_ASKED
    assert missing.reason.endswith("none.pem is not readable")


def test_a_host_that_trusts_nobody_cannot_ask(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    outcome = probe(servers.ports["good"])
    assert (outcome.verdict, outcome.reason) == (Verdict.NOT_ASKED, "no CA certificates on this host")


@pytest.mark.parametrize("name", ["a..b", ".a", "x" * 70])
def test_a_server_name_that_is_none_cannot_be_asked_for(servers: Servers, name: str) -> None:
    assert probe(servers.ports["good"], server_name=name).verdict is Verdict.NOT_ASKED


def test_a_name_without_an_address_is_not_held_against_the_target() -> None:
    outcome = probe(5061, "a" * 64 + ".example")
    assert (outcome.verdict, outcome.reason) == (Verdict.NOT_ASKED, "name not resolved")


def test_no_route_and_no_descriptor_are_not_held_against_the_target() -> None:
    assert probe_without_network("tls://192.0.2.1:5061") == "NOT_ASKED no route"

    async def scenario() -> Outcome:
        prober = TlsProber()
        with no_file_descriptors():
            return await prober.probe(HostPort("127.0.0.1", 5061), TlsPortOptions())

    outcome = asyncio.run(scenario())
    assert (outcome.verdict, outcome.reason) == (Verdict.NOT_ASKED, "too many open files")


def test_an_address_of_the_other_family_cannot_ask(servers: Servers) -> None:
    outcome = probe(servers.ports["good"], source_address="::1")
    assert (outcome.verdict, outcome.reason) == (
        Verdict.NOT_ASKED,
        "source_address is of the other family",
    )
    absent = probe(servers.ports["good"], source_address="203.0.113.1")
    assert (absent.verdict, absent.reason) == (Verdict.NOT_ASKED, "cannot assign requested address")


def test_silence_while_the_loop_was_away_is_not_held_against_the_target() -> None:
    async def scenario() -> Outcome:
        prober = TlsProber()
        async with stream_server(forever) as port:
            told = TlsPortOptions.model_validate({"timeout": "50ms"})
            probing = asyncio.create_task(prober.probe(HostPort("127.0.0.1", port), told))
            await asyncio.sleep(0.02)
            time.sleep(0.3)
            return await probing

    outcome = asyncio.run(scenario())
    assert (outcome.verdict, outcome.reason) == (Verdict.NOT_ASKED, "loop was late")


def test_closing_the_prober_ends_probes_as_not_asked() -> None:
    async def scenario() -> Outcome:
        prober = TlsProber()
        async with stream_server(forever) as port:
            probing = asyncio.create_task(prober.probe(HostPort("127.0.0.1", port), TlsPortOptions()))
            await asyncio.sleep(0.05)
            await prober.close()
            return await probing

    outcome = asyncio.run(scenario())
    assert (outcome.verdict, outcome.reason) == (Verdict.NOT_ASKED, "prober was closed")


def test_who_watches_sees_every_step(servers: Servers) -> None:
    with traced() as trace:
        probe(servers.ports["good"], ca_file=servers.authority.ca_file)
    assert [line.what for line in trace.lines] == ["connecting", "TLS handshake", "TLS"]


@pytest.mark.parametrize("text", ["tls://sbc.example.net:5061", "TLS://[2001:db8::1]:636"])
def test_targets_are_a_host_and_a_port(text: str) -> None:
    assert prober_for(text) is TlsProber
    assert TlsProber.parse(text).port


@pytest.mark.parametrize("text", ["tls://host", "tls://host:0", "tls://host:1/path", "tls://u@host:1"])
def test_other_targets_are_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        TlsProber.parse(text)
