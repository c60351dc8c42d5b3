"""The probers at work: one of each kind, so that what its probes share is shared by all checks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import structlog

from probes.prober import Prober, Remembering, probers

log = structlog.get_logger("agent")


class Probers:
    """Made inside a running loop; each prober is, when it is first asked for."""

    def __init__(self, state_dir: Path) -> None:
        """``state_dir``: below it probers keep what has to outlive the process."""
        self._state_dir = state_dir
        self._made: dict[type[Prober[Any, Any]], Prober[Any, Any]] = {}

    def resume(self) -> None:
        """Make those that an earlier process left something to do, whether a check still asks for them or not."""
        for kind in set(probers().values()):
            if issubclass(kind, Remembering) and (self._state_dir / kind.schemes[0]).is_dir():
                self.of(kind)

    def of(self, kind: type[Prober[Any, Any]]) -> Prober[Any, Any]:
        made = self._made.get(kind)
        if made is None:
            made = self._made[kind] = kind()
            if isinstance(made, Remembering):
                self._remember(made, self._state_dir / kind.schemes[0])
        return made

    def _remember(self, prober: Remembering, folder: Path) -> None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            prober.remember_in(folder)
        except OSError as error:
            log.error("nothing can be kept for the next start", folder=str(folder), error=str(error))

    async def close(self) -> None:
        """Probes under way end as not asked."""
        for prober in self._made.values():
            await prober.close()
