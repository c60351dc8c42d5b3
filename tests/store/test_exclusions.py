"""Exclusions are entered and withdrawn, never deleted."""

from __future__ import annotations

import sqlite3

import pytest

from monitor.store.database import StoreError
from monitor.store.exclusions import Exclusion, Withdrawal, add, everything, in_force, withdraw


def exclusion(
    uid: str, scope: str = "all", subject: str = "", from_ms: int = 0, to_ms: int = 10
) -> Exclusion:
    return Exclusion(uid, scope, subject, "maintenance", from_ms, to_ms, "new SBC", "noc", 5)


def test_an_exclusion_comes_back_as_it_was_entered(db: sqlite3.Connection) -> None:
    assert add(db, exclusion("a1"))
    assert everything(db) == [exclusion("a1")]


def test_the_same_uid_is_entered_once(db: sqlite3.Connection) -> None:
    assert [add(db, exclusion("a1")), add(db, exclusion("a1"))] == [True, False]


def test_an_inverted_exclusion_is_refused(db: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        add(db, exclusion("a1", from_ms=10))


def test_a_withdrawn_exclusion_stays_on_record_and_is_not_in_force(db: sqlite3.Connection) -> None:
    add(db, exclusion("a1"))
    withdraw(db, "A1", Withdrawal("typo", "noc", 7))
    assert in_force(db, 0, 10) == []
    assert everything(db)[0].withdrawn == Withdrawal("typo", "noc", 7)
    with pytest.raises(StoreError, match="withdrawn already"):
        withdraw(db, "a1", Withdrawal("typo", "noc", 8))


@pytest.mark.parametrize(
    ("prefix", "problem"), [("a", "there are 2"), ("b", "there is no"), ("", "there is no")]
)
def test_a_prefix_must_name_one_exclusion(db: sqlite3.Connection, prefix: str, problem: str) -> None:
    add(db, exclusion("a1"))
    add(db, exclusion("a2"))
    with pytest.raises(StoreError, match=problem):
        withdraw(db, prefix, Withdrawal("typo", "noc", 7))


def test_only_exclusions_that_touch_the_window_are_in_force_there(db: sqlite3.Connection) -> None:
    for uid, window in {"a": (0, 10), "b": (10, 20), "c": (19, 30), "d": (20, 30)}.items():
        add(db, exclusion(uid, from_ms=window[0], to_ms=window[1]))
    assert [one.uid for one in in_force(db, 10, 20)] == ["b", "c"]


@pytest.mark.parametrize(
    ("scope", "subject", "concerned"),
    [
        ("service", "acme", True),
        ("service", "voice", False),
        ("tag", "voice", True),
        ("tag", "acme", False),
        ("all", "", True),
    ],
)
def test_an_exclusion_concerns_its_service_its_tag_or_all(scope: str, subject: str, concerned: bool) -> None:
    assert exclusion("a", scope, subject).concerns("acme", ("voice",)) is concerned
