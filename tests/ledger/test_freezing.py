"""Frozen months, their revisions, and the entitlements that follow from them."""

from __future__ import annotations

import json
import sqlite3

import pytest

from monitor.ledger.agreement import agreed, from_json, to_json
from monitor.ledger.freezing import SETTLED_MS
from tests.ledger.books import OUTAGE, SERVICES, Book, at, line
from tests.store.recorded import changed, run

LINES = [line(*span) for span in OUTAGE]


def everything(db: sqlite3.Connection) -> list[str]:
    return list(db.iterdump())


def test_a_month_in_breach_is_frozen_and_its_entitlement_drafted_with_its_calculation(book: Book) -> None:
    book.bring_in(*LINES)
    (revision,) = book.freeze()
    assert (revision.service, str(revision.month), revision.revision) == ("acme-trunk", "2026-10", 1)
    (owed,) = book.credits("2026-10")
    assert (owed.state, owed.amount, owed.currency, owed.revision) == ("draft", "60.00", "EUR", 1)
    assert owed.calculation[-1] == ("amount", "the lesser of the two", "60.00 EUR")


def test_a_month_that_kept_its_guarantee_is_frozen_without_an_entitlement(book: Book) -> None:
    book.bring_in(line("up", "2026-10-01", "2026-11-01"))
    assert len(book.freeze()) == 1
    assert book.credits("2026-10") == []


def test_freezing_twice_changes_nothing(book: Book) -> None:
    book.bring_in(*LINES)
    book.freeze()
    before = everything(book.db)
    assert book.freeze() == []
    assert everything(book.db) == before


def test_a_crash_while_freezing_leaves_nothing_behind(book: Book) -> None:
    book.bring_in(*LINES)
    before = everything(book.db)
    book.db.execute(
        "CREATE TEMP TRIGGER crash BEFORE INSERT ON entitlement_events BEGIN SELECT RAISE(ABORT, 'x'); END"
    )
    with pytest.raises(sqlite3.Error):
        book.freeze()
    assert everything(book.db) == before
    book.db.execute("DROP TRIGGER crash")
    assert len(book.freeze()) == 1


def test_a_month_is_frozen_when_its_last_probes_are_in(book: Book) -> None:
    book.now = f"2026-11-01T00:{SETTLED_MS // 60_000 - 1}:59.999"
    book.bring_in(*LINES)
    assert book.freeze() == []
    book.now = f"2026-11-01T00:{SETTLED_MS // 60_000}"
    assert len(book.freeze()) == 1


def test_a_month_in_which_a_service_was_never_watched_is_not_frozen(book: Book) -> None:
    book.bring_in(line("up", "2026-08-01", "2026-08-31"), line("up", "2026-10-01", "2026-11-01"))
    assert [str(one.month) for one in book.freeze()] == ["2026-08", "2026-10"]
    book.bring_in(line("up", "2026-09-01", "2026-10-01"))
    assert [str(one.month) for one in book.freeze()] == ["2026-09"]


def test_one_month_can_be_frozen_alone(book: Book) -> None:
    book.bring_in(line("up", "2026-08-01", "2026-11-01"))
    assert [str(one.month) for one in book.freeze("2026-09")] == ["2026-09"]


def test_months_outside_the_contract_are_not_frozen(book: Book) -> None:
    book.configure(SERVICES.replace("2026-01-01", "2026-09-10") + "    contract_to: 2026-10-01\n")
    book.bring_in(line("up", "2026-08-01", "2026-11-01"))
    assert [str(one.month) for one in book.freeze()] == ["2026-09"]


def test_changed_terms_do_not_touch_a_frozen_month(book: Book) -> None:
    book.bring_in(*LINES)
    book.freeze()
    before = book.figures("2026-10")
    book.configure(SERVICES.replace("enterprise", "advanced").replace("100.00", "900.00"))
    assert book.figures("2026-10") == before
    assert not book.report("2026-10")["acme-trunk"].outdated
    book.exclude("2026-10-10T10:00", "2026-10-10T11:00")
    assert book.credits("2026-10")[-1].amount == "30.00"


def test_an_exclusion_after_the_freeze_adds_a_revision_and_supersedes_the_draft(book: Book) -> None:
    book.bring_in(*LINES)
    book.freeze()
    first = book.db.execute("SELECT * FROM months").fetchall()
    result = book.exclude("2026-10-10T10:00", "2026-10-10T11:00")
    (revised,) = result["revised"]
    assert (revised["service"], revised["month"], revised["revision"]) == ("acme-trunk", "2026-10", 2)
    assert revised["difference"]["down_ms"] == [7_200_000, 3_600_000]
    assert revised["difference"]["credit"][1]["amount"] == "30.00"
    assert [(one.revision, one.state, one.amount) for one in book.credits("2026-10")] == [
        (1, "superseded", "60.00"),
        (2, "draft", "30.00"),
    ]
    rows = book.db.execute("SELECT * FROM months ORDER BY revision").fetchall()
    assert rows[:1] == first
    reason, difference = book.db.execute(
        "SELECT reason, difference FROM months WHERE revision = 2"
    ).fetchone()
    assert reason == f"exclusion {result['uid']} entered by noc: new SBC"
    assert json.loads(difference) == revised["difference"]
    assert book.figures("2026-10")["down_ms"] == 3_600_000


