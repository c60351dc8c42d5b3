"""Starting real peer programs on loopback, and stopping them again."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextlib.contextmanager
def running(
    command: Sequence[str], folder: Path, ready: Callable[[], bool], **environment: str
) -> Iterator[None]:
    """Run the daemon in the foreground until the block ends; what it says goes to ``folder/log``."""
    log = folder / "log"
    with log.open("wb") as output:
        daemon = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 10
        while not ready():
            assert daemon.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.01)
        yield
    finally:
        daemon.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            daemon.wait(2)
        with contextlib.suppress(ProcessLookupError):
            # a Kamailio that is told to end right after its start may wait for ever for one of its children
            os.killpg(daemon.pid, signal.SIGKILL)
        daemon.wait()


def takes_connections(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0
