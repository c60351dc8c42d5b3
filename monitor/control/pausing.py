"""Work of the writer's thread in portions: as long as it computes, each system call of the loop may cost it the
interpreter for a while."""

from __future__ import annotations

import asyncio
import time

_PAUSE_S = 0.002
_SHARE = 0.5
"""Of the time that a portion took."""


async def leave_alone(started: float) -> None:
    """Leave the loop alone for a while after a portion that was started then (monotonic, in seconds)."""
    await asyncio.sleep(max(_PAUSE_S, _SHARE * (time.monotonic() - started)))
