"""What Prometheus is shown of a TLS connection, with the names and the spelling of blackbox_exporter."""

from __future__ import annotations

import re
from collections.abc import Iterable

from probes.metric import Metric, Sample, timestamp
from probes.outcome import Outcome

_AES = re.compile(r"(?:(ECDHE|DHE)-(ECDSA|RSA)-)?AES(128|256)-(GCM-)?(SHA\d*)")
_NO_DNS_NAME = re.compile(r"[:@]|\.\d+$")
_CHACHA = re.compile(r"(ECDHE|DHE)-(ECDSA|RSA)-CHACHA20-POLY1305")


def _version(outcome: Outcome) -> Iterable[Sample]:
    if version := outcome.detail.get("tls"):
        spelled = "TLS 1.0" if version == "TLSv1" else str(version).replace("TLSv", "TLS ")
        yield {"version": spelled}, 1.0


def _cipher(outcome: Outcome) -> Iterable[Sample]:
    if cipher := outcome.detail.get("cipher"):
        yield {"cipher": iana_name(str(cipher))}, 1.0


def _certificate(outcome: Outcome) -> Iterable[Sample]:
    detail = outcome.detail
    if "certificate_sha256" in detail:
        names = detail["certificate_names"]
        yield (
            {
                "fingerprint_sha256": str(detail["certificate_sha256"]),
                "subject": str(detail["certificate_subject"]),
                "issuer": str(detail["certificate_issuer"]),
                "subjectalternative": ",".join(_dns_names(names)),
            },
            1.0,
        )


def _dns_names(names: object) -> list[str]:
    """Without addresses and URIs, which blackbox_exporter does not show either."""
    return (
        [str(name) for name in names if not _NO_DNS_NAME.search(str(name))] if isinstance(names, list) else []
    )


def iana_name(cipher: str) -> str:
    """The registered name of a cipher that OpenSSL names in its own way; TLS 1.3 has only registered names."""
    if match := _AES.fullmatch(cipher):
        exchange, signature, bits, gcm, digest = match.groups()
        agreed = f"{exchange}_{signature}" if exchange else "RSA"
        return f"TLS_{agreed}_WITH_AES_{bits}_{'GCM' if gcm else 'CBC'}_{digest}"
    if match := _CHACHA.fullmatch(cipher):
        return f"TLS_{match[1]}_{match[2]}_WITH_CHACHA20_POLY1305_SHA256"
    return cipher


TLS_METRICS = (
    timestamp(
        "probe_ssl_earliest_cert_expiry",
        "Unix time at which the first of the certificates that were sent ends",
        "chain_expires",
    ),
    timestamp(
        "probe_ssl_last_chain_expiry_timestamp_seconds",
        "Unix time at which the first certificate of the chain that was verified ends",
        "verified_chain_expires",
    ),
    Metric("probe_ssl_last_chain_info", "The certificate of the peer", _certificate),
    Metric("probe_tls_version_info", "The TLS version that was agreed on", _version),
    Metric("probe_tls_cipher_info", "The cipher that was agreed on", _cipher),
)
