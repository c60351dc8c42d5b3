"""What this host knows of its own wall clock."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

_STA_UNSYNC = 0x40
_MICROSECOND_NS = 1_000


@dataclass(frozen=True, slots=True)
class Clock:
    """``synchronised``: somebody disciplines it, and says that it is at most ``error_ns`` off.

    ``tai_s``: seconds by which TAI is ahead of UTC; 0 where nobody told the kernel.
    """

    synchronised: bool
    error_ns: int
    tai_s: int = 0


class _Timex(ctypes.Structure):
    """struct timex of <sys/timex.h>."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("time", ctypes.c_long * 2),
        ("tick", ctypes.c_long),
        ("ppsfreq", ctypes.c_long),
        ("jitter", ctypes.c_long),
        ("shift", ctypes.c_int),
        ("stabil", ctypes.c_long),
        ("jitcnt", ctypes.c_long),
        ("calcnt", ctypes.c_long),
        ("errcnt", ctypes.c_long),
        ("stbcnt", ctypes.c_long),
        ("tai", ctypes.c_int),
        ("padding", ctypes.c_int * 11),
    )


_UNKNOWN = Clock(synchronised=False, error_ns=16_000_000_000)  # what the kernel says before anybody told it
_libc = ctypes.CDLL(None)


def read_clock() -> Clock:
    """By adjtimex(2), which needs no privilege to be asked; not synchronised where there is no such call."""
    timex = _Timex()
    try:
        state = _libc.adjtimex(ctypes.byref(timex))
    except AttributeError:
        return _UNKNOWN
    if state < 0:
        return _UNKNOWN
    synchronised = not timex.status & _STA_UNSYNC
    return Clock(synchronised, timex.maxerror * _MICROSECOND_NS, timex.tai)
