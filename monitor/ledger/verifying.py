"""Verifying a database: the chain of seals first, and, where that holds, everything derived from the facts."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from monitor.ledger.derivation import Derived, check_derived
from monitor.ledger.evidence import Evidence, Misfit, check_chain

SHOWN = 20
"""Misfits that are told of at most."""


@dataclass
class Verdict:
    """What was looked at, and what does not fit, the first one first."""

    evidence: Evidence = field(default_factory=Evidence)
    derived: Derived | None = None
    """None: not computed again, for the facts are not what they were."""
    misfits: list[Misfit] = field(default_factory=list)

    @property
    def fits(self) -> bool:
        return not self.misfits


def verify(
    db: sqlite3.Connection, trusted: Collection[bytes] | None = None, noted: Collection[bytes] = ()
) -> Verdict:
    """Look through a whole database, in a transaction of a connection that is used for nothing else after it.

    ``trusted``: the public keys that seals may be signed by; None: one, whichever it is. ``noted``: digests of
    seals that were kept elsewhere, and must be there.
    """
    verdict = Verdict()
    evidence = verdict.evidence
    verdict.misfits += islice(check_chain(db, trusted, evidence), SHOWN)
    if verdict.fits:
        verdict.misfits += [
            Misfit("seals", None, None, f"the seal {one.hex()} that was noted is not in the chain")
            for one in noted
            if one not in evidence.digests
        ]
    if verdict.fits:
        verdict.derived = Derived()
        try:
            verdict.misfits += islice(check_derived(db, verdict.derived), SHOWN)
        except (sqlite3.Error, ValueError) as error:
            verdict.misfits.append(Misfit("database", None, None, f"cannot be computed again: {error}"))
    return verdict


def verdict_record(verdict: Verdict) -> dict[str, Any]:
    """As ``ringback verify --json`` prints it."""
    evidence, derived = verdict.evidence, verdict.derived
    return {
        "fits": verdict.fits,
        "seals": evidence.seals,
        "sealed_records": evidence.rows,
        "unsealed_records": evidence.unsealed,
        "last_seal": evidence.last.hex() if evidence.seals else None,
        "signers": sorted(one.hex() for one in evidence.signers),
        "derived": None
        if derived is None
        else {
            "services": derived.services,
            "months": derived.months,
            "amounts": derived.amounts,
            "not_computed_again": derived.not_again,
        },
        "misfits": [
            {"table": one.table, "key": one.key, "service": one.service, "problem": one.problem}
            for one in verdict.misfits
        ],
    }
