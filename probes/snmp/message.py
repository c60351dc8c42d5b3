"""SNMPv2c messages (RFC 1901, 3416): bytes to values and back, by pysnmp's codec. No sockets here.

pysnmp's own dispatcher is not used: it takes an answer from any address, hides a failed send (so that "no route"
would read as the target's silence), and times out by the wall clock before it has read its socket.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pyasn1.codec.ber import decoder, encoder  # type: ignore[import-untyped]
from pyasn1.type import univ  # type: ignore[import-untyped]
from pysnmp.proto.api import v2c

Oid = tuple[int, ...]

MISSING = frozenset({"NoSuchObject", "NoSuchInstance", "EndOfMibView"})
"""Kinds that stand for a value that the agent does not have."""


class Malformed(ValueError):
    """The bytes are no answer of an SNMPv2c agent."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One object as the agent gave it; ``kind`` is its SNMP type, or one of MISSING with an empty value.

    Octets are text where they are printable UTF-8, otherwise hexadecimal; addresses and OIDs are dotted.
    """

    oid: Oid
    kind: str
    value: int | str


@dataclass(frozen=True, slots=True)
class Answer:
    request_id: int
    error: str
    """The agent's error-status, such as ``genErr``; empty without one."""

    bindings: tuple[Binding, ...]


def get(request_id: int, community: str, oids: Iterable[Oid]) -> bytes:
    """A GetRequest."""
    pdu = v2c.GetRequestPDU()
    v2c.apiPDU.set_defaults(pdu)
    return _message(pdu, v2c.apiPDU, request_id, community, oids)


def get_bulk(request_id: int, community: str, oid: Oid, rows: int) -> bytes:
    """A GetBulkRequest for up to ``rows`` objects that follow ``oid``."""
    pdu = v2c.GetBulkRequestPDU()
    v2c.apiBulkPDU.set_defaults(pdu)
    v2c.apiBulkPDU.set_max_repetitions(pdu, rows)
    return _message(pdu, v2c.apiBulkPDU, request_id, community, [oid])


def _message(pdu: Any, api: Any, request_id: int, community: str, oids: Iterable[Oid]) -> bytes:
    api.set_request_id(pdu, request_id)
    api.set_varbinds(pdu, [(oid, v2c.null) for oid in oids])
    message = v2c.Message()
    v2c.apiMessage.set_defaults(message)
    v2c.apiMessage.set_community(message, community.encode())
    v2c.apiMessage.set_pdu(message, pdu)
    return bytes(encoder.encode(message))


def decode(datagram: bytes, community: str) -> Answer:
    """The answer in a datagram. Raises Malformed for everything that is not a Response of this community."""
    try:
        message, rest = decoder.decode(datagram, asn1Spec=v2c.Message())
        pdu = v2c.apiMessage.get_pdu(message)
        if rest or int(v2c.apiMessage.get_version(message)) != 1 or not isinstance(pdu, v2c.ResponsePDU):
            raise Malformed("not a response of SNMPv2c")
        if bytes(v2c.apiMessage.get_community(message)) != community.encode():
            raise Malformed("another community")
        status = v2c.apiPDU.get_error_status(pdu)
        return Answer(
            request_id=int(v2c.apiPDU.get_request_id(pdu)),
            error=status.prettyPrint() if int(status) else "",
            bindings=tuple(_binding(oid, value) for oid, value in v2c.apiPDU.get_varbinds(pdu)),
        )
    except Malformed:
        raise
    except Exception as error:  # pyasn1 meets hostile bytes with almost any of them
        raise Malformed(f"not BER of an SNMP message: {type(error).__name__}") from error


def _binding(oid: Any, value: Any) -> Binding:
    return Binding(tuple(oid), type(value).__name__, _plain(value))


def _plain(value: Any) -> int | str:
    if isinstance(value, v2c.IpAddress):
        return str(ipaddress.IPv4Address(bytes(value)))
    if isinstance(value, v2c.Opaque):
        return bytes(value).hex()
    if isinstance(value, v2c.OctetString):
        return _text(bytes(value))
    if isinstance(value, v2c.ObjectIdentifier):
        return ".".join(map(str, value))
    if isinstance(value, univ.Integer):  # counters, gauges and ticks, too
        return int(value)
    return ""


def _text(octets: bytes) -> str:
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        return octets.hex()
    return text if text.isprintable() else octets.hex()
