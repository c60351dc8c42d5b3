"""The one writer, and those who do not wait for it to the end."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

from monitor.store.writer import Writer


def test_a_task_that_nobody_waits_for_any_more_is_passed_over_and_the_writer_goes_on(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "ringback.db", lambda: 0)
    started, go_on = threading.Event(), threading.Event()

    def slow(_: sqlite3.Connection) -> str:
        started.set()
        assert go_on.wait(10)
        return "done"

    try:
        under_way = writer.submit(slow)
        waiting = writer.submit(lambda db: db.execute("CREATE TABLE never (made)"))
        assert started.wait(10)
        assert not under_way.cancel(), "what has begun is written"
        assert waiting.cancel()
        go_on.set()
        assert under_way.result(10) == "done"
        tables = writer.submit(lambda db: {name for (name,) in db.execute("SELECT name FROM sqlite_master")})
        assert "never" not in tables.result(10)
    finally:
        go_on.set()
        writer.close()
