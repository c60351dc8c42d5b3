"""What a scrape of 10,000 checks costs the agent, and how long it holds its loop.

``python -m benchmarks.scrape`` lets each check run once, and then scrapes an agent that has nothing else to do.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.rig import Agent, agent, configuration, cores, endpoints, free_ports, value


def measure(checks: int, scrapes: int) -> None:
    measured, others = cores()
    (page,) = free_ports(1)
    with tempfile.TemporaryDirectory() as directory, endpoints(others) as there:
        targets = [there.target(("sip", "icmp")[n % 2], n) for n in range(checks)]
        config = configuration(Path(directory), targets, "12h", page)
        with agent(config, page, measured) as running:
            while value(running.get("/metrics"), "ringback_probes_total") < checks:
                time.sleep(2)
            time.sleep(3)
            idle = _cpu_in(running, 5.0)
            start, lag, size = running.usage(), 0.0, 0
            for _ in range(scrapes):
                text = running.get("/metrics")
                size, lag = len(text), max(lag, value(text, "ringback_loop_lag_seconds"))
                time.sleep(1.1)  # the gauge is the worst of the last second
            end = running.usage()
    cost = (end.cpu_s - start.cpu_s - idle * (end.at - start.at)) / scrapes
    series = sum(not line.startswith("#") for line in text.splitlines())
    print(f"{checks} checks, {series} series, {size / 1e6:.1f} MB")
    print(
        f"  {cost:.3f} CPU-seconds a scrape (idle: {idle:.1%} of a core), loop held {lag * 1000:.1f} ms at most"
    )


def _cpu_in(running: Agent, seconds: float) -> float:
    before = running.usage()
    time.sleep(seconds)
    after = running.usage()
    return (after.cpu_s - before.cpu_s) / (after.at - before.at)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checks", type=int, default=10_000)
    parser.add_argument("--scrapes", type=int, default=15)
    options = parser.parse_args()
    measure(options.checks, options.scrapes)


if __name__ == "__main__":
    main()
