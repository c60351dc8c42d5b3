"""Is there an agent on this database, and how is it?"""

from __future__ import annotations

import http.client
import socket
import urllib.error
import urllib.request
from pathlib import Path

from monitor.doctor.finding import Finding

_LOCKS = Path("/proc/locks")
_PATIENCE_S = 3.0


def agent(listen: tuple[str, int], database: Path) -> Finding:
    """Looks at who holds the writer's lock (taking it ourselves might keep an agent from starting), then asks."""
    pid = _writer(database.with_name(database.name + ".lock"))
    host, port = listen
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if pid is None:
        if port and _taken(host, port):
            advice = "end that program, or set agent.listen to another address"
            return Finding(
                "agent", "fail", f"none runs here, and something else listens on {address}", advice
            )
        return Finding("agent", "warn", "none runs on this database", "systemctl start ringback")
    if not port:
        return Finding("agent", "ok", f"runs (pid {pid}); its address is any free one, so it was not asked")
    status, text = _ask(listen)
    if status == 200:
        return Finding("agent", "ok", f"runs (pid {pid}), probes and writes")
    if status is None:
        told = f"pid {pid} writes to the database and does not answer on {address}: {text}"
        return Finding("agent", "fail", told, "`journalctl -u ringback`; it may be starting, or hang")
    return Finding("agent", "fail", f"runs (pid {pid}) and is not ready: {text}", "`journalctl -u ringback`")


def _writer(lock: Path) -> int | None:
    """Whose process holds the lock. The device is not compared: overlay and btrfs show another one in stat(2)."""
    try:
        inode = str(lock.stat().st_ino)
        lines = _LOCKS.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        fields = line.split()
        if fields[1] == "FLOCK" and fields[5].rpartition(":")[2] == inode:
            return int(fields[4])
    return None


def _reachable(host: str) -> str:
    """Where to ask an agent that listens on every address."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


def _taken(host: str, port: int) -> bool:
    try:
        with socket.create_connection((_reachable(host), port), _PATIENCE_S):
            return True
    except OSError:
        return False


def _ask(listen: tuple[str, int]) -> tuple[int | None, str]:
    """Status and text of /readyz; no status where nothing answers."""
    host, port = _reachable(listen[0]), listen[1]
    url = f"http://[{host}]:{port}/readyz" if ":" in host else f"http://{host}:{port}/readyz"
    try:
        with urllib.request.urlopen(url, timeout=_PATIENCE_S) as answer:  # noqa: S310
            return answer.status, str(answer.read(500), "utf-8", "replace").strip()
    except urllib.error.HTTPError as error:
        return error.code, str(error.read(500), "utf-8", "replace").strip()
    except (OSError, http.client.HTTPException) as error:
        return None, str(error)
