"""Pages of each kind of pack: nothing is over anything else, what belongs together stands together."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.claims.export import export
from monitor.claims.language import Language
from monitor.claims.month_document import month_document
from monitor.claims.pack import Pack
from monitor.claims.page import page
from monitor.claims.paper import paper
from monitor.claims.words import LANGUAGES
from tests.claims.layout import check_fits, laid_out, said
from tests.claims.packs import ACME, of_claim, of_customer
from tests.claims.test_month_document import OCTOBER, months
from tests.ledger.books import OUTAGE, Book, line
from tests.web.browser import browser

FOUND = f"begun: {'no answer from the gateway, ' * 5}ended"
FEES = {
    "acme-trunk": "100.00 EUR",
    "yen": "1500000 JPY",
    "dinar": "234567890123.905 KWD",
    "euro": "12345678.90 EUR",
}


def costly(book: Book) -> Book:
    """Claims over millions, in currencies with none, two and three decimals."""
    one = ACME.split("services:\n")[1]
    book.configure(
        "services:\n"
        + "".join(
            one.replace("acme-trunk", service).replace("100.00 EUR", fee) for service, fee in FEES.items()
        )
    )
    for service in FEES:
        book.bring_in(*(line(*span, service) for span in OUTAGE))
    book.freeze()
    return book


def witnessed(book: Book, probes: int) -> Pack:
    """An outage with that many probes, each told in several lines."""
    book.configure(ACME)
    book.bring_in(*(line(*span) for span in OUTAGE))
    book.freeze()
    pack = of_claim(book)
    instant = "2026-10-10T10:00:00+02:00"
    pack["claims"][0]["outages"][0]["evidence"] = [
        {
            "check": "sip:sbc.example.net",
            "vantage": "lux-probe-1",
            "at": instant,
            "state": "down",
            "reason": "no answer",
            "probes": [
                {
                    "sent": instant,
                    "verdict": "bad",
                    "reason": FOUND,
                    "round_trip_us": None,
                    "detail": None,
                }
                for _ in range(probes)
            ],
        }
    ]
    return pack


@pytest.mark.parametrize("language", LANGUAGES)
def test_amounts_of_any_size_have_room_in_every_table(book: Book, language: str, tmp_path: Path) -> None:
    costly(book)
    claims = laid_out(export(of_customer(book), "pdf", language), tmp_path)
    report = laid_out(paper(month_document(OCTOBER, months(book), Language(language))), tmp_path)
    for pages in (claims, report):
        check_fits(pages)
        assert "KWD" in said(pages[0])


@pytest.mark.parametrize("outages", [1, 2, 4, 6])
def test_what_is_told_of_a_service_stands_on_one_page(book: Book, outages: int, tmp_path: Path) -> None:
    pack = of_customer(costly(book))
    for claim in pack["claims"]:
        claim["outages"] = claim["outages"] * outages
    pages = [said(words) for words in laid_out(export(pack, "pdf", "en"), tmp_path)]
    assert sum(text.count("Time zone") for text in pages) == len(FEES)
    for text in pages:
        assert text.count("Time zone") == text.count("Revision of the month")


def test_a_row_is_never_broken_over_pages(book: Book, tmp_path: Path) -> None:
    pages = laid_out(export(witnessed(book, 60), "pdf", "en"), tmp_path)
    assert len(pages) > 3
    check_fits(pages)
    rows = [(said(words).count("begun"), said(words).count("ended")) for words in pages]
    assert sum(begun for begun, _ in rows) == 60
    assert all(begun == ended for begun, ended in rows)


def test_a_table_with_few_rows_that_is_higher_than_a_page_loses_nothing(book: Book, tmp_path: Path) -> None:
    pack = witnessed(book, 1)
    pack["claims"][0]["exclusions"] = [
        {
            **{"from": "2026-10-05T01:00:00+02:00", "to": "2026-10-05T05:00:00+02:00"},
            "uid": str(number),
            "exclusion": "maintenance",
            "scope": "all",
            "subject": "",
            "reason": f"{'new SBC and cables to all floors ' * 15}end{number}",
            "author": "noc",
            "entered": "2026-10-01T01:00:00.125+02:00",
        }
        for number in range(10)
    ]
    pages = laid_out(export(pack, "pdf", "en"), tmp_path)
    check_fits(pages)
    text = " ".join(said(words) for words in pages)
    assert all(f"end{number}" in text for number in range(10))


def test_a_row_that_is_higher_than_a_page_goes_on_overleaf(book: Book, tmp_path: Path) -> None:
    pack = witnessed(book, 1)
    pack["claims"][0]["outages"][0]["reason"] = "one way calls " * 600
    pages = laid_out(export(pack, "pdf", "en"), tmp_path)
    check_fits(pages)
    assert sum(said(words).count("calls") for words in pages) == 600


def test_a_character_that_the_font_lacks_is_never_told_in_halves(book: Book, tmp_path: Path) -> None:
    pack = of_claim(costly(book))
    pack["claims"][0]["service"]["name"] = "日本電信電話株式会社" * 4
    pages = laid_out(export(pack, "pdf", "de"), tmp_path)
    check_fits(pages)
    parts = [
        part
        for words in pages
        for one in words
        if "U+" in one.text
        for part in [one.text.replace("\u200b", "")]
    ]
    assert parts
    assert all(part.count("[") == part.count("]") for part in parts)


def test_a_page_scrolls_its_tables_alone_and_is_printed_with_numbers(book: Book, tmp_path: Path) -> None:
    pack = witnessed(book, 30)
    file = tmp_path / "pack.html"
    file.write_bytes(export(pack, "html", "fr"))
    costly_file = tmp_path / "month.html"
    costly_file.write_bytes(page(month_document(OCTOBER, months(book), Language("de"))))
    wider = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    with browser(tmp_path) as chromium:
        for width in (1280, 400):
            chromium.look_like("light", width)
            for one in (costly_file, file):
                chromium.go(one.as_uri())
                assert chromium.run(wider) <= 0, (one.name, width)
        assert chromium.complaints() == []
        pages = [said(words) for words in laid_out(chromium.printed(), tmp_path)]
    assert len(pages) > 1
    for number, text in enumerate(pages, 1):
        assert f"page {number} sur {len(pages)}" in text
    rows = [(text.count("begun"), text.count("ended")) for text in pages]
    assert sum(begun for begun, _ in rows) == 30
    assert all(begun == ended for begun, ended in rows)
