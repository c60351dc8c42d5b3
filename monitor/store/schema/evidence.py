"""Seals over the facts: a signed hash chain (see store.sealing)."""

from __future__ import annotations

from sqlite_utils import Database

from monitor.store.schema.statements import iso, keep, run

_TABLES = """
CREATE TABLE seals (
    key INTEGER PRIMARY KEY,
    previous BLOB NOT NULL,      -- the digest of the seal before
    sealed_ms INTEGER NOT NULL,
    blocks BLOB NOT NULL,        -- SHA-256 over what its blocks say
    signer BLOB NOT NULL,        -- Ed25519 public key
    signature BLOB NOT NULL
);
CREATE TABLE seal_blocks (       -- up to 256 rows of a table each
    key INTEGER PRIMARY KEY,
    seal INTEGER NOT NULL REFERENCES seals,
    name TEXT NOT NULL,
    after INTEGER,               -- the last key before its rows; null: they are the first
    last INTEGER NOT NULL,       -- the last key of its rows
    columns TEXT NOT NULL,       -- JSON
    digest BLOB NOT NULL,        -- SHA-256 over its rows
    rows BLOB NOT NULL           -- the first 4 bytes of each row's own SHA-256
);
CREATE INDEX seal_blocks_by_name ON seal_blocks (name, last);
"""

_VIEWS = f"""
CREATE VIEW sealings AS
    SELECT seals.key AS seal, {iso("sealed_ms")} AS sealed_at, count(*) AS blocks, sum(length(rows) / 4) AS records
    FROM seals JOIN seal_blocks ON seal_blocks.seal = seals.key GROUP BY seals.key;
"""  # noqa: S608


def seals(db: Database) -> None:
    run(db.conn, _TABLES)
    run(db.conn, _VIEWS)
    keep(db.conn, ("seals", "seal_blocks"))
