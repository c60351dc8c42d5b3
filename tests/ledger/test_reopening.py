"""Frozen months rolled up again: by hand, and because the agent recorded something late."""

from __future__ import annotations

import pytest

from monitor.ledger.errors import LedgerError
from monitor.ledger.reopening import LATE, Reopen, last_change, late_records, revise_late
from monitor.ledger.revisions import month_record, revisions
from monitor.sla.months import Month
from monitor.store import facts
from tests.ledger.books import OUTAGE, Book, at, line
from tests.store.recorded import changed, run

OCTOBER = Month.parse("2026-10")
REOPEN = Reopen(service="acme-trunk", month="2026-10", reason="look again", author="anna")


def watched(book: Book) -> facts.Run:
    """October as an agent saw it, and saw it to its end; two hours of it down. It goes on in November."""
    begin, end = at("2026-10-01"), at("2026-11-02")
    turns = (begin, "up"), (at("2026-10-10T10:00"), "down"), (at("2026-10-10T12:00"), "up")
    return run(book.db, [changed("acme-trunk", *turns)], begin, end)


def record_late(book: Book, life: facts.Run, *changes: tuple[str, str]) -> None:
    turns = [(at(when), state) for when, state in changes]
    facts.record(book.db, life, facts.Keys(book.db), changed("acme-trunk", *turns), book.now_ms)


def revise(book: Book) -> list[tuple[str, int]]:
    late = late_records(book.db, 0)
    return [
        (str(one.month), one.revision) for one in book.write(lambda db: revise_late(db, late, book.now_ms))
    ]


def test_a_record_that_comes_late_revises_its_month_and_says_so(book: Book) -> None:
    book.now = "2026-11-01T00:15"
    life = watched(book)
    book.freeze()
    book.now = "2026-11-01T00:40"
    record_late(book, life, ("2026-10-31T23:00", "down"), ("2026-11-01T00:20", "up"))
    assert book.report("2026-10")["acme-trunk"].outdated
    book.now = "2026-11-01T01:16"
    assert revise(book) == [("2026-10", 2)]
    assert [(one.state, one.amount) for one in book.credits("2026-10")] == [
        ("superseded", "60.00"),
        ("draft", "90.00"),
    ]
    assert book.db.execute("SELECT reason FROM months WHERE revision = 2").fetchone() == (LATE,)
    assert not book.report("2026-10")["acme-trunk"].outdated
    assert revise(book) == []


def test_a_late_record_leaves_a_sent_claim_as_it_is_and_drafts_an_amendment(book: Book) -> None:
    book.now = "2026-11-01T00:15"
    life = watched(book)
    book.freeze()
    book.db.execute(
        "INSERT INTO entitlement_events (entitlement, state, at_ms, author, note)"
        " VALUES (1, 'submitted', 0, 'me', '')"
    )
    (sent,) = book.credits("2026-10")
    book.now = "2026-11-01T00:40"
    record_late(book, life, ("2026-10-31T23:00", "down"), ("2026-11-01T00:20", "up"))
    book.now = "2026-11-01T01:16"
    assert revise(book) == [("2026-10", 2)]
    kept, amendment = book.credits("2026-10")
    assert kept == sent
    assert (amendment.state, amendment.amount, amendment.amends and amendment.amends.uid) == (
        "draft",
        "90.00",
        sent.uid,
    )


def test_what_was_recorded_before_the_freeze_is_not_late(book: Book) -> None:
    """Such as the unknown time since an agent died weeks ago, recorded when the next one starts."""
    book.now = "2026-11-20"
    watched(book)
    facts.end_dead_runs(book.db, at("2026-11-19"))
    book.freeze()
    assert late_records(book.db, 0) == []
    assert last_change(book.db) == 4


def test_a_late_record_is_looked_at_once(book: Book) -> None:
    book.now = "2026-11-01T00:15"
    life = watched(book)
    book.freeze()
    looked_at = last_change(book.db)
    book.now = "2026-11-01T00:40"
    assert late_records(book.db, looked_at) == []
    record_late(book, life, ("2026-10-31T23:00", "down"), ("2026-10-31T23:01", "up"))
    assert late_records(book.db, looked_at) == [("acme-trunk", OCTOBER)]
    assert late_records(book.db, last_change(book.db)) == []


def test_reopening_adds_a_revision_with_the_difference_where_there_is_one(book: Book) -> None:
    book.now = "2026-11-01T00:15"
    life = watched(book)
    book.freeze()
    before = book.db.execute("SELECT * FROM months").fetchall()
    assert book.ask(REOPEN)["revised"] == []
    book.now = "2026-11-01T00:40"
    record_late(book, life, ("2026-10-31T23:00", "down"), ("2026-11-01T00:20", "up"))
    (revised,) = book.ask(REOPEN)["revised"]
    assert (revised["revision"], revised["difference"]["down_ms"]) == (2, [7_200_000, 10_800_000])
    assert book.db.execute("SELECT * FROM months WHERE revision = 1").fetchall() == before
    (one,) = revisions(book.db, OCTOBER)
    assert [each.reason for each in one.revisions] == [
        "the month is over",
        "reopened by anna: look again",
    ]
    assert one.figures_to_compare == ["down_ms", "outages", "availability", "credit"]
    told = month_record(one)["revisions"][1]
    assert (told["frozen"], told["difference"]["outages"]) == ("2026-11-01T00:40:00+01:00", [1, 2])


def test_what_is_not_frozen_cannot_be_reopened(book: Book) -> None:
    book.bring_in(*(line(*span) for span in OUTAGE))
    with pytest.raises(LedgerError, match="is not frozen"):
        book.ask(REOPEN)
