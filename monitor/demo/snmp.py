"""The lab's SNMP agent: pysnmp's own, read-only, community ``public``, with the system group of SNMPv2-MIB."""

from __future__ import annotations

from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.entity import config, engine
from pysnmp.entity.rfc3413 import cmdrsp, context

_SYSTEM = (1, 3, 6, 1, 2, 1, 1)


def serve(host: str, port: int) -> None:
    """Answer in the running loop. Raises an error of pysnmp where the address is taken."""
    agent = engine.SnmpEngine()
    config.add_transport(agent, udp.DOMAIN_NAME, udp.UdpTransport().open_server_mode((host, port)))
    config.add_v1_system(agent, "area", "public")
    config.add_vacm_user(agent, 2, "area", "noAuthNoPriv", readSubTree=_SYSTEM)
    known = context.SnmpContext(agent)
    cmdrsp.GetCommandResponder(agent, known)
    cmdrsp.NextCommandResponder(agent, known)
    cmdrsp.BulkCommandResponder(agent, known)
