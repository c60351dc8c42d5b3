"""The module file of /probe: blackbox_exporter's words, and our own beside them."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.dialect import DIALECTS
from monitor.config.loading import load
from monitor.config.mistakes import ConfigurationErrors, Mistake
from monitor.config.modules import LONGEST_MS, parse_timeout
from monitor.config.values import ModuleConfig

THEIRS = """
modules:
  http_2xx_example:
    prober: http
    timeout: 5s
    http:
      valid_http_versions: ["HTTP/1.1", "HTTP/2.0"]
      valid_status_codes: []
      method: GET
      headers: {Host: vhost.example.com, Accept-Language: en-US}
      follow_redirects: true
      fail_if_ssl: false
      fail_if_not_ssl: false
      fail_if_body_matches_regexp: ["Could not connect to database"]
      fail_if_header_not_matches: [{header: Last-Modified, regexp: "(\\\\d{4})", allow_missing: true}]
      tls_config: {insecure_skip_verify: false, min_version: TLS12}
      preferred_ip_protocol: "ip4"
      ip_protocol_fallback: false
      body_size_limit: 10MB
  irc_banner:
    prober: tcp
    timeout: 5s
    tcp:
      query_response:
        - send: "NICK prober"
        - expect: "PING :([^ ]+)"
          send: "PONG ${1}"
          labels: [{name: nonce, value: "${1}"}]
  icmp: {prober: icmp, timeout: 1m30s, icmp: {source_ip_address: 127.0.0.1, payload_size: 64}}
  dns_tls:
    prober: dns
    dns:
      transport_protocol: tcp
      dns_over_tls: true
      query_name: example.com
      query_type: MX
      valid_rcodes: [NOERROR]
      validate_answer_rrs: {fail_if_matches_regexp: [".*127.0.0.1"]}
      tls_config: {server_name: dns.example.com}
