"""The facts as they stood: a connection on which everything counts no more than a frozen month did.

Temporary views take the place of the tables that are counted, so that the very code that rolled a month up
does it again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from monitor.store import spans
from monitor.store.counted import COUNTED

_NO_CUT = (1 << 63) - 1


class AsOf:
    """Turns a reading connection; only for whoever verifies, in one transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.execute("PRAGMA query_only = OFF")  # the file stays read-only; what is temporary is not in it
        db.execute("CREATE TEMP TABLE cuts (name TEXT PRIMARY KEY, last INTEGER NOT NULL)")
        db.executemany("INSERT INTO cuts VALUES (?, ?)", [(table, _NO_CUT) for table in COUNTED])
        for table in COUNTED:
            db.execute(
                f"CREATE TEMP VIEW {table} AS SELECT * FROM main.{table}"  # noqa: S608
                f" WHERE key <= (SELECT last FROM temp.cuts WHERE name = '{table}')"
            )
        # What an agent had left open was ended before a month was frozen, or the agent was alive.
        db.execute(
            f"CREATE TEMP VIEW runs AS SELECT key, uid, vantage, version, started_ms, {_NO_CUT} AS heartbeat_ms,"  # noqa: S608
            " NULL AS stopped_ms FROM main.runs"
        )

    def cut(self, last_keys: Mapping[str, int]) -> None:
        """From here on facts count up to these keys. A table that is not named was not counted at all."""
        self._db.executemany(
            "UPDATE cuts SET last = ? WHERE name = ?", [(last_keys.get(table, 0), table) for table in COUNTED]
        )

    @contextmanager
    def spans_of(self, service: int) -> Iterator[None]:
        """The time line of that service (and no other one) is the one that the facts up to the cut give."""
        line = spans.derived(self._db, service)
        self._db.execute("CREATE TEMP TABLE spans AS SELECT * FROM main.spans WHERE FALSE")
        try:
            self._db.execute(
                "CREATE INDEX temp.spans_not_up ON spans (service, from_ms, to_ms, state, outage) WHERE state <> 'up'"
            )
            spans.insert(self._db, service, line)
            yield
        finally:
            self._db.execute("DROP TABLE temp.spans")
