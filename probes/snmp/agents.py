"""The agents that probes ask, by their address and what we ask with: an engine is discovered once, and kept."""

from __future__ import annotations

from probes.resolve import Sockaddr
from probes.secret import Unreadable, read_secret
from probes.snmp.agent import Agent, CommunityAgent
from probes.snmp.message import Community
from probes.snmp.options import SnmpOptions
from probes.snmp.usm import SHORTEST_PASSWORD, User, check_available
from probes.snmp.usm_agent import UsmAgent

MOST = 16_384

Credentials = Community | User


def credentials(options: SnmpOptions) -> Credentials:
    """What to ask with. Raises OSError where a secret cannot be read, or this host has no such cipher."""
    if options.version != "3":
        file = options.community_file
        return Community(options.version, read_secret(file, "community") if file else options.community)
    check_available(options.auth, options.priv)
    auth = priv = ""
    if options.auth_password_file:
        auth = _long_enough(read_secret(options.auth_password_file, "auth password"), "auth password")
    if options.priv_password_file:
        priv = _long_enough(read_secret(options.priv_password_file, "priv password"), "priv password")
    return User(options.user or "", options.auth, auth, options.priv, priv, options.context)


def _long_enough(password: str, what: str) -> str:
    if len(password) < SHORTEST_PASSWORD:
        raise Unreadable(f"{what} has less than {SHORTEST_PASSWORD} characters")
    return password


class Agents:
    """At most MOST of them; the one that was made first gives way."""

    def __init__(self) -> None:
        self._agents: dict[tuple[Sockaddr, Credentials], Agent] = {}

    def of(self, sockaddr: Sockaddr, asked_with: Credentials) -> Agent:
        key = sockaddr, asked_with
        agent = self._agents.get(key)
        if agent is None:
            if len(self._agents) >= MOST:
                del self._agents[next(iter(self._agents))]
            agent = self._agents[key] = (
                UsmAgent(asked_with) if isinstance(asked_with, User) else CommunityAgent(asked_with)
            )
        return agent
