"""Sealing what is new in a database, portion by portion."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from monitor.store import seals
from monitor.store.facts import end_dead_runs, stop_run
from monitor.store.sealing import NOTHING
from monitor.store.seals import SEALED, chain, count_unsealed, rows_between, seal
from monitor.store.signing_key import SigningKey, is_signed, signing_key
from tests.store.recorded import blipped, changed, run


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    return signing_key(tmp_path)


def unsealed(db: sqlite3.Connection) -> int:
    return sum(count_unsealed(db, sealed) for sealed in SEALED)


def seal_all(db: sqlite3.Connection, key: SigningKey) -> list[int]:
    counts = []
    while count := seal(db, key, 1_000):
        counts.append(count)
    return counts


def test_every_table_that_keeps_facts_is_sealed(db: sqlite3.Connection) -> None:
    kept = db.execute("SELECT tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%_no_update'")
    assert {table for (table,) in kept} - {"seals", "seal_blocks"} <= {sealed.table for sealed in SEALED}


def test_the_key_of_every_sealed_table_comes_first(db: sqlite3.Connection) -> None:
    assert {seals.columns_of(db, sealed.table)[0] for sealed in SEALED} == {"key"}


def test_nothing_new_makes_no_seal(db: sqlite3.Connection, key: SigningKey) -> None:
    assert seal(db, key, 1_000) == 0
    run(db, [changed("a", (10, "up"))], 0, 20)
    assert seal(db, key, 1_000) > 0
    assert seal(db, key, 2_000) == 0


def test_seals_are_a_chain_from_nothing_on_and_each_is_signed(
    db: sqlite3.Connection, key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seals, "PORTION", 3)
    monkeypatch.setattr(seals, "ROWS", 2)
    life = run(db, [changed("a", (10, "up"), (20, "down"), (30, "up")), blipped("b", 15)], 0, 40)
    assert seal_all(db, key) == [3, 3, 3]
    stop_run(db, life, 50)
    assert seal_all(db, key) == [1]
    assert unsealed(db) == 0
    previous, number = NOTHING, 0
    for one, blocks in chain(db):
        assert one.previous == previous
        assert is_signed(one.signer, one.signature, one.digest)
        assert one.blocks == seals.digest_of(blocks)
        for block in blocks:
            number += 1
            assert block.key == number
            sealed = next(each for each in SEALED if each.name == block.name)
            rows = rows_between(db, sealed, block.columns, block.after, block.last, 100)
            assert block.fits(rows)
            assert block.count == len(rows) <= 2
        previous = one.digest


def test_the_end_of_a_run_is_sealed_once_it_is_over(db: sqlite3.Connection, key: SigningKey) -> None:
    def ends() -> list[int]:
        return [block.last for _, blocks in chain(db) for block in blocks if block.name == "ends of runs"]

    run(db, [], 0, 20)
    seal_all(db, key)
    assert ends() == []
    end_dead_runs(db, 100)
    life = run(db, [], 100, 120)
    seal_all(db, key)
    assert ends() == [1]
    stop_run(db, life, 130)
    seal_all(db, key)
    assert ends() == [1, 2]


def test_seals_are_never_changed(db: sqlite3.Connection, key: SigningKey) -> None:
    run(db, [changed("a", (10, "up"))], 0, 20)
    seal_all(db, key)
    for table in ("seals", "seal_blocks"):
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            db.execute(f"DELETE FROM {table}")
