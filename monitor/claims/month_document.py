"""A month's report as a document: every service in a table, and those that were down or in breach by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from monitor.claims.calculation import measured_percentage, ratio
from monitor.claims.document import Column, Document, Section, Table
from monitor.claims.language import Language
from monitor.claims.month_packing import ServiceMonth
from monitor.claims.month_words import coverage, figure_facts, given, month_drawing, verdict, with_id
from monitor.claims.pack import Figures
from monitor.claims.tables import exclusions_table, outage_table
from monitor.sla.figures import written
from monitor.sla.months import Month


def month_document(month: Month, services: Sequence[ServiceMonth], language: Language) -> Document:
    """``services``: at least one. It is dated at the end of what was measured."""
    word = language.word
    figures = [one.figures for one in services]
    dated = max((one["to"] for one in figures), key=datetime.fromisoformat)
    running = not all(one["complete"] for one in figures)
    return Document(
        language=language.code,
        title=word("report title"),
        subtitle=language.month(str(month)),
        dated=dated,
        facts=given(
            (word("month"), language.month(str(month))),
            (word("state"), word("running", at=language.instant(dated)) if running else ""),
            (word("services"), language.number(len(services))),
            (word("breaches"), language.number(sum(one["breach"] for one in figures))),
            (word("credits"), _owed(figures, language)),
        ),
        tables=[_overview(services, language)],
        sections=[
            _section(one, str(month), language) for one in services if one.outages or one.figures["breach"]
        ],
        page=word("page", page="{page}", pages="{pages}"),
        attached="",
    )


def _owed(figures: Iterable[Figures], language: Language) -> str:
    sums: dict[str, Decimal] = {}
    for one in figures:
        if one["credit"] is not None:
            currency = one["credit"]["currency"]
            sums[currency] = sums.get(currency, Decimal(0)) + Decimal(one["credit"]["amount"])
    return " + ".join(language.money(written(sums[currency]), currency) for currency in sorted(sums))


def _overview(services: Sequence[ServiceMonth], language: Language) -> Table:
    names = ("availability", "guarantee", "downtime", "outages", "coverage", "credit")
    return Table(
        language.word("services"),
        (
            Column(language.word("service")),
            *(
                Column(language.word(name), "number" if name in ("outages", "credit") else "figure")
                for name in names
            ),
        ),
        [_row(one, language) for one in services],
        language.word("truncated"),
    )


def _row(one: ServiceMonth, language: Language) -> tuple[str, ...]:
    figures = one.figures
    return (
        one.naming.name,
        measured_percentage(figures, language),
        ratio(figures["guarantee"], language),
        language.duration(figures["down_ms"]),
        language.number(figures["outages"]),
        coverage(figures, language),
        _credit(figures, language),
    )


def _credit(figures: Figures, language: Language) -> str:
    credit = figures["credit"]
    return (
        language.word("no credit") if credit is None else language.money(credit["amount"], credit["currency"])
    )


def _section(one: ServiceMonth, month: str, language: Language) -> Section:
    word, figures = language.word, one.figures
    revision = word("preliminary") if one.revision is None else language.number(one.revision)
    excluded = [(each["from"], each["to"]) for each in one.exclusions]
    tables = (outage_table(one.outages, language), exclusions_table(one.exclusions, language))
    return Section(
        title=one.naming.name,
        lead=verdict(figures, language),
        facts=given(
            (word("customer"), one.naming.customer),
            (word("service"), with_id(one.naming.name, figures["service"])),
            (word("plan"), figures["plan"] or ""),
            (word("time zone"), one.timezone),
            *figure_facts(figures, language),
            (word("credit"), _credit(figures, language)),
            (word("revision"), revision),
        ),
        drawing=month_drawing(figures, one.outages, excluded, month, one.timezone, language),
        tables=[table for table in tables if table.rows],
    )
