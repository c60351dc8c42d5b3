"""What `ringback doctor` says of a sound host and of broken ones."""

from __future__ import annotations

import fcntl
import json
import os
import resource
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from monitor.cli import main
from monitor.doctor import Finding, running
from monitor.doctor.network import open_files
from monitor.store.database import open_for_writing
from monitor.store.signing_key import private_path, signing_key
from tests.agent.real import free_port

Doctor = Callable[[], tuple[int, dict[str, Finding]]]


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A directory with a configuration that has nothing wrong with it."""
    (tmp_path / "ringback.yml").write_text(
        f"agent: {{state_dir: state, listen: 127.0.0.1:{free_port()}}}\n"
        "services:\n  - {id: link, checks: [tcp://127.0.0.1:1]}\n"
    )
    (tmp_path / "state").mkdir()
    return tmp_path


@pytest.fixture
def doctor(host: Path) -> Doctor:
    def examine() -> tuple[int, dict[str, Finding]]:
        result = CliRunner().invoke(main, ["--config", str(host / "ringback.yml"), "doctor", "--json"])
        found: list[dict[str, Any]] = json.loads(result.stdout)
        return result.exit_code, {one["subject"]: Finding(**one) for one in found}

    return examine


def test_a_sound_host_has_nothing_that_fails(doctor: Doctor) -> None:
    code, findings = doctor()
    assert code == 0
    assert [f for f in findings.values() if f.level == "fail"] == []
    assert findings["configuration"].message.endswith("1 services, 1 checks")
    assert findings["snmp ciphers"].level == "ok"
    assert findings["database"].message.endswith("the agent makes it")


def test_every_finding_that_is_not_ok_says_what_to_do(doctor: Doctor, host: Path) -> None:
    (host / "ringback.yml").write_text("services: 3\n")
    _, findings = doctor()
    assert all(finding.advice for finding in findings.values() if finding.level != "ok")


def test_a_mistake_in_the_configuration_fails_with_its_place(doctor: Doctor, host: Path) -> None:
    with (host / "ringback.yml").open("a") as file:
        file.write("    chekcs: []\n    kind: bridge\n")
    code, findings = doctor()
    assert code == 1
    assert "ringback.yml:" in findings["configuration"].message
    assert "state directory" not in findings


def test_a_state_directory_that_is_a_file_fails(doctor: Doctor, host: Path) -> None:
    (host / "state").rmdir()
    (host / "state").write_text("")
    code, findings = doctor()
    assert (code, findings["state directory"].level) == (1, "fail")


def test_a_damaged_database_fails(doctor: Doctor, host: Path) -> None:
    database = host / "state" / "ringback.db"
    with closing(open_for_writing(database)) as db:
        db.executemany("INSERT INTO services (id) VALUES (?)", [(f"service-{n:050}",) for n in range(2_000)])
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert doctor()[1]["database"].level == "ok"
    with database.open("r+b") as file:
        file.seek(database.stat().st_size - 20_000)
        file.write(os.urandom(12_000))
    code, findings = doctor()
    assert (code, findings["database"].level) == (1, "fail")
    assert "damaged" in findings["database"].message


def test_a_key_that_others_can_read_is_warned_of_and_one_that_is_none_fails(
    doctor: Doctor, host: Path
) -> None:
    assert doctor()[1]["signing key"].message.endswith("the agent makes it")
    assert not private_path(host / "state").exists()
    key = signing_key(host / "state")
    finding = doctor()[1]["signing key"]
    assert (finding.level, key.signer.hex() in finding.message) == ("ok", True)
    private_path(host / "state").chmod(0o640)
    assert doctor()[1]["signing key"].level == "warn"
    private_path(host / "state").chmod(0o600)
    private_path(host / "state").write_text("no key")
    assert doctor()[1]["signing key"].level == "fail"


def test_something_that_is_no_database_fails(doctor: Doctor, host: Path) -> None:
    (host / "state" / "ringback.db").write_text("nothing that SQLite ever wrote" * 100)
    assert doctor()[1]["database"].level == "fail"


def test_a_database_of_another_program_fails(doctor: Doctor, host: Path) -> None:
    with closing(sqlite3.connect(host / "state" / "ringback.db")) as db:
        db.execute("CREATE TABLE notes (text)")
    assert doctor()[1]["database"].level == "fail"


def test_an_address_that_something_else_has_fails(doctor: Doctor, host: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        (host / "ringback.yml").write_text(f"agent: {{state_dir: state, listen: 127.0.0.1:{port}}}\n")
        code, findings = doctor()
    assert (code, findings["agent"].level) == (1, "fail")
    assert "something else" in findings["agent"].message


def test_a_writer_that_does_not_answer_fails_with_its_pid(host: Path) -> None:
    database = host / "ringback.db"
    lock = os.open(f"{database}.lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        finding = running.agent(("127.0.0.1", free_port()), database)
    finally:
        os.close(lock)
    assert finding.level == "fail"
    assert f"pid {os.getpid()}" in finding.message


def test_looking_for_the_agent_does_not_take_its_lock(host: Path) -> None:
    database = host / "ringback.db"
    running.agent(("127.0.0.1", free_port()), database)
    assert not database.with_name("ringback.db.lock").exists()


def test_too_few_open_files_are_noticed() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (60, hard))
        finding = open_files(None)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert finding.level == "warn"


def test_the_words_for_people_have_a_line_a_finding(host: Path) -> None:
    result = CliRunner().invoke(main, ["--config", str(host / "ringback.yml"), "doctor"])
    lines = [line for line in result.stdout.splitlines() if not line.startswith("      -> ")]
    assert len(lines) >= 10
    assert all(line.split()[0] in ("ok", "warn", "fail") for line in lines)
