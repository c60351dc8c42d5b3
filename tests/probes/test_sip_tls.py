"""SIP over TLS: whom we trust, whose the certificate must be, and what a bad one costs."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from probes.outcome import Outcome, Verdict
from probes.sip import SipOptions, SipProber
from probes.sip.certified import certified
from tests.pace import lasting
from tests.probes.certificates import Authority
from tests.probes.servers import Handler, closed_port, forever, stream_server
from tests.probes.sip_peers import answer, kamailio_tls, probe

DOMAIN = "sbc.example.net"
KEY = ec.generate_private_key(ec.SECP256R1())
PKCS8 = PrivateFormat.PKCS8


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("kamailio")
    with kamailio_tls(folder, authority.certificate(DOMAIN), authority.ca_file) as port:
        yield port


@pytest.mark.parametrize("target", ["sips:127.0.0.1:{}", "sip:127.0.0.1:{};transport=tls"])
def test_kamailio_answers_well_over_tls(server, authority, target):
    outcome = probe(target.format(server), ca_file=authority.ca_file, server_name=DOMAIN, tls_min="1.3")
    assert (outcome.verdict, outcome.reason) == (Verdict.GOOD, "200")
    assert [name for name, _ in outcome.phases] == ["resolve", "connect", "tls", "answer"]
    assert outcome.detail["tls"] == "TLSv1.3"
    assert outcome.detail["certificate_names"] == [DOMAIN]
    shown = {metric.name: list(metric.samples(outcome)) for metric in SipProber.metrics}
    assert shown["probe_tls_version_info"] == [({"version": "TLSv1.3"}, 1.0)]
    ends = authority.certificate(DOMAIN).expires.timestamp()
    assert shown["probe_ssl_earliest_cert_expiry"][0][1] == pytest.approx(ends, abs=60)


def test_a_certificate_of_another_domain_is_bad(server, authority):
    outcome = probe(f"sips:127.0.0.1:{server}", ca_file=authority.ca_file)
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "certificate: Hostname mismatch")
    assert outcome.detail["certificate_names"] == [DOMAIN]


def test_an_authority_that_we_do_not_know_is_bad(server, tmp_path):
    outcome = probe(f"sips:127.0.0.1:{server}", ca_file=Authority(tmp_path).ca_file, server_name=DOMAIN)
    assert outcome.verdict is Verdict.BAD
    assert outcome.reason.startswith("certificate: ")


def test_who_is_told_not_to_verify_does_not(server):
    assert probe(f"sips:127.0.0.1:{server}", verify_tls=False).verdict is Verdict.GOOD


def test_an_expired_certificate_is_bad(authority, tmp_path):
    expired = authority.certificate(DOMAIN, timedelta(days=-1))
    with kamailio_tls(tmp_path, expired, authority.ca_file) as port:
        outcome = probe(f"sips:127.0.0.1:{port}", ca_file=authority.ca_file, server_name=DOMAIN)
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "certificate: certificate has expired")


def test_a_server_that_wants_our_certificate_gets_it_or_refuses_us(authority, tmp_path):
    ours = authority.certificate("probe.example.net")
    common = {"ca_file": authority.ca_file, "server_name": DOMAIN}
    with kamailio_tls(tmp_path, authority.certificate(DOMAIN), authority.ca_file, verify=True) as port:
        target = f"sips:127.0.0.1:{port}"
        known = probe(target, **common, certificate_file=ours.chain, key_file=ours.key)
        unknown = probe(target, **common)
    assert (known.verdict, known.reason) == (Verdict.GOOD, "200")
    assert (unknown.verdict, unknown.reason) == (Verdict.BAD, "TLS handshake failed")


def test_a_ca_file_that_is_not_there_was_not_asked(server, tmp_path):
    outcome = probe(f"sips:127.0.0.1:{server}", ca_file=tmp_path / "none.pem")
    assert outcome.verdict is Verdict.NOT_ASKED


@pytest.mark.parametrize("name", ["a..b", ".a", "x" * 70])
def test_a_server_name_that_is_none_was_not_asked(server, authority, name):
    outcome = probe(f"sips:127.0.0.1:{server}", ca_file=authority.ca_file, server_name=name)
    assert outcome.verdict is Verdict.NOT_ASKED


def test_a_port_that_nobody_listens_on_is_refused():
    with closed_port() as port:
        assert probe(f"sips:127.0.0.1:{port}").reason == "refused"


def test_a_handshake_that_hangs_costs_the_time_out():
    async def scenario() -> Outcome:
        async with stream_server(forever) as port:
            prober = SipProber()
            target = SipProber.parse(f"sips:127.0.0.1:{port}")
            outcome = await prober.probe(target, SipOptions.model_validate({"timeout": "200ms"}))
            await prober.close()
            return outcome

    with lasting(0.2):
        outcome = asyncio.run(scenario())
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "timeout")


def test_what_is_no_tls_is_bad():
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"SIP/2.0 400 Bad Request\r\n\r\n")
        await writer.drain()

    async def scenario() -> Outcome:
        async with stream_server(plain) as port:
            prober = SipProber()
            outcome = await prober.probe(SipProber.parse(f"sips:127.0.0.1:{port}"), SipOptions())
            await prober.close()
            return outcome

    outcome = asyncio.run(scenario())
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "TLS handshake failed")


def test_an_answer_a_byte_at_a_time_is_read_and_a_slower_one_costs_the_time_out(authority):
    async def drop_by_drop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in answer(await reader.readuntil(b"\r\n\r\n")):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.0005)

    ours = authority.certificate(DOMAIN)
    options = {"ca_file": authority.ca_file, "server_name": DOMAIN}

    def asked(timeout: str) -> Outcome:
        return asyncio.run(at_server(drop_by_drop, ours.chain, ours.key, **options, timeout=timeout))

    assert asked("4s").verdict is Verdict.GOOD
    assert asked("60ms").reason == "timeout"


async def at_server(
    handler: Handler, chain: Path, key: Path, *, target: str = "sips:127.0.0.1:{}", **options: object
) -> Outcome:
    """Of a probe of a TLS server with this certificate, whose port is set into target and route."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    server = await asyncio.start_server(handler, "127.0.0.1", 0, ssl=context)
    async with server:
        prober, port = SipProber(), server.sockets[0].getsockname()[1]
        if route := options.get("route"):
            options["route"] = [str(route).format(port)]
        aim = SipProber.parse(target.format(port))
        outcome = await prober.probe(aim, SipOptions.model_validate(options))
        await prober.close()
        return outcome


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(answer(await reader.readuntil(b"\r\n\r\n")))
    await writer.drain()


