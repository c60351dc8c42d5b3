"""Real servers die and come back under a running agent: each outage is recorded, within its stated bounds."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.agent.real import Ringback, eventually, free_port, kamailio, nginx, running, snmpd

RETRY_MS = 500
IN_FLIGHT_MS = 450
"""A probe that was under way when the server died (or came up) may have been sent before that."""


@pytest.fixture(scope="module")
def peers(tmp_path_factory):
    directory: Path = tmp_path_factory.mktemp("peers")
    sip_port, http_port, snmp_port = free_port(), free_port(), free_port(socket.SOCK_DGRAM)
    servers = {
        "trunk": kamailio(directory, sip_port),
        "pbx": nginx(directory, http_port),
        "router": snmpd(directory, snmp_port),
    }
    agent = Ringback(
        directory,
        f"""
  - id: trunk
    kind: sip-trunk
    plan: mixvoip/enterprise
    monthly_fee: 100.00 EUR
    checks: ["sip:127.0.0.1:{sip_port};transport=udp", "sip:127.0.0.1:{sip_port};transport=tcp"]
  - {{id: pbx, kind: pbx, checks: ["http://127.0.0.1:{http_port}/"]}}
  - {{id: router, kind: link, checks: ["snmp://127.0.0.1:{snmp_port}"]}}
""",
    )
    with running(*servers.values(), agent):
        for service in servers:
            eventually(lambda service=service: agent.state(service) == "up")
        yield agent, servers


@pytest.mark.parametrize("service", ["trunk", "pbx", "router"])
def test_a_killed_server_is_an_outage_whose_truth_lies_within_its_bounds(peers, service):
    agent, servers = peers
    died_ms = servers[service].kill()
    eventually(lambda: agent.state(service) == "down")
    back_ms = servers[service].start()
    eventually(lambda: agent.state(service) == "up")
    (down,) = agent.down_spans(service)
    (up,) = agent.rows(
        "SELECT spans.* FROM spans JOIN services ON services.key = service WHERE id = ? AND from_ms = ?",
        service,
        down["to_ms"],
    )
    last_good, first_bad, last_bad, first_good = (
        down["seen_ms"],
        down["from_ms"],
        up["seen_ms"],
        up["from_ms"],
    )
    assert last_good < first_bad <= last_bad < first_good
    assert last_good <= died_ms <= first_bad + IN_FLIGHT_MS
    assert last_bad - IN_FLIGHT_MS <= back_ms
    assert first_good >= last_bad
    attributed, truth = first_good - first_bad, back_ms - died_ms
    assert abs(attributed - truth) <= RETRY_MS + IN_FLIGHT_MS


def test_the_evidence_of_an_outage_is_in_the_database(peers):
    agent, servers = peers
    servers["trunk"].kill()
    eventually(lambda: agent.state("trunk") == "down")
    probes = agent.rows("SELECT * FROM probes_around_changes WHERE service = 'trunk' AND changed_to = 'down'")
    assert {probe["verdict"] for probe in probes} == {"good", "bad"}
    servers["trunk"].start()
    eventually(lambda: agent.state("trunk") == "up")


def test_an_open_outage_is_shown_by_the_commands_and_counts_in_the_month(peers):
    agent, servers = peers
    servers["pbx"].kill()
    eventually(lambda: agent.state("pbx") == "down")
    status = agent.json("status")
    assert "down" in str(status)
    assert agent.command("outages", "--service", "pbx").returncode == 0
    servers["pbx"].start()
    eventually(lambda: agent.state("pbx") == "up")
