"""CPU per 1,000 probes of each kind, beside what others use for it, in the same run.

``python -m benchmarks.probes`` runs the whole agent, from schedule to recorded state, on checks of one kind. Then
blackbox_exporter is asked for the same probes: its figure holds its HTTP request, for that is how it is used; who
asks is not counted. It has no SIP: there the peer is sipsak, forked for each probe as Uptime Kuma and SmokePing do.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import aiohttp

from benchmarks.rig import (
    TICKS,
    Endpoints,
    agent,
    configuration,
    cores,
    endpoints,
    free_ports,
    process,
    value,
)

BLACKBOX = ("prometheus-blackbox-exporter", "blackbox_exporter")
FORKED = 300
MODULES = {"icmp": "icmp", "tcp": "tcp", "http": "http"}
MODULE_FILE = """modules:
  icmp: {prober: icmp, timeout: 4s, icmp: {preferred_ip_protocol: ip4}}
  tcp: {prober: tcp, timeout: 4s}
  http: {prober: http, timeout: 4s, http: {preferred_ip_protocol: ip4}}
"""


def ringback(there: Endpoints, kind: str, rate: int, seconds: float) -> float:
    """CPU-seconds per 1,000 probes at ``rate`` a second."""
    measured, _ = cores()
    (page,) = free_ports(1)
    with tempfile.TemporaryDirectory() as directory:
        targets = [there.target(kind, n) for n in range(rate)]
        config = configuration(Path(directory), targets, "1s", page, "").read_text()
        path = Path(directory) / "ringback.yml"
        path.write_text(config.replace("timeout: 4s, retry_interval: 5s", "timeout: 1s, retry_interval: 1s"))
        with agent(path, page, measured) as running:
            time.sleep(3)
            first, start = running.get("/metrics"), running.usage()
            time.sleep(seconds)
            last, end = running.get("/metrics"), running.usage()
    probes = value(last, "ringback_probes_total") - value(first, "ringback_probes_total")
    return 1000 * (end.cpu_s - start.cpu_s) / probes


def blackbox(program: str, there: Endpoints, kind: str, rate: int, seconds: float) -> float:
    measured, _ = cores()
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory() as directory:
        modules = Path(directory) / "modules.yml"
        modules.write_text(MODULE_FILE)
        argv = [
            program,
            f"--config.file={modules}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=error",
        ]
        with process(argv, measured, Path(directory) / "blackbox.log") as child:
            stat = Path(f"/proc/{child.pid}/stat")
            _wait_for(port)
            asyncio.run(_ask(port, there, kind, rate, 1))
            before = _cpu(stat)
            asyncio.run(_ask(port, there, kind, rate, seconds))
            return 1000 * (_cpu(stat) - before) / (rate * int(seconds))


def sipsak(program: str, there: Endpoints) -> float:
    """CPU-seconds per 1,000 probes, with the forking."""

    def used() -> float:
        usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return sum(usage.ru_utime + usage.ru_stime for usage in usages)

    before = used()
    for number in range(FORKED):
        subprocess.run([program, "-s", there.target("sip", number)], stdout=subprocess.DEVNULL, check=True)
    return 1000 * (used() - before) / FORKED


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


def _cpu(stat: Path) -> float:
    fields = stat.read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def _ask(port: int, there: Endpoints, kind: str, rate: int, seconds: float) -> None:
    """``rate`` requests a second, paced, over kept connections as Prometheus keeps them."""
    url = f"http://127.0.0.1:{port}/probe"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64)) as session:

        async def one(number: int, at: float) -> None:
            await asyncio.sleep(at)
            target = there.target(kind, number).removeprefix("icmp://").removeprefix("tcp://")
            async with session.get(url, params={"module": MODULES[kind], "target": target}) as answer:
                assert "probe_success 1" in await answer.text()

        await asyncio.gather(*(one(n % rate, n / rate) for n in range(rate * int(seconds))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=1_000, help="probes a second")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--kinds", default="sip,icmp,tcp,http")
    options = parser.parse_args()
    exporter = next((path for name in BLACKBOX if (path := shutil.which(name))), None)
    forked = shutil.which("sipsak")
    _, others = cores()
    print(f"CPU-seconds per 1,000 probes at {options.rate} a second")
    print(f"{'':6}{'ringback':>10}  {'peer':18}{'':>8}{'ratio':>10}")
    with endpoints(others) as there:
        for kind in options.kinds.split(","):
            ours = ringback(there, kind, options.rate, options.seconds)
            if kind in MODULES and exporter:
                name, theirs = (
                    "blackbox_exporter",
                    blackbox(exporter, there, kind, options.rate, options.seconds),
                )
            elif kind == "sip" and forked:
                name, theirs = "sipsak, forked", sipsak(forked, there)
            else:
                print(f"{kind:6}{ours:>10.3f}  no peer is installed")
                continue
            print(
                f"{kind:6}{ours:>10.3f}  {name:18}{theirs:>8.3f}{ours / theirs:>7.3f} = 1/{theirs / ours:.1f}"
            )


if __name__ == "__main__":
    main()
