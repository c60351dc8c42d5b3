"""Messages with a community (RFC 1157, RFC 1901): bytes to answers and back. No sockets here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pyasn1.codec.ber import decoder, encoder  # type: ignore[import-untyped]
from pysnmp.proto.api import v1, v2c

from probes.snmp.pdu import LARGEST, Answer, Malformed, Request, read_pdu, request_pdu

_MODULES = {"1": v1, "2c": v2c}
_NUMBERS = {"1": 0, "2c": 1}


@dataclass(frozen=True, slots=True)
class Community:
    """What an agent of version 1 or 2c wants to see. Equal ones can share questions."""

    version: Literal["1", "2c"]
    name: str = field(repr=False)


def encode(community: Community, request: Request, number: int) -> bytes:
    """A message that asks. ``number`` is the request-id."""
    module = _MODULES[community.version]
    message = module.Message()
    module.apiMessage.set_defaults(message)
    module.apiMessage.set_community(message, community.name.encode())
    module.apiMessage.set_pdu(message, request_pdu(request, number, community.version))
    return bytes(encoder.encode(message))


def decode(datagram: bytes, community: Community) -> Answer:
    """The answer in a datagram. Raises Malformed for everything that is not a response to this community."""
    if len(datagram) > LARGEST:
        raise Malformed("larger than anything that was asked for")
    module = _MODULES[community.version]
    try:
        message, rest = decoder.decode(datagram, asn1Spec=module.Message())
        if rest or int(module.apiMessage.get_version(message)) != _NUMBERS[community.version]:
            raise Malformed(f"not a message of version {community.version}")
        if bytes(module.apiMessage.get_community(message)) != community.name.encode():
            raise Malformed("another community")
        answer = read_pdu(module.apiMessage.get_pdu(message))
    except Malformed:
        raise
    except Exception as error:  # pyasn1 meets hostile bytes with almost any of them
        raise Malformed(f"not BER of an SNMP message: {type(error).__name__}") from error
    if answer.is_report:
        raise Malformed("a report outside version 3")
    return answer
