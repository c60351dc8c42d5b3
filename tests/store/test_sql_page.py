"""docs/sql.md promises views with their columns, and queries that work."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from tests.agent.real import REPOSITORY
from tests.cli.sites import Site

PAGE = (REPOSITORY / "docs" / "sql.md").read_text()


@pytest.fixture
def db(tmp_path: Path) -> sqlite3.Connection:
    site = Site(tmp_path)
    site.configure()
    site.run("import", "history", site.history())
    site.run("credits", "2026-10")
    return sqlite3.connect(site.database)


def test_every_view_is_there_with_its_columns_and_no_other_is(db: sqlite3.Connection) -> None:
    views = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'view'")]
    there = {
        view: [column[1] for column in db.execute(f'PRAGMA table_info("{view}")')]  # our own names
        for view in views
    }
    promised = {
        view: re.findall(r"`(\w+)`", columns)
        for view, columns in re.findall(r"^\| `(\w+)` \| (.*?) \|", PAGE, re.MULTILINE)
    }
    assert promised == there


def test_its_queries_work(db: sqlite3.Connection) -> None:
    (block,) = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    down, claimed = (db.execute(query).fetchall() for query in block.split(";")[:2])
    assert down == [("acme-trunk", 7200.0)]
    assert claimed == [("2026-10", "EUR", 1, 60.0)]
