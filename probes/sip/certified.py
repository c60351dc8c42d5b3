"""Whose a certificate is (RFC 5922): the domain that was asked for has to stand in it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from cryptography import x509
from cryptography.x509.oid import NameOID

from probes.sip.uri import parse_target
from probes.tls import UNREADABLE


def certified(certificate: x509.Certificate, domain: str) -> bool:
    """Whether a certificate is one of ``domain``, a host name or address as it stands in the URI (§7.2).

    The whole name has to be the same: no wildcards, and nothing of the SRV record that led to the peer.
    """
    return _plain(domain) in {_plain(identity) for identity in identities(certificate)}


def identities(certificate: x509.Certificate) -> Iterator[str]:
    """The domains that a certificate stands for (§7.1): its SIP URIs without a user, without any its DNS names,
    and only where it has no alternative names at all, its common name. Addresses count as what they are."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME):
            yield str(name.value)
        return
    except UNREADABLE:
        return  # it cannot be read, and so stands for nobody
    for address in names.get_values_for_type(x509.IPAddress):
        yield str(address)
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    sip = [uri for uri in uris if uri.lower().startswith("sip:")]
    yield from filter(None, map(_domain_of, sip))
    if not sip:
        yield from names.get_values_for_type(x509.DNSName)


def _domain_of(uri: str) -> str | None:
    """None for one of a user: it says who may be called, not who answers."""
    try:
        target = parse_target(uri)
    except ValueError:
        return None
    return None if target.user is not None else target.host


def _plain(name: str) -> str:
    try:
        return str(ipaddress.ip_address(name.strip("[]")))
    except ValueError:
        return name.lower().removesuffix(".")
