"""What the migrations have in common."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable


def run(db: sqlite3.Connection, script: str) -> None:
    """Statement by statement: ``executescript`` would commit the migration's transaction."""
    lines = (line.split("--", 1)[0] for line in script.splitlines())
    for statement in "\n".join(lines).split(";\n"):
        if statement.strip():
            db.execute(statement)


def keep(db: sqlite3.Connection, tables: Iterable[str]) -> None:
    """From here on nothing in these tables is changed or deleted."""
    for table in tables:
        for verb in ("UPDATE", "DELETE"):
            db.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} holds facts: they are never changed'); END"
            )


def iso(column: str) -> str:
    """SQL for an instant as ISO 8601."""
    return f"strftime('%Y-%m-%dT%H:%M:%S', {column} / 1000, 'unixepoch') || printf('.%03dZ', {column} % 1000)"
