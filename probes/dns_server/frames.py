"""Messages out of a stream of bytes, each behind two bytes of its length (RFC 1035 §4.2.2); sans-I/O."""

from __future__ import annotations

_LENGTH = 2


class Frames:
    """Takes bytes and gives messages."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def take(self, data: bytes) -> None:
        self._rest += data

    def next(self) -> bytes | None:
        """The next whole message; None where more has to come."""
        end = _LENGTH + int.from_bytes(self._rest[:_LENGTH])
        if len(self._rest) < max(_LENGTH, end):
            return None
        message = bytes(self._rest[_LENGTH:end])
        del self._rest[:end]
        return message


def framed(message: bytes) -> bytes:
    return len(message).to_bytes(_LENGTH) + message
