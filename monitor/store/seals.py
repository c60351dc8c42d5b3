"""Seals in the database: what is sealed, sealing what is new, reading seals and what they are over."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from monitor.store.sealing import NOTHING, ROWS, Block, Seal, block, digest_of

if TYPE_CHECKING:
    from monitor.store.signing_key import SigningKey

PORTION = 512
"""Rows sealed in one transaction at most: what the agent sees meanwhile waits for its end to be written."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """Rows that are sealed once they do not change any more: those of a table, or some of its columns."""

    name: str
    table: str
    columns: tuple[str, ...] = ()
    """(): all that the table has when they are sealed."""
    settled: str = "TRUE"
    """SQL: whether a row is final. If one is, all before it are."""


_RUN = ("key", "uid", "vantage", "version", "started_ms")
_RUN_OVER = "stopped_ms IS NOT NULL OR key < (SELECT max(key) FROM runs)"
_TABLES = (
    *("services", "checks", "check_changes", "evidence", "changes", "blips", "clock_steps"),
    *("imports", "imported_spans", "exclusions", "withdrawals", "corrections", "correction_withdrawals"),
    *("incidents", "incident_events", "incident_outages", "months", "entitlements", "entitlement_events"),
)

SEALED = (
    Sealed("runs", "runs", _RUN),
    Sealed("ends of runs", "runs", ("key", "heartbeat_ms", "stopped_ms"), _RUN_OVER),
    *(Sealed(table, table) for table in _TABLES),
)
"""In the order in which they are sealed: first what others refer to."""


def seal(db: sqlite3.Connection, key: SigningKey, now_ms: int) -> int:
    """Seal up to ``PORTION`` rows that are new, within the caller's transaction; how many there were."""
    blocks = list(_new_blocks(db))
    if not blocks:
        return 0
    before = last_seal(db)
    number, previous = (1, NOTHING) if before is None else (before.key + 1, before.digest)
    unsigned = Seal(number, previous, now_ms, digest_of(blocks), key.signer)
    _write(db, replace(unsigned, signature=key.sign(unsigned.digest)), blocks)
    return sum(one.count for one in blocks)


def _new_blocks(db: sqlite3.Connection) -> Iterator[Block]:
    (number,) = db.execute("SELECT coalesce(max(key), 0) FROM seal_blocks").fetchone()
    left = PORTION
    for sealed in SEALED:
        after = last_sealed(db, sealed.name)
        if db.execute(f"SELECT 1 {_after(sealed, after)} LIMIT 1", {"after": after}).fetchone() is None:
            continue
        columns = sealed.columns or columns_of(db, sealed.table)
        while left:
            at_most = min(ROWS, left)
            rows = rows_between(db, sealed, columns, after, None, at_most)
            if not rows:
                break
            number += 1
            one = block(number, sealed.name, after, columns, rows)
            yield one
            after, left = one.last, left - len(rows)


def last_sealed(db: sqlite3.Connection, name: str) -> int | None:
    """The key of the last row that is sealed; None: not one is."""
    (last,) = db.execute("SELECT max(last) FROM seal_blocks WHERE name = ?", (name,)).fetchone()
    return None if last is None else int(last)


def last_seal(db: sqlite3.Connection) -> Seal | None:
    """The end of the chain."""
    return next(_seals(db, "ORDER BY key DESC LIMIT 1"), None)


def chain(db: sqlite3.Connection) -> Iterator[tuple[Seal, list[Block]]]:
    """Seals from the first one on, each with its blocks. Raises ValueError where one cannot even be read."""
    blocks = _blocks(db)
    pending = next(blocks, None)
    for one in _seals(db, "ORDER BY key"):
        own = []
        while pending is not None and pending[0] <= one.key:
            own.append(pending[1])
            pending = next(blocks, None)
        yield one, own
    if pending is not None:
        raise ValueError(f"block {pending[1].key} belongs to no seal")


def columns_of(db: sqlite3.Connection, table: str) -> tuple[str, ...]:
    """The columns that a table has, in their order."""
    return tuple(name for (name,) in db.execute("SELECT name FROM pragma_table_info(?)", (table,)))


def rows_between(
    db: sqlite3.Connection,
    sealed: Sealed,
    columns: tuple[str, ...],
    after: int | None,
    last: int | None,
    at_most: int,
) -> list[tuple[Any, ...]]:
    """The rows with keys ``(after, last]``; ``last`` None: those that are settled. ``columns`` begins with the key."""
    names = ", ".join('"' + column.replace('"', '""') + '"' for column in columns)
    upto = sealed.settled if last is None else "key <= :last"
    return db.execute(
        f"SELECT {names} {_after(sealed, after)} AND ({upto}) ORDER BY key LIMIT :at_most",
        {"after": after, "last": last, "at_most": at_most},
    ).fetchall()


def count_unsealed(db: sqlite3.Connection, sealed: Sealed) -> int:
    """Rows that no seal is over yet."""
    after = last_sealed(db, sealed.name)
    (count,) = db.execute(f"SELECT count(*) {_after(sealed, after)}", {"after": after}).fetchone()
    return int(count)


def _after(sealed: Sealed, after: int | None) -> str:
    """SQL for the rows after that key; None: all. SQLite looks a key up only where it is compared with nothing else."""
    return f"FROM {sealed.table} WHERE {'TRUE' if after is None else 'key > :after'}"


def _write(db: sqlite3.Connection, one: Seal, blocks: list[Block]) -> None:
    db.execute(
        "INSERT INTO seals (key, previous, sealed_ms, blocks, signer, signature) VALUES (?, ?, ?, ?, ?, ?)",
        (one.key, one.previous, one.sealed_ms, one.blocks, one.signer, one.signature),
    )
    db.executemany(
        "INSERT INTO seal_blocks (key, seal, name, after, last, columns, digest, rows)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(b.key, one.key, b.name, b.after, b.last, json.dumps(b.columns), b.digest, b.rows) for b in blocks],
    )


def _seals(db: sqlite3.Connection, rest: str) -> Iterator[Seal]:
    rows = db.execute(f"SELECT key, previous, sealed_ms, blocks, signer, signature FROM seals {rest}")  # noqa: S608
    for key, previous, sealed_ms, blocks, signer, signature in rows:
        if not all(isinstance(one, bytes) for one in (previous, blocks, signer, signature)):
            raise ValueError(f"seal {key} is not made of bytes")
        yield Seal(key, previous, sealed_ms, blocks, signer, signature)


def _blocks(db: sqlite3.Connection) -> Iterator[tuple[int, Block]]:
    rows = db.execute(
        "SELECT seal, key, name, after, last, columns, digest, rows FROM seal_blocks ORDER BY key"
    )
    for of_seal, key, name, after, last, columns, digest, digests in rows:
        if not (isinstance(digest, bytes) and isinstance(digests, bytes)):
            raise ValueError(f"block {key} is not made of bytes")
        yield of_seal, Block(key, name, after, last, tuple(json.loads(columns)), digest, digests)
