"""What an HTTP probe makes of an answer: TLS, headers, body, compression, JSON, certificates that end."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import ssl
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from multidict import CIMultiDict
from pydantic import ValidationError

from probes.http import HttpOptions, HttpProber
from probes.http.body import Body
from probes.http.judgement import Answer, judged
from probes.outcome import Outcome, Verdict
from tests.pace import lasting, longest_turn_s
from tests.probes.certificates import Authority, Certificate
from tests.probes.daemons import free_port
from tests.probes.nginx import files, nginx
from tests.probes.servers import Handler, server_in_a_thread, stream_server

PAGE = '{"status": "ok", "trunks": [{"name": "acme", "calls": 3}]}'

_SERVERS = """
  server {{
    listen 127.0.0.1:{plain};
    root {folder};
    default_type application/json;
    location / {{ }}
    location /zipped/ {{ alias {folder}/; gzip on; gzip_types *; gzip_min_length 1; }}
    location = /to-tls {{ return 302 https://localhost:{secured}/page.json; }}
  }}
  server {{
    listen 127.0.0.1:{secured} ssl; {certificate} default_type application/json;
    root {folder};
    location = /to-plain {{ return 302 http://localhost:{plain}/page.json; }}
  }}
  server {{
    listen 127.0.0.1:{demanding} ssl; {certificate}
    ssl_client_certificate {ca_file}; ssl_verify_client on; root {folder};
  }}
"""


@dataclass(frozen=True, slots=True)
class Nginx:
    plain: int
    secured: int
    demanding: int
    authority: Authority
    certificate: Certificate


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "page.json").write_text(PAGE)
    authority = Authority(folder)
    certificate = authority.certificate("localhost", timedelta(days=7))
    ports = {name: free_port() for name in ("plain", "secured", "demanding")}
    told = {"folder": folder, "certificate": files(certificate), "ca_file": authority.ca_file}
    with nginx(folder, _SERVERS.format(**ports, **told), ports["demanding"]):
        yield Nginx(**ports, authority=authority, certificate=certificate)


def probe(url: str, **options: object) -> Outcome:
    async def scenario() -> Outcome:
        prober = HttpProber()
        told = HttpOptions.model_validate({"family": "ipv4", "timeout": "2s", **options})
        outcome = await prober.probe(HttpProber.parse(url), told)
        await prober.close()
        return outcome

    return asyncio.run(scenario())


def probe_server(handler: Handler, **options: object) -> Outcome:
    async def scenario() -> Outcome:
        prober = HttpProber()
        told = HttpOptions.model_validate({"timeout": "2s", **options})
        async with stream_server(handler) as port:
            outcome = await prober.probe(HttpProber.parse(f"http://127.0.0.1:{port}/"), told)
        await prober.close()
        return outcome

    return asyncio.run(scenario())


def answers(body: bytes, *headers: str) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", ""]
        writer.write("\r\n".join(head).encode() + body)
        await writer.drain()

    return handler


def shown(outcome: Outcome) -> dict[str, float]:
    """The metrics without labels."""
    return {
        metric.name: value
        for metric in HttpProber.metrics
        for labels, value in metric.samples(outcome)
        if not labels
    }


def reason(body: str | bytes = "", headers: dict[str, str] | None = None, **options: object) -> str:
    """Of a 200 over TLS, as HTTP/1.1."""
    data = body.encode() if isinstance(body, str) else body
    answer = Answer(200, "1.1", True, CIMultiDict(headers or {}), Body(len(data), data))
    found = judged(answer, HttpOptions.model_validate(options))
    assert (found.verdict is Verdict.GOOD) == (found.reason == "200")
    return found.reason


def test_nginx_answers_as_it_was_promised(server: Nginx) -> None:
    outcome = probe(
        f"https://localhost:{server.secured}/page.json",
        ca_file=server.authority.ca_file,
        http_versions=["HTTP/1.1"],
        require_tls=True,
        header_matches=[{"header": "content-type", "regexp": "^application/json"}],
        header_rejects=[{"header": "X-Debug", "regexp": ".", "allow_missing": True}],
        body_matches=['"status": "ok"'],
        body_rejects=["(?i)error"],
        json_matches=[{"path": "$.trunks[?@.name=='acme'].calls", "min": 1, "max": 5}],
    )
    assert (outcome.verdict, outcome.reason) == (Verdict.GOOD, "200")
    metrics = shown(outcome)
    assert metrics["probe_http_status_code"] == 200
    assert metrics["probe_http_version"] == 1.1
    assert metrics["probe_http_ssl"] == 1
    assert metrics["probe_http_content_length"] == len(PAGE)
    assert metrics["probe_http_uncompressed_body_length"] == len(PAGE)
    assert metrics["probe_http_redirects"] == 0
    assert metrics["probe_failed_due_to_regex"] == 0
    assert metrics["probe_http_last_modified_timestamp_seconds"] == pytest.approx(time.time(), abs=60)
    assert metrics["probe_ssl_earliest_cert_expiry"] == server.certificate.expires.timestamp()


def test_metrics_without_an_answer_are_there_and_zero() -> None:
    metrics = shown(Outcome(Verdict.BAD, 0, "refused"))
    assert set(metrics.values()) == {0}
    assert {"probe_http_status_code", "probe_failed_due_to_regex", "probe_http_ssl"} <= set(metrics)


def test_the_last_hop_is_the_one_that_is_judged_and_told(server: Nginx) -> None:
    up = probe(f"http://localhost:{server.plain}/to-tls", ca_file=server.authority.ca_file, require_tls=True)
    assert up.verdict is Verdict.GOOD
    assert shown(up)["probe_http_ssl"] == 1
    down = probe(f"https://localhost:{server.secured}/to-plain", verify_tls=False, refuse_tls=True)
    assert down.verdict is Verdict.GOOD
    assert shown(down)["probe_http_ssl"] == 0
    assert "tls" not in down.detail
    assert down.detail["redirects"] == 1


def test_tls_is_there_where_it_has_to_be_and_nowhere_else() -> None:
    assert reason(require_tls=True) == "200"
    assert reason(refuse_tls=True) == "over TLS"
    plain = Answer(200, "1.1", False, CIMultiDict(), Body(0, b""))
    assert judged(plain, HttpOptions(require_tls=True)).reason == "not over TLS"
    assert judged(plain, HttpOptions(refuse_tls=True)).reason == "200"


def test_the_version_of_http_is_one_of_those_that_are_wanted() -> None:
    assert reason(http_versions=["1.1"]) == "200"
    assert reason(http_versions=["HTTP/1.1", "HTTP/2.0"]) == "200"
    assert reason(http_versions=[1.0]) == "HTTP/1.1"


@pytest.mark.parametrize(
    ("kind", "condition", "expected"),
    [
        ("header_matches", {"header": "x-v", "regexp": "^17"}, "200"),
        ("header_matches", {"header": "x-v", "regexp": "^18"}, "header does not match"),
        ("header_matches", {"header": "x-w", "regexp": "."}, "header missing"),
        ("header_matches", {"header": "x-w", "regexp": ".", "allow_missing": True}, "200"),
        ("header_rejects", {"header": "x-v", "regexp": "^17"}, "header rejected"),
        ("header_rejects", {"header": "x-v", "regexp": "^18"}, "200"),
        ("header_rejects", {"header": "x-w", "regexp": "."}, "header missing"),
        ("header_rejects", {"header": "x-w", "regexp": ".", "allow_missing": True}, "200"),
    ],
)
def test_headers_are_judged_as_blackbox_exporter_does(
    kind: str, condition: dict[str, object], expected: str
) -> None:
    assert reason(headers={"X-V": "17.4"}, **{kind: [condition]}) == expected


def test_of_several_values_one_has_to_match_and_none_may_be_rejected() -> None:
    headers = CIMultiDict([("Via", "a"), ("Via", "b")])
    answer = Answer(200, "1.1", False, headers, Body(0, b""))
    for key, verdict in (("header_matches", Verdict.GOOD), ("header_rejects", Verdict.BAD)):
        told = HttpOptions.model_validate({key: [{"header": "via", "regexp": "^b$"}]})
        assert judged(answer, told).verdict is verdict


def test_all_expressions_have_to_match_and_no_rejected_one_may() -> None:
    assert reason("all fine", body_matches=["fine$", "^all"]) == "200"
    assert reason("all fine", body_matches=["fine$", "^fine"]) == "body does not match"
    assert reason("all fine", body_rejects=["error", "fine"]) == "body rejected"
    assert reason(b"\xff caf\xc3\xa9 \xfe", body_matches=["café"]) == "200"
    assert reason("café".encode("latin-1"), body_matches=["^caf.$"]) == "200", "as Go takes it"


def test_a_fault_of_an_expression_is_told_and_counted_as_blackbox_exporter_does(server: Nginx) -> None:
    outcome = probe(f"http://localhost:{server.plain}/page.json", body_matches=["nothing like it"])
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "body does not match")
    assert outcome.detail["condition"] == "nothing like it"
    assert shown(outcome)["probe_failed_due_to_regex"] == 1
    busy = probe(f"http://localhost:{server.plain}/none", body_matches=["nothing like it"])
    assert (busy.reason, shown(busy)["probe_failed_due_to_regex"]) == ("404", 0)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"path": "$.status"}, True),
        ({"path": "$.status", "equals": "ok"}, True),
        ({"path": "$.status", "equals": "OK"}, False),
        ({"path": "$.nothing"}, False),
        ({"path": "$.trunks[*].calls", "min": 3}, True),
        ({"path": "$.trunks[*].calls", "min": 4}, False),
        ({"path": "$.trunks[*].calls", "max": 3}, False),
        ({"path": "$..calls", "max": 4}, True),
        ({"path": "$.trunks[?@.name=='b'].calls", "equals": 4}, True),
        ({"path": "$.trunks[?match(@.name, '[ab]')].up", "equals": True}, True),
        ({"path": "$.trunks[?match(@.name, 'aa?|b')].up", "equals": 1}, False),
        ({"path": "$.trunks[?search(@.name, '^a')].calls", "equals": 3}, True),
        ({"path": "$.trunks[?search(@.name, '(')].calls"}, False),
        ({"path": "$.none", "equals": None}, True),
        ({"path": "$.status", "equals": None}, False),
        ({"path": "$.status", "matches": "^o"}, True),
        ({"path": "$.trunks[0].calls", "matches": "^3$"}, True),
        ({"path": "$.trunks", "matches": "."}, False),
        ({"path": "$.status", "min": 0}, False),
        ({"path": "$.trunks[0].up", "min": 0}, False),
        ({"path": "$['a..b$']", "equals": 1}, True),
    ],
)
def test_json_is_judged_by_what_a_path_selects(condition: dict[str, object], expected: bool) -> None:
    trunks = [{"name": "a", "calls": 3, "up": True}, {"name": "b", "calls": 4, "up": True}]
    body = json.dumps({"status": "ok", "none": None, "trunks": trunks, "a..b$": 1})
    assert (reason(body, json_matches=[condition]) == "200") is expected


@pytest.mark.parametrize(
    "body",
    [
        *("", "<html>", '{"a":', b"\xff\xfe\x00", "[" * 100_000, '{"a":' * 50_000),
        *("9" * 5_000, "[" * 500 + "]" * 500),
    ],
)
def test_what_is_no_json_is_bad(body: str | bytes) -> None:
    assert reason(body, json_matches=[{"path": "$..a"}]) in ("not JSON", "JSON does not match")


@pytest.mark.parametrize("path", ["", "a", "$[", "$..a..b", "$[?@.a == $.b]", "$[?nope(@)]"])
def test_a_path_that_is_none_or_might_take_long_is_refused(path: str) -> None:
    with pytest.raises(ValidationError, match="expected a"):
        HttpOptions.model_validate({"json_matches": [{"path": path}]})


LARGE = json.dumps([{"name": "x" * 10, "calls": number} for number in range(30_000)]).encode()


def serves_a_large_document(connection: socket.socket) -> None:
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(LARGE) + LARGE)


def test_a_large_document_does_not_hold_the_loop() -> None:
    async def scenario(port: int) -> tuple[Outcome, float]:
        prober = HttpProber()
        told = {"max_body": 2 << 20, "json_matches": [{"path": "$..calls", "min": 0}]}
        target = HttpProber.parse(f"http://127.0.0.1:{port}/")
        probing = asyncio.create_task(prober.probe(target, HttpOptions.model_validate(told)))
        longest_s = await longest_turn_s(probing)
        await prober.close()
        return probing.result(), longest_s

    with server_in_a_thread(serves_a_large_document) as port:
        outcome, longest_s = asyncio.run(scenario(port))
    assert (outcome.verdict, outcome.reason) == (Verdict.GOOD, "200")
    assert longest_s < 0.05


def test_what_we_take_to_judge_is_no_time_out_of_the_target() -> None:
    with server_in_a_thread(serves_a_large_document) as port:
        started = time.monotonic()
        outcome = probe(
            f"http://127.0.0.1:{port}/",
            timeout="300ms",
            max_body=2 << 20,
            json_matches=[{"path": "$..calls", "min": 0}] * 16,
        )
    assert time.monotonic() - started > 0.3, "long enough to show it"
    assert (outcome.verdict, outcome.reason) == (Verdict.GOOD, "200")
    assert outcome.round_trip_s is None or outcome.round_trip_s < 0.3


def test_a_document_beyond_what_we_read_cannot_be_judged() -> None:
    outcome = probe_server(
        answers(b"[" + b"1," * 1000 + b"1]"), max_body=100, json_matches=[{"path": "$[0]"}]
    )
    assert (outcome.verdict, outcome.reason) == (Verdict.NOT_ASKED, "max_body is too little for this JSON")


def test_nginx_zips_and_we_unzip(server: Nginx) -> None:
    outcome = probe(
        f"http://localhost:{server.plain}/zipped/page.json", compression="gzip", body_matches=['^{"status"']
    )
    assert (outcome.verdict, outcome.reason) == (Verdict.GOOD, "200")
    assert shown(outcome)["probe_http_uncompressed_body_length"] == len(PAGE)
    assert shown(outcome)["probe_http_content_length"] == -1
    unzipped = probe(f"http://localhost:{server.plain}/page.json", compression="gzip")
    assert (unzipped.verdict, unzipped.reason) == (Verdict.BAD, "not gzip")


def _raw(data: bytes) -> bytes:
    packing = zlib.compressobj(wbits=-15)
    return packing.compress(data) + packing.flush()


@pytest.mark.parametrize(
    ("compression", "body", "expected"),
    [
        ("gzip", gzip.compress(b"hello", mtime=0), "200"),
        ("gzip", gzip.compress(b"hel", mtime=0) + gzip.compress(b"lo", mtime=0), "200"),
        ("gzip", gzip.compress(b"hello", mtime=0)[:-3], "not gzip"),
        ("gzip", gzip.compress(b"hello", mtime=0) + b"junk", "not gzip"),
        ("gzip", b"", "not gzip"),
        ("gzip", b"hello", "not gzip"),
        ("deflate", zlib.compress(b"hello"), "200"),
        ("deflate", _raw(b"hello"), "200"),
        ("deflate", b"\xff\xff", "not deflate"),
        ("identity", b"hello", "200"),
    ],
)
def test_a_body_is_in_the_compression_that_it_has_to_have(
    compression: str, body: bytes, expected: str
) -> None:
    outcome = probe_server(answers(body), compression=compression, body_matches=["^hello$"])
    assert outcome.reason == expected


def test_a_bomb_costs_what_may_be_read_and_no_more() -> None:
    bomb = gzip.compress(bytes(100_000_000))
    outcome = probe_server(answers(bomb), compression="gzip", body_matches=["^\\x00+$"])
    assert outcome.verdict is Verdict.GOOD
    assert isinstance(outcome.detail["body_bytes"], int)
    assert outcome.detail["body_bytes"] <= 1_200_000


@pytest.mark.parametrize(("size", "expected"), [(1000, "200"), (1001, "body too large")])
def test_a_body_may_have_a_limit(size: int, expected: str) -> None:
    assert probe_server(answers(bytes(size)), body_limit=1000).reason == expected


def test_nobody_reads_beyond_max_body() -> None:
    body = b"x" * 1000 + b"needle"
    assert probe_server(answers(body), max_body=1000, body_matches=["needle"]).verdict is Verdict.BAD
    assert probe_server(answers(body), max_body=1006, body_matches=["needle$"]).verdict is Verdict.GOOD


def test_an_expression_takes_linear_time_in_the_largest_body() -> None:
    with lasting():
        assert reason(b"x" * (1 << 20), body_matches=["(x+x+)+y"]) == "body does not match"


def test_a_certificate_that_ends_too_soon_is_degraded_or_bad(server: Nginx) -> None:
    url = f"https://localhost:{server.secured}/page.json"
    told = {"ca_file": server.authority.ca_file}
    assert probe(url, **told, expires_degraded="6d").verdict is Verdict.GOOD
    soon = probe(url, **told, expires_degraded="8d")
    assert (soon.verdict, soon.reason) == (Verdict.DEGRADED, "certificate expires")
    assert probe(url, **told, expires_down="8d").verdict is Verdict.BAD


def test_our_own_certificate_is_shown_to_who_asks_for_it(server: Nginx) -> None:
    url = f"https://localhost:{server.demanding}/page.json"
    ours = server.authority.certificate("probe.example.net")
    told = {"ca_file": server.authority.ca_file}
    assert probe(url, **told).reason == "400"
    known = probe(url, **told, certificate_file=ours.chain, key_file=ours.key)
    assert (known.verdict, known.reason) == (Verdict.GOOD, "200")
    other = probe(url, **told, certificate_file=ours.chain, key_file=server.certificate.key)
    assert (other.verdict, other.reason) == (
        Verdict.NOT_ASKED,
        "certificate or key file not readable",
    )


def test_a_refusal_of_our_certificate_after_the_handshake_is_bad(server: Nginx) -> None:
    demanding = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    demanding.load_cert_chain(server.certificate.chain, server.certificate.key)
    demanding.load_verify_locations(server.authority.ca_file)
    demanding.verify_mode = ssl.CERT_REQUIRED
    with server_in_a_thread(lambda connection: None, demanding) as port:
        outcome = probe(f"https://localhost:{port}/", ca_file=server.authority.ca_file)
    assert outcome.verdict is Verdict.BAD
    assert outcome.reason in ("TLS handshake failed", "reset"), "the alert, or what our request met after it"


@pytest.mark.parametrize(
    "date", ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
)
def test_a_date_has_one_of_three_forms(date: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/Lima")
    time.tzset()
    try:
        outcome = probe_server(answers(b"", f"Last-Modified: {date}"))
        assert shown(outcome)["probe_http_last_modified_timestamp_seconds"] == 784_111_777
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "date", ["yesterday", "", "Mon, 99 Nov 2026 10:00:00 GMT", "Mon, 23 Nov 99999 10:00:00 GMT"]
)
def test_a_date_that_is_none_is_not_told(date: str) -> None:
    outcome = probe_server(answers(b"", f"Last-Modified: {date}"))
    assert "probe_http_last_modified_timestamp_seconds" not in shown(outcome)


@pytest.mark.parametrize(
    "options",
    [
        {"require_tls": True, "refuse_tls": True},
        {"http_versions": ["2.0"]},
        {"http_versions": ["3"]},
        {"body_matches": ["("]},
        {"header_matches": [{"header": "", "regexp": "."}]},
        {"header_files": {"X Y": "file"}},
        {"headers": {"Content-Length": "1"}},
        {"basic_auth": {"username": "a:b", "password_file": "x"}},
        {"basic_auth": {"username": "a", "password_file": "x"}, "bearer_token_file": "y"},
        {"header_files": {"authorization": "x"}, "bearer_token_file": "y"},
        {"compression": "br"},
        {"body_limit": 2_000_000},
        {"max_body": 1 << 30},
        {"source_address": "somewhere"},
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        HttpOptions.model_validate(options)


def test_equal_options_can_be_shared(tmp_path: Path) -> None:
    told = {
        "header_matches": [{"header": "x", "regexp": "."}],
        "json_matches": [{"path": "$.a", "equals": 1}],
        "basic_auth": {"username": "a", "password_file": tmp_path},
        "header_files": {"X-Key": tmp_path},
    }
    assert len({HttpOptions.model_validate(told), HttpOptions.model_validate(told)}) == 1
