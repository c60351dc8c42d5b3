"""`ringback probe`: one question, and what became of it."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner, Result

from monitor.cli import main
from tests.agent.real import free_port


def probe(*words: str) -> Result:
    return CliRunner().invoke(main, ["probe", *words])


class _Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status = int(self.path.strip("/")) if self.headers.get("X-Key", "") in ("", "open") else 403
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    """A server that answers with the status that stands in the path."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_good_answer_ends_with_0_and_shows_its_phases(web: str) -> None:
    result = probe(f"{web}/200")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{web}/200: good (200)\n")
    for phase in ("resolve", "connect", "processing", "transfer"):
        assert phase in result.stdout
    assert "end an outage" in result.stdout


def test_a_bad_answer_ends_with_1(web: str) -> None:
    result = probe(f"{web}/503")
    assert result.exit_code == 1
    assert "bad (503)" in result.stdout


def test_nobody_there_ends_with_1() -> None:
    result = probe(f"tcp://127.0.0.1:{free_port()}")
    assert result.exit_code == 1
    assert "refused" in result.stdout


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


def test_an_option_given_again_makes_a_list(web: str) -> None:
    assert probe(f"{web}/401", "-o", "status=2xx", "-o", "status=401").exit_code == 0
    assert probe(f"{web}/402", "-o", "status=2xx", "-o", "status=401", "-o", "status=404").exit_code == 1


def test_an_option_with_a_dot_makes_a_mapping(web: str) -> None:
    assert probe(f"{web}/200", "-o", "headers.X-Key=open").exit_code == 0
    assert probe(f"{web}/200", "-o", "headers.X-Key=shut").exit_code == 1


def test_it_gives_up_after_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        result = probe(url, "--timeout", "150ms", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["reason"] == "timeout"


@pytest.mark.parametrize(
    ("words", "message"),
    [
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
