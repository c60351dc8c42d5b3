"""A pack as a document."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.claims.calculation import calculation, measured_percentage, ratio
from monitor.claims.document import Column, Document, Drawing, Facts, Section, Table
from monitor.claims.language import Language
from monitor.claims.month_words import figure_facts, given, month_drawing, verdict, with_id
from monitor.claims.pack import Claim, Pack
from monitor.claims.tables import evidence_table, exclusions_table, incidents_table, outage_table

ATTACHMENT = "claim-pack.json"


def claim_document(pack: Pack, language: Language) -> Document:
    """All that the pack says, but for what the probers noted in detail: that is for programs."""
    month = language.month(pack["month"])
    several = len(pack["claims"]) > 1
    return Document(
        language=language.code,
        title=language.word("claim title"),
        subtitle=f"{pack['customer']}, {month}" if pack["customer"] else month,
        dated=pack["as_of"],
        facts=_facts(pack, language),
        tables=[_claims(pack["claims"], language)] if several else [],
        sections=[_section(one, language) for one in pack["claims"]],
        page=language.word("page", page="{page}", pages="{pages}"),
        attached=language.word("attached", name=ATTACHMENT),
    )


def _facts(pack: Pack, language: Language) -> Facts:
    word = language.word
    providers = sorted({one["terms"]["provider"] for one in pack["claims"]} - {""})
    totals = [language.money(one["amount"], one["currency"]) for one in pack["totals"]]
    if any(one["amount"] is None for one in pack["claims"]):
        totals.append(word("agreed later"))
    return given(
        (word("customer"), pack["customer"]),
        (word("provider"), ", ".join(providers)),
        (word("month"), language.month(pack["month"])),
        (word("total"), " + ".join(totals)),
        (word("as of"), language.instant(pack["as_of"])),
    )


def _claims(claims: Sequence[Claim], language: Language) -> Table:
    word = language.word
    return Table(
        word("services"),
        (
            Column(word("service")),
            *(Column(word(name), "figure") for name in ("availability", "guarantee", "downtime")),
            Column(word("amount"), "number"),
        ),
        [_claim_row(one, language) for one in claims],
    )


def _claim_row(claim: Claim, language: Language) -> tuple[str, ...]:
    figures = claim["figures"]
    amount = language.money(claim["amount"], claim["currency"])
    if figures is None:
        clock = language.word(claim["clock"] or "clock")
        return f"{claim['service']['name']}, {clock}", "", "", "", amount
    return (
        claim["service"]["name"],
        measured_percentage(figures, language),
        ratio(figures["guarantee"], language),
        language.duration(figures["down_ms"]),
        amount,
    )


def _section(claim: Claim, language: Language) -> Section:
    tables = [
        Table(
            language.word("calculation"),
            (
                Column(language.word("step"), "short"),
                Column(language.word("how")),
                Column(language.word("result"), "number"),
            ),
            calculation(claim, language),
            language.word("truncated") if claim["figures"] is not None else "",
        ),
        outage_table(claim["outages"], language),
        exclusions_table(claim["exclusions"], language),
        incidents_table(claim, language),
        evidence_table(claim["outages"], language),
    ]
    return Section(
        title=claim["service"]["name"],
        lead=_lead(claim, language),
        facts=_claim_facts(claim, language),
        drawing=_drawing(claim, language),
        tables=[one for one in tables if one.rows],
    )


def _lead(claim: Claim, language: Language) -> str:
    if claim["figures"] is None:
        return language.word("response breach", clock=language.word(claim["clock"] or "clock"))
    return verdict(claim["figures"], language)


def _claim_facts(claim: Claim, language: Language) -> Facts:
    word, terms, amends = language.word, claim["terms"], claim["amends"]
    currency = claim["currency"] or ""
    return given(
        (word("service"), with_id(claim["service"]["name"], claim["service"]["id"])),
        (word("plan"), with_id(terms["plan_name"], terms["plan"] or "")),
        (word("time zone"), claim["timezone"]),
        (word("clock"), word(claim["clock"]) if claim["clock"] else ""),
        *(() if claim["figures"] is None else figure_facts(claim["figures"], language)),
        (word("monthly fee"), language.money(terms["fee"], terms["currency"]) if terms["fee"] else ""),
        (word("amount"), language.money(claim["amount"], claim["currency"])),
        (
            word("amends"),
            ""
            if amends is None
            else word(
                "replaced", uid=amends["uid"], amount=language.money(amends["amount"], claim["currency"])
            ),
        ),
        (
            word("difference"),
            "" if claim["difference"] is None else language.difference(claim["difference"], currency),
        ),
        (word("claim"), claim["uid"]),
        (
            word("state"),
            word("since", state=word(claim["state"]), at=language.instant(claim["state_since"])),
        ),
        (word("reference"), claim["reference"]),
        (word("send before"), "" if claim["send_before"] is None else language.day(claim["send_before"])),
        (word("revision"), _frozen(claim, language)),
    )


def _frozen(claim: Claim, language: Language) -> str:
    if claim["frozen"] is None:
        return ""
    at = language.instant(claim["frozen"])
    return language.word(
        "frozen", revision=claim["revision"], at=at, reason=language.recorded(claim["revision_reason"] or "")
    )


def _drawing(claim: Claim, language: Language) -> Drawing | None:
    figures = claim["figures"]
    if figures is None:
        return None
    excluded = [(one["from"], one["to"]) for one in claim["exclusions"]]
    return month_drawing(figures, claim["outages"], excluded, claim["month"], claim["timezone"], language)
