"""`ringback reflect` as a process of its own, asked by `ringback probe`."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from monitor.cli import main
from monitor.reflect.networks import Networks, parse_network
from monitor.reflect.place import parse_place
from tests.agent.real import COMMAND, REPOSITORY
from tests.peers import peer

UNIT = REPOSITORY / "systemd" / "ringback-reflect.service"
INSTALLED = "/opt/ringback/bin/ringback"


class Reflecting:
    """The process, and what it said."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self.child = child
        self.said: list[dict[str, Any]] = []

    def hear(self, event: str) -> dict[str, Any]:
        """The next line about that event; the process ends its log where it ends itself."""
        assert self.child.stderr is not None
        for line in self.child.stderr:
            self.said.append(json.loads(line))
            if self.said[-1]["event"] == event:
                return self.said[-1]
        raise AssertionError(f"it ended without saying {event!r}: {self.said}")

    def port(self, of: str = "stamp") -> int:
        return int(self.hear("ready")[of].rpartition(":")[2])

    def stop(self, number: int) -> dict[str, Any]:
        self.child.send_signal(number)
        stopped = self.hear("stopped")
        assert self.child.wait(10) == 0
        return stopped


@contextmanager
def reflecting(*words: str, **environment: str) -> Iterator[Reflecting]:
    child = subprocess.Popen(
        [*COMMAND, "reflect", *words],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Reflecting(child)
    finally:
        child.kill()
        child.wait()


def ringback(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def test_two_of_them_measure_the_path_to_each_other() -> None:
    words = ("--allow", "127.0.0.0/8", "--allow", "::1", "--listen-stamp", "*:0", "--no-sip")
    with reflecting(*words) as one, reflecting(*words) as other:
        for end in (one, other):
            port = end.port()
            for host in ("127.0.0.1", "[::1]"):
                seen = ringback("probe", f"stamp://{host}:{port}", "-o", "count=3", "--json")
                detail = json.loads(seen.stdout)["detail"]
                assert (seen.exit_code, detail["received"], detail["reflector"]) == (0, 3, "stateful")
        assert one.stop(signal.SIGTERM)["reflected"] == 6
        assert other.stop(signal.SIGINT)["reflected"] == 6


def test_two_of_them_call_each_other_and_hang_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))  # calls of an hour are remembered there
    words = ("--allow", "127.0.0.0/8", "--allow", "::1", "--listen-sip", "*:0", "--no-stamp")
    options = ("-o", "duration=600ms", "--timeout", "14s", "--json")
    with reflecting(*words) as one, reflecting(*words) as other:
        for end in (one, other):
            port = end.port("sip")
            for place in (f"127.0.0.1:{port}", f"[::1]:{port};transport=tcp"):
                asked = ringback("probe", f"sip:echo@{place}", "--json")
                assert json.loads(asked.stdout)["detail"]["server"] == "Ringback"
                called = ringback("probe", f"call:echo@{place}", *options)
                record = json.loads(called.stdout)
                assert (called.exit_code, record["reason"]) == (0, "200")
                assert record["detail"]["rtp_lost"] == record["detail"]["far_loss_percent"] == 0
            end.stop(signal.SIGTERM)


def test_it_tells_once_of_each_source_that_it_does_not_answer() -> None:
    with reflecting("--allow", "10.0.0.0/8", "--listen-stamp", "127.0.0.1:0", "--no-sip") as end:
        port = end.port()
        seen = ringback("probe", f"stamp://127.0.0.1:{port}", "-o", "count=3", "--timeout", "300ms", "--json")
        assert json.loads(seen.stdout)["reason"] == "timeout"
        stopped = end.stop(signal.SIGTERM)
    told = [line["source"] for line in end.said if line["event"] == "not in an allowed network"]
    assert (told, stopped["refused"], stopped["reflected"]) == (["127.0.0.1"], 3, 0)


def test_it_says_to_systemd_when_it_is_ready_and_when_it_stops(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(10)
        words = ("--allow", "any", "--listen-stamp", "127.0.0.1:0", "--no-sip")
        with reflecting(*words, NOTIFY_SOCKET=str(tmp_path / "notify")) as end:
            ready, _, status = manager.recv(4096).decode().partition("\n")
            assert ready == "READY=1"
            assert re.fullmatch(r"STATUS=answering stamp at 127\.0\.0\.1:\d+", status)
            end.stop(signal.SIGTERM)
            assert manager.recv(4096) == b"STOPPING=1"


def test_a_place_that_is_taken_ends_it_with_1_and_says_which() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        result = ringback("reflect", "--allow", "any", "--no-sip", "--listen-stamp", place)
    assert result.exit_code == 1
    assert result.stderr == f"ringback: cannot listen at {place}: Address already in use\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "say whom to answer"),
        (["--allow", "10.1.2.3/8"], "10.1.2.3/8 has host bits set"),
        (["--allow", "everybody"], "expected a network such as 10.20.0.0/16, or any"),
        (["--allow", "any", "--no-sip", "--no-stamp"], "nothing to answer"),
        (["--allow", "any", "--listen-stamp", "862"], "expected an address and a port"),
        (["--allow", "any", "--listen-stamp", "::1:862"], "expected an address and a port"),
        (["--allow", "any", "--listen-stamp", "[*]:862"], "expected an address and a port"),
        (["--allow", "any", "--listen-sip", ":5060"], "expected an address and a port"),
        (["--allow", "any", "--listen-stamp", "*:65536"], "expected an address and a port"),
    ],
)
def test_a_call_that_makes_no_sense_ends_with_2_and_says_what_was_expected(
    words: list[str], message: str
) -> None:
    result = ringback("reflect", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in " ".join(result.stderr.split())


@pytest.mark.parametrize("text", ["127.0.0.1:862", "[::1]:5060", "*:0", "[fe80::1%eth0]:65535"])
def test_a_place_is_read_as_it_is_written(text: str) -> None:
    assert str(parse_place(text)) == text


def test_networks_are_of_both_families_and_any_is_all() -> None:
    refused: list[str] = []
    some = Networks(
        [*parse_network("10.0.0.0/8"), *parse_network("fd00::/8"), *parse_network("::1")], refused.append
    )
    assert [some(host) for host in ("10.1.2.3", "11.1.2.3", "fd00::1", "fe80::1", "::1")] == [1, 0, 1, 0, 1]
    assert some("::ffff:10.1.2.3")
    assert not some("11.1.2.3")
    assert refused == ["11.1.2.3", "fe80::1"]
    every = Networks(parse_network("any"), refused.append)
    assert every("203.0.113.1")
    assert every("2001:db8::1")


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit as shipped, with a program in ExecStart that this host has."""
    text = UNIT.read_text()
    assert text.count(INSTALLED) == 1
    unit = tmp_path / UNIT.name
    unit.write_text(text.replace(INSTALLED, sys.executable))
    return unit


def test_systemd_takes_the_unit_and_finds_it_little_exposed(unit: Path) -> None:
    argv = [peer("systemd-analyze"), "--no-pager"]
    verified = subprocess.run([*argv, "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")
    told = subprocess.run(
        [*argv, "security", "--offline=true", str(unit)], capture_output=True, text=True, check=True
    ).stdout
    score = re.search(r"Overall exposure level for ringback-reflect.service: (\d+\.\d)", told)
    assert score is not None, told
    assert float(score[1]) <= 1.8
