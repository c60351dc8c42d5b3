"""Why `ringback agent` does not start, said in a line, with the exit code that systemd looks at."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
from pathlib import Path

from tests.agent.real import COMMAND, REPOSITORY, free_port


def agent(configuration: Path) -> subprocess.CompletedProcess[str]:
    """The agent, which is expected to end by itself."""
    argv = [*COMMAND, "--config", str(configuration), "agent"]
    return subprocess.run(
        argv,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        stdin=subprocess.DEVNULL,
    )


def write(directory: Path, port: int, services: str = "services: []\n") -> Path:
    path = directory / "ringback.yml"
    path.write_text(f"agent: {{state_dir: state, listen: 127.0.0.1:{port}}}\n{services}")
    return path


def test_a_mistake_in_the_configuration_ends_with_3_and_a_line_for_each(tmp_path: Path) -> None:
    done = agent(write(tmp_path, free_port(), "services:\n  - id: a b\n    kind: bridge\n"))
    assert done.returncode == 3
    lines = done.stderr.splitlines()
    assert [line.split(": ")[1] for line in lines] == ["services[0].id", "services[0].kind"]
    assert not (tmp_path / "state").exists()


def test_no_configuration_ends_with_3(tmp_path: Path) -> None:
    done = agent(tmp_path / "nothing.yml")
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1


def test_an_address_that_is_taken_ends_with_1_and_names_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = agent(write(tmp_path, port))
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "address already in use" in last
    assert str(port) in last
    assert "Traceback" not in done.stderr


def test_a_database_that_has_a_writer_ends_with_1_and_names_it(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    database = tmp_path / "state" / "ringback.db"
    lock = os.open(f"{database}.lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = agent(write(tmp_path, free_port()))
    finally:
        os.close(lock)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"ringback: {database}: another process is writing to it"
