"""Lines out of a stream of bytes, as they come; sans-I/O."""

from __future__ import annotations

LONGEST = 65_536
"""Bytes of a line; a longer one is an error, as it is for blackbox_exporter."""

MOST = 1 << 18
"""Bytes of all lines, up to TLS or the end."""

MOST_LINES = 10_000
"""How many there may be."""


class TooMuch(ValueError):
    """The peer says more than a conversation may have."""


class Lines:
    """Takes bytes and gives lines, without their LF or CRLF."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._searched = 0
        self._taken = 0
        self._given = 0

    def take(self, data: bytes) -> None:
        """Raises TooMuch."""
        self._taken += len(data)
        if self._taken > MOST:
            raise TooMuch(f"more than {MOST} bytes")
        self._rest += data

    def next(self) -> bytes | None:
        """The next whole line; None where more has to come. Raises TooMuch."""
        end = self._rest.find(b"\n", self._searched)
        if end < 0:
            self._searched = len(self._rest)
            if self._searched > LONGEST:
                raise TooMuch(f"a line of more than {LONGEST} bytes")
            return None
        self._searched = 0
        self._given += 1
        if self._given > MOST_LINES:
            raise TooMuch(f"more than {MOST_LINES} lines")
        line = bytes(self._rest[:end])
        del self._rest[: end + 1]
        return line.removesuffix(b"\r")

    def last(self) -> bytes | None:
        """What came after the last line feed, once nothing more will come."""
        line = bytes(self._rest)
        self._rest.clear()
        return line.removesuffix(b"\r") or None
