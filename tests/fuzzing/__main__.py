"""``python -m tests.fuzzing [COUNT]``: a million mutated messages in all, and how the time grows with their size."""

from __future__ import annotations

import gc
import sys
import time

from tests.fuzzing.mutations import mutated
from tests.fuzzing.parsers import PARSERS, Parser

COUNT = 1_000_000
MOST = 14.0
"""Times as long as from an eighth of the bytes to a quarter it may take from there to all of them: 6 is linear, 20
is quadratic."""

_WORTH_MEASURING_S = 0.0005
_HURRIED, _CAREFUL, _ROUNDS = 2, 20, 5


def survive(parser: Parser, count: int, seed: int) -> int:
    """How many of ``count`` mutated messages were refused. Whatever else they raise comes out of here."""
    refused = 0
    for data in mutated(parser.seeds, count, seed):
        try:
            parser.read(data)
        except parser.errors:
            refused += 1
        except Exception:
            print(f"{parser.name}: {data!r}", file=sys.stderr)
            raise
    return refused


def growth(parser: Parser, piece: bytes) -> float:
    """The worst that MOST speaks of, of many such pieces at any place of any seed: what a fixed part of the message
    takes does not count."""
    places = ((seed, at) for seed in parser.seeds for at in (len(seed) // 4, len(seed) // 2, len(seed)))
    return max((_grown(parser, seed, at, piece) for seed, at in places), default=0.0)


def _grown(parser: Parser, seed: bytes, at: int, piece: bytes) -> float:
    """From the fastest time of each size; what looks bad is measured on, for it may be the machine."""
    sizes = (parser.largest // 8, parser.largest // 4, parser.largest)
    messages = [seed[:at] + piece * ((size - len(seed)) // len(piece)) + seed[at:] for size in sizes]
    fastest, grown = [float("inf")] * len(sizes), 0.0
    for times in (_HURRIED, *[_CAREFUL] * _ROUNDS):
        fastest = [
            min(least, _seconds(parser, data, times)) for least, data in zip(fastest, messages, strict=True)
        ]
        eighth, quarter, whole = fastest
        grown = (whole - quarter) / (quarter - eighth) if quarter - eighth > _WORTH_MEASURING_S else 0.0
        if grown <= MOST:
            break
    return grown


def _seconds(parser: Parser, data: bytes, times: int) -> float:
    """The fastest, without what Python takes now and then to look for garbage."""
    best = float("inf")
    gc.disable()
    for _ in range(times):
        start = time.process_time()
        try:
            parser.read(data)
        except parser.errors:
            pass
        best = min(best, time.process_time() - start)
    gc.enable()
    return best


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    each = -(-count // len(PARSERS))
    slow = False
    for parser in PARSERS:
        refused = survive(parser, each, seed=time.time_ns())
        grown = {piece: growth(parser, piece) for piece in parser.repeated}
        piece, worst = max(grown.items(), key=lambda one: one[1], default=(b"", 0.0))
        print(
            f"{parser.name:18} {each:>9,} mutated, {refused:>9,} refused; growth {worst:.1f}",
            piece,
            flush=True,
        )
        slow = slow or worst > MOST
    if slow:
        sys.exit("a parser needs more than linear time")


if __name__ == "__main__":
    main()
