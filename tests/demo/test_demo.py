"""`ringback demo` from its first line to its last, as somebody sees it who just typed `make run`."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.agent.real import COMMAND, REPOSITORY, eventually


class Demo:
    """A demo that runs, and what it has said so far."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self.child = child
        self.said = ""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def says(self, words: str, within_s: float) -> None:
        """Wait for the words."""
        end = time.monotonic() + within_s
        while words not in self.said:
            in_time = self._reader.is_alive() and time.monotonic() < end
            assert in_time, f"{words!r} was not said:\n{self.said}"
            time.sleep(0.05)

    def ends(self, within_s: float = 30.0) -> int:
        code = self.child.wait(within_s)
        self._reader.join()
        return code

    def family(self) -> set[int]:
        """The processes that it has started."""
        pid = self.child.pid
        return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))

    def _read(self) -> None:
        assert self.child.stdout is not None
        for line in self.child.stdout:
            self.said += line


@contextmanager
def demo(*words: str) -> Iterator[Demo]:
    child = subprocess.Popen(
        [*COMMAND, "demo", "--port", "0", *words],
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    running = Demo(child)
    try:
        yield running
    finally:
        child.kill()
        running.ends()


def is_gone(pid: int) -> bool:
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return True


def test_it_tells_its_story_and_ends_on_ctrl_c(tmp_path: Path) -> None:
    with demo("--dir", str(tmp_path / "demo")) as running:
        running.says("Your turn.", 60)
        children = running.family()
        running.child.send_signal(signal.SIGINT)
        assert running.ends() == 0, running.said
    said = running.said
    assert len(children) == 2
    assert all(is_gone(pid) for pid in children)
    assert [int(number) for number in re.findall(r"^(\d)\. ", said, re.MULTILINE)] == list(range(1, 8))
    assert "Traceback" not in said
    assert re.search(r"status page will be at http://127\.0\.0\.1:\d+/", said)
    assert re.search(r"north-trunk.*EUR", said), "the credit of last month"
    assert 'down.  /metrics: ringback_service_up{service="north-trunk"} 0' in said
    assert 'up.  /metrics: ringback_service_up{service="north-trunk"} 1' in said
    assert (tmp_path / "demo" / "ringback.yml").exists()
    again = [
        *COMMAND,
        "--config",
        str(tmp_path / "demo" / "ringback.yml"),
        "outages",
        "--service",
        "north-trunk",
    ]
    outages = subprocess.run(again, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert re.search(r"north-trunk .*probe", outages)


def test_it_ends_by_itself_and_leaves_nothing_behind() -> None:
    with demo("--seconds", "4") as running:
        assert running.ends() == 0, running.said
    directory = re.search(r"Wrote (/\S+)/ringback.yml", running.said)
    assert directory is not None
    assert not Path(directory[1]).exists()
    assert running.said.rstrip().endswith("Nothing is left behind.")


def test_its_processes_end_even_when_it_is_killed(tmp_path: Path) -> None:
    with demo("--dir", str(tmp_path)) as running:
        running.says("An outage:", 40)
        children = running.family()
        running.child.send_signal(signal.SIGKILL)
        running.ends()
        assert len(children) == 2
        eventually(lambda: all(is_gone(pid) for pid in children), 20)


def test_another_port_is_taken_where_the_first_one_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with demo("--port", str(port), "--seconds", "1") as running:
            assert running.ends() == 0, running.said
    assert re.search(r"status page will be at http://127\.0\.0\.1:\d+/", running.said)
    assert f"127.0.0.1:{port}/" not in running.said
