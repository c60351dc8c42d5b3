"""When a datagram or a segment arrived, by the kernel's own stamp: a busy event loop reads late.

The stamp is of the wall clock; everything here counts in ``time.monotonic_ns()``. Both clocks are slewed
alike, so that their offset changes only when somebody sets the wall clock. A stamp from across such a step is
worth nothing, and the time of reading stands in for it.
"""

from __future__ import annotations

import atexit
import socket
import struct
import time

STEP_NS = 1_000_000
"""A change of the clocks' offset from which on the wall clock counts as stepped."""

_SO_TIMESTAMPNS = 35  # socket option, and type of the control message with the stamp (<asm-generic/socket.h>)
_TIMESPEC = struct.Struct("@ll")
_UNDISTURBED_NS = 20_000

ANCILLARY_BYTES = socket.CMSG_SPACE(_TIMESPEC.size)
"""Room for the stamp in a recvmsg call."""

Ancillary = list[tuple[int, int, bytes]]

_KEEPS_STAMPING = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
"""The kernel stamps nothing while no socket asks for it, and begins a while after the first one does: what comes
before that gets the time of reading. With this one open it never leaves off."""
_KEEPS_STAMPING.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
atexit.register(_KEEPS_STAMPING.close)


def stamped(sock: socket.socket) -> None:
    """Have what this socket receives stamped."""
    sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)


def clock_offset_ns() -> int:
    """Wall clock minus monotonic clock, now; read again where we were interrupted in between."""
    for _ in range(3):
        before_ns = time.monotonic_ns()
        wall_ns = time.time_ns()
        after_ns = time.monotonic_ns()
        if after_ns - before_ns < _UNDISTURBED_NS:
            break
    return wall_ns - (before_ns + after_ns) // 2


def stamp_ns(ancillary: Ancillary) -> int | None:
    """The stamp among the control messages, in nanoseconds of the wall clock."""
    for level, kind, data in ancillary:
        if kind == _SO_TIMESTAMPNS and level == socket.SOL_SOCKET:
            seconds, nanoseconds = _TIMESPEC.unpack(data)
            return int(seconds * 1_000_000_000 + nanoseconds)
    return None


def instant_ns(stamp: int | None, offset_ns: int, read_ns: int, asked_offset_ns: int | None = None) -> int:
    """The instant of a stamp that was read at ``read_ns``, with the clocks' offset then; without one, then.

    ``asked_offset_ns`` is the offset when the question left: where it was another, the stamp is worth nothing.
    """
    if stamp is None or (asked_offset_ns is not None and abs(offset_ns - asked_offset_ns) > STEP_NS):
        return read_ns
    return stamp - offset_ns


def arrival_ns(ancillary: Ancillary, asked_offset_ns: int | None = None) -> int:
    """The instant at which what was just received arrived; see ``instant_ns``."""
    now_ns = time.monotonic_ns()
    return min(now_ns, instant_ns(stamp_ns(ancillary), clock_offset_ns(), now_ns, asked_offset_ns))
