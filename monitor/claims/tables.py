"""The tables of a claim: outages, exclusions, incidents and evidence."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.claims.document import Column, Table
from monitor.claims.language import Language
from monitor.claims.pack import Claim, Evidence, Exclusion, Outage


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
            language.recorded(one["reason"]),
        )
        for number, one in enumerate(outages, 1)
    ]
    return Table(word("outages"), columns, rows, word("bounds"))


def exclusions_table(exclusions: Sequence[Exclusion], language: Language) -> Table:
    word = language.word
    return Table(
        word("exclusions"),
        (
            Column(word("start"), "instant"),
            Column(word("end"), "instant"),
            Column(word("class"), "short"),
            Column(word("reason")),
            Column(word("author"), "signed"),
        ),
        [
            (
                language.instant(one["from"]),
                language.instant(one["to"]),
                word("customer class" if one["exclusion"] == "customer" else one["exclusion"]),
                one["reason"],
                f"{one['author']}, {language.instant(one['entered'])}",
            )
            for one in exclusions
        ],
    )


def incidents_table(claim: Claim, language: Language) -> Table:
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


def evidence_table(outages: Sequence[Outage], language: Language) -> Table:
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
            language.recorded(one["verdict"]),
            one["reason"],
        )
        for one in change["probes"]
    ]


def _round_trip(microseconds: int, language: Language) -> str:
    return language.milliseconds(f"{microseconds // 1000}.{microseconds % 1000:03}")
