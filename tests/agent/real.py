"""Real peers and the real agent, each a process that can be killed and started again."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.peers import peer

REPOSITORY = Path(__file__).parents[2]


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def eventually(condition: Callable[[], Any], within_s: float = 20.0) -> Any:
    """The condition's first true value; fails when there is none in time. Errors count as not yet."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            if value := condition():
                return value
        except (OSError, sqlite3.Error, KeyError, IndexError):
            pass
        assert time.monotonic() < deadline, f"not within {within_s} s: {condition}"
        time.sleep(0.02)


class Process:
    """A program that is started, killed (SIGKILL) and started again, and never outlives its test."""

    def __init__(self, argv: list[str], ready: Callable[[], bool], log: Path) -> None:
        self._argv = argv
        self._ready = ready
        self.log = log
        self.child: subprocess.Popen[bytes] | None = None

    def launch(self) -> None:
        """Start it, without waiting for anything."""
        with self.log.open("ab") as out:
            self.child = subprocess.Popen(
                self._argv,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=REPOSITORY,
                start_new_session=True,
            )

    def start(self, within_s: float = 20.0) -> int:
        """Start it and wait until it answers; the wall time in ms by which it did."""
        self.launch()
        eventually(self._is_up, within_s)
        return now_ms()

    def kill(self) -> int:
        """SIGKILL to it and its children; the wall time in ms just after."""
        self.signal(signal.SIGKILL)
        assert self.child is not None
        self.child.wait(10)
        return now_ms()

    def signal(self, number: int) -> None:
        assert self.child is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child.pid, number)

    def _is_up(self) -> bool:
        assert self.child is not None
        assert self.child.poll() is None, self.log.read_text(errors="replace")[-4000:]
        return self._ready()


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def accepts(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), 1):
        return True


def kamailio(directory: Path, port: int) -> Process:
    """Answers OPTIONS with 200 over UDP and TCP."""
    config = directory / "kamailio.cfg"
    config.write_text(
        f"""#!KAMAILIO
listen=udp:127.0.0.1:{port}
listen=tcp:127.0.0.1:{port}
children=1
tcp_children=1
log_stderror=yes
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
request_route {{
    if (is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
    sl_send_reply("405", "Method Not Allowed");
}}
"""
    )
    where = str(directory)
    argv = [peer("kamailio"), "-f", str(config), "-DD", "-E", "-m", "64", "-M", "8"]
    argv += ["-w", where, "-Y", where, "-P", f"{where}/kamailio.pid"]
    return Process(argv, lambda: accepts(port), directory / "kamailio.log")


def nginx(directory: Path, port: int) -> Process:
    config = directory / "nginx.conf"
    config.write_text(
        f"""daemon off; master_process off; pid {directory}/nginx.pid; error_log {directory}/nginx-error.log;
events {{}}
http {{
    access_log off; client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi; uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
    server {{ listen 127.0.0.1:{port}; location / {{ return 200 "ok"; }} }}
}}
"""
    )
    argv = [peer("nginx"), "-c", str(config), "-p", str(directory), "-e", str(directory / "nginx-error.log")]
    return Process(argv, lambda: accepts(port), directory / "nginx.log")


def snmpd(directory: Path, port: int) -> Process:
    state = directory / "snmp-state"
    state.mkdir(exist_ok=True)
    config = directory / "snmpd.conf"
    config.write_text("rocommunity public 127.0.0.1\nsysServices 72\n")
    argv = [
        "/usr/bin/env",
        f"SNMP_PERSISTENT_DIR={state}",
        peer("snmpd"),
        "-f",
        "-Lo",
        "-C",
        "-c",
        str(config),
    ]
    argv += ["-p", f"{directory}/snmpd.pid", f"udp:127.0.0.1:{port}"]

    def answers() -> bool:
        get = [
            peer("snmpget"),
            "-v2c",
            "-c",
            "public",
            "-r0",
            "-t1",
            f"127.0.0.1:{port}",
            "1.3.6.1.2.1.1.3.0",
        ]
        return subprocess.run(get, capture_output=True, check=False).returncode == 0

    return Process(argv, answers, directory / "snmpd.log")


class Ringback(Process):
    """The agent on a configuration, its database and its HTTP side."""

    def __init__(self, directory: Path, services: str, agent: str = "", defaults: str = "") -> None:
        self.directory = directory
        self.port = free_port()
        self.config = directory / "ringback.yml"
        self.database = directory / "state" / "ringback.db"
        self.services, self.agent, self.defaults = services, agent, defaults
        self.write()
        super().__init__(
            [*COMMAND, "--config", str(self.config), "agent"], self._serves, directory / "agent.log"
        )

    def write(self) -> None:
        """Write the configuration file."""
        defaults = (
            self.defaults or "{interval: 500ms, timeout: 400ms, fall: 3, rise: 2, retry_interval: 500ms}"
        )
        self.config.write_text(
            f"agent:\n  name: test-probe\n  state_dir: {self.directory}/state\n"
            f"  listen: 127.0.0.1:{self.port}\n{self.agent}"
            f"plans: [plans/mixvoip.yml]\ndefaults: {defaults}\nservices:\n{self.services}"
        )

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return str(answer.read(), "utf-8")

    def metric(self, series: str) -> float | None:
        """The value of one series, written as it is exposed."""
        for line in self.get("/metrics").splitlines():
            if line.startswith(series + " "):
                return float(line.rsplit(" ", 1)[1])
        return None

    def state(self, service: str) -> str | None:
        """The state that /metrics shows."""
        for word in ("up", "degraded", "down", "unknown"):
            if self.metric(f'ringback_service_state{{service="{service}",state="{word}"}}') == 1:
                return word
        return None

    def rows(self, sql: str, *parameters: object) -> list[dict[str, Any]]:
        """What any SQLite program would read from the database now."""
        db = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)
        try:
            db.row_factory = sqlite3.Row
            return [dict(row) for row in db.execute(sql, parameters)]
        finally:
            db.close()

    def down_spans(self, service: str) -> list[dict[str, Any]]:
        return self.rows(
            "SELECT spans.* FROM spans JOIN services ON services.key = service"
            " WHERE id = ? AND state = 'down' ORDER BY from_ms",
            service,
        )

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One of the operators' commands, beside the running agent."""
        argv = [*COMMAND, "--config", str(self.config), *words]
        return subprocess.run(argv, capture_output=True, text=True, check=False, cwd=REPOSITORY, timeout=60)

    def json(self, *words: str) -> Any:
        done = self.command(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def _serves(self) -> bool:
        return bool(self.get("/readyz"))


COMMAND = [sys.executable, "-m", "monitor"]


@contextlib.contextmanager
def running(*processes: Process) -> Iterator[None]:
    try:
        for process in processes:
            process.start()
        yield
    finally:
        for process in reversed(processes):
            if process.child is not None and process.child.poll() is None:
                process.kill()