def written(made: x509.Certificate, folder: Path) -> Path:
    """A file with a certificate that is its own authority, and its key."""
    file = folder / "both.pem"
    file.write_bytes(made.public_bytes(Encoding.PEM) + KEY.private_bytes(Encoding.PEM, PKCS8, NoEncryption()))
    return file


def test_a_certificate_that_names_the_domain_in_a_sip_uri_alone_is_good(tmp_path):
    file = written(certificate(uri(f"sip:{DOMAIN}")), tmp_path)
    outcome = asyncio.run(at_server(serve, file, file, ca_file=file, server_name=DOMAIN))
    assert outcome.verdict is Verdict.GOOD


def test_with_a_route_the_certificate_must_be_of_the_first_proxy(tmp_path):
    file = written(certificate(x509.IPAddress(ip_address("127.0.0.1"))), tmp_path)
    route = "sip:127.0.0.1:{};transport=tls;lr"
    ask = at_server(serve, file, file, target=f"sip:{DOMAIN}", route=route, ca_file=file)
    assert asyncio.run(ask).verdict is Verdict.GOOD


def test_a_certificate_that_cannot_be_read_is_of_nobody():
    """Two extensions of one kind, and the second one nonsense."""
    twice = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.99"), b"0\0")
    der = certificate(dns(DOMAIN), more=twice).public_bytes(Encoding.DER)
    spoilt = x509.load_der_x509_certificate(der.replace(b"\x06\x03\x55\x1d\x63", b"\x06\x03\x55\x1d\x11"))
    assert not certified(spoilt, DOMAIN)


def certificate(
    *names: x509.GeneralName, common: str = "other.example", more: x509.ExtensionType | None = None
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if more is not None:
        builder = builder.add_extension(more, critical=False)
    return builder.sign(KEY, hashes.SHA256())


def uri(text: str) -> x509.GeneralName:
    return x509.UniformResourceIdentifier(text)


def dns(text: str) -> x509.GeneralName:
    return x509.DNSName(text)


@pytest.mark.parametrize(
    ("names", "domain", "ours"),
    [
        ([uri("sip:example.net")], "example.net", True),
        ([uri("sip:Example.NET")], "example.net", True),
        ([dns("example.net")], "EXAMPLE.net", True),
        ([uri("sip:other.example"), dns("example.net")], "example.net", False),
        ([uri("https://example.net"), dns("example.net")], "example.net", True),
        ([uri("sips:example.net")], "example.net", False),
        ([uri("sip:alice@example.net")], "example.net", False),
        ([dns("*.example.net")], "sbc.example.net", False),
        ([dns("example.net")], "sbc.example.net", False),
        ([dns("sbc.example.net")], "example.net", False),
        ([dns("other.example")], "example.net", False),
        ([x509.IPAddress(ip_address("::1"))], "0:0:0:0:0:0:0:1", True),
        ([x509.IPAddress(ip_address("127.0.0.1"))], "127.0.0.2", False),
    ],
)
def test_a_certificate_is_of_the_domains_that_rfc_5922_says(names, domain, ours):
    assert certified(certificate(*names), domain) is ours


def test_the_common_name_counts_only_where_there_are_no_alternative_names():
    assert certified(certificate(common="example.net"), "example.net")
    assert not certified(certificate(dns("other.example"), common="example.net"), "example.net")
