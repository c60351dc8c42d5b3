"""Packs of a book."""

from __future__ import annotations

from monitor.claims.pack import Pack
from monitor.claims.packing import names, pack_of_claim, pack_of_customer
from monitor.sla.months import Month
from tests.ledger.books import SERVICES, Book

ACME = SERVICES.replace("    tags:", "    customer: ACME S.A.\n    name: ACME head office\n    tags:")


def of_claim(book: Book, number: int = -1, month: str = "2026-10") -> Pack:
    return pack_of_claim(book.db, book.credits(month)[number].uid, names(book.configuration))


def of_customer(book: Book, customer: str = "ACME S.A.", month: str = "2026-10") -> Pack:
    return pack_of_customer(book.db, customer, Month.parse(month), names(book.configuration))
