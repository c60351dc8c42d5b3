"""What a TLS client is told, what it needs from this host, and what it notes of a peer."""

from __future__ import annotations

import os
import shutil
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from pydantic import ValidationError

from probes.expiry import ExpiryOptions, judged_by_expiry
from probes.outcome import Outcome, Verdict
from probes.tls import Contexts, TlsOptions, Unprepared, client_context, handshake_failed, peer_detail
from probes.tls_metrics import TLS_METRICS, iana_name
from tests.probes.certificates import Authority, Certificate

HOST = "sbc.example.net"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def certificate(authority: Authority) -> Certificate:
    return authority.certificate(HOST)


def context_of(**options: object) -> ssl.SSLContext:
    return client_context(ssl.SSLContext, TlsOptions.model_validate(options))


def shake_hands(server: Certificate, client: ssl.SSLContext) -> ssl.SSLObject:
    """The client's end of a handshake in memory."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.chain, server.key)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=HOST)
    theirs = context.wrap_bio(to_server, to_client, server_side=True)
    waiting = [ours, theirs]
    while waiting:
        side = waiting.pop(0)
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            waiting.append(side)
    return ours


def test_the_detail_names_version_cipher_and_certificate(
    authority: Authority, certificate: Certificate
) -> None:
    detail = peer_detail(shake_hands(certificate, context_of(ca_file=authority.ca_file)))
    assert detail["tls"] == "TLSv1.3"
    assert str(detail["cipher"]).startswith("TLS_")
    assert detail["certificate_subject"] == f"CN={HOST}"
    assert detail["certificate_issuer"] == "CN=Test Authority"
    assert detail["certificate_names"] == [HOST]
    assert len(str(detail["certificate_sha256"])) == 64
    assert detail["certificate_expires"] == certificate.expires.isoformat()


def test_a_chain_ends_with_the_first_of_its_certificates(authority: Authority, tmp_path: Path) -> None:
    intermediate = Authority(tmp_path, under=authority, valid_for=timedelta(days=3))
    leaf = intermediate.certificate(HOST, timedelta(days=7))
    detail = peer_detail(shake_hands(leaf, context_of(ca_file=authority.ca_file)))
    assert detail["certificate_expires"] == leaf.expires.isoformat()
    in_three_days = datetime.now(UTC) + timedelta(days=3)
    for ends in (detail["chain_expires"], detail["verified_chain_expires"]):
        assert abs(datetime.fromisoformat(str(ends)) - in_three_days) < timedelta(minutes=1)


def test_a_root_that_ends_first_is_seen_in_the_chain_that_was_verified(tmp_path: Path) -> None:
    root = Authority(tmp_path, valid_for=timedelta(days=1))
    detail = peer_detail(shake_hands(root.certificate(HOST), context_of(ca_file=root.ca_file)))
    assert str(detail["verified_chain_expires"]) < str(detail["chain_expires"])


def test_what_was_not_verified_has_no_verified_chain(certificate: Certificate) -> None:
    detail = peer_detail(shake_hands(certificate, context_of(verify_tls=False)))
    assert "verified_chain_expires" not in detail
    assert detail["chain_expires"] == certificate.expires.isoformat()


def test_metrics_are_spelled_as_blackbox_exporter_spells_them(
    authority: Authority, certificate: Certificate
) -> None:
    detail = peer_detail(shake_hands(certificate, context_of(ca_file=authority.ca_file, tls_max="1.2")))
    outcome = Outcome(Verdict.GOOD, 0, "", detail=detail)
    shown = {metric.name: list(metric.samples(outcome)) for metric in TLS_METRICS}
    assert shown == {
        "probe_ssl_earliest_cert_expiry": [({}, certificate.expires.timestamp())],
        "probe_ssl_last_chain_expiry_timestamp_seconds": [({}, certificate.expires.timestamp())],
        "probe_ssl_last_chain_info": [
            (
                {
                    "fingerprint_sha256": detail["certificate_sha256"],
                    "subject": f"CN={HOST}",
                    "issuer": "CN=Test Authority",
                    "subjectalternative": HOST,
                },
                1.0,
            )
        ],
        "probe_tls_version_info": [({"version": "TLS 1.2"}, 1.0)],
        "probe_tls_cipher_info": [({"cipher": "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"}, 1.0)],
    }
    assert all(not list(metric.samples(Outcome(Verdict.BAD, 0, "refused"))) for metric in TLS_METRICS)


def test_of_all_names_the_metric_shows_those_of_dns() -> None:
    names = [
        "sbc.example.net",
        "192.0.2.1",
        "2001:db8::1",
        "sip:example.net",
        "noc@example.net",
        "*.example.net",
    ]
    told = {f"certificate_{key}": "" for key in ("sha256", "subject", "issuer")} | {
        "certificate_names": names
    }
    info = next(metric for metric in TLS_METRICS if metric.name == "probe_ssl_last_chain_info")
    ((labels, _),) = info.samples(Outcome(Verdict.GOOD, 0, "", detail=told))
    assert labels["subjectalternative"] == "sbc.example.net,*.example.net"


@pytest.mark.parametrize(
    ("openssl", "registered"),
    [
        ("TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"),
        ("ECDHE-RSA-AES128-GCM-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        ("ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
        ("ECDHE-RSA-AES256-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"),
        ("DHE-RSA-AES256-SHA", "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"),
        ("AES128-SHA", "TLS_RSA_WITH_AES_128_CBC_SHA"),
        ("AES256-GCM-SHA384", "TLS_RSA_WITH_AES_256_GCM_SHA384"),
    ],
)
def test_ciphers_have_their_registered_names(openssl: str, registered: str) -> None:
    assert iana_name(openssl) == registered


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "1.3"])
def test_the_oldest_version_is_the_one_that_was_asked_for(version: str) -> None:
    context = context_of(tls_min=version)
    assert context.minimum_version.name == {"1.0": "TLSv1"}.get(version, f"TLSv{version.replace('.', '_')}")


@pytest.mark.parametrize(
    "options",
    [
        {"tls_max": "1.1"},
        {"tls_min": "1.3", "tls_max": "1.2"},
        {"tls_min": "1.4"},
        {"key_file": "ours.key"},
    ],
)
def test_options_that_cannot_be_kept_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match=r"expected|should be"):
        TlsOptions.model_validate(options)


@pytest.mark.parametrize("missing", ["ca_file", "certificate_file", "key_file"])
def test_a_file_that_is_not_there_is_our_own_fault(
    missing: str, certificate: Certificate, tmp_path: Path
) -> None:
    files = {"certificate_file": certificate.chain, "key_file": certificate.key} | {missing: tmp_path / "no"}
    with pytest.raises(Unprepared, match="not readable"):
        Contexts(ssl.SSLContext).get(TlsOptions.model_validate(files))


def test_files_with_something_else_in_them_are_our_own_fault(
    certificate: Certificate, tmp_path: Path
) -> None:
    garbage = tmp_path / "garbage"
    garbage.write_bytes(b"\xff not PEM")
    for files in (
        {"ca_file": garbage},
        {"certificate_file": garbage},
        {"certificate_file": certificate.chain, "key_file": garbage},
        {"certificate_file": certificate.chain},
    ):
        with pytest.raises(Unprepared):
            Contexts(ssl.SSLContext).get(TlsOptions.model_validate(files))


def test_a_key_of_another_certificate_is_our_own_fault(
    authority: Authority, certificate: Certificate
) -> None:
    other = authority.certificate("other.example.net")
    with pytest.raises(Unprepared, match="certificate or key file not readable"):
        context_of(certificate_file=certificate.chain, key_file=other.key)


def test_a_key_with_a_pass_phrase_is_our_own_fault_and_asks_nobody(
    certificate: Certificate, tmp_path: Path
) -> None:
    key = load_pem_private_key(certificate.key.read_bytes(), None)
    locked = tmp_path / "locked.key"
    locked.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"sesame"))
    )
    with pytest.raises(Unprepared, match="certificate or key file not readable"):
        context_of(certificate_file=certificate.chain, key_file=locked)


def test_a_context_is_made_once_and_again_when_a_file_changes(
    authority: Authority, certificate: Certificate, tmp_path: Path
) -> None:
    chain = tmp_path / "chain.pem"
    shutil.copy(certificate.chain, chain)
    options = TlsOptions(ca_file=authority.ca_file, certificate_file=chain, key_file=certificate.key)
    contexts = Contexts(ssl.SSLContext)
    first = contexts.get(options)
    assert contexts.get(options) is first
    assert contexts.get(options, check_name=False) is not first
    os.utime(chain, ns=(0, 0))
    assert contexts.get(options) is not first


def test_a_change_of_the_systems_authorities_is_noticed(
    authority: Authority, certificate: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = tmp_path / "system.pem"
    shutil.copy(Authority(tmp_path).ca_file, system)
    monkeypatch.setenv("SSL_CERT_FILE", str(system))
    contexts, told = Contexts(ssl.SSLContext), TlsOptions()
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(certificate, contexts.get(told))
    shutil.copy(authority.ca_file, system)
    shake_hands(certificate, contexts.get(told))


def refusal(server: Certificate, **options: object) -> Outcome:
    """Of a certificate that does not hold."""
    told = TlsOptions.model_validate(options)
    with pytest.raises(ssl.SSLCertVerificationError) as refused:
        shake_hands(server, client_context(ssl.SSLContext, told))
    return handshake_failed(refused.value, told, 0, {})


def test_a_certificate_that_does_not_hold_is_bad(authority: Authority) -> None:
    expired = authority.certificate(HOST, timedelta(days=-1))
    outcome = refusal(expired, ca_file=authority.ca_file)
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "certificate: certificate has expired")


def test_a_host_that_trusts_nobody_cannot_ask(
    certificate: Certificate, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    outcome = refusal(certificate)
    assert (outcome.verdict, outcome.reason) == (Verdict.NOT_ASKED, "no CA certificates on this host")
    shake_hands(certificate, context_of(ca_file=authority.ca_file))


NOW = datetime(2026, 11, 1, tzinfo=UTC)


def expiring(left: timedelta, verdict: Verdict = Verdict.GOOD, **options: object) -> tuple[Verdict, str]:
    outcome = Outcome(verdict, 0, "as it was", detail={"chain_expires": (NOW + left).isoformat()})
    judged = judged_by_expiry(outcome, ExpiryOptions.model_validate(options), NOW)
    return judged.verdict, judged.reason


def test_a_certificate_that_ends_too_soon_is_degraded_and_then_bad() -> None:
    limits = {"expires_degraded": "14d", "expires_down": "36h"}
    assert expiring(timedelta(days=15), **limits) == (Verdict.GOOD, "as it was")
    assert expiring(timedelta(days=14), **limits) == (Verdict.DEGRADED, "certificate expires")
    assert expiring(timedelta(hours=36), **limits) == (Verdict.BAD, "certificate expires")
    assert expiring(timedelta(days=-1), **limits) == (Verdict.BAD, "certificate expires")
    assert expiring(timedelta(days=-1)) == (Verdict.GOOD, "as it was"), "who does not ask is not told"


@pytest.mark.parametrize("verdict", [Verdict.BAD, Verdict.NOT_ASKED])
def test_what_was_bad_or_unknown_before_stays_so(verdict: Verdict) -> None:
    assert expiring(timedelta(days=1), verdict, expires_degraded="14d") == (verdict, "as it was")


def test_a_probe_without_a_certificate_is_not_judged_by_one() -> None:
    outcome = Outcome(Verdict.GOOD, 0, "200")
    assert judged_by_expiry(outcome, ExpiryOptions.model_validate({"expires_down": "1d"})) is outcome


@pytest.mark.parametrize(
    "options",
    [
        {"expires_down": "0d"},
        {"expires_degraded": "14"},
        {"expires_degraded": "2 weeks"},
        {"expires_degraded": "1d", "expires_down": "2d"},
    ],
)
def test_limits_that_make_no_sense_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="expected"):
        ExpiryOptions.model_validate(options)
