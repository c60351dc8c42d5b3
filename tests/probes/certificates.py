"""Certificates for TLS servers, made for the test run by an authority of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Certificate:
    chain: Path
    key: Path
    expires: datetime


class Authority:
    """Signs certificates and keeps their files in one folder; ``ca_file`` is what a client has to trust.

    ``under`` another one it is an intermediate, whose own certificate goes with those that it signs.
    """

    def __init__(
        self, folder: Path, under: Authority | None = None, valid_for: timedelta = timedelta(days=30)
    ) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("Test Authority" if under is None else "Test Intermediate")
        issuer = under or self
        now = datetime.now(UTC)
        certificate = (
            _builder(self._name, issuer._name, self._key, now - timedelta(days=30), now + valid_for)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(issuer._key, hashes.SHA256())
        )
        own = certificate.public_bytes(serialization.Encoding.PEM)
        self.ca_file = folder / "ca.pem"
        self._sent_along = b""
        if under is None:
            self.ca_file.write_bytes(own)
        else:
            self.ca_file, self._sent_along = under.ca_file, own

    def certificate(self, host: str, valid_for: timedelta = timedelta(days=7)) -> Certificate:
        """A certificate for ``host``; a negative ``valid_for`` has it expire in the past."""
        key = ec.generate_private_key(ec.SECP256R1())
        expires = (datetime.now(UTC) + valid_for).replace(microsecond=0)
        certificate = (
            _builder(_name(host), self._name, key, expires - timedelta(days=14), expires)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        chain = certificate.public_bytes(serialization.Encoding.PEM) + self._sent_along
        return _written(self._folder, f"{host}-{valid_for.days}", chain, key, expires)


def self_signed(folder: Path, host: str) -> Certificate:
    """A certificate for ``host`` that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    expires = (datetime.now(UTC) + timedelta(days=7)).replace(microsecond=0)
    certificate = (
        _builder(_name(host), _name(host), key, expires - timedelta(days=14), expires)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain = certificate.public_bytes(serialization.Encoding.PEM)
    return _written(folder, f"{host}-self-signed", chain, key, expires)


def _written(
    folder: Path, name: str, chain: bytes, key: ec.EllipticCurvePrivateKey, expires: datetime
) -> Certificate:
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key", expires)
    made.chain.write_bytes(chain)
    made.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return made


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )
