"""What `verify` finds in a book that was tampered with, and that it finds nothing in one that was not."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from monitor.ledger.claiming import Approve, Submit
from monitor.ledger.reopening import Reopen
from monitor.ledger.verifying import Verdict, verify
from monitor.store import seals, spans
from monitor.store.database import StoreError, open_for_reading
from monitor.store.facts import end_dead_runs, stop_run
from monitor.store.seals import SEALED, seal
from monitor.store.signing_key import SigningKey, signing_key
from tests.ledger.books import OUTAGE, Book, at, line, new_book
from tests.store.recorded import blipped, changed, run

TWO = """
services:
  - {id: acme-trunk, tags: [voice], plan: mixvoip/enterprise, monthly_fee: 100.00 EUR, contract_from: 2026-01-01}
  - {id: lab-link, plan: mixvoip/advanced, monthly_fee: 900.00 EUR, contract_from: 2026-01-01}
"""

KINDS = ("changes", "check_changes", "evidence", "blips", "clock_steps")


def fill(book: Book, key: SigningKey) -> None:
    """Two services: one of an imported history, revised after its claim was sent; one that an agent watched over a
    month's end in which it was down, and of which something was recorded late."""
    book.configure(TWO)
    book.bring_in(*(line(*span) for span in OUTAGE))
    book.write(watch)
    book.write(lambda db: end_dead_runs(db, book.now_ms))
    book.freeze()
    seal_all(book, key)
    (owed,) = (one for one in book.credits("2026-10") if one.service == "acme-trunk")
    for step in (Approve, Submit):
        book.ask(step(uids=(owed.uid,), author="noc"))
    uid = book.exclude("2026-10-10T10:00", "2026-10-10T11:00")["uid"]
    book.exclude("2026-10-02", "2026-10-03", "all", "")
    book.withdraw(uid)
    book.now = "2026-12-20"
    book.freeze()
    book.write(
        lambda db: run(
            db,
            [changed("lab-link", (at("2026-10-20"), "down"), (at("2026-10-21"), "up"))],
            at("2026-12-20"),
            at("2026-12-21"),
            True,
        )
    )
    book.now = "2026-12-22"
    book.ask(Reopen(service="lab-link", month="2026-10", reason="recorded late", author="noc"))
    fill_tables_without_a_writer_here(book.db)


def watch(db: sqlite3.Connection) -> None:
    end = at("2026-11-01")
    statements = [
        changed(
            "lab-link", (at("2026-10-01"), "up"), (at("2026-10-05"), "degraded"), (at("2026-10-06"), "up")
        ),
        blipped("lab-link", at("2026-10-07")),
        changed("lab-link", (end - 3_600_000, "down"), seen_ms=end - 3_630_000),
        changed("lab-link", (end + 3_600_000, "up")),
    ]
    life = run(db, statements, at("2026-10-01"), at("2026-11-20"))
    db.execute("INSERT INTO clock_steps (run, at_ms, step_ms) VALUES (?, 5, -7)", (life.key,))
    check = db.execute("SELECT key FROM checks").fetchone()[0]
    cursor = db.execute(
        'INSERT INTO check_changes (run, "check", at_ms, state, seen_ms, reason, recorded_ms)'
        " VALUES (?, ?, ?, 'down', ?, 'Zeitüberschreitung', ?)",
        (life.key, check, end - 3_600_000, end - 3_630_000, end),
    )
    db.execute(
        "INSERT INTO evidence (check_change, sent_ms, verdict, reason, round_trip_us, detail)"
        " VALUES (?, ?, 'bad', 'timeout', 12, '{\"a\": 1}')",
        (cursor.lastrowid, end - 3_600_000),
    )
    stop_run(db, life, at("2026-11-20"))


def fill_tables_without_a_writer_here(db: sqlite3.Connection) -> None:
    """One row of each table that the rest of the ledger writes."""
    db.execute(
        "INSERT INTO incidents (uid, service, title, reference, reported_ms, terms, author, entered_ms)"
        " VALUES ('i', 1, 'no calls', 'T-1', 5, '{}', 'noc', 6)"
    )
    db.execute(
        "INSERT INTO incident_events (incident, event, at_ms, author, note, entered_ms)"
        " VALUES (1, 'resolved', 7, 'noc', 'well', 8)"
    )
    db.execute(
        "INSERT INTO incident_outages (incident, first_bad_ms, author, entered_ms) VALUES (1, 5, 'noc', 6)"
    )


def seal_all(book: Book, key: SigningKey) -> None:
    while book.write(lambda db: seal(db, key, book.now_ms)):
        pass


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SigningKey]:
    """The database of a sealed book, in one file."""
    path = tmp_path_factory.mktemp("book")
    book = new_book(path)
    key = signing_key(path)
    fill(book, key)
    seal_all(book, key)
    book.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    book.db.close()
    return path / "ringback.db", key


@pytest.fixture
def copy(filled: tuple[Path, SigningKey], tmp_path: Path) -> Path:
    return Path(shutil.copy(filled[0], tmp_path / "copy.db"))


def verified(path: Path, *trusted: bytes, noted: tuple[bytes, ...] = ()) -> Verdict:
    with closing(open_for_reading(path)) as db:
        db.execute("BEGIN")
        return verify(db, trusted or None, noted)


def tampered(path: Path, task: Callable[..., Any], *arguments: object) -> None:
    """As somebody would who has the file: no trigger, no check, no foreign key."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA ignore_check_constraints = ON")
        for (trigger,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {trigger}")
        task(db, *arguments)
        db.commit()


def test_a_book_that_nobody_touched_fits(filled: tuple[Path, SigningKey]) -> None:
    path, key = filled
    verdict = verified(path, key.signer)
    assert verdict.misfits == []
    assert verdict.evidence.unsealed == 0
    assert verdict.derived is not None
    assert verdict.derived.services == 2
    assert verdict.derived.months >= 6
    assert verdict.derived.amounts >= 4
    assert verdict.derived.not_again == 0


def test_every_sealed_table_has_rows_in_the_book(filled: tuple[Path, SigningKey]) -> None:
    with closing(open_for_reading(filled[0])) as db:
        empty = {
            one.table for one in SEALED if not db.execute(f"SELECT count(*) FROM {one.table}").fetchone()[0]
        }
    assert empty <= {"corrections", "correction_withdrawals"}


def flipped(value: object, bit: int) -> object:
    """A value of SQLite with one bit of it changed; of null, what comes nearest: zero."""
    if value is None:
        return 0
    if isinstance(value, int):
        return value ^ (1 << bit % 62)
    raw = bytearray(value.encode() if isinstance(value, str) else value)  # type: ignore[arg-type]
    if not raw:
        return "x"
    raw[bit // 8 % len(raw)] ^= 1 << bit % 8
    if isinstance(value, bytes):
        return bytes(raw)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return bytes(raw)


def columns(path: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as db:
        tables = sorted({one.table for one in SEALED} | {"seals", "seal_blocks"})
        return [(table, column) for table in tables for column in seals.columns_of(db, table)]


def test_a_bit_changed_in_any_column_of_any_table_is_found_and_its_record_named(
    filled: tuple[Path, SigningKey], tmp_path: Path
) -> None:
    path, key = filled
    chance = random.Random(4)
    tried = 0
    for table, column in columns(path):
        with closing(sqlite3.connect(path)) as db:
            rows = db.execute(f'SELECT key, "{column}" FROM {table}').fetchall()
        for row_key, value in chance.sample(rows, min(2, len(rows))):
            changed_to = flipped(value, chance.randrange(1 << 16))
            copy = Path(shutil.copy(path, tmp_path / "flipped.db"))
            update = f'UPDATE {table} SET "{column}" = ? WHERE key = ?'
            try:
                tampered(copy, lambda db, *what: db.execute(*what), update, (changed_to, row_key))
            except sqlite3.IntegrityError:  # such a key is taken
                continue
            tried += 1
            verdict = verified(copy, key.signer)
            where = f"{table}.{column} of {row_key}: {value!r} -> {changed_to!r}"
            assert not verdict.fits, where
            first = verdict.misfits[0]
            if table not in ("seals", "seal_blocks") and column != "key":
                assert (first.table, first.key) == (table, row_key), where
    assert tried > 150


def facts_of(path: Path) -> list[object] | None:
    """Everything in the tables that are sealed or derived; None: it cannot even be read."""
    tables = sorted({one.table for one in SEALED} | {"seals", "seal_blocks", "spans"})
    try:
        with closing(open_for_reading(path)) as db:
            db.text_factory = bytes
            types = [(table, name) for table in tables for name in seals.columns_of(db, table)]
            return [
                db.execute(f'SELECT "{name}", typeof("{name}") FROM {table} NOT INDEXED').fetchall()
                for table, name in [
                    (t.decode() if isinstance(t, bytes) else t, n.decode() if isinstance(n, bytes) else n)
                    for t, n in types
                ]
            ]
    except (sqlite3.Error, StoreError, ValueError):
        return None


def test_a_bit_changed_anywhere_in_the_file_is_found_where_it_changes_a_record(
    filled: tuple[Path, SigningKey], tmp_path: Path
) -> None:
    path, key = filled
    content = path.read_bytes()
    before = facts_of(path)
    chance = random.Random(5)
    copy = tmp_path / "flipped.db"
    found = 0
    for _ in range(1_500):
        bit = chance.randrange(len(content) * 8)
        raw = bytearray(content)
        raw[bit // 8] ^= 1 << bit % 8
        copy.write_bytes(raw)
        now = facts_of(copy)
        if now == before:
            continue
        found += 1
        if now is None:
            try:
                assert not verified(copy, key.signer).fits, bit
            except (sqlite3.Error, StoreError):
                pass  # it cannot be opened, and whoever asks is told so
        else:
            assert not verified(copy, key.signer).fits, bit
    assert found > 100


@pytest.mark.parametrize(
    "table", sorted({one.table for one in SEALED} - {"corrections", "correction_withdrawals"})
)
def test_a_record_that_was_removed_or_put_in_is_found(
    copy: Path, filled: tuple[Path, SigningKey], table: str
) -> None:
    def remove(db: sqlite3.Connection) -> None:
        db.execute(f"DELETE FROM {table} WHERE key = (SELECT min(key) FROM {table})")

    tampered(copy, remove)
    first = verified(copy, filled[1].signer).misfits[0]
    assert first.table == table
    assert "missing" in first.problem


def test_a_record_put_in_among_sealed_ones_is_found(copy: Path, filled: tuple[Path, SigningKey]) -> None:
    tampered(copy, lambda db: db.execute("INSERT INTO clock_steps VALUES (-5, 1, 1, 1)"))
    (first,) = verified(copy, filled[1].signer).misfits
    assert (first.table, first.key) == ("clock_steps", -5)


def test_a_seal_that_was_removed_is_found(copy: Path, filled: tuple[Path, SigningKey]) -> None:
    def remove(db: sqlite3.Connection) -> None:
        db.execute("DELETE FROM seal_blocks WHERE seal = 1")
        db.execute("DELETE FROM seals WHERE key = 1")

    tampered(copy, remove)
    assert not verified(copy, filled[1].signer).fits


def test_whoever_seals_anew_with_a_key_of_his_own_is_found(
    copy: Path, filled: tuple[Path, SigningKey], tmp_path: Path
) -> None:
    other = signing_key(tmp_path)

    def forge(db: sqlite3.Connection) -> None:
        db.execute("UPDATE changes SET at_ms = at_ms + 1 WHERE key = 1")
        db.execute("UPDATE months SET facts = NULL")
        db.execute("DELETE FROM spans")
        for (service,) in db.execute("SELECT key FROM services").fetchall():
            spans.rebuild(db, service)
        db.execute("DELETE FROM seal_blocks")
        db.execute("DELETE FROM seals")
        while seal(db, other, 1):
            pass

    tampered(copy, forge)
    assert verified(copy, other.signer).fits  # with his key alone all would be well
    assert verified(copy).fits
    first = verified(copy, filled[1].signer).misfits[0]
    assert first.table == "seals"
    assert "no key that is trusted" in first.problem


def test_a_seal_noted_elsewhere_must_be_in_the_chain(copy: Path, filled: tuple[Path, SigningKey]) -> None:
    last = verified(copy).evidence.last
    assert verified(copy, noted=(last,)).fits
    (misfit,) = verified(copy, noted=(bytes(32),)).misfits
    assert "noted" in misfit.problem


def test_a_time_line_that_does_not_follow_from_the_facts_is_found(copy: Path) -> None:
    tampered(
        copy,
        lambda db: db.execute(
            "UPDATE spans SET state = 'up', outage = NULL WHERE state = 'down' AND service = 1"
        ),
    )
    first = verified(copy).misfits[0]
    assert (first.table, first.service) == ("spans", "acme-trunk")
    assert "expected down from" in first.problem


@pytest.mark.parametrize(
    ("change", "table", "problem"),
    [
        (
            "UPDATE months SET figures = replace(figures, '\"down_ms\":7200000', '\"down_ms\":7100000')",
            "months",
            "down_ms: expected 7200000, not 7100000",
        ),
        ("UPDATE months SET outages = '[]' WHERE service = 1 AND revision = 1", "months", "outages"),
        ("UPDATE months SET exclusions = '[]' WHERE service = 1 AND revision = 2", "months", "exclusions"),
        ("UPDATE months SET difference = '{}' WHERE service = 1 AND revision = 2", "months", "difference"),
        ("UPDATE months SET terms = replace(terms, '0.9990', '0.9000')", "months", "guarantee"),
        (
            "UPDATE entitlements SET amount = '61.00' WHERE key = 1",
            "entitlements",
            "expected 60.00 EUR, not 61.00 EUR",
        ),
        ("DELETE FROM entitlements WHERE key = 1", "months", "expected an entitlement of 60.00 EUR"),
        ("UPDATE entitlements SET calculation = '[]' WHERE key = 1", "entitlements", "calculation"),
    ],
)
def test_a_number_that_does_not_follow_from_the_facts_is_found_even_where_it_was_sealed(
    copy: Path, filled: tuple[Path, SigningKey], change: str, table: str, problem: str
) -> None:
    """Whoever holds the key can seal what is wrong; what is computed again tells of it."""

    def forge(db: sqlite3.Connection) -> None:
        db.execute(change)
        db.execute("DELETE FROM seal_blocks")
        db.execute("DELETE FROM seals")
        while seal(db, filled[1], 1):
            pass

    tampered(copy, forge)
    first = verified(copy, filled[1].signer).misfits[0]
    assert first.table == table
    assert problem in first.problem


def test_what_came_after_the_last_seal_is_counted_as_not_yet_sealed(copy: Path) -> None:
    tampered(copy, lambda db: db.execute("INSERT INTO clock_steps (run, at_ms, step_ms) VALUES (1, 1, 1)"))
    verdict = verified(copy)
    assert verdict.fits
    assert verdict.evidence.unsealed == 1


def steps_to_verify(path: Path, key: SigningKey, changes: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Hundreds of steps of SQLite's machine; what Python does follows the rows that it is given."""
    monkeypatch.setattr(seals, "PORTION", 16)
    monkeypatch.setattr(seals, "ROWS", 8)
    path.mkdir()
    book = new_book(path)
    first = at("2026-01-01")
    turns = [(first + turn * 60_000, ("up", "down")[turn % 2]) for turn in range(changes)]
    book.write(lambda db: run(db, [changed("acme-trunk", *turns)], first, first + changes * 60_000, True))
    seal_all(book, key)
    book.db.close()
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    with closing(open_for_reading(path / "ringback.db")) as db:
        db.execute("BEGIN")
        db.set_progress_handler(count, 100)
        assert verify(db).fits
    return steps


def test_twice_the_facts_take_twice_the_time(
    filled: tuple[Path, SigningKey], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    once, twice, four_times = (
        steps_to_verify(tmp_path / str(count), filled[1], count, monkeypatch) for count in (500, 1_000, 2_000)
    )
    assert four_times - twice < 2.2 * (twice - once)


def test_months_of_an_earlier_version_are_not_computed_again_and_that_is_said(
    copy: Path, filled: tuple[Path, SigningKey]
) -> None:
    def as_before(db: sqlite3.Connection) -> None:
        db.execute("UPDATE months SET facts = NULL WHERE revision = 1")
        db.execute("DELETE FROM seal_blocks")
        db.execute("DELETE FROM seals")
        while seal(db, filled[1], 1):
            pass

    tampered(copy, as_before)
    verdict = verified(copy)
    assert verdict.fits
    assert verdict.derived is not None
    assert verdict.derived.not_again > 0
