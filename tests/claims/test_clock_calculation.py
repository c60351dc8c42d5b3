"""The calculation of a breached clock, in each language."""

from __future__ import annotations

import json
import re

import pytest

from monitor.claims.export import export
from monitor.claims.pack import Pack
from monitor.ledger.incidents import EnterEvent, OpenIncident
from tests.claims.packs import ACME, of_claim
from tests.ledger.books import Book, at

STEPS = {
    "fr": [
        ("Signalé", "incident", "10 oct. 2026 10:05:00 +02:00"),
        ("Délai convenu", "temps de réponse (MRT) de la formule Entreprises", "3 h 00 min 00 s"),
        ("Échéance", "dans les heures de traitement seulement", "10 oct. 2026 13:05:00 +02:00"),
        ("Temps de traitement", "jusqu’au 13 oct. 2026 08:30:00,500 +02:00", "1 j 10 h 25 min 00,500 s"),
        ("Montant demandé", "aucun taux n’est convenu pour un délai dépassé", "à convenir"),
    ],
    "en": [
        ("Reported", "incident", "10 Oct 2026 10:05:00 +02:00"),
        ("Agreed time", "response time (MRT) of the plan Entreprises", "3 h 00 min 00 s"),
        ("Due", "in fault-handling hours only", "10 Oct 2026 13:05:00 +02:00"),
        ("Handling time used", "until 13 Oct 2026 08:30:00.500 +02:00", "1 d 10 h 25 min 00.500 s"),
        ("Amount claimed", "no rate is agreed for a breached clock", "to be agreed"),
    ],
    "de": [
        ("Gemeldet", "Störung", "10.10.2026 10:05:00 +02:00"),
        ("Vereinbarte Frist", "Reaktionszeit (MRT) des Tarifs Entreprises", "3 h 00 min 00 s"),
        ("Fällig", "nur in den Bearbeitungszeiten", "10.10.2026 13:05:00 +02:00"),
        ("Verbrauchte Bearbeitungszeit", "bis 13.10.2026 08:30:00,500 +02:00", "1 T 10 h 25 min 00,500 s"),
        ("Geforderter Betrag", "für eine überschrittene Frist ist kein Satz vereinbart", "zu vereinbaren"),
    ],
}
TITLES = {
    "fr": ("Étape", "Comment", "Résultat"),
    "en": ("Step", "How", "Result"),
    "de": ("Schritt", "Wie", "Ergebnis"),
}


def late(book: Book, until: str | None) -> Pack:
    """An incident that was taken into account too late, or not at all."""
    book.configure(ACME)
    if until is not None:
        book.now = "2026-10-10T10:10"  # no clock is breached yet
    told = book.ask(
        OpenIncident(service="acme-trunk", reported_ms=at("2026-10-10T10:05"), author="noc"),
    )
    if until is not None:
        book.now = "2026-11-20"
        book.ask(EnterEvent(uid=told["uid"], event="acknowledged", at_ms=at(until), author="noc"))
    return of_claim(book, 0)


def text_of(pack: Pack, language: str) -> str:
    return re.sub(r"[\u00a0\u202f]", " ", export(pack, "text", language).decode())


@pytest.mark.parametrize("language", STEPS)
def test_each_step_is_told_in_the_language(book: Book, language: str) -> None:
    text = text_of(late(book, "2026-10-13T08:30:00.500"), language)
    between, blank = (" ; ", " :") if language == "fr" else ("; ", ":")
    for step in STEPS[language]:
        cells = (f"{title}{blank} {cell}" for title, cell in zip(TITLES[language], step, strict=True))
        assert f"- {between.join(cells)}\n" in text


def test_a_clock_that_runs_on_is_told_so(book: Book) -> None:
    assert "Comment : encore en cours le 20 nov. 2026 00:00:00 +01:00" in text_of(late(book, None), "fr")
    assert "Wie: noch laufend am 20.11.2026 00:00:00 +01:00" in text_of(late(book, None), "de")


def test_what_is_not_known_stands_as_it_was_recorded(book: Book) -> None:
    pack = late(book, None)
    steps = [{"what": "pause", "how": "by noc: 2 h", "result": "9 h"}]
    pack["claims"][0]["calculation"] = json.loads(json.dumps(steps))
    assert "- Étape : pause ; Comment : by noc: 2 h ; Résultat : 9 h\n" in text_of(pack, "fr")
