"""Documents of packs: what they say, in each form and language."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest
from pypdf import PdfReader

from monitor.claims.export import export
from monitor.claims.pack import Pack, canonical
from monitor.claims.words import LANGUAGES
from monitor.ledger.claiming import Approve, Submit
from tests.claims.layout import check_fits, laid_out
from tests.claims.packs import ACME, of_claim, of_customer
from tests.ledger.books import OUTAGE, Book, line

HOSTILE = '<script>alert(1)</script> & "x" #set page(width: 1pt) \\ $x$ *_ '
LONG = "Donaudampfschifffahrtselektrizitaetenhauptbetriebswerkbauunterbeamtengesellschaft"
AMOUNTS = {"fr": "60,00 €", "en": "60.00 €", "de": "60,00 €"}
SHARES = {"fr": "99,7315 %", "en": "99.7315%", "de": "99,7315 %"}
TITLES = {"fr": "Demande de crédit", "en": "Claim for an SLA credit", "de": "Forderung einer SLA-Gutschrift"}


def owing(book: Book, name: str = "ACME head office", times: int = 1) -> Book:
    quoted = json.dumps(name, ensure_ascii=False)
    services = ACME.replace("name: ACME head office", f"name: {quoted}")
    for number in range(1, times):
        services += ACME.split("services:\n")[1].replace("acme-trunk", f"acme-{number}")
    book.configure(services)
    for service in ("acme-trunk", *(f"acme-{number}" for number in range(1, times))):
        book.bring_in(*(line(*span, service) for span in OUTAGE))
    book.freeze()
    return book


def text_of(pdf: bytes) -> str:
    pages = (one.extract_text() for one in PdfReader(io.BytesIO(pdf)).pages)
    return plain("\n".join(pages))


def plain(text: str) -> str:
    return re.sub(r"[\u00a0\u202f]", " ", text)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_form_tells_amount_and_availability_in_the_language(book: Book, language: str) -> None:
    pack = of_claim(owing(book))
    page = _Tags()
    page.feed(export(pack, "html", language).decode())
    said = (
        text_of(export(pack, "pdf", language)),
        plain(" ".join(page.words)),
        plain(export(pack, "text", language).decode()),
    )
    for text in said:
        for told in (AMOUNTS[language], SHARES[language], TITLES[language], "acme-trunk", "ACME S.A."):
            assert told in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pdf_has_the_json_attached_and_is_the_same_bytes_each_time(book: Book, language: str) -> None:
    pack = of_claim(owing(book))
    pdf = export(pack, "pdf", language)
    assert export(pack, "pdf", language) == pdf
    reader = PdfReader(io.BytesIO(pdf))
    assert reader.attachments["claim-pack.json"] == [canonical(pack)]
    metadata = reader.xmp_metadata
    assert metadata is not None
    xmp = metadata.stream.get_data().decode()
    assert re.search(r"<pdfaid:part>3</pdfaid:part>\s*<pdfaid:conformance>B<", xmp)
    assert reader.root_object["/Lang"].startswith(language)


def test_the_pdf_is_dated_by_what_it_tells_and_not_by_the_clock(book: Book) -> None:
    pdf = export(of_claim(owing(book)), "pdf", "fr")
    metadata = PdfReader(io.BytesIO(pdf)).xmp_metadata
    assert metadata is not None
    stamps = re.findall(r"D:(\d{14})", pdf.decode("latin-1"))
    stamps += re.findall(r">([-\dT:Z]{20})<", metadata.stream.get_data().decode())
    assert len(stamps) >= 4
    assert {re.sub(r"\D", "", one) for one in stamps} == {"20261119230000"}


def test_what_people_wrote_is_never_markup(book: Book) -> None:
    pack = of_claim(owing(book, HOSTILE + LONG))
    page = _Tags()
    html = export(pack, "html", "fr").decode()
    page.feed(html)
    assert "script" not in page.tags
    assert HOSTILE.strip() in "".join(page.words)
    text = text_of(export(pack, "pdf", "fr"))
    assert "#set page(width: 1pt)" in text
    assert "$x$" in text


@pytest.mark.parametrize("text", ["page", "from to", "month", "{0}", "{missing}", "T"])
def test_reasons_that_look_like_words_of_the_document_stand_as_they_are(book: Book, text: str) -> None:
    pack = of_claim(owing(book))
    claim = pack["claims"][0]
    claim["outages"][0]["reason"] = claim["revision_reason"] = text
    said = plain(export(pack, "text", "fr").decode())
    assert f"Constat : {text}\n" in said
    assert export(pack, "pdf", "fr")


@pytest.mark.parametrize("name", ["日本", "العربية", "😀", "a\u200fb", "Ελλάς", "Łódź", "Київ", "a\u0301"])
def test_a_name_in_any_script_makes_a_pdf_and_stays_whole_in_its_data(book: Book, name: str) -> None:
    pack = of_claim(owing(book))
    pack["claims"][0]["service"]["name"] = name
    reader = PdfReader(io.BytesIO(export(pack, "pdf", "de")))
    assert json.loads(reader.attachments["claim-pack.json"][0])["claims"][0]["service"]["name"] == name


def test_characters_that_the_font_lacks_are_told_by_number(book: Book) -> None:
    pack = of_claim(owing(book))
    pack["claims"][0]["service"]["name"] = "日"
    assert "[U+65E5]" in text_of(export(pack, "pdf", "de"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_leaves_the_page_with_long_names_and_many_outages(
    book: Book, language: str, tmp_path: Path
) -> None:
    pack = crowded(book)
    pages = laid_out(export(pack, "pdf", language), tmp_path)
    assert len(pages) > 3
    assert sum(map(len, pages)) > 1000
    check_fits(pages)


def crowded(book: Book) -> Pack:
    """A portfolio with names that do not fit, and an outage table over several pages."""
    pack = of_customer(owing(book, LONG, 3))
    for claim in pack["claims"]:
        claim["service"]["name"] = f"{LONG} {LONG}"
        claim["outages"] = [{**claim["outages"][0], "reason": LONG} for _ in range(120)]
        claim["incidents"] = [
            {
                "uid": "i",
                "title": LONG,
                "reference": "TICKET-2026-1018-000047110815",
                "reported": "2026-10-10T10:05:00.123+02:00",
                "acknowledged": "2026-10-10T10:05:00.123+02:00",
                "intervention": "2026-10-10T10:05:00.123+02:00",
                "resolved": None,
            }
        ]
    return pack


def test_the_csv_has_a_row_for_each_outage_and_guards_spreadsheets(book: Book) -> None:
    pack = of_customer(owing(book, "=HYPERLINK(1)", 2))
    rows = list(csv.DictReader(io.StringIO(export(pack, "csv", "fr").decode())))
    assert [(row["service"], row["amount"]) for row in rows] == [("acme-1", "60.00"), ("acme-trunk", "60.00")]
    assert rows[1]["service_name"] == "'=HYPERLINK(1)"
    assert rows[0]["outage_first_bad"] == "2026-10-10T10:00:00+02:00"
    assert export(pack, "csv", "de") == export(pack, "csv", "fr")


@pytest.mark.parametrize("text", ["=1", "+1", "-1+2", "@x", "\t=1", "-x"])
def test_text_that_would_be_computed_is_guarded(book: Book, text: str) -> None:
    pack = of_claim(owing(book))
    claim = pack["claims"][0]
    claim.update(reference=text, difference="-5.00")
    (row,) = csv.DictReader(io.StringIO(export(pack, "csv", "fr").decode()))
    assert (row["reference"], row["difference"]) == (f"'{text}", "-5.00")


def test_a_claim_to_be_agreed_says_so(book: Book) -> None:
    pack = of_claim(owing(book))
    claim = pack["claims"][0]
    claim.update(kind="response", clock="ttr", figures=None, frozen=None, revision=None, revision_reason=None)
    claim.update(amount=None, outages=[], calculation=[{"what": "TTR", "how": "8 h", "result": "9 h"}])
    text = plain(export(pack, "text", "fr").decode())
    assert "à convenir" in text
    assert "délai de résolution" in text
    assert "à convenir" in text_of(export(pack, "pdf", "fr"))


def test_an_amendment_tells_what_it_replaces_and_the_difference(book: Book) -> None:
    owing(book)
    first = book.credits("2026-10")[0].uid
    for step in (Approve, Submit):
        book.ask(step(uids=(first,), author="noc"))
    book.exclude("2026-10-10T11:00", "2026-10-10T11:10")
    pack = of_customer(book)
    (claim,) = pack["claims"]
    assert (claim["amends"], claim["difference"]) == ({"uid": first, "amount": "60.00"}, "-5.00")
    text = plain(export(pack, "text", "de").decode())
    assert f"Ersetzt: die Forderung {first} über 60,00 €" in text
    assert "Unterschied: -5,00 €" in text


def test_an_amendment_to_nothing_says_that_the_guarantee_was_met(book: Book) -> None:
    owing(book)
    first = book.credits("2026-10")[0].uid
    for step in (Approve, Submit):
        book.ask(step(uids=(first,), author="noc"))
    book.exclude("2026-10-10T10:00", "2026-10-10T12:00")
    text = plain(export(of_claim(book), "text", "fr").decode())
    assert "La garantie de 99,90 % a été tenue : 100,0000 %." in text
    assert "Résultat : 0,00 €" in text
    assert "la garantie a été tenue" in text


def test_the_drawing_has_a_row_for_each_day_and_marks_its_outage(book: Book) -> None:
    html = export(of_claim(owing(book)), "html", "fr").decode()
    svg = html[html.index("<svg") : html.index("</svg>") + 6]
    shapes = ET.fromstring(svg)
    black = [one for one in shapes.iter("{http://www.w3.org/2000/svg}rect") if one.get("fill") == "#000"]
    days = [one.text for one in shapes.iter("{http://www.w3.org/2000/svg}text")]
    assert days.count("31") == 1
    assert "heures depuis minuit" in days  # so that the day on which clocks change is not misread
    outage, _legend = black
    assert float(outage.attrib["width"]) == pytest.approx(2 / 25 * 600, abs=0.01)  # the longest day has 25 h


def test_rounded_hours_are_told_outage_by_outage(book: Book) -> None:
    book.configure(ACME + "    overrides: {credit: {rate_per_hour: 30 %, cap: 100 %, hours: started}}\n")
    spans = [
        ("up", "2026-10-01", "2026-10-10T10:00"),
        ("down", "2026-10-10T10:00", "2026-10-10T10:50"),
        ("up", "2026-10-10T10:50", "2026-10-12T10:00"),
        ("down", "2026-10-12T10:00", "2026-10-12T11:10"),
        ("up", "2026-10-12T11:10", "2026-11-01"),
    ]
    book.bring_in(*(line(*span) for span in spans))
    book.freeze()
    assert "heure supérieure : 1 + 2 ;" in plain(export(of_claim(book), "text", "fr").decode())


def test_time_that_the_plan_removes_is_told_in_the_calculation(book: Book) -> None:
    book.configure(ACME + "    overrides: {unknown_time: removed}\n")
    spans = [("up", "2026-10-02", "2026-10-10T10:00"), *OUTAGE[1:]]
    book.bring_in(*(line(*span) for span in spans))
    book.freeze()
    text = plain(export(of_claim(book), "text", "fr").decode())
    assert (
        "sans le temps que la formule retire : 2 682 000 000 ms − 86 400 000 ms ; Résultat : 2 595 600 000 ms"
        in text
    )


def test_a_claim_about_a_clock_names_it_beside_its_service(book: Book) -> None:
    pack = of_customer(owing(book, times=2))
    pack["claims"][0].update(kind="response", clock="ttr", figures=None, outages=[])
    text = plain(export(pack, "text", "de").decode())
    assert "- Dienst: ACME head office, Zeit bis zur Behebung (TTR); Geforderter Betrag: 60,00 €\n" in text


def test_hours_that_are_cut_off_are_multiplied_whole(book: Book) -> None:
    owing(book)
    book.exclude("2026-10-10T11:00", "2026-10-10T11:10")
    text = plain(export(of_claim(book), "text", "de").decode())
    assert "Wie: 6.600.000 ms / 3.600.000 ms; Ergebnis: 1,83333333…\n" in text
    assert "Wie: 100,00 € × 30 % × 6.600.000 / 3.600.000; Ergebnis: 55,00 €\n" in text


def test_hours_that_come_out_even_are_multiplied_as_they_are(book: Book) -> None:
    assert "How: 100.00 € × 30% × 2; Result: 60.00 €\n" in plain(
        export(of_claim(owing(book)), "text", "en").decode()
    )
