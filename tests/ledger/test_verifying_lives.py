"""Whatever happens to a ledger in its life, what it froze follows from the facts that it counted."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from monitor.ledger.claiming import Approve, Submit
from monitor.ledger.reopening import Reopen, late_records, revise_late
from monitor.ledger.verifying import verify
from monitor.sla.months import local_iso
from monitor.store import facts
from monitor.store.database import open_for_reading
from monitor.store.history_file import HistoryErrors
from monitor.store.seals import seal
from monitor.store.signing_key import SigningKey, signing_key
from tests.ledger.books import LUXEMBOURG, Book, at, line, new_book
from tests.ledger.test_verifying import TWO
from tests.store.recorded import blipped, changed

SERVICES = ("acme-trunk", "lab-link")
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
STATES = ("up", "down", "degraded", "unknown", "down", "up")


class Life:
    """An agent that is started, records, dies or stops; people who import, exclude, claim and reopen meanwhile."""

    def __init__(self, book: Book, key: SigningKey, seed: int) -> None:
        self.book, self.key = book, key
        self.chance = random.Random(seed)
        self.now_ms = at("2026-09-20")
        self.run: facts.Run | None = None
        book.configure(TWO)

    def live(self, steps: int) -> None:
        for _ in range(steps):
            self.now_ms += self.chance.randrange(HOUR_MS, 6 * DAY_MS)
            self.book.now = local_iso(self.now_ms, LUXEMBOURG)
            self.as_before_every_change()
            self.chance.choice(
                (
                    self.record,
                    self.record,
                    self.restart,
                    self.bring_in,
                    self.exclude,
                    self.withdraw,
                    self.claim,
                )
            )()
            self.freeze()
            if self.chance.random() < 0.5:
                self.book.write(lambda db: seal(db, self.key, self.now_ms))

    def restart(self) -> None:
        def restart(db: object) -> None:
            if self.run is not None and self.chance.random() < 0.5:
                facts.stop_run(self.book.db, self.run, self.now_ms - HOUR_MS)
            facts.end_dead_runs(self.book.db, self.now_ms)
            self.run = facts.begin_run(self.book.db, "lux-1", "0", self.now_ms)

        self.book.write(restart)

    def record(self) -> None:
        if self.run is None:
            self.restart()
            return
        run = self.run
        keys = facts.Keys(self.book.db)
        instants = sorted(self.now_ms - self.chance.randrange(1, 3 * DAY_MS) for _ in range(4))
        turns = [(instant, self.chance.choice(STATES)) for instant in instants]
        service = self.chance.choice(SERVICES)
        blip_ms = self.now_ms - self.chance.randrange(DAY_MS)

        def write(db: object) -> None:
            facts.record(self.book.db, run, keys, changed(service, *turns), self.now_ms)
            facts.record(self.book.db, run, keys, blipped(service, blip_ms), self.now_ms)

        self.book.write(write)

    def bring_in(self) -> None:
        day = self.now_ms - self.chance.randrange(2, 60) * DAY_MS
        begin, end = (
            local_iso(day + hours * HOUR_MS, LUXEMBOURG) for hours in (0, self.chance.randrange(1, 40))
        )
        try:
            self.book.bring_in(
                line(self.chance.choice(("up", "down")), begin, end, self.chance.choice(SERVICES))
            )
        except HistoryErrors:
            pass  # it contradicts what is there, and nothing was brought in

    def exclude(self) -> None:
        start = self.now_ms - self.chance.randrange(1, 50) * DAY_MS
        begin, end = (
            local_iso(start + hours * HOUR_MS, LUXEMBOURG) for hours in (0, self.chance.randrange(1, 90))
        )
        scope = self.chance.choice((("service", "acme-trunk"), ("tag", "voice"), ("all", "")))
        self.book.exclude(begin, end, *scope)

    def withdraw(self) -> None:
        rows = self.book.db.execute(
            "SELECT uid FROM exclusions WHERE key NOT IN (SELECT exclusion FROM withdrawals)"
        ).fetchall()
        if rows:
            self.book.withdraw(self.chance.choice(rows)[0])

    def claim(self) -> None:
        for month in ("2026-09", "2026-10"):
            for owed in self.book.credits(month):
                if owed.state == "draft":
                    self.book.ask(Approve(uids=(owed.uid,), author="noc"))
                    self.book.ask(Submit(uids=(owed.uid,), author="noc"))

    def as_before_every_change(self) -> None:
        """An agent that runs covers the time up to now; where none runs a command ends what it left open."""
        if self.run is None:
            self.book.write(lambda db: facts.end_dead_runs(db, self.now_ms))
        else:
            run = self.run
            self.book.write(lambda db: facts.beat(db, run, self.now_ms))

    def freeze(self) -> None:
        self.as_before_every_change()
        self.book.freeze()
        self.book.write(lambda db: revise_late(db, late_records(db, 0), self.now_ms))
        months = self.book.db.execute(
            "SELECT DISTINCT id, month FROM months JOIN services ON services.key = service"
        ).fetchall()
        if months and self.chance.random() < 0.3:
            service, month = self.chance.choice(months)
            self.book.ask(Reopen(service=service, month=month, reason="look again", author="noc"))


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    found = new_book(tmp_path)
    yield found
    found.db.close()


@pytest.mark.parametrize("seed", range(30))
def test_what_was_frozen_in_any_life_follows_from_the_facts_that_it_counted(book: Book, seed: int) -> None:
    life = Life(book, signing_key(book.path), seed)
    life.live(40)
    with closing(open_for_reading(book.path / "ringback.db")) as db:
        db.execute("BEGIN")
        verdict = verify(db)
    assert verdict.misfits == []
    assert verdict.derived is not None
    assert verdict.derived.months > 1
