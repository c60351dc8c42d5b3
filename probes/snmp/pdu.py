"""What an SNMP message carries, whatever its version: requests and answers (RFC 1157, 3416) by pysnmp's codec.

pysnmp's own dispatcher is not used: it takes an answer from any address, hides a failed send (so that "no route"
would read as the target's silence), and times out by the wall clock before it has read its socket.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pyasn1.type import univ  # type: ignore[import-untyped]
from pysnmp.proto.api import v1, v2c

Oid = tuple[int, ...]
Version = Literal["1", "2c", "3"]

LARGEST = 16_384
"""Bytes of a message that are read: what is asked for fits, and more would only cost time to decode."""

MISSING = frozenset({"NoSuchObject", "NoSuchInstance", "EndOfMibView"})
"""Kinds that stand for a value that the agent does not have."""

_MODERN_NAMES = {"Counter": "Counter32", "Gauge": "Gauge32", "NetworkAddress": "IpAddress"}
_ADDRESSES = (v2c.IpAddress, v1.IpAddress)
_OPAQUE = (v2c.Opaque, v1.Opaque)


class Malformed(ValueError):
    """The bytes are no answer of an SNMP agent to this asker; ``reason`` is why a probe with no other fails."""

    reason: ClassVar[str] = "not SNMP"


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask for. ``rows`` 0: the objects themselves; otherwise up to so many rows of what follows them."""

    oids: tuple[Oid, ...]
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Binding:
    """One object as the agent gave it; ``kind`` is its SNMP type, or one of MISSING with an empty value.

    Octets are text where they are printable UTF-8, otherwise hexadecimal; addresses and OIDs are dotted.
    """

    oid: Oid
    kind: str
    value: int | str

    @property
    def missing(self) -> bool:
        return self.kind in MISSING or self.kind == "Null"

    @property
    def word(self) -> str:
        """The kind as MIBs write it, such as noSuchInstance."""
        return self.kind[0].lower() + self.kind[1:]


@dataclass(frozen=True, slots=True)
class Answer:
    request_id: int
    error: str
    """The agent's error-status, such as ``genErr``; empty without one."""

    error_index: int
    """Which of the objects the error is about, counted from 1; 0: none of them."""

    bindings: tuple[Binding, ...]
    is_report: bool = False
    """An SNMPv3 engine that did not process the request says why (RFC 3412 §7.1)."""


def request_pdu(request: Request, number: int, version: Version) -> Any:
    """The PDU of a request, as an object of pysnmp. Version 1 has no GetBulk, and gives one row at a time."""
    if version == "1":
        kinds, api = v1, v1.apiPDU
    else:
        kinds, api = v2c, v2c.apiPDU
    if not request.rows:
        pdu = kinds.GetRequestPDU()
    elif version == "1":
        pdu = kinds.GetNextRequestPDU()
    else:
        pdu, api = kinds.GetBulkRequestPDU(), v2c.apiBulkPDU
    api.set_defaults(pdu)
    if api is v2c.apiBulkPDU:
        api.set_max_repetitions(pdu, request.rows)
    api.set_request_id(pdu, number)
    api.set_varbinds(pdu, [(oid, kinds.null) for oid in request.oids])
    return pdu


def read_pdu(pdu: Any) -> Answer:
    """The answer in a PDU of pysnmp. Raises Malformed for one that is no answer."""
    modern = isinstance(pdu, v2c.ResponsePDU | v2c.ReportPDU)
    if not modern and not isinstance(pdu, v1.GetResponsePDU):
        raise Malformed("not a response")
    api = v2c.apiPDU if modern else v1.apiPDU
    status = api.get_error_status(pdu)
    return Answer(
        request_id=int(api.get_request_id(pdu)),
        error=status.prettyPrint() if int(status) else "",
        error_index=int(pdu[2]),
        bindings=tuple(_binding(oid, value) for oid, value in api.get_varbinds(pdu)),
        is_report=isinstance(pdu, v2c.ReportPDU),
    )


def _binding(oid: Any, value: Any) -> Binding:
    kind = type(value).__name__
    return Binding(tuple(oid), _MODERN_NAMES.get(kind, kind), _plain(value))


def _plain(value: Any) -> int | str:
    if isinstance(value, _ADDRESSES):
        return str(ipaddress.IPv4Address(bytes(value)))
    if isinstance(value, _OPAQUE):
        return bytes(value).hex()
    if isinstance(value, univ.OctetString):
        return _text(bytes(value))
    if isinstance(value, univ.ObjectIdentifier):
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
