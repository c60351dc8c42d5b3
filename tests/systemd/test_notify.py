"""What the agent tells systemd, on a real notification socket."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.agent.real import COMMAND, REPOSITORY

CONFIGURATION = """\
agent: {{name: unit-test, state_dir: "{state}", listen: "127.0.0.1:0"}}
services:
  - id: nobody
    checks: [{{target: "tcp://127.0.0.1:1", interval: 200ms, timeout: 100ms, retry_interval: 100ms}}]
"""


class Manager:
    """systemd's end of the socket."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.heard: list[str] = []

    def hears(self, word: str, within_s: float = 20.0) -> bool:
        """Whether the word comes, now or in time."""
        end = time.monotonic() + within_s
        while word not in self.heard:
            self._socket.settimeout(max(end - time.monotonic(), 0.001))
            try:
                self.heard += self._socket.recv(4096).decode().splitlines()
            except TimeoutError:
                return False
        self.heard.remove(word)
        return True

    def close(self) -> None:
        self._socket.close()


@contextmanager
def service(
    directory: Path, address: str, **environment: str
) -> Iterator[tuple[Manager, subprocess.Popen[bytes]]]:
    """The agent, started as systemd does."""
    configuration = directory / "ringback.yml"
    configuration.write_text(CONFIGURATION.format(state=directory / "state"))
    manager = Manager(address)
    agent = subprocess.Popen(  # its log goes to pytest, which shows it where a test fails
        [*COMMAND, "--config", str(configuration), "agent"],
        cwd=REPOSITORY,
        env={**os.environ, "NOTIFY_SOCKET": address, **environment},
        stdin=subprocess.DEVNULL,
    )
    try:
        yield manager, agent
    finally:
        agent.kill()
        agent.wait()
        manager.close()


@pytest.mark.parametrize("abstract", [False, True])
def test_it_says_when_it_is_ready_reloads_and_stops(tmp_path: Path, abstract: bool) -> None:
    address = f"@ringback-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with service(tmp_path, address) as (manager, agent):
        assert manager.hears("READY=1")
        agent.send_signal(signal.SIGHUP)
        assert manager.hears("RELOADING=1")
        assert any(line.startswith("MONOTONIC_USEC=") for line in manager.heard)
        assert manager.hears("READY=1")
        agent.terminate()
        assert manager.hears("STOPPING=1")
        assert agent.wait(20) == 0


def test_it_feeds_the_watchdog_while_it_works(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with service(tmp_path, address, WATCHDOG_USEC="30000000") as (manager, agent):
        assert manager.hears("READY=1")
        assert manager.hears("WATCHDOG=1")
        agent.send_signal(signal.SIGSTOP)
        while manager.hears("WATCHDOG=1", 0.5):
            pass
        assert not manager.hears("WATCHDOG=1", 1.5)
        agent.send_signal(signal.SIGCONT)
        assert manager.hears("WATCHDOG=1")


def test_it_leaves_a_watchdog_alone_that_is_not_its_own(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with service(tmp_path, address, WATCHDOG_USEC="30000000", WATCHDOG_PID="1") as (manager, _):
        assert manager.hears("READY=1")
        assert not manager.hears("WATCHDOG=1", 2.0)
