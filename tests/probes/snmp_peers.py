"""A real net-snmp agent for the tests, with users of version 3."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

from probes.outcome import Outcome, Verdict
from probes.snmp import SnmpOptions, SnmpProber
from tests.peers import peer
from tests.probes.daemons import free_port, running
from tests.probes.hosts import open_sockets

AUTH_PASSWORD = "authenticate-me"
PRIV_PASSWORD = "keep-me-private"
ENGINE_ID = "ringback-one"

_CONF = """
agentaddress udp:127.0.0.1:{port},udp6:[::1]:{port}
rocommunity public 127.0.0.1
rocommunity6 public ::1
rocommunity hidden 127.0.0.1
sysName lab-router
engineID {engine_id}
rouser nobody noauth
"""
AUTHS = {
    "md5": "MD5",
    "sha": "SHA",
    "sha224": "SHA-224",
    "sha256": "SHA-256",
    "sha384": "SHA-384",
    "sha512": "SHA-512",
}
_PRIVS = {"des": "DES", "aes128": "AES", "aes192": "AES-192", "aes256": "AES-256"}


def users() -> str:
    """``nobody`` without a key, and one for each hash, alone and with each cipher: ``sha256``, ``sha256-aes128``."""
    lines = ["createUser nobody"]
    for auth, name in AUTHS.items():
        lines += [f"createUser {auth} {name} {AUTH_PASSWORD}", f"rouser {auth} auth"]
        for priv, cipher in _PRIVS.items():
            user = f"{auth}-{priv}"
            lines += [
                f"createUser {user} {name} {AUTH_PASSWORD} {cipher} {PRIV_PASSWORD}",
                f"rouser {user} priv",
            ]
    return "\n".join(lines)


@contextlib.contextmanager
def snmpd(folder: Path, port: int = 0, engine_id: str = ENGINE_ID, more: str = "") -> Iterator[int]:
    """The port on which it answers until the block ends."""
    program = peer("snmpd")
    folder.mkdir(exist_ok=True)
    port = port or free_port(socket.SOCK_DGRAM)
    (folder / "conf").write_text(_CONF.format(port=port, engine_id=engine_id) + users() + "\n" + more)
    command = [program, "-f", "-C", "-c", str(folder / "conf"), "-Le", "-p", str(folder / "pid")]
    persistent = str(folder / "persistent")  # snmpd writes there, over what it finds
    with running(command, folder, lambda: _answers(port), SNMP_PERSISTENT_DIR=persistent):
        yield port


def _answers(port: int) -> bool:
    return probe(port, timeout="100ms").verdict is Verdict.GOOD


def probe(port: int, path: str = "", host: str = "127.0.0.1", **options: object) -> Outcome:
    async def scenario() -> Outcome:
        before = open_sockets()
        prober = SnmpProber()
        target = SnmpProber.parse(f"snmp://{host}:{port}/{path}")
        outcome = await prober.probe(target, SnmpOptions.model_validate(options))
        await prober.close()
        assert open_sockets() == before
        return outcome

    return asyncio.run(scenario())


def credentials(folder: Path, user: str) -> Mapping[str, object]:
    """The options with which to ask as one of the users."""
    auth, _, priv = user.partition("-")
    (folder / "auth").write_text(AUTH_PASSWORD)
    (folder / "priv").write_text(PRIV_PASSWORD)
    options: dict[str, object] = {"version": 3, "user": user}
    if auth in AUTHS:
        options |= {"auth": auth, "auth_password_file": str(folder / "auth")}
    if priv in _PRIVS:
        options |= {"priv": priv, "priv_password_file": str(folder / "priv")}
    return options
