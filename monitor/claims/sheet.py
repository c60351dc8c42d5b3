"""A pack as CSV: a row an outage, with its claim's figures in every row; the same in all languages."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from monitor.claims.pack import Claim, Pack

_FIGURES = ("from", "to", "total_ms", "down_ms", "excluded_ms", "unknown_ms", "coverage", "availability")
_OUTAGE = (
    *("last_good", "first_bad", "last_bad", "first_good", "down_ms", "least_ms", "most_ms", "counted_ms"),
    *("reason", "source"),
)
COLUMNS = (
    *("customer", "provider", "service", "service_name", "plan", "month", "revision", "claim", "kind"),
    *("clock", "state", "reference", "guarantee", "fee", "rate_per_hour", "cap", "amount", "currency"),
    *("amends", "difference", *_FIGURES, "tickets"),
    *(f"outage_{name}" for name in _OUTAGE),
)

_FORMULA = re.compile(r"[=+@\t\r]|-(?!\d+(\.\d+)?\Z)")
"""What a spreadsheet would compute; a negative number is none."""


def sheet(pack: Pack) -> bytes:
    """Comma-separated, UTF-8, instants ISO 8601 and decimal points; what there is none of is empty."""
    file = io.StringIO()
    table = csv.writer(file)
    table.writerow(COLUMNS)
    for claim in pack["claims"]:
        about = _about(pack, claim)
        none: Sequence[Mapping[str, Any]] = ({},)
        for outage in claim["outages"] or none:
            cells = {**about, **{f"outage_{name}": outage.get(name) for name in _OUTAGE}}
            table.writerow([_cell(cells[name]) for name in COLUMNS])
    return file.getvalue().encode()


def _about(pack: Pack, claim: Claim) -> dict[str, Any]:
    terms, amends = claim["terms"], claim["amends"]
    figures: Mapping[str, Any] = claim["figures"] or {}
    return {
        "customer": pack["customer"],
        "provider": terms["provider"],
        "service": claim["service"]["id"],
        "service_name": claim["service"]["name"],
        "plan": terms["plan"],
        "month": claim["month"],
        "revision": claim["revision"],
        "claim": claim["uid"],
        "kind": claim["kind"],
        "clock": claim["clock"],
        "state": claim["state"],
        "reference": claim["reference"],
        "guarantee": terms["guarantee"],
        "fee": terms["fee"],
        "rate_per_hour": terms["rate_per_hour"],
        "cap": terms["cap"],
        "amount": claim["amount"],
        "currency": claim["currency"],
        "amends": None if amends is None else amends["uid"],
        "difference": claim["difference"],
        **{name: figures.get(name) for name in _FIGURES},
        "tickets": " ".join(one["reference"] for one in claim["incidents"] if one["reference"]),
    }


def _cell(value: object) -> object:
    """Text that a spreadsheet would take for a formula gets an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value
