"""HTTP, TCP and TLS probes beside a real blackbox_exporter: the same verdicts, and the same metrics."""

from __future__ import annotations

import asyncio
import re
import socket
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from probes.outcome import Outcome, Verdict
from probes.prober import prober_for
from tests.peers import peer
from tests.probes.certificates import Authority
from tests.probes.daemons import free_port, running, takes_connections
from tests.probes.nginx import files, nginx
from tests.probes.servers import server_in_a_thread

PORTS = ("plain", "good", "old", "wrong", "expired", "demanding")

_SERVERS = """
  server {{
    listen 127.0.0.1:{plain}; root {folder}; add_header X-V 17.4;
    location = /busy {{ return 503 busy; }}
    location = /moved {{ return 302 /page; }}
    location = /loop {{ return 302 /loop; }}
    location = /zipped {{ alias {folder}/page; gzip on; gzip_types *; gzip_min_length 1; }}
  }}
  server {{ listen 127.0.0.1:{good} ssl; {good_files} root {folder}; }}
  server {{ listen 127.0.0.1:{old} ssl; ssl_protocols TLSv1.2; {good_files} root {folder}; }}
  server {{ listen 127.0.0.1:{wrong} ssl; {wrong_files} root {folder}; }}
  server {{ listen 127.0.0.1:{expired} ssl; {expired_files} root {folder}; }}
  server {{
    listen 127.0.0.1:{demanding} ssl; {good_files} root {folder};
    ssl_client_certificate {ca_file}; ssl_verify_client on;
  }}
"""


@dataclass(frozen=True, slots=True)
class Case:
    """One question: the target, what blackbox_exporter's module says, and what our options say. In the texts {plain},
    {good}, … are ports, {ca_file} and the like are files. ``apart``: metrics of which both are known to differ."""

    target: str
    module: Mapping[str, object] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)
    apart: tuple[str, ...] = ()


_CA = {"ca_file": "{ca_file}"}
_VERIFIED: tuple[dict[str, object], dict[str, object]] = ({"tls_config": _CA}, {**_CA})
_PAGE = "http://localhost:{plain}/page"
_OURS = {"certificate_file": "{certificate}", "key_file": "{key}", **_CA}
_THEIRS = {"cert_file": "{certificate}", "key_file": "{key}", **_CA}
_LINES = [{"expect": "^220 (.*)$", "send": "EHLO ${1}\r"}, {"expect": "^250 STARTTLS"}]

