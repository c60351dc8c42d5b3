"""How facts become a hash chain: rows into blocks, blocks into seals, each seal over the one before. Pure.

A block is up to ``ROWS`` rows of one table: SHA-256 over the canonical JSON of all their columns proves them,
and ``DIGEST`` bytes for each row tell which one is not what it was. A seal is over its blocks and over the
seal before it, and is signed; whoever has one seal has all that came before it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

ROWS = 256
"""In a block at most."""

DIGEST = 4
"""Bytes that are kept of each row's own hash: to find a row, not to prove it."""

NOTHING = bytes(32)
"""What the first seal has before it."""

Row = Sequence[object]
"""The columns as SQLite gives them: integers, text, null; real numbers and blobs only where somebody put them."""


def _blob(value: object) -> object:
    if isinstance(value, bytes):
        return {"blob": value.hex()}
    raise TypeError(f"{type(value).__name__} is no value of SQLite")


_ENCODER = json.JSONEncoder(separators=(",", ":"), default=_blob)


def encoded(value: object) -> bytes:
    """Canonical: two values have the same encoding only if they are the same, types included."""
    return _ENCODER.encode(value).encode("ascii")


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of a table with the keys ``(after, last]``; ``after`` None: from the beginning."""

    key: int
    """Counted from 1, without a gap."""
    name: str
    """What is sealed (see store.seals)."""
    after: int | None
    last: int
    columns: tuple[str, ...]
    """The first one is the key."""
    digest: bytes
    rows: bytes
    """``DIGEST`` bytes for each row."""

    @property
    def count(self) -> int:
        return len(self.rows) // DIGEST

    def fits(self, rows: Sequence[Row]) -> bool:
        """Whether these are the rows that were sealed."""
        return sha256(encoded((self.name, self.columns, rows))).digest() == self.digest

    def first_misfit(self, rows: Sequence[Row]) -> int:
        """The place of the first row that is not what it was, or is missing; -1 where the rows do not tell."""
        found = list(map(_row_digest, rows))
        kept = [self.rows[start : start + DIGEST] for start in range(0, len(self.rows), DIGEST)]
        for place, (is_now, was) in enumerate(zip(found, kept, strict=False)):
            if is_now != was:
                return place
        return min(len(found), len(kept)) if len(found) != len(kept) else -1


def block(key: int, name: str, after: int | None, columns: tuple[str, ...], rows: Sequence[Row]) -> Block:
    """The block of these rows, in the order of their keys; there is at least one."""
    last = rows[-1][0]
    assert isinstance(last, int)
    pieces = list(map(encoded, rows))  # each is encoded once: a month is long
    whole = encoded((name, columns))[:-1] + b",[" + b",".join(pieces) + b"]]"
    digests = b"".join(sha256(piece).digest()[:DIGEST] for piece in pieces)
    return Block(key, name, after, last, columns, sha256(whole).digest(), digests)


@dataclass(frozen=True, slots=True)
class Seal:
    key: int
    """Counted from 1, without a gap."""
    previous: bytes
    """The digest of the seal before."""
    sealed_ms: int
    blocks: bytes
    """``digest_of`` its blocks."""
    signer: bytes
    """The public key that the signature is by."""
    signature: bytes = b""

    @property
    def digest(self) -> bytes:
        """What is signed, and what the next seal is over."""
        fields = (self.previous.hex(), self.sealed_ms, self.blocks.hex(), self.signer.hex())
        return sha256(encoded(("ringback seal", self.key, *fields))).digest()


def digest_of(blocks: Iterable[Block]) -> bytes:
    """Over all that blocks say of their rows."""
    return sha256(
        encoded(
            [
                (one.key, one.name, one.after, one.last, one.columns, one.digest.hex(), one.rows.hex())
                for one in blocks
            ]
        )
    ).digest()


def _row_digest(row: Row) -> bytes:
    return sha256(encoded(row)).digest()[:DIGEST]
