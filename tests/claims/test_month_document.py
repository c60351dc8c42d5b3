"""A month's report as a document: of frozen months what was frozen, else what is known now."""

from __future__ import annotations

from monitor.claims.document import Document
from monitor.claims.language import Language
from monitor.claims.month_document import month_document
from monitor.claims.month_packing import ServiceMonth, service_months
from monitor.claims.packing import names
from monitor.ledger.report import report
from monitor.sla.months import Month
from tests.claims.packs import ACME
from tests.ledger.books import OUTAGE, Book, line

OCTOBER = Month(2026, 10)


def months(book: Book) -> list[ServiceMonth]:
    configuration = book.configuration
    found = report(book.db, configuration.services, OCTOBER, book.now_ms)
    return service_months(book.db, OCTOBER, found, names(configuration), book.now_ms)


def document(book: Book) -> Document:
    return month_document(OCTOBER, months(book), Language("en"))


def test_a_month_tells_the_same_before_and_after_its_freeze(book: Book) -> None:
    book.configure(ACME)
    book.bring_in(*(line(*span) for span in OUTAGE))
    book.exclude("2026-10-10T11:00", "2026-10-10T11:10")
    (before,) = months(book)
    book.freeze()
    (after,) = months(book)
    assert (before.revision, after.revision) == (None, 1)
    assert (before.figures, before.exclusions) == (after.figures, after.exclusions)
    assert [one["counted_ms"] for one in before.outages] == [110 * 60_000]
    assert [{**one, "evidence": []} for one in after.outages] == before.outages


def test_a_frozen_month_is_told_as_its_latest_revision(book: Book) -> None:
    book.configure(ACME)
    book.bring_in(*(line(*span) for span in OUTAGE))
    book.freeze()
    book.exclude("2026-10-10T11:00", "2026-10-10T11:10")
    (month,) = months(book)
    assert (month.revision, month.figures["down_ms"], len(month.exclusions)) == (2, 110 * 60_000, 1)


def test_a_month_that_goes_on_says_up_to_when(book: Book) -> None:
    book.now = "2026-10-20T12:00"
    book.configure(ACME)
    book.bring_in(*(line(*span) for span in OUTAGE[:2]))
    said = dict(document(book).facts)
    assert said["State"].startswith("The month is not complete: figures up to")
    assert said["Guarantees not met"] == "1"
    assert document(book).dated == "2026-10-20T12:00:00+02:00"


def test_services_without_outage_stand_in_the_table_alone(book: Book) -> None:
    quiet = ACME.split("services:\n")[1].replace("acme-trunk", "quiet").replace("head office", "quiet place")
    book.configure(ACME + quiet)
    book.bring_in(*(line(*span) for span in OUTAGE), line("up", "2026-10-01", "2026-11-01", "quiet"))
    told = document(book)
    assert [row[0] for row in told.tables[0].rows] == ["ACME head office", "ACME quiet place"]
    assert [one.title for one in told.sections] == ["ACME head office"]


def test_a_credit_that_there_is_none_of_has_its_own_word_in_french(book: Book) -> None:
    book.configure(ACME.replace("mixvoip/enterprise", "mixvoip/basic"))
    book.bring_in(*(line(*span) for span in OUTAGE))
    (row,) = month_document(OCTOBER, months(book), Language("fr")).tables[0].rows
    assert (row[2], row[-1]) == ("aucune", "aucun")