def test_an_exclusion_before_the_freeze_is_counted_and_kept_with_it(book: Book) -> None:
    book.bring_in(*LINES)
    uid = book.exclude("2026-10-10T10:00", "2026-10-10T11:00")["uid"]
    book.freeze()
    ((kept,),) = book.db.execute("SELECT exclusions FROM months").fetchall()
    assert [one["uid"] for one in json.loads(kept)] == [uid]
    assert [one.amount for one in book.credits("2026-10")] == ["30.00"]


def test_excluding_all_downtime_leaves_no_entitlement(book: Book) -> None:
    book.bring_in(*LINES)
    book.freeze()
    book.exclude("2026-10-10", "2026-10-11", "tag", "voice")
    assert [one.state for one in book.credits("2026-10")] == ["superseded"]
    assert not book.figures("2026-10")["breach"]


def test_a_withdrawal_restores_what_was_owed_in_a_third_revision(book: Book) -> None:
    book.bring_in(*LINES)
    book.freeze()
    uid = book.exclude("2026-10-10T10:00", "2026-10-10T11:00")["uid"]
    book.withdraw(uid[:8])
    assert [(one.revision, one.state, one.amount) for one in book.credits("2026-10")] == [
        (1, "superseded", "60.00"),
        (2, "superseded", "30.00"),
        (3, "draft", "60.00"),
    ]


def test_what_was_sent_is_not_superseded(book: Book) -> None:
    book.bring_in(*LINES)
    book.freeze()
    book.db.execute(
        "INSERT INTO entitlement_events (entitlement, state, at_ms, author, note) VALUES (1, 'submitted', 0, 'me', '')"
    )
    book.exclude("2026-10-10T10:00", "2026-10-10T11:00")
    assert [one.state for one in book.credits("2026-10")] == ["submitted", "draft"]


def test_an_exclusion_that_changes_no_figure_adds_no_revision(book: Book) -> None:
    book.bring_in(*LINES)
    book.freeze()
    assert book.exclude("2026-10-20", "2026-10-21")["revised"] == []


def test_a_history_imported_after_the_freeze_revises_the_months_it_touches(book: Book) -> None:
    book.bring_in(line("up", "2026-09-01", "2026-10-01"), LINES[0])
    book.freeze()
    result = book.bring_in(*LINES)
    assert [(one["month"], one["revision"]) for one in result["revised"]] == [("2026-10", 2)]
    assert [one.amount for one in book.credits("2026-10")] == ["60.00"]
    assert book.bring_in(*LINES)["revised"] == []


def test_a_frozen_month_keeps_its_outages_with_their_instants_and_evidence(book: Book) -> None:
    begin, end = at("2026-10-01"), at("2026-10-02")
    run(
        book.db,
        [changed("acme-trunk", (begin, "up"), (begin + 500, "down"), (end, "up"))],
        begin,
        end,
        stopped=True,
    )
    (check,) = book.db.execute("SELECT key FROM checks").fetchone()
    book.db.execute(
        'INSERT INTO check_changes (run, "check", at_ms, state, reason, recorded_ms)'
        " VALUES (1, ?, ?, 'down', 'x', 0)",
        (check, begin + 500),
    )
    book.freeze()
    ((kept,),) = book.db.execute("SELECT outages FROM months").fetchall()
    (outage,) = json.loads(kept)
    assert (outage["first_bad"], outage["first_good"]) == (
        "2026-10-01T00:00:00.500+02:00",
        "2026-10-02T00:00:00+02:00",
    )
    assert outage["evidence"] == [1]


def test_terms_are_kept_digit_for_digit(book: Book) -> None:
    (service,) = book.configuration.services
    agreement = agreed(service, book.now_ms)
    assert from_json(to_json(agreement)) == agreement
    assert agreement.plan is not None
    assert '"guarantee":"0.9990"' in to_json(agreement)


def test_frozen_months_and_credits_read_in_plain_sqlite(book: Book) -> None:
    book.bring_in(*LINES)
    book.freeze()
    plain = sqlite3.connect(book.path / "ringback.db")
    assert plain.execute(
        "SELECT service, month, revision, availability, breach FROM frozen_months"
    ).fetchall() == [("acme-trunk", "2026-10", 1, "0.99731543", 1)]
    assert plain.execute("SELECT service, month, amount, currency, state FROM credits").fetchall() == [
        ("acme-trunk", "2026-10", "60.00", "EUR", "draft")
    ]
    plain.close()
