"""The figures of a month without rolling up again what no fact has touched since it was frozen."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest

from monitor.ledger import report as report_module
from monitor.ledger.report import MonthFigures, month_figures, report
from monitor.sla.months import Month
from monitor.store import corrections, exclusions, facts, spans
from monitor.store.corrections import Correction
from monitor.store.exclusions import Exclusion, Withdrawal
from tests.ledger.books import Book, at
from tests.store.recorded import blipped, changed, run

OCTOBER = Month.parse("2026-10")
SERVICES = """
services:
  - {id: one, plan: mixvoip/enterprise, monthly_fee: 100.00 EUR, timezone: Europe/Luxembourg}
  - {id: other, plan: mixvoip/enterprise, monthly_fee: 100.00 EUR, timezone: Europe/Luxembourg}
"""
WITHDRAWN = Withdrawal("typo", "anna", 0)


def at_once(before_ms: int = 0) -> Exclusion:
    window = (at("2026-10-10T10:00") + before_ms, at("2026-10-10T11:00") + before_ms)
    return Exclusion("e", "service", "one", "maintenance", *window, "new SBC", "anna", 0)


def confirmed() -> Correction:
    window = (at("2026-10-20T10:00"), at("2026-10-20T11:00"))
    return Correction("c", "one", "provider", *window, "ticket 7", "anna", 0)


def imported(db: sqlite3.Connection) -> None:
    db.execute("INSERT INTO imports (uid, source, imported_ms) VALUES ('i', 'x', 0)")
    db.execute(
        "INSERT INTO imported_spans (import, service, state, from_ms, to_ms)"
        " SELECT 1, key, 'down', ?, ? FROM services WHERE id = 'one'",
        (at("2026-10-01"), at("2026-10-01T03:00")),
    )
    spans.rebuild(db, facts.service_key(db, "one"))


def recorded(when: str, state: str) -> Callable[[sqlite3.Connection], None]:
    def record(db: sqlite3.Connection) -> None:
        life = facts.begin_run(db, "lux-2", "0", at("2026-11-02"))
        facts.record(db, life, facts.Keys(db), changed("one", (at(when), state)), at("2026-11-19"))

    return record


def blip(db: sqlite3.Connection) -> None:
    life = facts.begin_run(db, "lux-2", "0", at("2026-11-02"))
    facts.record(db, life, facts.Keys(db), blipped("one", at("2026-10-25")), at("2026-11-19"))


LATE: dict[str, tuple[Callable[[sqlite3.Connection], object], bool]] = {
    "a change within the month": (recorded("2026-10-31T23:00", "down"), True),
    "a change after the month": (recorded("2026-11-05T00:00", "down"), False),
    "a failure that was not confirmed": (blip, True),
    "a history": (imported, True),
    "an exclusion": (lambda db: exclusions.add(db, at_once()), True),
    "an exclusion after the month": (lambda db: exclusions.add(db, at_once(40 * 86_400_000)), False),
    "a withdrawn exclusion": (lambda db: exclusions.write_withdrawal(db, kept(db), WITHDRAWN), True),
    "a correction": (lambda db: corrections.add(db, confirmed()), True),
    "a withdrawn correction": (
        lambda db: corrections.withdraw(db, corrections.everything(db)[0], WITHDRAWN),
        True,
    ),
}


def kept(db: sqlite3.Connection) -> Exclusion:
    return exclusions.everything(db)[0]


@pytest.fixture
def frozen(book: Book, request: pytest.FixtureRequest) -> Book:
    """October of two services from its second day, each down for two hours; one with what a test takes back."""
    book.configure(SERVICES)
    begin, end = at("2026-10-02"), at("2026-11-02")
    turns = (begin, "up"), (at("2026-10-10T10:00"), "down"), (at("2026-10-10T12:00"), "up")
    run(book.db, [changed("one", *turns), changed("other", *turns)], begin, end)
    if request.node.callspec.id == "a withdrawn exclusion":
        exclusions.add(book.db, at_once())
    if request.node.callspec.id == "a withdrawn correction":
        corrections.add(book.db, confirmed())
    assert len(book.freeze("2026-10")) == 2
    return book


@pytest.mark.parametrize("late", LATE)
def test_what_comes_after_the_freeze_is_told_as_if_every_month_were_rolled_up_again(
    frozen: Book, late: str
) -> None:
    enter, outdated = LATE[late]
    enter(frozen.db)
    assert [one.outdated for one in figures(frozen)] == [outdated, False]
    assert told(figures(frozen)) == told(rolled_up(frozen))


@pytest.mark.parametrize("late", ["a change after the month"])
def test_a_month_that_nothing_touched_is_not_rolled_up_again(
    frozen: Book, late: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    LATE[late][0](frozen.db)
    expected = told(rolled_up(frozen))
    monkeypatch.setattr(report_module, "report", lambda db, services, month, now_ms: list(services))
    assert told(figures(frozen)) == expected


def figures(book: Book) -> list[MonthFigures]:
    return month_figures(book.db, book.configuration.services, OCTOBER, book.now_ms)


def rolled_up(book: Book) -> list[MonthFigures]:
    return list(report(book.db, book.configuration.services, OCTOBER, book.now_ms))


def told(found: list[MonthFigures]) -> list[tuple[object, ...]]:
    return [(one.figures, one.revision, one.outdated, one.agreement, one.no_credit) for one in found]
