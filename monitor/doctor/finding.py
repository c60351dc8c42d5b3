"""One thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """``fail`` keeps Ringback from its work; ``warn`` may do so one day, or could not be found out."""

    subject: str
    level: Level
    message: str
    advice: str = ""
    """What to do; empty where nothing has to be done."""
