"""The configuration that the demo writes: four services of the three kinds, on the lab's ports."""

from __future__ import annotations

import datetime
from pathlib import Path

from monitor.demo.orders import HOST, Ports

TRUNK, PBX, FIBRE, ROUTER = "north-trunk", "north-pbx", "north-fibre", "north-router"
ZONE = "Europe/Luxembourg"


def text(ports: Ports, listen_port: int, state_dir: Path, contract_from: datetime.date) -> str:
    """The YAML. A check here fails for good after two seconds, so that nobody has to wait for the outage."""
    return f"""\
# Written by "ringback demo". Every address is on this host, and is gone when the demo ends.
agent:
  name: demo
  state_dir: "{state_dir}"
  listen: {HOST}:{listen_port}
  reference_targets: [tcp://{HOST}:{ports.tcp}]      # if this failed as well, we were cut off
  heartbeat: 1s
plans: [plans/mixvoip.yml]
defaults: {{interval: 1s, timeout: 800ms, fall: 3, rise: 2, retry_interval: 500ms, timezone: {ZONE}}}
services:
  - id: {TRUNK}
    name: Northgate head office trunk
    kind: sip-trunk
    customer: Northgate S.A.
    tags: [voice]
    plan: mixvoip/enterprise
    monthly_fee: 100.00 EUR
    contract_from: {contract_from}
    checks:
      - {{target: "sip:{HOST}:{ports.trunk};transport=udp", name: signalling over UDP}}
      - {{target: "sip:{HOST}:{ports.trunk};transport=tcp", name: signalling over TCP}}
  - id: {PBX}
    name: Northgate PBX
    kind: pbx
    customer: Northgate S.A.
    tags: [voice]
    plan: mixvoip/office
    monthly_fee: 60.00 EUR
    contract_from: {contract_from}
    up_when: any
    checks:
      - {{target: "sip:{HOST}:{ports.pbx};transport=tcp", name: signalling}}
      - {{target: "http://{HOST}:{ports.web}/", name: administration}}
  - id: {FIBRE}
    name: Northgate fibre
    kind: link
    customer: Northgate S.A.
    plan: mixvoip/advanced
    monthly_fee: 250.00 EUR
    contract_from: {contract_from}
    checks:
      - {{target: "icmp://{HOST}", name: echo}}
  - id: {ROUTER}
    name: Northgate router
    kind: link
    customer: Northgate S.A.
    plan: mixvoip/standard
    monthly_fee: 40.00 EUR
    contract_from: {contract_from}
    checks:
      - {{target: "snmp://{HOST}:{ports.snmp}/sysUpTime", name: uptime}}
      - {{target: "tcp://{HOST}:{ports.tcp}", name: administration}}
"""
