"""Whether the reported round trip stays true while the loop is stalled 50 ms twice a second.

``python -m benchmarks.stall`` probes loopback responders, once undisturbed and once stalled, and compares.
"""

from __future__ import annotations

import argparse
import asyncio
import time

from benchmarks.rig import Endpoints, cores, endpoints
from probes.outcome import Verdict
from probes.prober import prober_for

STALL_S = 0.05


async def _stall() -> None:
    while True:
        await asyncio.sleep(0.5 - STALL_S)
        time.sleep(STALL_S)


async def round_trips(target: str, count: int, stalled: bool) -> list[float]:
    """Milliseconds of ``count`` probes, 250 a second."""
    kind = prober_for(target)
    prober, options, parsed = kind(), kind.options(), kind.parse(target)
    disturbance = asyncio.create_task(_stall()) if stalled else None

    async def one(number: int) -> float | None:
        await asyncio.sleep(number / 250)
        outcome = await prober.probe(parsed, options)
        assert outcome.verdict is Verdict.GOOD, outcome
        return None if outcome.round_trip_s is None else outcome.round_trip_s * 1000

    took = await asyncio.gather(*(one(number) for number in range(count)))
    if disturbance is not None:
        disturbance.cancel()
    await prober.close()
    return sorted(ms for ms in took if ms is not None)


def compare(there: Endpoints, count: int) -> None:
    print(f"{'':6}{'undisturbed p50 / p99':>26}{'stalled p50 / p99':>26}{'p99 off by':>14}")
    for kind in ("sip", "icmp", "tcp"):
        calm, rough = (asyncio.run(round_trips(there.target(kind, 1), count, s)) for s in (False, True))
        at = [(row[len(row) // 2], row[int(len(row) * 0.99)]) for row in (calm, rough)]
        cells = [f"{p50:.3f} / {p99:.3f} ms" for p50, p99 in at]
        print(f"{kind:6}{cells[0]:>26}{cells[1]:>26}{at[1][1] - at[0][1]:>11.3f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2_000)
    options = parser.parse_args()
    _, others = cores()
    with endpoints(others) as there:
        compare(there, options.count)


if __name__ == "__main__":
    main()