"""


def loaded(folder: Path, modules: str, agent: str = "") -> dict[str, ModuleConfig]:
    (folder / "modules.yml").write_text(textwrap.dedent(modules))
    (folder / "ringback.yml").write_text(f"agent:\n  name: x\n{agent}")
    return dict(load(folder / "ringback.yml").agent.modules)


def mistakes(folder: Path, modules: str, agent: str = "") -> list[Mistake]:
    with pytest.raises(ConfigurationErrors) as found:
        loaded(folder, modules, agent)
    return list(found.value.mistakes)


def test_the_modules_that_come_with_the_program_are_there_without_a_file_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "ringback.yml").write_text("agent: {name: x}\n")
    modules = load(tmp_path / "ringback.yml").agent.modules
    assert {"http_2xx", "tcp_connect", "icmp", "sip_options", "snmp_v2c", "stamp", "call_echo"} <= set(
        modules
    )
    assert {one.scheme for one in modules.values()} >= {
        "http",
        "tcp",
        "tls",
        "icmp",
        "dns",
        "sip",
        "snmp",
        "stamp",
    }


def test_a_file_in_the_words_of_blackbox_exporter_is_taken(tmp_path: Path) -> None:
    modules = loaded(tmp_path, THEIRS)
    http = modules["http_2xx_example"]
    assert (http.scheme, http.timeout_ms) == ("http", 5_000)
    assert (http.options["family"], http.options["tls_min"], http.options["verify_tls"]) == (
        "ipv4",
        "1.2",
        True,
    )
    assert http.options["body_limit"] == 10 * 1024 * 1024
    assert "status" not in http.options, "an empty list there is no list here"
    assert modules["icmp"].timeout_ms == 90_000
    assert modules["icmp"].options["family"] == "ipv6-first", "what it prefers where nothing is said"
    assert modules["irc_banner"].options["query_response"][1]["labels"] == {"nonce": "${1}"}  # type: ignore[index]
    dns = modules["dns_tls"]
    assert (dns.tail, dns.options["transport"], dns.options["record"]) == ("/example.com", "tls", "MX")


@pytest.mark.parametrize(
    ("text", "line", "path", "expected"),
    [
        ("module: {}\n", 1, "module", "did you mean 'modules'?"),
        (
            "modules:\n  a: {prober: htpp}\n",
            2,
            "modules.a.prober",
            "expected a prober, one of call, dns, http",
        ),
        ("modules:\n  a: {}\n", 2, "modules.a.prober", "expected a prober"),
        ("modules:\n  a: {prober: http, timeout: 5}\n", 2, "modules.a.timeout", "a duration such as 5s"),
        ("modules:\n  a: {prober: http, timeout: 121s}\n", 2, "modules.a.timeout", "at most 120s"),
        ("modules:\n  a:\n    prober: http\n    htp: {}\n", 4, "modules.a.htp", "did you mean 'http'?"),
        (
            "modules:\n  a:\n    prober: http\n    http:\n      valid_status_code: [200]\n",
            5,
            "modules.a.http.valid_status_code",
            "did you mean 'valid_status_codes'?",
        ),
        (
            "modules:\n  a:\n    prober: http\n    http:\n      proxy_url: http://x\n",
            5,
            "modules.a.http.proxy_url",
            "has no counterpart here: no proxy is spoken to",
        ),
        (
            "modules:\n  a:\n    prober: http\n    http:\n      bearer_token: secret\n",
            5,
            "modules.a.http.bearer_token",
            "use bearer_token_file: no secret stands in a configuration",
        ),
        (
            "modules:\n  a:\n    prober: http\n    http:\n      basic_auth: {username: u, password: p}\n",
            5,
            "modules.a.http.basic_auth",
            "expected password_file instead of password",
        ),
        (
            "modules:\n  a:\n    prober: http\n    http:\n      valid_status_codes: [999999]\n",
            5,
            "modules.a.http.valid_status_codes",
            "expected statuses such as 200 or 2xx",
        ),
        (
            "modules:\n  a:\n    prober: http\n    http:\n      valid_http_versions: [HTTP/2.0]\n",
            5,
            "modules.a.http.valid_http_versions",
            "no other version is spoken here",
        ),
        (
            "modules:\n  a:\n    prober: tcp\n    tcp:\n      tls_config:\n        min_version: SSL3\n",
            6,
            "modules.a.tcp.tls_config.min_version",
            "expected one of TLS10",
        ),
        (
            "modules:\n  a:\n    prober: tcp\n    tcp:\n      tls_config: {insecure: true}\n",
            5,
            "modules.a.tcp.tls_config.insecure",
            "expected one of",
        ),
        (
            "modules:\n  a:\n    prober: http\n    http: {family: ipv4, preferred_ip_protocol: ip6}\n",
            4,
            "modules.a.http.family",
            "which say the same, and not both",
        ),
        (
            "modules:\n  a:\n    prober: dns\n    dns: {}\n",
            4,
            "modules.a.dns.query_name",
            "the name to ask for",
        ),
        (
            "modules:\n  a:\n    prober: icmp\n    icmp: {timeout: 1s}\n",
            4,
            "modules.a.icmp.timeout",
            "one level above",
        ),
        ("modules: [a]\n", 1, "modules", "expected a mapping"),
    ],
)
def test_a_mistake_is_told_with_its_line_its_path_and_what_was_expected(
    tmp_path: Path, text: str, line: int, path: str, expected: str
) -> None:
    found = mistakes(tmp_path, text)
    assert [(one.line, one.path) for one in found] == [(line, path)], found
    assert Path(found[0].file).name == "modules.yml"
    assert expected in found[0].message


def test_a_module_that_is_allowed_has_to_be_there(tmp_path: Path) -> None:
    (one,) = mistakes(tmp_path, "modules: {a: {prober: icmp}}", "  probe: {modules: [a, b]}\n")
    assert (one.path, Path(one.file).name) == ("agent.probe.modules[1]", "ringback.yml")
    assert "expected a module of the module file (a), not 'b'" in one.message


def test_a_module_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    (one,) = mistakes(tmp_path, "modules: {}", "  modules: other.yml\n")
    assert one.path == "agent.modules"
    assert "is a file" in one.message


@given(st.integers(0, 1), st.integers(0, 59), st.integers(0, 999))
def test_time_outs_are_read_as_prometheus_writes_them(minutes: int, seconds: int, milliseconds: int) -> None:
    total_ms = (minutes * 60 + seconds) * 1_000 + milliseconds
    text = f"{minutes}m{seconds}s{milliseconds}ms"
    if 0 < total_ms <= LONGEST_MS:
        assert parse_timeout(text) == total_ms
    else:
        with pytest.raises(ValueError, match="expected a time-out"):
            parse_timeout(text)


@pytest.mark.parametrize("text", ["", "5", "-1s", "1h", "5 s", "1s5m", "٥s", 5, None])
def test_other_time_outs_are_refused(text: object) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        parse_timeout(text)


PAGE = Path(__file__).parents[2] / "docs" / "probe-endpoint.md"


def test_the_page_names_every_key_of_blackbox_exporter_that_is_taken() -> None:
    page = PAGE.read_text()
    for scheme, dialect in DIALECTS.items():
        inner = {key for one in dialect.inside.values() for key in one.keys - {"type"}}
        missing = [key for key in sorted(dialect.keys | inner) if f"`{key}" not in page]
        assert missing == [], scheme


def test_the_examples_of_the_page_can_be_loaded(tmp_path: Path) -> None:
    examples = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    agent = next(text for text in examples if text.startswith("agent:"))
    modules = next(text for text in examples if text.startswith("modules:"))
    (tmp_path / "modules.yml").write_text(modules + "  icmp: {prober: icmp}\n  sip_options: {prober: sip}\n")
    (tmp_path / "ringback.yml").write_text(agent)
    loaded = load(tmp_path / "ringback.yml").agent
    assert loaded.modules["sip_tls"].options["tls_min"] == "1.2"
    assert loaded.probe.concurrency == 20


def test_what_only_reads_the_store_loads_no_modules(tmp_path: Path) -> None:
    file = tmp_path / "ringback.yml"
    file.write_text("agent: {name: lux, modules: nowhere.yml, probe: {modules: [mine]}}\n")
    with pytest.raises(ConfigurationErrors):
        load(file)
    assert load(file, with_modules=False).agent.modules == {}
