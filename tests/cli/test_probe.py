"""`ringback probe`: one question, and what became of it."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
from click.testing import CliRunner, Result

from monitor.cli import main
from probes.prober import probers
from tests.agent.real import REPOSITORY, free_port


def probe(*words: str) -> Result:
    return CliRunner().invoke(main, ["probe", *words])


class _Pages(BaseHTTPRequestHandler):
    fails: ClassVar[set[int]] = set()
    asked: ClassVar[int] = 0

    def do_GET(self) -> None:
        if self.path == "/flapping":
            _Pages.asked += 1
            self.path = "/503" if _Pages.asked in self.fails else "/200"
        status = int(self.path.strip("/")) if self.headers.get("X-Key", "") in ("", "open") else 403
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    """A server that answers with the status that stands in the path; ``/flapping`` fails as _Pages is told."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_good_answer_ends_with_0_and_shows_its_phases(web: str) -> None:
    result = probe(f"{web}/200")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{web}/200: good (200 OK)\n")
    for phase in ("resolve", "connect", "processing", "transfer"):
        assert phase in result.stdout
    assert "end an outage" in result.stdout


def test_a_bad_answer_ends_with_1(web: str) -> None:
    result = probe(f"{web}/503")
    assert result.exit_code == 1
    assert "bad (503 Service Unavailable)" in result.stdout


def test_nobody_there_ends_with_1() -> None:
    result = probe(f"tcp://127.0.0.1:{free_port()}")
    assert result.exit_code == 1
    assert "refused" in result.stdout
    assert "nothing listens there" in result.stdout
    assert "counts this as down. 3 in a row (fall)" in result.stdout


def test_a_question_that_could_not_be_asked_ends_with_1_and_blames_us() -> None:
    result = (
        probe("tcp://[::ffff:0:0]:1")
        if not socket.has_ipv6
        else probe("tcp://127.0.0.1:1", "-o", "family=ipv6")
    )
    assert result.exit_code == 1
    assert "not asked" in result.stdout
    assert "never held against the target" in result.stdout


def test_a_degraded_answer_ends_with_0(web: str) -> None:
    result = probe(f"{web}/200", "-o", "latency_degraded=1ms", "--json")
    verdict = json.loads(result.stdout)["verdict"]
    assert verdict in ("good", "degraded")
    assert result.exit_code == 0


def test_json_holds_everything_that_was_seen(web: str) -> None:
    seen = json.loads(probe(f"{web}/204", "--json").stdout)
    assert seen["target"] == f"{web}/204"
    assert (seen["verdict"], seen["reason"]) == ("good", "204")
    assert seen["round_trip_s"] == pytest.approx(sum(seen["phases"].values()))
    assert seen["detail"]["status"] == 204
    assert seen["sent"].endswith("+00:00")
    assert seen["state"] == "up"
    assert "log" not in seen


def test_an_option_given_again_makes_a_list(web: str) -> None:
    assert probe(f"{web}/401", "-o", "status=2xx", "-o", "status=401").exit_code == 0
    assert probe(f"{web}/402", "-o", "status=2xx", "-o", "status=401", "-o", "status=404").exit_code == 1


def test_an_option_with_a_dot_makes_a_mapping(web: str) -> None:
    assert probe(f"{web}/200", "-o", "headers.X-Key=open").exit_code == 0
    assert probe(f"{web}/200", "-o", "headers.X-Key=shut").exit_code == 1


def test_an_option_can_be_a_json_list_or_mapping_and_is_text_where_it_is_no_json(web: str) -> None:
    assert probe(f"{web}/401", "-o", 'status=["2xx", "401"]').exit_code == 0
    assert probe(f"{web}/200", "-o", 'headers={"X-Key": "shut"}').exit_code == 1
    result = probe(f"{web}/200", "-o", "method=[A-Z]+")
    assert result.exit_code == 2
    assert "method: " in result.stderr


