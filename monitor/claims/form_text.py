"""A document as text, to paste into a provider's claim form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from monitor.claims.document import Document, Facts, Table


def form_text(document: Document) -> bytes:
    """Lines alone, without drawing: forms keep neither columns nor markup."""
    return "\n".join(_lines(document)).encode() + b"\n"


def _lines(document: Document) -> Iterator[str]:
    yield document.title
    yield document.subtitle
    yield ""
    yield from _facts(document.facts)
    yield from _tables(document.tables)
    for section in document.sections:
        yield from ("", f"== {section.title} ==", "", section.lead, "")
        yield from _facts(section.facts)
        yield from _tables(section.tables)


def _facts(facts: Facts) -> Iterator[str]:
    return (f"{label}: {value}" for label, value in facts)


def _tables(tables: Iterable[Table]) -> Iterator[str]:
    for table in tables:
        yield from ("", f"{table.title}:")
        for row in table.rows:
            titles = (column.title for column in table.columns)
            cells = (f"{title}: {cell}" for title, cell in zip(titles, row, strict=True) if cell)
            yield f"- {'; '.join(cells)}"
        if table.note:
            yield f"({table.note})"