CASES = {
    "page": Case(_PAGE),
    "status": Case("http://localhost:{plain}/busy"),
    "another status": Case("http://localhost:{plain}/busy", {"valid_status_codes": [503]}, {"status": [503]}),
    "redirect": Case("http://localhost:{plain}/moved"),
    "redirect left alone": Case(
        "http://localhost:{plain}/moved",
        {"follow_redirects": False, "valid_status_codes": [302]},
        {"follow_redirects": False, "status": [302]},
        # there it counts, and has no body
        ("probe_http_redirects", "probe_http_uncompressed_body_length"),
    ),
    # there the one that is refused counts
    "endless redirects": Case("http://localhost:{plain}/loop", apart=("probe_http_redirects",)),
    "HEAD": Case(_PAGE, {"method": "HEAD"}, {"method": "HEAD"}),
    "POST": Case(_PAGE, {"method": "POST", "body": "a"}, {"method": "POST", "body": "a"}),
    "gzip": Case(
        "http://localhost:{plain}/zipped",
        {"compression": "gzip", "headers": {"Accept-Encoding": "gzip"}},
        {"compression": "gzip"},
    ),
    "not gzip": Case(_PAGE, {"compression": "gzip"}, {"compression": "gzip"}),
    "body": Case(_PAGE, {"fail_if_body_not_matches_regexp": ["^hello"]}, {"body_matches": ["^hello"]}),
    "other body": Case(_PAGE, {"fail_if_body_not_matches_regexp": ["bye"]}, {"body_matches": ["bye"]}),
    "rejected body": Case(_PAGE, {"fail_if_body_matches_regexp": ["hello"]}, {"body_rejects": ["hello"]}),
    "status before body": Case(
        "http://localhost:{plain}/busy", {"fail_if_body_matches_regexp": ["b"]}, {"body_rejects": ["b"]}
    ),
    "body too large": Case(
        # what was read of it
        _PAGE,
        {"body_size_limit": "100B"},
        {"body_limit": 100},
        ("probe_http_uncompressed_body_length",),
    ),
    "header": Case(
        _PAGE,
        {"fail_if_header_not_matches": [{"header": "X-V", "regexp": "^17"}]},
        {"header_matches": [{"header": "X-V", "regexp": "^17"}]},
    ),
    "other header": Case(
        _PAGE,
        {"fail_if_header_not_matches": [{"header": "X-V", "regexp": "^18"}]},
        {"header_matches": [{"header": "X-V", "regexp": "^18"}]},
    ),
    "rejected header": Case(
        _PAGE,
        {"fail_if_header_matches": [{"header": "X-V", "regexp": "17"}]},
        {"header_rejects": [{"header": "X-V", "regexp": "17"}]},
    ),
    "no header": Case(
        _PAGE,
        {"fail_if_header_matches": [{"header": "X-W", "regexp": "17"}]},
        {"header_rejects": [{"header": "X-W", "regexp": "17"}]},
    ),
    "version": Case(_PAGE, {"valid_http_versions": ["HTTP/1.0"]}, {"http_versions": ["HTTP/1.0"]}),
    "TLS needed": Case(_PAGE, {"fail_if_not_ssl": True}, {"require_tls": True}),
    "TLS refused": Case(
        "https://localhost:{good}/page",
        {"fail_if_ssl": True, "tls_config": _CA},
        {"refuse_tls": True, **_CA},
    ),
    "TLS 1.3": Case("https://localhost:{good}/page", *_VERIFIED),
    "TLS 1.2": Case("https://localhost:{old}/page", *_VERIFIED),
    "too old": Case(
        "https://localhost:{old}/page",
        {"tls_config": {**_CA, "min_version": "TLS13"}},
        {**_CA, "tls_min": "1.3"},
    ),
    "unknown authority": Case("https://localhost:{good}/page"),
    "wrong name": Case("https://localhost:{wrong}/page", *_VERIFIED),
    "another name": Case(
        "https://localhost:{wrong}/page",
        {"tls_config": {**_CA, "server_name": "elsewhere.test"}},
        {**_CA, "server_name": "elsewhere.test"},
    ),
    "name of the Host header": Case(
        "https://localhost:{wrong}/page",
        {"tls_config": _CA, "headers": {"Host": "elsewhere.test"}},
        {**_CA, "headers": {"Host": "elsewhere.test"}},
    ),
    "expired": Case("https://localhost:{expired}/page", *_VERIFIED),
    "not verified": Case(
        "https://localhost:{expired}/page",
        {"tls_config": {"insecure_skip_verify": True}},
        {"verify_tls": False},
        ("probe_ssl_last_chain_expiry_timestamp_seconds",),  # there it is in the year 1
    ),
    "certificate demanded": Case("https://localhost:{demanding}/page", *_VERIFIED),
    "certificate shown": Case("https://localhost:{demanding}/page", {"tls_config": _THEIRS}, _OURS),
    "no TLS": Case("https://localhost:{plain}/page", *_VERIFIED),
    "HTTP refused": Case("http://localhost:1/"),
    "TCP": Case("tcp://localhost:{plain}"),
    "TCP refused": Case("tcp://localhost:1"),
    "TCP over TLS": Case("tcp://localhost:{good}", {"tls": True, "tls_config": _CA}, {"tls": True, **_CA}),
    "TCP, wrong name": Case(
        "tcp://localhost:{wrong}", {"tls": True, "tls_config": _CA}, {"tls": True, **_CA}
    ),
    "lines": Case("tcp://localhost:{talking}", {"query_response": _LINES}, {"query_response": _LINES}),
    "no such line": Case(
        "tcp://localhost:{talking}",
        {"query_response": [{"expect": "^221"}, {"send": "bye"}]},
        {"query_response": [{"expect": "^221"}, {"send": "bye"}]},
    ),
}


@dataclass(frozen=True, slots=True)
class Lab:
    exporter: int
    words: Mapping[str, object]


def filled(told: object, words: Mapping[str, object]) -> object:
    """With the ports and files for their names."""
    if isinstance(told, dict):
        return {key: filled(value, words) for key, value in told.items()}
    if isinstance(told, list):
        return [filled(value, words) for value in told]
    if isinstance(told, str):
        return re.sub(r"(?<!\$)\{(\w+)\}", lambda name: str(words[name[1]]), told)
    return told


