"""What a TLS client needs: whom to trust, who it is itself, and what to note of the peer's certificate."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from pydantic import BaseModel, ConfigDict, model_validator

from probes.outcome import Outcome, Verdict

Context = TypeVar("Context", bound=ssl.SSLContext)

_VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}
UNREADABLE = (ValueError, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)
"""What a certificate raises that OpenSSL takes, and cryptography does not."""

_CONTEXTS_KEPT = 256
_NAMES_TOLD = 20


class TlsOptions(BaseModel):
    """How a prober that speaks TLS is told whom to trust; mixed into its own options."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    verify_tls: bool = True
    ca_file: Path | None = None
    """PEM file of the authorities to trust instead of the system's."""

    certificate_file: Path | None = None
    """PEM file of our own certificate, and those between it and its authority, for a peer that asks for one."""

    key_file: Path | None = None
    """PEM file of its private key, where it is not in ``certificate_file``."""

    server_name: str | None = None
    """The name to ask for (SNI) and to verify, where it is not the target's host."""

    tls_min: Literal["1.0", "1.1", "1.2", "1.3"] = "1.2"
    tls_max: Literal["1.0", "1.1", "1.2", "1.3"] = "1.3"

    @model_validator(mode="after")
    def _can_be_kept(self) -> TlsOptions:
        if self.tls_max < self.tls_min:
            raise ValueError("expected tls_max not to be older than tls_min")
        if self.key_file is not None and self.certificate_file is None:
            raise ValueError("expected certificate_file beside key_file")
        return self


class Unprepared(OSError):
    """This host lacks what it needs to ask: a file, or anybody to trust. ``str()`` says what."""


class Contexts(Generic[Context]):
    """One context of class ``kind`` for each choice of options, made again when one of their files changes, or the
    system's file of authorities does.
    """

    def __init__(self, kind: type[Context]) -> None:
        self._kind = kind
        self._made: dict[tuple[object, ...], Context] = {}

    def get(self, options: TlsOptions, *, check_name: bool = True) -> Context:
        """``check_name`` False leaves the peer's name to the caller. Raises Unprepared."""
        trusted = options.ca_file or (_system_authorities() if options.verify_tls else None)
        files = (trusted, options.certificate_file, options.key_file)
        changed = tuple(_changed_ns(file) for file in files)
        choice = (options.verify_tls, options.tls_min, options.tls_max)
        key = (check_name, files, changed, choice)
        context = self._made.get(key)
        if context is None:
            if len(self._made) >= _CONTEXTS_KEPT:
                self._made.clear()
            context = self._made[key] = client_context(self._kind, options)
            context.check_hostname = options.verify_tls and check_name
        return context


def client_context(kind: type[Context], options: TlsOptions) -> Context:
    """A context of class ``kind`` as the options say; it takes some 20 ms to make. Raises Unprepared."""
    context = kind(ssl.PROTOCOL_TLS_CLIENT)
    with warnings.catch_warnings():
        # Python deprecates 1.0 and 1.1, and old PBXs speak nothing else: who writes so in a check knows
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = _VERSIONS[options.tls_min]
        context.maximum_version = _VERSIONS[options.tls_max]
    if options.tls_min < "1.2":
        context.set_ciphers("DEFAULT@SECLEVEL=0")  # OpenSSL has no cipher for the old versions otherwise
    if not options.verify_tls:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif options.ca_file is None:
        context.load_default_certs()
    else:
        try:
            context.load_verify_locations(options.ca_file)
        except OSError as error:  # ssl.SSLError is one
            raise Unprepared("CA file not readable") from error
    if options.certificate_file is not None:
        try:
            # a key with a pass phrase would ask for it at the terminal
            context.load_cert_chain(options.certificate_file, options.key_file, password="")
        except (OSError, ValueError) as error:
            raise Unprepared("certificate or key file not readable") from error
    return context


def _changed_ns(file: Path | None) -> int:
    try:
        return file.stat().st_mtime_ns if file else 0
    except OSError as error:
        raise Unprepared(f"{file} is not readable") from error


def _system_authorities() -> Path | None:
    file = ssl.get_default_verify_paths().cafile
    return Path(file) if file else None


