"""Work of the writer's thread in portions: as long as it computes, each system call of the loop may cost it the
interpreter for a while."""

from __future__ import annotations

import asyncio

_PAUSE_S = 0.002
_SHARE = 0.5
"""Of the time that a portion took."""


async def leave_alone(took_s: float) -> None:
    """Leave the loop alone for a while after a portion that took so long."""
    await asyncio.sleep(max(_PAUSE_S, _SHARE * took_s))
