"""Whether the records are those that were sealed: the chain, its signatures, and every row that it is over."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from monitor.store.sealing import NOTHING, ROWS, Block, Seal, digest_of
from monitor.store.seals import SEALED, Sealed, chain, count_unsealed, rows_between
from monitor.store.signing_key import is_signed

_BY_NAME = {sealed.name: sealed for sealed in SEALED}

_DIRECT = frozenset(("checks", "changes", "blips", "imported_spans", "corrections", "incidents", "months"))
"""Tables whose rows name their service."""

_THROUGH = {
    "services": "SELECT id FROM services WHERE key = ?",
    "check_changes": 'SELECT id FROM check_changes JOIN checks ON checks.key = "check"'
    " JOIN services ON services.key = service WHERE check_changes.key = ?",
    "evidence": "SELECT id FROM evidence JOIN check_changes ON check_changes.key = check_change"
    ' JOIN checks ON checks.key = "check" JOIN services ON services.key = service WHERE evidence.key = ?',
    "entitlements": "SELECT id FROM entitlements JOIN months ON months.key = month"
    " JOIN services ON services.key = service WHERE entitlements.key = ?",
    "entitlement_events": "SELECT id FROM entitlement_events JOIN entitlements ON entitlements.key = entitlement"
    " JOIN months ON months.key = month JOIN services ON services.key = service WHERE entitlement_events.key = ?",
}


@dataclass(frozen=True, slots=True)
class Misfit:
    """A record that is not as it must be."""

    table: str
    key: int | None
    """None: it is not one record."""
    service: str | None
    """None: it belongs to no service, or to none that can be told."""
    problem: str

    def __str__(self) -> str:
        record = self.table if self.key is None else f"{self.table} {self.key}"
        return f"{record}{f' ({self.service})' if self.service else ''}: {self.problem}"


@dataclass
class Evidence:
    """What was found sealed; complete once ``check_chain`` has come to its end."""

    seals: int = 0
    rows: int = 0
    last: bytes = NOTHING
    """The digest of the last seal."""
    last_ms: int | None = None
    digests: set[bytes] = field(default_factory=set)
    """Of all seals."""
    signers: set[bytes] = field(default_factory=set)
    unsealed: int = 0
    """Records that no seal is over yet."""


def check_chain(
    db: sqlite3.Connection, trusted: Collection[bytes] | None, found: Evidence
) -> Iterator[Misfit]:
    """What does not fit, from the first seal on; ``found`` is filled in meanwhile.

    ``trusted``: the public keys that seals may be signed by; None: one, whichever it is.
    """
    try:
        yield from _seals(db, trusted, found)
        found.unsealed = sum(count_unsealed(db, sealed) for sealed in SEALED)
    except (sqlite3.Error, ValueError, TypeError) as error:
        yield Misfit("seals", None, None, f"the seals cannot be read: {error}")


def _seals(db: sqlite3.Connection, trusted: Collection[bytes] | None, found: Evidence) -> Iterator[Misfit]:
    number = 0
    sealed_to: dict[str, int] = {}
    for one, blocks in chain(db):
        found.seals += 1
        problem = _problem(one, blocks, found, trusted, number)
        if problem:
            yield Misfit("seals", one.key, None, problem)
        for block in blocks:
            number += 1
            if block.name not in _BY_NAME or block.after != sealed_to.get(block.name):
                yield Misfit(
                    "seal_blocks", block.key, None, f"does not go on where {block.name} was sealed last"
                )
                continue
            sealed_to[block.name] = block.last
            found.rows += block.count
            misfit = _misfit(db, _BY_NAME[block.name], block)
            if misfit is not None:
                yield misfit
        found.last, found.last_ms = one.digest, one.sealed_ms
        found.digests.add(one.digest)
        found.signers.add(one.signer)


def _problem(
    one: Seal, blocks: list[Block], found: Evidence, trusted: Collection[bytes] | None, number: int
) -> str | None:
    """What is wrong with a seal itself; ``number``: how many blocks came before."""
    if one.key != found.seals:
        return f"expected seal {found.seals}: one is missing, or was put in"
    if one.previous != found.last:
        return "is not over the seal before it: that one was changed, or is another one"
    if [block.key for block in blocks] != list(range(number + 1, number + 1 + len(blocks))):
        return "its blocks are not those that it was made over: one is missing, or was put in"
    if digest_of(blocks) != one.blocks:
        return "its blocks are not those that it was made over: one was changed"
    if not is_signed(one.signer, one.signature, one.digest):
        return f"the signature is not by the key {one.signer.hex()}, or the seal was changed"
    if one.signer not in (trusted if trusted is not None else found.signers or {one.signer}):
        return f"signed by {one.signer.hex()}, which is no key that is trusted"
    return None


def _misfit(db: sqlite3.Connection, sealed: Sealed, block: Block) -> Misfit | None:
    """The first of a block's rows that is not as it was sealed."""
    try:
        rows = _rows(db, sealed, block)
        if block.fits(rows):
            return None
    except sqlite3.Error:
        try:
            rows = _damaged_rows(db, sealed, block)
        except sqlite3.Error as error:
            problem = (
                f"one of the records after {block.after or 0} up to {block.last} cannot be read: {error}"
            )
            return Misfit(sealed.table, None, None, problem)
    place = block.first_misfit(rows)
    if place < 0:
        problem = f"one of the records after {block.after or 0} up to {block.last} is not what was sealed"
        return Misfit(sealed.table, None, None, problem)
    return _named(db, sealed, block, rows, place)


def _named(
    db: sqlite3.Connection, sealed: Sealed, block: Block, rows: list[tuple[Any, ...]], place: int
) -> Misfit:
    if len(rows) < block.count:  # keys are given out one by one
        key, problem = (block.after or 0) + 1 + place, "is missing, or is not what was sealed"
    elif len(rows) > block.count:
        key, problem = rows[place][0], "was put in, or is not what was sealed"
    else:
        key, problem = rows[place][0], "is not what was sealed"
    columns = "" if sealed.columns == () else f" ({', '.join(sealed.columns[1:])})"
    return Misfit(sealed.table, key, _service(db, sealed.table, key), f"{problem}{columns}")


def _rows(db: sqlite3.Connection, sealed: Sealed, block: Block) -> list[tuple[Any, ...]]:
    return rows_between(db, sealed, block.columns, block.after, block.last, block.count + ROWS)


def _damaged_rows(db: sqlite3.Connection, sealed: Sealed, block: Block) -> list[tuple[Any, ...]]:
    """Rows with a text in them that is no UTF-8 any more."""
    before = db.text_factory
    db.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
    try:
        return _rows(db, sealed, block)
    finally:
        db.text_factory = before


def _service(db: sqlite3.Connection, table: str, key: object) -> str | None:
    query = _THROUGH.get(table)
    if table in _DIRECT:
        query = f"SELECT id FROM {table} JOIN services ON services.key = service WHERE {table}.key = ?"  # noqa: S608
    if query is None:
        return None
    try:
        row = db.execute(query, (key,)).fetchone()
    except sqlite3.Error:
        return None
    return None if row is None else str(row[0])