def system_trusts_anyone() -> bool:
    """Whether this host has any authorities: in one file, or in a folder from which OpenSSL takes them on demand.

    Minimal containers have none, and refuse every certificate as if it were the peer's fault.
    """
    paths = ssl.get_default_verify_paths()
    return paths.cafile is not None or (paths.capath is not None and any(Path(paths.capath).iterdir()))


def handshake_failed(
    error: ssl.SSLError, options: TlsOptions, sent_ns: int, detail: Mapping[str, object]
) -> Outcome:
    """The outcome of a probe that OpenSSL broke off: a certificate that does not hold, or no TLS to agree on.

    Where this host trusts nobody at all, NOT_ASKED: it would refuse every certificate.
    """
    if not isinstance(error, ssl.SSLCertVerificationError):
        told = {**detail, "error": error.reason or str(error)}
        return Outcome(Verdict.BAD, sent_ns, "TLS handshake failed", detail=told)
    told = {**detail, "error": error.verify_message or str(error)}
    if options.ca_file is None and not system_trusts_anyone():
        return Outcome(Verdict.NOT_ASKED, sent_ns, "no CA certificates on this host", detail=told)
    return Outcome(Verdict.BAD, sent_ns, certificate_fault(error), detail=told)


def certificate_fault(error: Exception) -> str:
    """OpenSSL's own phrase, without the name that it found: "certificate: certificate has expired"."""
    message = getattr(error, "verify_message", "") or "not trusted"
    return f"certificate: {message.partition(',')[0]}"


def peer_detail(tls: ssl.SSLObject | ssl.SSLSocket) -> dict[str, object]:
    """What to note of a connection: version, cipher, and the peer's certificate if it sent one.

    ``tls``, ``cipher``; ``certificate_expires`` (of the leaf) and ``chain_expires`` (the earliest of all that
    were sent), ISO 8601 in UTC, and ``verified_chain_expires`` of the chain that was trusted, if one was;
    ``certificate_subject``, ``_issuer``, ``_names``, ``_sha256`` of the leaf.
    """
    told: dict[str, object] = {"tls": tls.version()}
    if cipher := tls.cipher():
        told["cipher"] = cipher[0]
    told |= _certificate(tls.getpeercert(binary_form=True) or b"")
    if ends := _first_end(_chain(tls, "get_unverified_chain")):
        told["chain_expires"] = ends
    if tls.context.verify_mode != ssl.CERT_NONE and (ends := _first_end(_chain(tls, "get_verified_chain"))):
        told["verified_chain_expires"] = ends
    return told


def _first_end(chain: list[bytes]) -> str | None:
    """When the first of the certificates that can be read ends, ISO 8601."""
    ends = [str(one["certificate_expires"]) for one in map(_certificate, chain) if one]
    return min(ends, key=datetime.fromisoformat, default=None)


def peer_certificate(tls: ssl.SSLObject | ssl.SSLSocket) -> x509.Certificate | None:
    """The peer's own certificate; None where it sent none that can be read."""
    try:
        return x509.load_der_x509_certificate(tls.getpeercert(binary_form=True) or b"")
    except UNREADABLE:
        return None


def _chain(tls: ssl.SSLObject | ssl.SSLSocket, which: str) -> list[bytes]:
    """The certificates that the peer sent, or those that were trusted, in DER. Public only from Python 3.13 on."""
    public: Any = getattr(tls, which, None)
    if public is not None:
        return list(public() or ())
    connection: Any = getattr(tls, "_sslobj", None)
    return [ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in getattr(connection, which)() or ()]


@lru_cache(maxsize=4_096)
def _certificate(der: bytes) -> Mapping[str, object]:
    """What to note of a certificate; nothing where it cannot be read."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        return {
            "certificate_expires": certificate.not_valid_after_utc.isoformat(),
            "certificate_subject": certificate.subject.rfc4514_string(),
            "certificate_issuer": certificate.issuer.rfc4514_string(),
            "certificate_names": _names(certificate),
            "certificate_sha256": certificate.fingerprint(hashes.SHA256()).hex(),
        }
    except UNREADABLE:
        return {}


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [str(name.value) for name in names][:_NAMES_TOLD]
