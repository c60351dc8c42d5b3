"""The one shape of all probers, and the list of those there are."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel, ConfigDict

import probes
from probes.metric import Metric
from probes.outcome import Outcome
from probes.units import Duration


class Options(BaseModel):
    """What every prober can be told; each adds its own fields. Frozen, so that equal ones can be shared."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    timeout: Duration = "4s"  # type: ignore[assignment]
    """Milliseconds for the whole probe, name resolution included."""


T = TypeVar("T")
O_contra = TypeVar("O_contra", bound=Options, contravariant=True)


class Prober(Protocol[T, O_contra]):
    """Asks targets of one protocol. Made inside a running loop; holds what its probes share (sockets, sessions)."""

    schemes: ClassVar[tuple[str, ...]]
    """The target schemes it answers for, such as ("sip", "sips")."""

    options: ClassVar[type[Options]]

    metrics: ClassVar[tuple[Metric, ...]]
    """What its outcomes show to Prometheus beyond success and duration."""

    @staticmethod
    def parse(text: str) -> T:
        """The target that the text names. Raises ValueError that says what was expected."""

    async def probe(self, target: T, options: O_contra) -> Outcome:
        """Ask once. Never raises for what a peer or the network does; a fault of ours is Verdict.NOT_ASKED."""

    async def close(self) -> None:
        """Give the shared sockets back. Probes under way end as NOT_ASKED."""


@runtime_checkable
class Remembering(Protocol):
    """A prober with something that must outlive the process, such as calls that are not ended yet."""

    def remember_in(self, folder: Path) -> None:
        """Keep it in files of this folder, and take up what an earlier process left there. Called before the
        first probe. Raises OSError."""


@functools.cache
def probers() -> dict[str, type[Prober[Any, Any]]]:
    """Every prober in this package by target scheme: a module that defines ``PROBER`` takes part."""
    found: dict[str, type[Prober[Any, Any]]] = {}
    for module in pkgutil.iter_modules(probes.__path__, "probes."):
        prober = getattr(importlib.import_module(module.name), "PROBER", None)
        if prober is not None:
            found.update(dict.fromkeys(prober.schemes, prober))
    return found


def prober_for(target: str) -> type[Prober[Any, Any]]:
    """The prober of a target's scheme. Raises ValueError that names the schemes there are."""
    scheme, colon, _ = target.partition(":")
    prober = probers().get(scheme.lower()) if colon else None
    if prober is None:
        known = ", ".join(sorted(probers()))
        raise ValueError(f"expected a target that starts with one of {known}, not {target!r}")
    return prober


_DESTINATION = re.compile(r"[a-z0-9+]+:(?://)?(?:[^@/?]*@)?([^/?;#]*)", re.IGNORECASE)


def destination(target: str) -> str:
    """The host (and port) that a target's probes go to, as the target writes it."""
    match = _DESTINATION.match(target)
    return match[1] if match else target
