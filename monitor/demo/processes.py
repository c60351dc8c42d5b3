"""The processes that the demo starts. None of them outlives it, however it ends."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from monitor.demo.orders import TRUNK_ANSWERS, TRUNK_SILENT, Ports

STOP_S = 20.0
"""How long a process may take to end after SIGTERM; the agent waits 15 s for its probes at most."""


class Ended(Exception):
    """A process of the demo ended by itself. ``str()`` says which one, and its last words."""


class Lab:
    """The lab, which does what it is told."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self._child = child
        self.ports = self._read_ports()

    def silence_trunk(self) -> None:
        self._tell(TRUNK_SILENT)

    def let_trunk_answer(self) -> None:
        self._tell(TRUNK_ANSWERS)

    def _tell(self, order: str) -> None:
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(f"{order}\n")
            self._child.stdin.flush()
        except BrokenPipeError:
            raise Ended("the lab ended by itself") from None

    def _read_ports(self) -> Ports:
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line:
            raise Ended("the lab did not start")
        return Ports(**json.loads(line))


@contextlib.contextmanager
def lab() -> Iterator[Lab]:
    """The lab, while the block runs."""
    with _leashed(["-m", "monitor.demo.lab"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        yield Lab(child)


@contextlib.contextmanager
def agent(configuration: Path, log: Path) -> Iterator[subprocess.Popen[str]]:
    """``ringback agent``, while the block runs; what it says goes to ``log``."""
    argv = ["-m", "monitor", "--config", str(configuration), "agent"]
    with log.open("ab") as out, _leashed(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out) as child:
        yield child


def ringback(configuration: Path, *words: str) -> str:
    """What a command of ours prints, on both streams. Raises Ended where it fails."""
    argv = [sys.executable, "-m", "monitor", "--config", str(configuration), *words]
    done = subprocess.run(  # noqa: S603
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        start_new_session=True,  # Ctrl-C is for the demo
    )
    if done.returncode:
        raise Ended(f"ringback {' '.join(words)} failed: {done.stdout.strip()}")
    return done.stdout


@contextlib.contextmanager
def _leashed(argv: Sequence[str], **streams: object) -> Iterator[subprocess.Popen[str]]:
    """A child in a session of its own, so that Ctrl-C reaches the demo alone, which ends it in order."""
    command = [sys.executable, "-m", "monitor.demo.leash", str(os.getpid()), sys.executable, *argv]
    child = subprocess.Popen(command, text=True, start_new_session=True, **streams)  # type: ignore[call-overload] # noqa: S603
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                stream.close()
