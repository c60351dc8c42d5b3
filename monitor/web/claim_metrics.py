"""The metrics of claims as Prometheus text, slice by slice: after a bad month there are thousands of drafts."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.ledger.claims_due import ClaimsDue
from monitor.web.exposition import SLICE, escaped

_COUNT, _DEADLINE = "ringback_claims", "ringback_claim_deadline_timestamp_seconds"


def claim_exposition(claims: ClaimsDue) -> Iterator[str]:
    """As they were counted last."""
    lines = [f'{_COUNT}{{state="{state}"}} {count}\n' for state, count in claims.counts.items()]
    yield f"# HELP {_COUNT} Claims by state.\n# TYPE {_COUNT} gauge\n" + "".join(lines)
    head = (
        f"# HELP {_DEADLINE} The instant before which the claim for a month has to be sent. Absent once it is.\n"
        f"# TYPE {_DEADLINE} gauge\n"
    )
    for start in range(0, len(claims.deadlines) or 1, SLICE):
        yield head + "".join(
            f'{_DEADLINE}{{service="{escaped(service)}",month="{month}"}} {deadline_ms // 1000}\n'
            for service, month, deadline_ms in claims.deadlines[start : start + SLICE]
        )
        head = ""
