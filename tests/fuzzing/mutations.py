"""From messages that are well formed to ones that are not."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

LARGEST = 65_507
"""Bytes of the largest datagram."""

_NUMBERS = (b"0", b"-1", b"4294967296", b"99999999999999999999", b"1e9", b"\xd9\xa3")
_MARKS = (
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b'"',
    b"\\",
    b"<",
    b">",
    b";",
    b",",
    b"=",
    b":",
    b" ",
    b"\t",
    b"%",
    b"\xff",
)

_Mutation = Callable[[random.Random, bytearray, Sequence[bytes]], None]


def mutated(seeds: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """``count`` messages, each a seed changed one to five times; the same ``seed`` gives the same ones."""
    chance = random.Random(seed)
    for _ in range(count):
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.randint(1, 5)):
            chance.choice(_MUTATIONS)(chance, data, seeds)
        yield bytes(data[:LARGEST])


def _flip(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _cut(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    start = chance.randint(0, len(data))
    del data[start : start + chance.randint(1, 40)]


def _end(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    del data[chance.randint(0, len(data)) :]


def _repeat(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    start = chance.randint(0, len(data))
    piece = data[start : start + chance.randint(1, 60)]
    data[start:start] = piece * chance.randint(1, 8)


def _mark(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    start = chance.randint(0, len(data))
    data[start:start] = chance.choice(_MARKS) * chance.choice((1, 1, 1, 2, 50))


def _number(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    digits = [at for at in range(len(data)) if 48 <= data[at] <= 57]
    if digits:
        at = chance.choice(digits)
        data[at : at + 1] = chance.choice(_NUMBERS)


def _noise(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    start = chance.randint(0, len(data))
    data[start : start + chance.randint(0, 8)] = chance.randbytes(chance.randint(1, 8))


def _splice(chance: random.Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    other = chance.choice(seeds)
    data[chance.randint(0, len(data)) :] = other[chance.randint(0, len(other)) :]


_MUTATIONS: tuple[_Mutation, ...] = (_flip, _cut, _end, _repeat, _mark, _number, _noise, _splice)
