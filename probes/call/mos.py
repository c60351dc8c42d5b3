"""How good speech sounds that came late and with gaps: the E-model of ITU-T G.107.

Of its parameters delay and packet loss are measured. The rest stands at the values that the recommendation gives
for want of others, so that R is 93.2 less the impairments; echo is taken to be cancelled.
"""

from __future__ import annotations

import math

DEFAULT_R = 93.2
"""Ro - Is with every parameter at its default (G.107 §7.7); the advantage factor A is 0."""

G711_IE = 0.0
"""Equipment impairment of G.711 (ITU-T G.113, Appendix I)."""

G711_BPL = 25.1
"""Packet-loss robustness of G.711 with the concealment of its Appendix I (ITU-T G.113, Appendix I)."""


def rating(
    one_way_delay_ms: float,
    loss_ratio: float,
    *,
    burst_ratio: float = 1.0,
    ie: float = G711_IE,
    bpl: float = G711_BPL,
) -> float:
    """The transmission rating factor R, 0 to 93.2.

    ``one_way_delay_ms`` from mouth to ear; ``loss_ratio`` 0 to 1; ``burst_ratio`` 1 for losses at random, more
    for bursts. Sources: Idd (G.107 §7.4), Ie,eff (G.107 §7.5).
    """
    lost_percent = loss_ratio * 100
    equipment = ie + (95 - ie) * lost_percent / (lost_percent / burst_ratio + bpl)
    return max(0.0, DEFAULT_R - _too_long(one_way_delay_ms) - equipment)


def mos(r: float) -> float:
    """The mean opinion score, 1 to 4.5, of a rating (G.107 Annex B)."""
    if r <= 0:
        return 1.0
    if r >= 100:
        return 4.5
    return max(1.0, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6)


def _too_long(delay_ms: float) -> float:
    """Idd: what too long a delay takes from a conversation, without any echo."""
    if delay_ms <= 100:
        return 0.0
    x = math.log2(delay_ms / 100)
    return 25.0 * float((1 + x**6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2)
