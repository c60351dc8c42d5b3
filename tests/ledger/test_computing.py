"""Months that a process of its own computes, and that the writer freezes."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from monitor.control.freezing import freeze_in_portions
from monitor.ledger.computing import Computing
from monitor.ledger.freezing import freeze
from monitor.store.database import StoreError
from tests.ledger.books import OUTAGE, Book, line
from tests.ledger.test_freezing import everything

LINES = [line(*span) for span in OUTAGE]


def services(count: int) -> str:
    terms = "plan: mixvoip/enterprise, monthly_fee: 100.00 EUR, contract_from: 2026-01-01"
    return "services:\n" + "".join(f"  - {{id: trunk-{number}, {terms}}}\n" for number in range(count))


def frozen_apart(book: Book, before: Callable[[], object] = lambda: None) -> int:
    """As an agent freezes; ``before`` each time something is written."""

    def submit(task: Callable[[sqlite3.Connection], Any]) -> Future[Any]:
        before()
        future: Future[Any] = Future()
        future.set_result(book.write(task))
        return future

    return asyncio.run(freeze_in_portions(submit, book.configuration, book.now_ms))


def test_what_is_computed_apart_is_what_is_frozen_without_it(book: Book) -> None:
    book.configure(services(100))
    book.bring_in(*(line(*span, service=f"trunk-{number}") for number in range(100) for span in OUTAGE))
    book.db.execute("BEGIN")
    freeze(book.db, book.configuration.services, book.now_ms)
    expected = months(book)
    book.db.execute("ROLLBACK")
    assert frozen_apart(book) == len(expected) == 100
    assert months(book) == expected
    assert frozen_apart(book) == 0


def months(book: Book) -> list[tuple[Any, ...]]:
    return book.db.execute(
        "SELECT service, months.month, revision, figures, terms, outages, exclusions, facts, amount, calculation"
        " FROM months JOIN entitlements ON entitlements.month = months.key ORDER BY service"
    ).fetchall()


def test_what_is_entered_while_a_month_is_computed_is_in_its_first_revision(book: Book) -> None:
    book.bring_in(*LINES)
    entered: list[object] = []

    def enter_once() -> None:
        if not entered:
            entered.append(book.exclude("2026-10-10T10:00", "2026-10-10T11:00"))

    assert frozen_apart(book, enter_once) == 1
    assert book.figures("2026-10")["excluded_ms"] == 3_600_000
    assert book.db.execute("SELECT count(*), max(revision) FROM months").fetchone() == (1, 1)


def test_what_is_computed_is_whole_though_the_process_is_stopped_again_and_again(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `docker pause` and debuggers do; without a buffer, Python drops the rest of a write that a stop cuts."""
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    book.configure(services(100))
    book.bring_in(*(line(*span, service=f"trunk-{number}") for number in range(100) for span in OUTAGE))
    over = threading.Event()

    def stop_and_go_on(pid: int) -> None:
        while not over.wait(0.002):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                time.sleep(0.001)
                os.kill(pid, signal.SIGCONT)

    async def ask() -> list[int]:
        async with Computing(book.configuration.agent.database, book.now_ms, None) as computing:
            stopping = threading.Thread(target=stop_and_go_on, args=(computing._running().pid,))
            stopping.start()
            try:
                due = computing.due([book.configuration.services] * 30)
                return [len(computed.records) async for _, computed in due]
            finally:
                over.set()
                stopping.join()

    assert asyncio.run(ask()) == [100] * 30


def test_a_process_that_dies_is_told_and_nothing_is_half_written(book: Book) -> None:
    book.bring_in(*LINES)
    before = everything(book.db)

    async def ask() -> None:
        async with Computing(book.configuration.agent.database, book.now_ms, None) as computing:
            computing._running().kill()
            async for _ in computing.due([book.configuration.services]):
                pass

    with pytest.raises(StoreError, match="the process that computes months has ended"):
        asyncio.run(ask())
    assert everything(book.db) == before


def test_a_database_that_cannot_be_read_is_told_by_its_name(book: Book) -> None:
    configuration = book.configuration
    lost = replace(configuration, agent=replace(configuration.agent, database=book.path / "lost.db"))
    with pytest.raises(StoreError, match=r"lost\.db: there is no database yet"):
        asyncio.run(freeze_in_portions(lambda _: Future(), lost, book.now_ms))
