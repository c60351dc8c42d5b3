"""Whether a pack is what was exported, by a key that is known, and its numbers follow from each other."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from pydantic import TypeAdapter, ValidationError

from monitor.claims.pack import Claim, Credit, Figures, Outage, Pack, Terms, canonical
from monitor.ledger.errors import LedgerError
from monitor.ledger.signed_document import verify_document
from monitor.sla.credit import downtime_hours
from monitor.sla.figures import decimal
from monitor.sla.money import is_currency, rounded

_FORM = TypeAdapter(Pack)


@dataclass(frozen=True, slots=True)
class PackVerdict:
    """``signer``: the public key that signed it; None: it is not what anybody signed."""

    signer: bytes | None
    claims: int
    misfits: tuple[str, ...]

    @property
    def fits(self) -> bool:
        return not self.misfits


def verify_pack(content: bytes, trusted: Collection[bytes] | None = None) -> PackVerdict:
    """``trusted``: the keys that it may be signed by; None: any. A byte that was changed is found, whichever it is."""
    try:
        pack = _read(content)
        signer = verify_document(pack, trusted)
    except LedgerError as error:
        return PackVerdict(None, 0, (str(error),))
    misfits = [f"claim {one['uid'][:8]}: {told}" for one in pack["claims"] for told in _of_claim(one)]
    return PackVerdict(signer, len(pack["claims"]), (*misfits, *_of_totals(pack)))


def _read(content: bytes) -> Pack:
    try:
        document = json.loads(content)
        _FORM.validate_python(document)
        written = canonical(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the document"
        raise LedgerError(f"expected a claim pack: {place}: {first['msg']}") from None
    except (ValueError, RecursionError) as error:
        raise LedgerError(f"expected a claim pack in JSON: {error}") from None
    if written != content:
        raise LedgerError("the file is not as packs are written: a byte was changed, put in or removed")
    pack: Pack = document
    return pack


def _of_claim(claim: Claim) -> Iterator[str]:
    figures = claim["figures"]
    if figures is None:
        return
    total_ms, down_ms, counted = figures["total_ms"], figures["down_ms"], _counted(claim["outages"])
    if counted is not None and sum(counted) != down_ms:
        yield f"its outages come to {sum(counted)} ms of downtime, not {down_ms}"
    ratio = Fraction(total_ms - down_ms, total_ms) if total_ms else None
    if figures["availability"] != (None if ratio is None else decimal(ratio)):
        yield f"the availability does not follow from {down_ms} ms of {total_ms}"
    guarantee = figures["guarantee"]
    if figures["breach"] != (guarantee is not None and ratio is not None and ratio < Fraction(guarantee)):
        yield "whether the guarantee was broken does not follow from the availability"
    owed = figures["credit"]
    if owed is not None and not is_currency(owed["currency"]):
        yield f"expected a currency of ISO 4217, not {owed['currency']}"
    elif owed is not None:
        amount = _amount(figures, owed, claim["terms"], counted)
        if amount is not None and amount != Decimal(owed["amount"]):
            yield f"the terms give {amount} {owed['currency']}, not {owed['amount']}"
        if claim["amount"] != owed["amount"]:
            yield f"it claims {claim['amount']}, and the month owes {owed['amount']}"


def _counted(outages: list[Outage]) -> tuple[int, ...] | None:
    """What each outage has in the month; None where it cannot be told outage by outage."""
    found = [one["counted_ms"] for one in outages]
    return None if any(one is None for one in found) else tuple(one for one in found if one is not None)


def _amount(figures: Figures, owed: Credit, terms: Terms, counted: tuple[int, ...] | None) -> Decimal | None:
    """The credit once more; None where hours are rounded outage by outage, and these cannot be told."""
    rule = terms["hours"] or "prorata"
    by_outage = (figures["down_ms"],) if rule == "prorata" else counted
    if by_outage is None:
        return None
    fee = Fraction(owed["fee"])
    exact = fee * Fraction(owed["rate_per_hour"]) * downtime_hours(by_outage, rule)
    cap = terms["cap"]
    return rounded(exact if cap is None else min(exact, fee * Fraction(cap)), owed["currency"]).amount


def _of_totals(pack: Pack) -> Iterator[str]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for claim in pack["claims"]:
        if claim["amount"] is not None and claim["currency"] is not None:
            sums[claim["currency"]] += Decimal(claim["amount"])
    stated = {one["currency"]: Decimal(one["amount"]) for one in pack["totals"]}
    if stated != dict(sums):
        yield "the totals are not the sums of the claims"
