"""This host in the states in which it cannot ask: no route, no file descriptor left."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.peers import peer

_ROOT = Path(__file__).parents[2]

_PROBE = """
import asyncio, sys
from probes.prober import prober_for

async def main(text):
    kind = prober_for(text)
    prober = kind()
    outcome = await prober.probe(kind.parse(text), kind.options())
    await prober.close()
    print(outcome.verdict.name, outcome.reason)

asyncio.run(main(sys.argv[1]))
"""


def probe_without_network(target: str) -> str:
    """Verdict and reason of a probe from a network namespace that has no routes at all."""
    command = [peer("unshare"), "--map-root-user", "--net", sys.executable, "-c", _PROBE, target]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def in_namespace(script: str, setup: str) -> str:
    """What a script prints in a network namespace of its own, after its shell set-up."""
    shell = f"set -e; ip link set lo up; {setup}; exec {sys.executable} -c '{script}'"
    command = [peer("unshare"), "--map-root-user", "--net", "/bin/sh", "-c", shell]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@contextlib.contextmanager
def no_file_descriptors() -> Iterator[None]:
    """Every attempt to open something fails with EMFILE."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = [os.open(os.devnull, os.O_RDONLY)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (taken[0] + 1, hard))
    try:
        with contextlib.suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for descriptor in taken:
            os.close(descriptor)


def open_sockets() -> int:
    """How many sockets this process holds."""
    links = []
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            links.append(str(entry.readlink()))
    return sum(link.startswith("socket:") for link in links)


async def all_closed(before: int) -> None:
    """No more sockets are open than before; a connection takes a few turns of the loop, or of a thread, to end."""
    async with asyncio.timeout(2):
        while open_sockets() != before:
            await asyncio.sleep(0.001)
