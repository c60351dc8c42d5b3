"""Whether the reported round trip stays true while the loop is stalled for 50 ms ten times a second.

``python -m benchmarks.stall`` probes loopback responders, once undisturbed and once stalled, and compares.
Each probe is sent just before a stall, so that its answer waits in the socket while nobody reads.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time

from benchmarks.rig import Endpoints, cores, endpoints
from probes.outcome import Verdict
from probes.prober import prober_for

STALL_S = 0.05
EVERY_S = 0.1
TURNS = 3
"""Turns of the loop in which a probe gets its question out."""


async def round_trips(target: str, count: int, stalled: bool) -> list[float]:
    """Milliseconds of ``count`` probes, each sent just before the loop stalls (or would)."""
    kind = prober_for(target)
    prober, options, parsed = kind(), kind.options(), kind.parse(target)
    took = []
    for _ in range(count):
        asked = asyncio.create_task(prober.probe(parsed, options))
        for _ in range(TURNS):
            await asyncio.sleep(0)
        if stalled:
            time.sleep(STALL_S)
        outcome = await asked
        assert outcome.verdict is Verdict.GOOD, outcome
        if outcome.round_trip_s is not None:
            took.append(outcome.round_trip_s * 1000)
        await asyncio.sleep(EVERY_S - STALL_S)
    await prober.close()
    return sorted(took)


def compare(there: Endpoints, count: int) -> None:
    print(f"{'':6}{'undisturbed p50 / p99':>26}{'stalled p50 / p99':>26}{'p99 off by':>14}")
    for kind in ("sip", "icmp", "tcp"):
        calm, rough = (asyncio.run(round_trips(there.target(kind, 1), count, s)) for s in (False, True))
        at = [(row[len(row) // 2], row[int(len(row) * 0.99)]) for row in (calm, rough)]
        cells = [f"{p50:.3f} / {p99:.3f} ms" for p50, p99 in at]
        print(f"{kind:6}{cells[0]:>26}{cells[1]:>26}{at[1][1] - at[0][1]:>11.3f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=300)
    options = parser.parse_args()
    measured, others = cores()
    os.sched_setaffinity(0, {measured})
    with endpoints(others) as there:
        compare(there, options.count)


if __name__ == "__main__":
    main()
