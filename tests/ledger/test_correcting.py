"""Corrections revise the frozen months that they touch, and leave everything as it was when withdrawn."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.ledger.correcting import Correct, WithdrawCorrection
from monitor.ledger.errors import LedgerError
from monitor.ledger.request import checked
from tests.ledger.books import OUTAGE, SERVICES, Book, at, line


def correct(book: Book, begin: str, end: str, name: str = "provider", **fields: object) -> dict[str, Any]:
    asked = {
        "service": "acme-trunk",
        "correction_class": name,
        "from_ms": at(begin),
        "to_ms": at(end),
        "reason": "ticket 4711",
        "author": "anna",
        **fields,
    }
    return book.ask(checked(Correct, asked))


def frozen(book: Book) -> None:
    book.bring_in(*(line(*span) for span in OUTAGE))
    book.freeze()


def test_an_outage_that_the_provider_confirms_is_longer_and_drafts_the_difference(book: Book) -> None:
    frozen(book)
    corrected = correct(book, "2026-10-10T09:30", "2026-10-10T10:00")
    (revised,) = corrected["revised"]
    difference = revised["difference"]
    assert (revised["month"], revised["revision"]) == ("2026-10", 2)
    assert difference["down_ms"] == [7_200_000, 9_000_000]
    assert (difference["credit"][0]["amount"], difference["credit"][1]["amount"]) == ("60.00", "75.00")
    assert "outages" not in difference
    assert [(one.state, one.amount) for one in book.credits("2026-10")] == [
        ("superseded", "60.00"),
        ("draft", "75.00"),
    ]
    reason = book.db.execute("SELECT reason FROM months WHERE revision = 2").fetchone()
    assert reason == (f"correction {corrected['uid']} entered by anna: ticket 4711",)


def test_a_false_alarm_takes_the_credit_back_and_its_withdrawal_restores_every_figure(book: Book) -> None:
    frozen(book)
    before = book.figures("2026-10")
    corrected = correct(book, "2026-10-10T10:00", "2026-10-10T12:00", "false_alarm")
    figures = book.figures("2026-10")
    assert (figures["down_ms"], figures["outages"], figures["breach"], figures["credit"]) == (
        0,
        0,
        False,
        None,
    )
    withdrawal = WithdrawCorrection(uid=corrected["uid"][:8], reason="it was none", author="bert")
    assert [one["revision"] for one in book.ask(withdrawal)["revised"]] == [3]
    assert book.figures("2026-10") == before
    assert [(one.state, one.amount) for one in book.credits("2026-10")][-1] == ("draft", "60.00")


def test_a_claim_that_was_sent_gets_an_amendment(book: Book) -> None:
    frozen(book)
    book.db.execute(
        "INSERT INTO entitlement_events (entitlement, state, at_ms, author, note)"
        " VALUES (1, 'submitted', 0, 'me', '')"
    )
    correct(book, "2026-10-20T10:00", "2026-10-20T11:00", "unseen")
    sent, amendment = book.credits("2026-10")
    assert (sent.state, sent.amount) == ("submitted", "60.00")
    assert (amendment.state, amendment.amount, str(amendment.difference)) == ("draft", "90.00", "30.00")


def test_an_outage_that_begins_a_month_earlier_is_counted_there(book: Book) -> None:
    book.bring_in(
        line("up", "2026-09-01", "2026-10-01"),
        line("down", "2026-10-01", "2026-10-01T02:00"),
        line("up", "2026-10-01T02:00", "2026-11-01"),
    )
    book.freeze()
    corrected = correct(book, "2026-09-30T23:00", "2026-10-01T00:00")
    assert [(one["month"], one["difference"]["outages"]) for one in corrected["revised"]] == [
        ("2026-09", [0, 1]),
        ("2026-10", [1, 0]),
    ]
    withdrawal = WithdrawCorrection(uid=corrected["uid"], reason="typo", author="anna")
    assert [one["month"] for one in book.ask(withdrawal)["revised"]] == ["2026-09", "2026-10"]


def test_months_of_other_services_are_left_alone(book: Book) -> None:
    other = SERVICES.removeprefix("\nservices:\n").replace("acme-trunk", "other")
    book.configure(SERVICES + other)
    book.bring_in(*(line(*span, service=name) for span in OUTAGE for name in ("acme-trunk", "other")))
    book.freeze()
    corrected = correct(book, "2026-10-10T10:00", "2026-10-10T12:00", "false_alarm")
    assert [one["service"] for one in corrected["revised"]] == ["acme-trunk"]
    assert book.figures("2026-10", "other")["down_ms"] == 7_200_000


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"service": "acme"}, "expected a service of the configuration"),
        ({"to_ms": at("2026-10-10T10:00")}, "begins before it ends"),
        ({"to_ms": at("2026-11-20T00:01")}, "a correction of the past"),
        ({"correction_class": "wish"}, "correction_class"),
        ({"reason": " "}, "expected a reason"),
    ],
)
def test_a_correction_that_cannot_be_is_refused(book: Book, fields: dict[str, object], expected: str) -> None:
    with pytest.raises(LedgerError, match=expected):
        correct(book, "2026-10-10T10:00", "2026-10-10T12:00", **fields)
    assert book.db.execute("SELECT count(*) FROM corrections").fetchone() == (0,)
