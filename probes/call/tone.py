"""What we say, and whether what we hear is silence: G.711 in both its laws."""

from __future__ import annotations

from probes.call.sdp import PCMA, Codec

FRAME_S = 0.02
FRAME_NS = 20_000_000
SAMPLES = 160
"""Of a frame of 20 ms at 8,000 a second."""

_AUDIBLE = 256
"""Of 32,768: what no sample of comfort noise reaches (-42 dB of full scale)."""

# the digital milliwatt, 1,000 Hz at 0 dBm0 (ITU-T G.711 tables 5 and 6)
_MILLIWATT_A = bytes.fromhex("34212134b4a1a1b4")
_MILLIWATT_U = bytes.fromhex("1e0b0b1e9e8b8b9e")


def frame(codec: Codec) -> bytes:
    """20 ms of a tone that every telephone knows. Any frame follows any other without a click."""
    return (_MILLIWATT_A if codec.name == PCMA.name else _MILLIWATT_U) * (SAMPLES // 8)


def is_audible(payload: bytes, codec: Codec) -> bool:
    """Whether any sample is louder than noise on a line."""
    loud = _LOUD_A if codec.name == PCMA.name else _LOUD_U
    return b"\x01" in payload.translate(loud)


def _expand_a(code: int) -> int:
    """Magnitude on a scale of 32,768 (ITU-T G.711 table 1)."""
    code ^= 0x55
    exponent, mantissa = code >> 4 & 7, code & 15
    return (mantissa << 4) + 8 if not exponent else (mantissa << 4) + 264 << exponent - 1


def _expand_u(code: int) -> int:
    """Magnitude on a scale of 32,768 (ITU-T G.711 table 2)."""
    code ^= 0xFF
    return ((code & 15) * 8 + 132 << (code >> 4 & 7)) - 132


_LOUD_A = bytes(_expand_a(code) >= _AUDIBLE for code in range(256))
_LOUD_U = bytes(_expand_u(code) >= _AUDIBLE for code in range(256))
