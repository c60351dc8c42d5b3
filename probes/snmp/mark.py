"""The number by which an answer is known to be one of ours, read without decoding the rest of the message.

It is the request-id in a message with a community (RFC 1901), and msgID in one of version 3 (RFC 3412 §6.2).
"""

from __future__ import annotations

import secrets

_INTEGER, _OCTETS, _SEQUENCE = 0x02, 0x04, 0x30
_PDUS = range(0xA0, 0xA9)
_VERSION_3 = b"\x03"


def new_number() -> int:
    """A number that nobody can guess: always four octets in BER, and never negative."""
    return secrets.randbits(30) | 1 << 30


def mark(number: int) -> bytes:
    return number.to_bytes(4)


def mark_of(datagram: bytes) -> bytes | None:
    """The mark of a question or of an answer, of which the beginning will do; None where it has none."""
    try:
        _, at, _ = _tlv(datagram, 0, _SEQUENCE)
        version, _, at = _tlv(datagram, at, _INTEGER)
        if version == _VERSION_3:
            _, at, _ = _tlv(datagram, at, _SEQUENCE)
        else:
            _, _, at = _tlv(datagram, at, _OCTETS)
            if datagram[at] not in _PDUS:
                return None
            _, at, _ = _tlv(datagram, at, datagram[at])
        number, _, _ = _tlv(datagram, at, _INTEGER)
    except (ValueError, IndexError):
        return None
    return number if len(number) == 4 else None


def _tlv(data: bytes, at: int, tag: int) -> tuple[bytes, int, int]:
    """The content that begins at ``at`` with this tag, as far as it is there; where it begins and ends. Raises
    ValueError and IndexError."""
    if data[at] != tag:
        raise ValueError("another type")
    length, begin = data[at + 1], at + 2
    if length >= 0x80:
        begin += length & 0x7F
        length = int.from_bytes(data[at + 2 : begin])
    return data[begin : begin + length], begin, begin + length
