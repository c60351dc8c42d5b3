"""A real Uptime Kuma on loopback: set up, told what to do, and asked for its own numbers."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.agent.real import Process, free_port
from tests.peers import peer, peer_folder

DOWN, UP, PENDING, MAINTENANCE = range(4)

_HERE = Path(__file__).parent
_ACCOUNT = ("ringback", "loopback-0nly")
_LONG = 100 * 365 * 24
"""Hours before now within which all heartbeats are."""


class Kuma:
    """Uptime Kuma with a folder of its own; the environment says where it is installed (UPTIME_KUMA)."""

    def __init__(self, folder: Path) -> None:
        self._installed = peer_folder("Uptime Kuma", "UPTIME_KUMA")
        self.data = folder / "data"
        self.data.mkdir()
        (self.data / "db-config.json").write_text('{"type": "sqlite"}')
        self.file = self.data / "kuma.db"
        port = free_port()
        self._address = f"http://127.0.0.1:{port}"
        # it looks for news about itself, and must not from here: nothing listens on port 9
        argv = ["/usr/bin/env", "-C", str(self._installed), "https_proxy=http://127.0.0.1:9"]
        argv += [peer("node"), "server/server.js", "--host=127.0.0.1", f"--port={port}"]
        self._process = Process([*argv, f"--data-dir={self.data}/"], self._serves, folder / "kuma.log")

    @contextmanager
    def running(self) -> Iterator[None]:
        try:
            self._process.start(within_s=60)
            yield
        finally:
            self._process.kill()

    def stop(self) -> None:
        """End it as its service does, which closes the database."""
        self._process.signal(signal.SIGTERM)
        assert self._process.child is not None
        self._process.child.wait(30)

    def set_up(self, monitors: Sequence[dict[str, Any]]) -> None:
        """Make its account, and bring monitors in as its backup does, which takes any interval."""
        backup = {"version": "1.22.0", "notificationList": [], "proxyList": [], "monitorList": monitors}
        self._call(["setup", *_ACCOUNT])
        self.call(["uploadBackup", json.dumps(backup), "keep"])

    def call(self, *events: list[Any]) -> list[dict[str, Any]]:
        """Say events with the account, and their answers."""
        name, password = _ACCOUNT
        return self._call(["login", {"username": name, "password": password, "token": ""}], *events)[1:]

    def beats(self, monitor: str) -> list[tuple[str, int]]:
        """Time and status of its heartbeats."""
        with closing(sqlite3.connect(f"file:{self.file}?mode=ro", uri=True)) as db:
            return db.execute(
                "SELECT time, status FROM heartbeat JOIN monitor ON monitor.id = monitor_id WHERE name = ?"
                " ORDER BY heartbeat.id",
                (monitor,),
            ).fetchall()

    def uptime(self, *monitors: int) -> list[float]:
        """What it says itself of all that it recorded of each monitor (its number), while it does not run."""
        where = (self._installed, f"{self.data}/", _LONG, *monitors)
        return list(json.loads(self._node("kuma_uptime.cjs", *where).splitlines()[-1]))

    def _call(self, *events: list[Any]) -> list[dict[str, Any]]:
        said = self._node("kuma_calls.cjs", self._installed, self._address, stdin=json.dumps(events))
        answers: list[dict[str, Any]] = json.loads(said)
        assert all(answer["ok"] for answer in answers), answers
        return answers

    def _node(self, script: str, *arguments: object, stdin: str = "") -> str:
        argv = [peer("node"), str(_HERE / script), *map(str, arguments)]
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _serves(self) -> bool:
        with urllib.request.urlopen(self._address, timeout=5) as answer:
            return bool(answer.status == 200)


def monitor(name: str, url: str = "http://127.0.0.1:9/", **more: Any) -> dict[str, Any]:
    """A monitor as a backup has it: paused, one heartbeat a minute, no retries."""
    settled = {"type": "http", "timeout": 5, "maxredirects": 0, "accepted_statuscodes": ["200-299"]}
    off = dict.fromkeys(("invertKeyword", "upsideDown", "ignoreTls"), False)
    often = {"interval": 60, "retryInterval": 60, "maxretries": 0, "active": 0}
    lists = {"tags": [], "notificationIDList": {}}
    return {"name": name, "url": url} | settled | off | often | lists | more
