"""How late probes start and what the agent costs, from schedule to recorded state.

``python -m benchmarks.schedule --checks 10000 --mix sip,icmp`` (defaults: 10 s interval, 30 s measured).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.rig import agent, configuration, cores, endpoints, free_ports, histogram, quantile, value

LATE = "ringback_schedule_lateness_seconds"


def measure(
    checks: int, interval_s: int, mix: list[str], seconds: float, scrape_every: float, fail: bool
) -> None:
    measured, others = cores()
    (page,) = free_ports(1)
    with tempfile.TemporaryDirectory() as directory, endpoints(others) as there:
        targets = [there.target(mix[n % len(mix)], n) for n in range(checks)]
        config = configuration(Path(directory), targets, f"{interval_s}s", page)
        with agent(config, page, measured) as running:
            time.sleep(interval_s + 2)
            if fail:
                there.child.kill()
            first, start = running.get("/metrics"), running.usage()
            scrapes, lag = 0, 0.0
            while time.monotonic() - start.at < seconds:
                time.sleep(scrape_every)
                lag = max(lag, value(running.get("/metrics"), "ringback_loop_lag_seconds"))
                scrapes += 1
            last, end = running.get("/metrics"), running.usage()
    cpu = (end.cpu_s - start.cpu_s) / (end.at - start.at)
    probes = value(last, "ringback_probes_total") - value(first, "ringback_probes_total")
    before, after = histogram(first, LATE), histogram(last, LATE)
    print(
        f"{checks} checks ({'+'.join(mix)}) every {interval_s} s, {scrapes} scrapes in {end.at - start.at:.0f} s"
    )
    per_thousand = 1000 * (end.cpu_s - start.cpu_s) / probes
    print(f"  cpu          {cpu:6.1%} of one core   {per_thousand:.3f} CPU-s per 1,000 probes")
    print(f"  late         p50 {quantile(before, after, 0.50)}, p99 {quantile(before, after, 0.99)}")
    print(f"  loop held    {lag * 1000:.1f} ms at most")
    print(f"  peak memory  {end.rss_mib:.0f} MiB")
    for verdict in ("good", "bad", "not_asked"):
        count = sum(
            float(line.rsplit(" ", 1)[1])
            for line in last.splitlines()
            if line.startswith("ringback_probes_total{") and f'outcome="{verdict}"' in line
        )
        print(f"  {verdict:12} {count:.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checks", type=int, default=10_000)
    parser.add_argument("--interval", type=int, default=10)
    parser.add_argument("--mix", default="sip,icmp")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--scrape-every", type=float, default=5)
    parser.add_argument(
        "--fail", action="store_true", help="kill the responders first: all checks fail at once"
    )
    options = parser.parse_args()
    measure(
        options.checks,
        options.interval,
        options.mix.split(","),
        options.seconds,
        options.scrape_every,
        options.fail,
    )


if __name__ == "__main__":
    main()
