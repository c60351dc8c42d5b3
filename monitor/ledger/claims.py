"""The life of a claim: which step leads where, as data.

A draft is made by the ledger when a month is frozen or revised; the rest is done by people, but for
``superseded``: the month was revised before the claim was sent. ``paid`` may come more than once.
"""

from __future__ import annotations

from collections.abc import Mapping

from monitor.ledger.errors import LedgerError

STEPS: Mapping[str, tuple[str, ...]] = {
    "draft": ("approved", "withdrawn", "superseded"),
    "approved": ("submitted", "withdrawn", "superseded"),
    "submitted": ("accepted", "partly accepted", "rejected", "withdrawn"),
    "accepted": ("paid",),
    "partly accepted": ("paid",),
    "paid": ("paid",),
    "rejected": (),
    "withdrawn": (),
    "superseded": (),
}
"""For each state those that may follow it."""

UNSENT = tuple(state for state, following in STEPS.items() if "superseded" in following)
"""What is not with the provider yet: a revision of the month takes its place."""

OPEN = "submitted"
"""With the provider, and not decided."""

ACCEPTED = ("accepted", "partly accepted", "paid")
"""Decided, and not refused."""

_BY_THE_LEDGER = {"superseded"}


def check_step(state: str, to: str, what: str) -> None:
    """Raises LedgerError where the step is not possible from that state, with those that are."""
    if to in STEPS[state]:
        return
    possible = [following for following in STEPS[state] if following not in _BY_THE_LEDGER]
    if possible:
        raise LedgerError(f"{what} is {state}: it can be {_listed(possible)}, not {to}")
    raise LedgerError(f"{what} is {state}, and that is final: it cannot be {to}")


def _listed(words: list[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last
