"""A document as text, to paste into a provider's claim form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from monitor.claims.document import Document, Facts, Table
from monitor.claims.language import Language


def form_text(document: Document) -> bytes:
    """Lines alone, without drawing: forms keep neither columns nor markup."""
    return "\n".join(_lines(document, Language(document.language))).encode() + b"\n"


def _lines(document: Document, language: Language) -> Iterator[str]:
    yield document.title
    yield document.subtitle
    yield ""
    yield from _facts(document.facts, language)
    yield from _tables(document.tables, language)
    for section in document.sections:
        yield from ("", f"== {section.title} ==", "", section.lead, "")
        yield from _facts(section.facts, language)
        yield from _tables(section.tables, language)


def _facts(facts: Facts, language: Language) -> Iterator[str]:
    return (language.word("labelled", label=label, value=value) for label, value in facts)


def _tables(tables: Iterable[Table], language: Language) -> Iterator[str]:
    for table in tables:
        yield from ("", language.word("headed", title=table.title))
        for row in table.rows:
            titles = (column.title for column in table.columns)
            cells = [(title, cell) for title, cell in zip(titles, row, strict=True) if cell]
            yield f"- {language.word('listed').join(_facts(cells, language))}"
        if table.note:
            yield f"({table.note})"
