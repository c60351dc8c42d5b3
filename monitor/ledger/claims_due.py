"""How many claims there are in each state, and until when those not sent yet can be: for metrics and reminders."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from monitor.ledger.claims import STEPS, UNSENT
from monitor.ledger.drafting import STATE
from monitor.ledger.entitlements import FROM, TERMS, month_of_claim
from monitor.sla.claiming import ClaimWithin, claim_deadline_ms
from monitor.sla.months import Month

SOON_MS = 7 * 24 * 3_600_000
"""How long before its deadline a claim is reminded of."""


@dataclass(frozen=True, slots=True)
class ClaimsDue:
    """As they stood when they were counted."""

    counts: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(STEPS, 0))
    """By state."""
    deadlines: tuple[tuple[str, Month, int], ...] = ()
    """Service, month and the instant before which its claim has to be sent; of drafts and approved claims, the
    most pressing first."""

    def pressing(self, now_ms: int) -> tuple[tuple[str, Month, int], ...]:
        """Those to be sent soon, and those that are too late."""
        return tuple(one for one in self.deadlines if one[2] - SOON_MS <= now_ms)


def claims_due(db: sqlite3.Connection) -> ClaimsDue:
    """Reads no more than it needs: the agent counts once a minute."""
    counts = dict.fromkeys(STEPS, 0)
    counts |= dict(db.execute(f"SELECT {STATE} AS state, count(*) FROM entitlements GROUP BY 1").fetchall())  # noqa: S608
    rows: Iterable[tuple[str, str | None, int, str | None, ClaimWithin]] = db.execute(
        f"SELECT id, months.month, reported_ms, json_extract({TERMS}, '$.zone') AS zone,"
        f" json_extract({TERMS}, '$.plan.claim_within') AS within {FROM}"
        f" WHERE within IS NOT NULL AND zone IS NOT NULL AND {STATE} IN (?, ?)",
        UNSENT,
    )
    due: dict[tuple[str, Month], int] = {}
    for service, text, reported_ms, zone, within in rows:
        assert zone is not None
        month = month_of_claim(text, reported_ms, zone)
        deadline_ms = claim_deadline_ms(month, zone, within)
        assert deadline_ms is not None
        due[service, month] = min(deadline_ms, due.get((service, month), deadline_ms))
    found = sorted(due.items(), key=lambda one: (one[1], one[0]))
    return ClaimsDue(counts, tuple((service, month, at_ms) for (service, month), at_ms in found))
