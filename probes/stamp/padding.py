"""What follows the 44 octets of a base packet: type-length-value fields (RFC 8972 §4), of which we use one.

TWAMP Light has octets without a meaning there. A sender of STAMP sets the flag "unrecognized" in each field, and
a reflector takes it from those that it knows.
"""

from __future__ import annotations

import struct

FIELD = 4
"""Octets of flags, type and length, before the value."""

MOST = 16
"""Fields that a reflector looks at in one packet. What follows is reflected as it came."""

_UNRECOGNIZED = 0x80
_MALFORMED = 0x40
_EXTRA_PADDING = 1  # RFC 8972 §4.1
_RESERVED = 0  # a type that no field has: the zeros of TWAMP Light's padding
_HEAD = struct.Struct("!BBH")


def extra_padding(octets: int) -> bytes:
    """So many octets of it, none, or at least FIELD; RFC 8972 §4.1 leaves their content to the sender."""
    if not octets:
        return b""
    return _HEAD.pack(_UNRECOGNIZED, _EXTRA_PADDING, octets - FIELD) + bytes(octets - FIELD)


def reflected(fields: bytes) -> bytes:
    """The same octets with the flags that a reflector answers with: what we know, what we do not, what is
    malformed, after which nothing more is read (RFC 8972 §4)."""
    answer, at = bytearray(fields), 0
    for _ in range(MOST):
        if len(fields) - at < FIELD:
            break
        flags, kind, length = _HEAD.unpack_from(fields, at)
        if kind == _RESERVED:
            break
        answer[at] = flags & ~(_UNRECOGNIZED | _MALFORMED) | (0 if kind == _EXTRA_PADDING else _UNRECOGNIZED)
        if at + FIELD + length > len(fields):
            answer[at] |= _MALFORMED  # and it ends the loop
        at += FIELD + length
    return bytes(answer)
