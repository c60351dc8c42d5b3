"""A pack as a document."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from zoneinfo import ZoneInfo

from monitor.claims.calculation import calculation, measured_percentage, ratio
from monitor.claims.document import Column, Document, Drawing, Facts, Section, Table
from monitor.claims.drawing import Seen, draw
from monitor.claims.language import Language
from monitor.claims.pack import Claim, Evidence, Figures, Outage, Pack
from monitor.sla.figures import percentage
from monitor.sla.intervals import union
from monitor.sla.months import Month, parse_instant

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
    return _given(
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
            Column(word("availability"), "number"),
            Column(word("guarantee"), "number"),
            Column(word("downtime"), "number"),
            Column(word("amount"), "number"),
        ),
        [_claim_row(one, language) for one in claims],
    )


def _claim_row(claim: Claim, language: Language) -> tuple[str, ...]:
    figures = claim["figures"]
    amount = language.money(claim["amount"], claim["currency"])
    if figures is None:
        return claim["service"]["name"], language.word(claim["clock"] or ""), "", "", amount
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
        _exclusions(claim, language),
        _incidents(claim, language),
        _evidence(claim["outages"], language),
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
        return language.word("response breach", clock=language.word(claim["clock"] or ""))
    return verdict(claim["figures"], language)


def verdict(figures: Figures, language: Language) -> str:
    """What became of the guarantee, in a sentence."""
    key = "breach" if figures["breach"] else "no guarantee" if figures["guarantee"] is None else "met"
    return language.word(
        key,
        availability=measured_percentage(figures, language),
        guarantee=ratio(figures["guarantee"], language),
    )


def _claim_facts(claim: Claim, language: Language) -> Facts:
    word, terms, amends = language.word, claim["terms"], claim["amends"]
    currency = claim["currency"] or ""
    return _given(
        (word("service"), _with_id(claim["service"]["name"], claim["service"]["id"])),
        (word("plan"), _with_id(terms["plan_name"], terms["plan"] or "")),
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
        "frozen", revision=claim["revision"], at=at, reason=language.word(claim["revision_reason"] or "")
    )


def figure_facts(figures: Figures, language: Language) -> Facts:
    """The figures of a month; those that are nothing are left out."""
    word = language.word
    stretch = word("from to", start=language.instant(figures["from"]), end=language.instant(figures["to"]))
    allowed = figures["allowed_down_ms"]
    return _given(
        (word("measured"), stretch),
        (word("guarantee"), ratio(figures["guarantee"], language)),
        (word("availability"), measured_percentage(figures, language)),
        (word("downtime"), language.duration(figures["down_ms"])),
        (word("allowed"), "" if allowed is None else language.duration(allowed)),
        (word("excluded"), _unless_nothing(figures["excluded_ms"], language)),
        (word("degraded"), _unless_nothing(figures["degraded_ms"], language)),
        (word("unknown"), _unless_nothing(figures["unknown_ms"], language)),
        (word("coverage"), coverage(figures, language)),
        (word("outages"), language.number(figures["outages"])),
    )


def coverage(figures: Figures, language: Language) -> str:
    """The share of the time in which the state was known, from its eight places."""
    return language.percent(percentage(Fraction(figures["coverage"])))


def _unless_nothing(milliseconds: int, language: Language) -> str:
    return language.duration(milliseconds) if milliseconds else ""


def _with_id(name: str, of: str) -> str:
    return f"{name} ({of})" if name and name != of else of


def _given(*facts: tuple[str, str]) -> Facts:
    return [one for one in facts if one[1]]


def outage_table(outages: Sequence[Outage], language: Language) -> Table:
    """With their error bounds."""
    word = language.word
    columns = (
        Column(word("number"), "number"),
        Column(word("start"), "instant"),
        Column(word("end"), "instant"),
        *(Column(word(name), "span") for name in ("duration", "least", "most", "counted")),
        Column(word("cause")),
    )
    rows = [
        (
            str(number),
            language.instant(one["first_bad"]),
            language.instant(one["first_good"]),
            language.duration(one["down_ms"]),
            language.duration(one["least_ms"]),
            language.duration(one["most_ms"]),
            "" if one["counted_ms"] is None else language.duration(one["counted_ms"]),
            word(one["reason"]),
        )
        for number, one in enumerate(outages, 1)
    ]
    return Table(word("outages"), columns, rows, word("bounds"))


def _exclusions(claim: Claim, language: Language) -> Table:
    word = language.word
    return Table(
        word("exclusions"),
        (
            Column(word("start"), "instant"),
            Column(word("end"), "instant"),
            Column(word("class"), "short"),
            Column(word("reason")),
            Column(word("author"), "text"),
        ),
        [
            (
                language.instant(one["from"]),
                language.instant(one["to"]),
                word("customer class" if one["exclusion"] == "customer" else one["exclusion"]),
                one["reason"],
                f"{one['author']}, {language.instant(one['entered'])}",
            )
            for one in claim["exclusions"]
        ],
    )


def _incidents(claim: Claim, language: Language) -> Table:
    word = language.word
    clocks = ("reported", "acknowledged", "intervention", "resolved")
    return Table(
        word("incidents"),
        (
            Column(word("ticket"), "text"),
            Column(word("title"), "text"),
            *(Column(word(name), "instant") for name in clocks),
        ),
        [
            (
                one["reference"] or one["uid"],
                one["title"],
                language.instant(one["reported"]),
                *(
                    language.instant(at) if at is not None else ""
                    for at in (one["acknowledged"], one["intervention"], one["resolved"])
                ),
            )
            for one in claim["incidents"]
        ],
    )


def _evidence(outages: Sequence[Outage], language: Language) -> Table:
    word = language.word
    rows: list[tuple[str, ...]] = []
    for number, outage in enumerate(outages, 1):
        for change in outage["evidence"]:
            rows += _witnessed(str(number), change, language)
    columns = (
        Column(word("number"), "number"),
        Column(word("vantage"), "text"),
        Column(word("check"), "text"),
        Column(word("sent"), "instant"),
        Column(word("round trip"), "number"),
        Column(word("verdict"), "short"),
        Column(word("cause"), "text"),
    )
    return Table(word("evidence"), columns, rows)


def _witnessed(number: str, change: Evidence, language: Language) -> list[tuple[str, ...]]:
    return [
        (
            number,
            change["vantage"],
            change["check"],
            language.instant(one["sent"]),
            "" if one["round_trip_us"] is None else _round_trip(one["round_trip_us"], language),
            language.word(one["verdict"]),
            one["reason"],
        )
        for one in change["probes"]
    ]


def _round_trip(microseconds: int, language: Language) -> str:
    return f"{language.number(f'{microseconds // 1000}.{microseconds % 1000:03}')}\u00a0ms"


def _drawing(claim: Claim, language: Language) -> Drawing | None:
    figures = claim["figures"]
    if figures is None:
        return None
    excluded = [(one["from"], one["to"]) for one in claim["exclusions"]]
    return month_drawing(figures, claim["outages"], excluded, claim["month"], claim["timezone"], language)


def month_drawing(
    figures: Figures,
    outages: Sequence[Outage],
    excluded: Sequence[tuple[str, str]],
    month: str,
    timezone: str,
    language: Language,
) -> Drawing:
    """``excluded``: ISO instants. An outage whose end nobody saw is drawn as long as it was known to be down."""
    zone = ZoneInfo(timezone)
    seen = Seen(
        (parse_instant(figures["from"], zone), parse_instant(figures["to"], zone)),
        union(_stretch(one, zone) for one in outages),
        union((parse_instant(start, zone), parse_instant(end, zone)) for start, end in excluded),
    )
    return Drawing(
        language.word("drawing"),
        draw(seen, Month.parse(month), zone, language),
        language.word("drawn about", outages=len(outages), excluded=len(excluded)),
    )


def _stretch(outage: Outage, zone: ZoneInfo) -> tuple[int, int]:
    start_ms = parse_instant(outage["first_bad"], zone)
    end = outage["first_good"]
    return start_ms, start_ms + outage["down_ms"] if end is None else parse_instant(end, zone)