def talks(connection: socket.socket) -> None:
    connection.sendall(b"220 mail\r\n")
    connection.settimeout(0.3)
    if connection.recv(100) == b"EHLO mail\r\n":
        connection.sendall(b"250-SIZE 1\r\n250 STARTTLS\r\n")
        connection.recv(1)


@contextmanager
def servers(folder: Path) -> Iterator[dict[str, object]]:
    """nginx in all its ways, and one that talks: the ports and files that the cases name."""
    (folder / "page").write_text("hello" * 100)
    authority = Authority(folder)
    ours = authority.certificate("probe.example.net")
    words: dict[str, object] = {name: free_port() for name in PORTS} | {
        "folder": folder,
        "ca_file": authority.ca_file,
        "certificate": ours.chain,
        "key": ours.key,
        "good_files": files(authority.certificate("localhost")),
        "wrong_files": files(authority.certificate("elsewhere.test")),
        "expired_files": files(authority.certificate("localhost", timedelta(days=-1))),
    }
    with (
        nginx(folder, _SERVERS.format(**words), int(str(words["demanding"]))),
        server_in_a_thread(talks) as words["talking"],
    ):
        yield words


@contextmanager
def blackbox_exporter(folder: Path, modules: Mapping[str, object]) -> Iterator[tuple[int, Path]]:
    """The port of one with these modules, and the file that they stand in."""
    file, port = folder / "modules.yml", free_port()
    file.write_text(yaml.safe_dump({"modules": modules}))
    command = [peer("prometheus-blackbox-exporter"), f"--config.file={file}"]
    command.append(f"--web.listen-address=127.0.0.1:{port}")
    with running(command, folder, lambda: takes_connections(port)):
        yield port, file


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    with servers(folder) as words:
        modules = {name: module(CASES[name], words) for name in CASES}
        with blackbox_exporter(folder, modules) as (exporter, _):
            yield Lab(exporter, words)


def module(case: Case, words: Mapping[str, object]) -> dict[str, object]:
    kind = "tcp" if case.target.startswith("tcp:") else "http"
    told = filled(dict(case.module), words)
    assert isinstance(told, dict)
    return {"prober": kind, "timeout": "2s", kind: {"preferred_ip_protocol": "ip4", **told}}


def theirs(lab: Lab, name: str) -> dict[str, float]:
    target = str(filled(CASES[name].target, lab.words)).removeprefix("tcp://")
    query = urllib.parse.urlencode({"module": name, "target": target})
    with urllib.request.urlopen(f"http://127.0.0.1:{lab.exporter}/probe?{query}", timeout=10) as answer:
        text = answer.read().decode()
    return {name: float(value) for name, value in re.findall(r"^(probe_.*) (\S+)$", text, re.MULTILINE)}


def ours(lab: Lab, name: str) -> tuple[Outcome, dict[str, float]]:
    async def scenario() -> tuple[Outcome, dict[str, float]]:
        target = str(filled(CASES[name].target, lab.words))
        told = filled(dict(CASES[name].options), lab.words)
        assert isinstance(told, dict)
        kind = prober_for(target)
        prober = kind()
        options = kind.options.model_validate({"timeout": "2s", "family": "ipv4", **told})
        outcome = await prober.probe(kind.parse(target), options)
        await prober.close()
        samples = [(metric.name, *sample) for metric in kind.metrics for sample in metric.samples(outcome)]
        return outcome, {name + written(labels): value for name, labels, value in samples}

    return asyncio.run(scenario())


def written(labels: Mapping[str, str]) -> str:
    pairs = ",".join(f'{name}="{labels[name]}"' for name in sorted(labels))
    return f"{{{pairs}}}" if pairs else ""


@pytest.mark.parametrize("name", CASES)
def test_both_say_the_same(lab: Lab, name: str) -> None:
    from_them, (outcome, from_us) = theirs(lab, name), ours(lab, name)
    assert outcome.verdict is (Verdict.GOOD if from_them["probe_success"] else Verdict.BAD), outcome
    general = ("probe_success", "probe_duration", "probe_dns_lookup", "probe_ip_")  # of every prober
    newer = ("probe_tls_cipher_info",)  # than 0.23
    wanted = {key: value for key, value in from_them.items() if not key.startswith((*general, *newer))}
    shown = {key: value for key, value in from_us.items() if not key.startswith(newer)}
    assert set(shown) - set(CASES[name].apart) == set(wanted) - set(CASES[name].apart)
    for key in set(wanted) - set(CASES[name].apart):
        if "duration" not in key:
            assert shown[key] == wanted[key], key
