"""What the kernel knows of a connection: ``struct tcp_info`` of <linux/tcp.h>."""

from __future__ import annotations

import socket
import struct

_BYTES = 104
_RTT_US = 68
_TOTAL_RETRANS = 100
_WORD = struct.Struct("=I")


def handshake(sock: socket.socket) -> tuple[float | None, int]:
    """Of a connection that was just made: seconds from SYN to SYN-ACK, and how often the SYN was sent again. After a
    lost one the round trip is unknown.
    """
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _BYTES)
    (lost,) = _WORD.unpack_from(info, _TOTAL_RETRANS)
    return (None if lost else _WORD.unpack_from(info, _RTT_US)[0] / 1e6), lost
