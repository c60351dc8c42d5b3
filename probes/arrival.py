"""When a datagram or a segment arrived, by the kernel's own stamp: a busy event loop reads late."""

from __future__ import annotations

import socket
import struct
import time

SO_TIMESTAMPNS = 35
"""Socket option, and type of the control message with the stamp (<asm-generic/socket.h>)."""

_TIMESPEC = struct.Struct("@ll")

ANCILLARY_BYTES = socket.CMSG_SPACE(_TIMESPEC.size)
"""Room for the stamp in a recvmsg call."""

Ancillary = list[tuple[int, int, bytes]]


def stamped(sock: socket.socket) -> None:
    """Have what this socket receives stamped."""
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)


def wall_ns(stamp: bytes) -> int:
    """The stamp, in nanoseconds of the wall clock."""
    seconds, nanoseconds = _TIMESPEC.unpack(stamp)
    stamp_ns: int = seconds * 1_000_000_000 + nanoseconds
    return stamp_ns


def arrival_ns(ancillary: Ancillary) -> int:
    """The stamp of what was just received, in nanoseconds of ``time.monotonic_ns()``; without one, now."""
    now_ns = time.monotonic_ns()
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            return now_ns - max(0, time.time_ns() - wall_ns(data))
    return now_ns
