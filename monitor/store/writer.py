"""The one writer: a thread with the one writing connection, fed by a bounded queue."""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from monitor.store import facts, seals
from monitor.store.database import WriterLock, open_for_writing
from monitor.track.tracker import Statement

if TYPE_CHECKING:
    from monitor.store.signing_key import SigningKey

T = TypeVar("T")
Task = Callable[[sqlite3.Connection], Any]

QUEUE_LIMIT = 100_000
"""Statements that wait for the disk at most. What comes beyond is refused, and the time from there on unknown."""

BATCH = 1_000
"""Statements in one transaction at most, so that a burst does not keep a change from being shown."""

RETRY_S = 1.0
"""How long to wait after the disk failed before trying again."""

log = structlog.get_logger("store")


class Writer:
    """Takes statements of the tracker, heartbeats and single tasks, and writes them in the order they came.

    A statement is durable (committed with synchronous=FULL) before ``on_durable`` is called for it. When the
    disk fails, nothing is dropped: the batch is tried again until it succeeds, and ``failing`` says why.
    """

    def __init__(self, path: Path, now_ms: Callable[[], int], key: SigningKey | None = None) -> None:
        """``key``: what facts are sealed with; None: they are not."""
        self._key = key
        self._lock = WriterLock(path)
        try:
            self._db = open_for_writing(path)
        except BaseException:
            self._lock.release()
            raise
        self._now_ms = now_ms
        self._keys = facts.Keys(self._db)
        self.run: facts.Run | None = None
        self.covered_ms = 0
        self._statements: deque[Statement] = deque()
        self._tasks: deque[tuple[Task, Future[Any]]] = deque()
        self._covered_ms: int | None = None
        self._wake = threading.Condition()
        self._stopping = False
        self._on_durable: Callable[[Sequence[Statement]], None] = lambda _: None
        self.failing: str | None = None
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)
        self._thread.start()

    def begin_run(self, vantage: str, version: str, started_ms: int) -> Future[dict[tuple[str, str], str]]:
        """Start a life of the agent; the result is what earlier ones remember of each check."""

        def begin(db: sqlite3.Connection) -> dict[tuple[str, str], str]:
            facts.end_dead_runs(db, started_ms)
            self.run = facts.begin_run(db, vantage, version, started_ms)
            return facts.remembered_states(db)

        return self.submit(begin)

    def when_durable(self, call: Callable[[Sequence[Statement]], None]) -> None:
        """``call`` is called in the writer's thread with statements that are on disk."""
        self._on_durable = call

    def record(self, statements: Sequence[Statement]) -> bool:
        """Queue statements. False: the queue is full, and none of them will be written."""
        with self._wake:
            if len(self._statements) + len(statements) > QUEUE_LIMIT:
                return False
            self._statements.extend(statements)
            self._wake.notify()
        return True

    def beat(self, covered_ms: int) -> None:
        """Everything known up to ``covered_ms`` has been queued; coverage reaches there once it is written."""
        with self._wake:
            self._covered_ms = covered_ms
            self._wake.notify()

    def submit(self, task: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """Run a task in a transaction of its own, after what was queued before it."""
        future: Future[T] = Future()
        with self._wake:
            if self._stopping:
                raise RuntimeError("the writer has stopped")
            self._tasks.append((task, future))
            self._wake.notify()
        return future

    def seal(self) -> Future[int]:
        """Seal a portion of what is new, after what was queued before; how many rows. 0: nothing is left."""
        key = self._key
        return self.submit(lambda db: 0 if key is None else seals.seal(db, key, self._now_ms()))

    @property
    def alive(self) -> bool:
        """Whether there still is somebody who writes."""
        return self._thread.is_alive()

    @property
    def queued(self) -> int:
        return len(self._statements) + len(self._tasks)

    def stop_run(self, stopped_ms: int) -> Future[None]:
        """End the run in order; follow with ``close``."""
        return self.submit(lambda db: facts.stop_run(db, self.run, stopped_ms) if self.run else None)

    def close(self) -> None:
        """Write what is queued (one attempt if the disk fails) and give the database back."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join()

    def _work(self) -> None:
        try:
            while self._turn():
                pass
        finally:
            for _, future in self._tasks:
                if future.set_running_or_notify_cancel():
                    future.set_exception(RuntimeError("the writer has stopped"))
            self._db.close()
            self._lock.release()

    def _turn(self) -> bool:
        with self._wake:
            self._wake.wait_for(
                lambda: self._statements or self._tasks or self._covered_ms is not None or self._stopping
            )
            batch = [self._statements[i] for i in range(min(BATCH, len(self._statements)))]
            covered_ms = self._covered_ms if len(batch) == len(self._statements) else None
            task = self._tasks[0] if self._tasks and len(batch) == len(self._statements) else None
            if not (batch or task or covered_ms is not None):
                return False
        try:
            if batch or covered_ms is not None:
                self._write(batch, covered_ms)
            self.failing = None
        except sqlite3.Error as error:
            self._say_failing(error)
            with self._wake:
                if self._stopping:
                    return False
                self._wake.wait_for(lambda: self._stopping, RETRY_S)
            return True
        if batch:
            self._on_durable(batch)
        if task:
            self._tasks.popleft()
            self._run_task(*task)
        return True

    def _write(self, batch: list[Statement], covered_ms: int | None) -> None:
        now_ms = self._now_ms()
        self._db.execute("BEGIN IMMEDIATE")
        try:
            if self.run is not None:
                for statement in batch:
                    facts.record(self._db, self.run, self._keys, statement, now_ms)
                if covered_ms is not None:
                    facts.beat(self._db, self.run, covered_ms)
            self._db.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        with self._wake:
            for _ in batch:
                self._statements.popleft()
            if covered_ms is not None:
                self.covered_ms = covered_ms
                if self._covered_ms == covered_ms:
                    self._covered_ms = None

    def _run_task(self, task: Task, future: Future[Any]) -> None:
        if not future.set_running_or_notify_cancel():
            return  # nobody waits for it any more
        try:
            self._db.execute("BEGIN IMMEDIATE")
            result = task(self._db)
            self._db.execute("COMMIT")
        except BaseException as error:
            self._roll_back()
            future.set_exception(error)
        else:
            future.set_result(result)

    def _roll_back(self) -> None:
        self._keys.forget()
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _say_failing(self, error: sqlite3.Error) -> None:
        if self.failing is None:
            log.error("cannot write; what was seen is kept in memory and tried again", error=str(error))
        self.failing = str(error)
