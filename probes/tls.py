"""What a TLS client needs: whom to trust, and what to note of the peer's certificate."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TypeVar

from cryptography import x509

Context = TypeVar("Context", bound=ssl.SSLContext)


class Unprepared(OSError):
    """This host has nothing to check a certificate against: we could not ask. ``str()`` says why."""


def client_context(kind: type[Context], *, verify: bool = True, ca_file: Path | None = None) -> Context:
    """A context of class ``kind`` that trusts ``ca_file`` or else the system's authorities. Raises Unprepared."""
    context = kind(ssl.PROTOCOL_TLS_CLIENT)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif ca_file is None:
        context.load_default_certs()
    else:
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:  # ssl.SSLError is one
            raise Unprepared("CA file not readable") from error
    return context


def system_trusts_anyone() -> bool:
    """Whether this host has any authorities: in one file, or in a folder from which OpenSSL takes them on demand.

    Minimal containers have none, and refuse every certificate as if it were the peer's fault.
    """
    paths = ssl.get_default_verify_paths()
    return paths.cafile is not None or (paths.capath is not None and any(Path(paths.capath).iterdir()))


def expiry(certificate: bytes | None) -> str | None:
    """The end of validity of a DER certificate in ISO 8601, UTC; None if there is none that can be read."""
    try:
        return x509.load_der_x509_certificate(certificate or b"").not_valid_after_utc.isoformat()
    except ValueError:
        return None