def test_it_gives_up_after_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        result = probe(url, "--timeout", "150ms", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["reason"] == "timeout"


def test_verbose_shows_each_step_with_its_instant() -> None:
    result = probe("icmp://127.0.0.1", "-o", "count=2", "--verbose")
    steps = re.findall(r"^ +\+(\d+\.\d{3}) ms  (.*)$", result.stdout, re.MULTILINE)
    assert [float(at) for at, _ in steps] == sorted(float(at) for at, _ in steps)
    assert sum("echo reply  number=" in what for _, what in steps) == 2
    log = json.loads(probe("icmp://127.0.0.1", "-v", "--json").stdout)["log"]
    assert log[0]["what"] == "resolved"
    assert log[0]["ms"] >= 0


def test_the_list_has_every_scheme_with_its_probers_own_words() -> None:
    result = probe("--list")
    assert result.exit_code == 0
    for scheme in probers():
        assert re.search(rf"\b{scheme}\b", result.stdout), scheme
    assert "ICMP echo, v4 and v6" in result.stdout


def test_repeated_probes_are_a_line_each_and_what_a_check_would_have_recorded(web: str) -> None:
    _Pages.asked, _Pages.fails = 0, {3, 4, 5}
    words = ["--repeat", "8", "--interval", "20ms", "--fall", "2", "--rise", "2"]
    result = probe(f"{web}/flapping", *words)
    assert result.exit_code == 1
    numbered = re.findall(
        r"^ +(\d)  (\S+)  (good|bad) +(?:\d+\.\d+ ms)? +(\d+ \w+)", result.stdout, re.MULTILINE
    )
    assert [verdict for _, _, verdict, _ in numbered] == ["good"] * 2 + ["bad"] * 3 + ["good"] * 3
    assert numbered[2][3] == "503 Service"
    began, ended = numbered[2][1], numbered[5][1]
    assert f"a check states: down from {began} on" in result.stdout
    assert re.search(rf"an outage from \S+T{began}\S* to \S+T{ended}", result.stdout)
    assert "5 good, 0 degraded, 3 bad, 0 not asked; 0.0% lost" in result.stdout


def test_repeated_probes_as_json_are_a_line_each_and_the_summary_is_the_last(web: str) -> None:
    _Pages.asked, _Pages.fails = 0, {2, 4, 5, 6}
    words = ["--repeat", "6", "--interval", "20ms", "--fall", "3", "--rise", "1", "--json"]
    *probes, last = map(json.loads, probe(f"{web}/flapping", *words).stdout.splitlines())
    assert [one["reason"] for one in probes] == ["200", "503", "200", "503", "503", "503"]
    summary = last["summary"]
    assert (summary["probes"], summary["good"], summary["bad"], summary["blips"]) == (6, 2, 4, 1)
    assert summary["outages"] == [{"from": probes[3]["sent"], "to": None, "for_ms": None, "reason": "503"}]
    assert summary["state"] == "down"
    trips = [one["round_trip_s"] for one in probes if one["round_trip_s"] is not None]
    assert (summary["rtt_min_s"], summary["rtt_max_s"]) == (min(trips), max(trips))


def ringback(*words: str, **environment: str) -> subprocess.Popen[bytes]:
    """The command as a process of its own, without any configuration."""
    surroundings = {**os.environ, "RINGBACK_CONFIG": "/nowhere", "PYTHONUNBUFFERED": "1", **environment}
    command = [sys.executable, "-m", "monitor", "probe", *words]
    return subprocess.Popen(
        command, cwd=REPOSITORY, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_ctrl_c_ends_a_series_with_its_summary() -> None:
    with ringback("icmp://127.0.0.1", "--repeat", "0", "--interval", "20ms") as process:
        assert process.stdout is not None
        seen = [process.stdout.readline() for _ in range(4)]
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=10)
    assert process.returncode == 0, errors
    assert b"good" in seen[0]
    assert b" 0 bad, 0 not asked; 0.0% lost" in rest
    assert b"would have recorded no outage" in rest


def test_ctrl_c_breaks_a_probe_off_that_has_no_answer_yet() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        ringback(f"http://127.0.0.1:{silent.getsockname()[1]}/", "--timeout", "60s") as process,
    ):
        silent.accept()
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=10)
    assert process.returncode == 1
    assert out == b""


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({"TERM": "xterm-256color"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False)],
)
def test_a_terminal_has_colours_unless_no_color_is_set(environment: dict[str, str], coloured: bool) -> None:
    ours, theirs = pty.openpty()
    surroundings = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
    command = [sys.executable, "-m", "monitor", "probe", "icmp://127.0.0.1"]
    with subprocess.Popen(command, cwd=REPOSITORY, env={**surroundings, **environment}, stdout=theirs):
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # EIO: the other end was closed
            while chunk := os.read(ours, 4096):
                shown += chunk
        os.close(ours)
    assert b"good" in shown
    assert bool(re.search(rb"\x1b\[[\d;]*3\d", shown)) is coloured


def test_a_pipe_has_no_colours_and_no_folded_lines() -> None:
    with ringback("icmp://127.0.0.1") as process:
        out, _ = process.communicate(timeout=10)
    assert b"\x1b" not in out
    assert b"A check counts this as up. 2 such answers in a row (rise) end an outage" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["tcp://127.0.0.1:1", "--interval", "1"], "expected a duration such as 500ms"),
        (["nothing:x"], "expected a target that starts with one of"),
        (["tcp://127.0.0.1"], "expected tcp://HOST:PORT"),
        (["tcp://127.0.0.1:1", "-o", "statu=1"], "statu: unknown; expected one of"),
        (["tcp://127.0.0.1:1", "-o", "family"], "expected KEY=VALUE, not 'family'"),
        (["tcp://127.0.0.1:1", "-o", "family=ipv5"], "family: "),
        (["tcp://127.0.0.1:1", "-o", "family=ipv4", "-o", "family.x=1"], "family is a mapping and a value"),
        (["tcp://127.0.0.1:1", "--timeout", "4"], "expected a duration such as 500ms"),
    ],
)
def test_a_question_that_makes_no_sense_ends_with_2_and_says_what_was_expected(
    words: list[str], message: str
) -> None:
    result = probe(*words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""
