"""What the demo and its lab say to each other: where the lab listens, and what it is told."""

from __future__ import annotations

from dataclasses import dataclass

HOST = "127.0.0.1"

TRUNK_SILENT = "trunk silent"
TRUNK_ANSWERS = "trunk answers"


@dataclass(frozen=True, slots=True)
class Ports:
    """``trunk`` takes SIP over UDP and TCP, ``pbx`` over TCP; ``snmp`` is UDP, the others are TCP."""

    trunk: int
    pbx: int
    web: int
    tcp: int
    snmp: int
