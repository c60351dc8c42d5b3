"""DNS probes judge and count as blackbox_exporter does, where both can be told the same."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from probes.outcome import Verdict
from tests.probes import dns_peers
from tests.probes.dns_peers import HOST, Unbound, shown
from tests.probes.test_blackbox import blackbox_exporter

ONE, BOTH, NONE = r"A\t127\.0\.0\.1$", r"\tIN\tA\t127\.0\.0\.", "nothing like it"
KINDS = (
    "fail_if_matches_regexp",
    "fail_if_all_match_regexp",
    "fail_if_not_matches_regexp",
    "fail_if_none_matches_regexp",
)
PATTERNS = (
    [ONE],
    [BOTH],
    [NONE],
    [BOTH, ONE],
    [BOTH, NONE],
    [NONE, ONE],
    [BOTH, BOTH],
    ["^a.lab.test.\t300\t"],
)

QUESTIONS: list[dict[str, Any]] = [
    {"name": "a.lab.test", "record": "A"},
    {"name": "nobody.lab.test", "record": "A"},
    {"name": "a.lab.test", "record": "ANY"},
    {"name": "nobody.lab.test", "record": "A", "rcodes": ["NXDOMAIN", "NOERROR"]},
    {"name": "a.lab.test", "record": "A", "recursion": False},
    {"name": "lab.test", "record": "SOA"},
    {"name": "x.forbidden.test", "record": "A"},
    {"name": "x.forbidden.test", "record": "A", "rcodes": ["REFUSED"]},
    {"name": "version.server", "record": "TXT", "query_class": "CH"},
    {"name": "a.lab.test", "record": "A", "transport": "tcp"},
    {"name": "a.lab.test", "record": "A", "transport": "tls"},
    {"name": "large.lab.test", "record": "A", "transport": "tcp"},
    {
        "name": "mail.lab.test",
        "record": "MX",
        "answer": {KINDS[2]: [r"\t300\tIN\tMX\t10 [aA]\.lab\.test\.$"]},
    },
    {"name": "text.lab.test", "record": "TXT", "answer": {KINDS[2]: [r'\tTXT\t"v=spf1 -all"$']}},
    {
        "name": "_sip._udp.lab.test",
        "record": "SRV",
        "answer": {KINDS[2]: [r"\tSRV\t10 5 5060 a\.lab\.test\.$"]},
    },
    {"name": "nobody.lab.test", "record": "A", "rcodes": ["NXDOMAIN"], "authority": {KINDS[0]: ["SOA"]}},
    {"name": "nobody.lab.test", "record": "A", "rcodes": ["NXDOMAIN"], "authority": {KINDS[2]: ["SOA"]}},
    *(
        {"name": "a.lab.test", "record": "A", "answer": {kind: list(patterns)}}
        for kind in KINDS
        for patterns in PATTERNS
    ),
    *({"name": "a.lab.test", "record": "A", "additional": {kind: [BOTH]}} for kind in KINDS),
]


@dataclass(frozen=True, slots=True)
class Peers:
    server: Unbound
    blackbox: int

    def target(self, question: dict[str, Any]) -> str:
        port = self.server.tls if question.get("transport") == "tls" else self.server.port
        return f"127.0.0.1:{port}"


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peers]:
    with dns_peers.unbound(tmp_path_factory.mktemp("unbound")) as server:
        modules = {str(number): module(question, server) for number, question in enumerate(QUESTIONS)}
        with blackbox_exporter(tmp_path_factory.mktemp("blackbox"), modules) as (port, _):
            yield Peers(server, port)


def module(question: dict[str, Any], server: Unbound) -> dict[str, Any]:
    transport = question.get("transport", "udp")
    told = {
        "query_name": question["name"],
        "query_type": question["record"],
        "query_class": question.get("query_class", "IN"),
        "recursion_desired": question.get("recursion", True),
        "valid_rcodes": question.get("rcodes", ["NOERROR"]),
        "transport_protocol": "udp" if transport == "udp" else "tcp",
        "dns_over_tls": transport == "tls",
        "tls_config": {"ca_file": str(server.ca_file), "server_name": HOST},
        "preferred_ip_protocol": "ip4",
    }
    told |= {
        f"validate_{part}_rrs": question[part]
        for part in ("answer", "authority", "additional")
        if part in question
    }
    return {"prober": "dns", "timeout": "2s", "dns": told}


def _asked_by_blackbox(peers: Peers, number: int) -> dict[str, float]:
    url = f"http://127.0.0.1:{peers.blackbox}/probe?target={peers.target(QUESTIONS[number])}&module={number}"
    with urllib.request.urlopen(url, timeout=5) as response:
        found = re.findall(r"^(probe_\w+) (\S+)$", response.read().decode(), re.MULTILINE)
    return {name: float(value) for name, value in found}


@pytest.mark.parametrize("number", range(len(QUESTIONS)), ids=lambda number: json.dumps(QUESTIONS[number]))
def test_the_same_question_has_the_same_end_and_the_same_numbers(peers: Peers, number: int) -> None:
    theirs = _asked_by_blackbox(peers, number)
    question = dict(QUESTIONS[number])
    told = {"ca_file": peers.server.ca_file, "server_name": HOST, **question}
    outcome = dns_peers.probe(f"dns://{peers.target(question)}/{told.pop('name')}", **told)
    assert (outcome.verdict is Verdict.GOOD) == bool(theirs["probe_success"])
    ours = shown(outcome)
    for name in ("answer_rrs", "authority_rrs", "additional_rrs", "query_succeeded"):
        assert ours[f"probe_dns_{name}"] == theirs[f"probe_dns_{name}"]
    assert ours.get("probe_dns_serial") == theirs.get("probe_dns_serial")
