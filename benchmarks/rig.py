"""The real agent on the benchmarks' responders, each on a core of its own, and what it uses."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def cores() -> tuple[int, int]:
    """A core for what is measured and one for everything else; the same where there is only one."""
    have = sorted(os.sched_getaffinity(0))
    return have[0], have[-1]


def stolen_s() -> float:
    """Seconds of CPU that this machine's own host gave to others, since it started; 0 where nobody tells."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    return int(fields[8]) / TICKS


@contextlib.contextmanager
def process(argv: list[str], core: int | None, log: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    with (log or Path(os.devnull)).open("wb") as out:
        child = subprocess.Popen(
            argv,
            stdout=subprocess.PIPE if log is None else out,
            stderr=out,
            preexec_fn=lambda: os.sched_setaffinity(0, os.sched_getaffinity(0) if core is None else {core}),
        )
        try:
            yield child
        finally:
            child.terminate()
            child.wait(30)


@dataclass
class Endpoints:
    sip: int
    http: int
    tcp: int
    child: subprocess.Popen[bytes]

    def target(self, kind: str, number: int) -> str:
        host = f"127.{number >> 16 & 127}.{number >> 8 & 255}.{number & 255 or 1}"
        return {
            "sip": f"sip:{number}@127.0.0.1:{self.sip}",
            "icmp": f"icmp://{host}",
            "tcp": f"tcp://127.0.0.1:{self.tcp}",
            "http": f"http://127.0.0.1:{self.http}/{number}",
        }[kind]


@contextlib.contextmanager
def endpoints(core: int) -> Iterator[Endpoints]:
    sip, http, tcp = free_ports(3)
    argv = [sys.executable, "-m", "benchmarks.responders", *map(str, (sip, http, tcp))]
    with process(argv, core) as child:
        assert child.stdout is not None
        child.stdout.readline()
        yield Endpoints(sip, http, tcp, child)


def configuration(directory: Path, targets: list[str], interval: str, page: int, extra: str = "") -> Path:
    """A configuration with two checks a service."""
    lines = [
        "agent:",
        "  name: bench",
        f"  state_dir: {directory}",
        f"  listen: 127.0.0.1:{page}",
        "  log_format: json",
        extra,
        f"defaults: {{interval: {interval}, timeout: 4s, retry_interval: 5s}}",
        "services:",
    ]
    for number in range(0, len(targets), 2):
        lines += [f"  - id: service-{number // 2}", "    kind: sip-trunk", "    checks:"]
        lines += [
            f'      - {{name: check-{i}, target: "{t}"}}' for i, t in enumerate(targets[number : number + 2])
        ]
    path = directory / "ringback.yml"
    path.write_text("\n".join(line for line in lines if line) + "\n")
    return path


@dataclass
class Usage:
    cpu_s: float
    rss_mib: float
    at: float


class Agent:
    """A running agent, looked at from outside."""

    def __init__(self, child: subprocess.Popen[bytes], page: int) -> None:
        self.child = child
        self.page = page

    def usage(self) -> Usage:
        fields = Path(f"/proc/{self.child.pid}/stat").read_text().rsplit(")", 1)[1].split()
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        peak = re.search(r"VmHWM:\s+(\d+)", status)
        assert peak is not None
        spent = sum(map(int, fields[11:15]))  # its own, and that of its processes which have ended
        return Usage(spent / TICKS, int(peak[1]) / 1024, time.monotonic())

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.page}{path}", timeout=30) as answer:
            return str(answer.read(), "utf-8")

    def wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while True:
            try:
                self.get("/readyz")
                return
            except OSError:
                if self.child.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)


@contextlib.contextmanager
def agent(config: Path, page: int, core: int | None) -> Iterator[Agent]:
    """``core``: the one that it has; None: as any program."""
    argv = [sys.executable, "-m", "monitor", "--config", str(config), "agent"]
    with process(argv, core, config.with_suffix(".log")) as child:
        running = Agent(child, page)
        running.wait(60)
        yield running


def value(exposition: str, name: str) -> float:
    """The sum of a metric's series."""
    found = re.findall(rf"^{re.escape(name)}(?:{{[^}}]*}})? (\S+)$", exposition, re.MULTILINE)
    return sum(map(float, found))


def histogram(exposition: str, name: str) -> dict[float, float]:
    """Cumulative counts by upper bound."""
    found = re.findall(rf'^{re.escape(name)}_bucket{{le="([^"]+)"}} (\S+)$', exposition, re.MULTILINE)
    return {float(bound): float(count) for bound, count in found}


def quantile(before: dict[float, float], after: dict[float, float], share: float) -> str:
    """The bound under which that share of the observations between two scrapes lies."""
    counts = {bound: after[bound] - before.get(bound, 0) for bound in sorted(after)}
    total = max(counts.values())
    bound = next(b for b, count in counts.items() if count >= share * total)
    return f"<= {bound * 1000:g} ms"
