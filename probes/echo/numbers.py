"""What becomes of a call, by the number that is called: a far end for every finding that a check can have."""

from __future__ import annotations

from typing import NamedTuple


class Number(NamedTuple):
    """``refusal``: a status instead of an answer. ``rings_ms`` None: for ever. ``early``: audio before the answer.
    ``echoes``: audio goes back. ``talks_ms``: after how long we hang up."""

    refusal: int | None = None
    rings_ms: int | None = 100
    early: bool = False
    echoes: bool = True
    talks_ms: int | None = None


ECHO = Number()
"""Of every number that is not among NUMBERS."""

NUMBERS = {
    "busy": Number(refusal=486),
    "ring": Number(rings_ms=None),
    "early": Number(rings_ms=1_000, early=True),
    "mute": Number(echoes=False),
    "hangup": Number(talks_ms=500),
}
