"""Which way a probe over TCP takes from this host, as its peer sees it: address, marking, family."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from probes.outcome import Outcome, Verdict
from probes.prober import prober_for
from tests.peers import peer
from tests.probes.certificates import Authority
from tests.probes.servers import listener, server_in_a_thread

_IP_PKTOPTIONS, _IP_RECVTOS = 9, 13  # <linux/in.h>
_CMSG_HEADER = struct.Struct("@Nii")

_ROOT = Path(__file__).parents[2]

SCHEMES = ["tcp", "tls", "http", "https"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def probe(target: str, **options: object) -> Outcome:
    async def scenario() -> Outcome:
        kind = prober_for(target)
        prober = kind()
        outcome = await prober.probe(kind.parse(target), kind.options.model_validate(options))
        await prober.close()
        return outcome

    return asyncio.run(scenario())


def marking(connection: socket.socket) -> int:
    """The DSCP of the SYN that began the connection."""
    connection.setsockopt(socket.IPPROTO_IP, _IP_RECVTOS, 1)
    told = connection.getsockopt(socket.IPPROTO_IP, _IP_PKTOPTIONS, 64)
    _, level, kind = _CMSG_HEADER.unpack_from(told)
    assert (level, kind) == (socket.IPPROTO_IP, socket.IP_TOS)
    return told[_CMSG_HEADER.size] >> 2


class Server:
    """Notes who comes, and answers HTTP."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int]] = []

    def __call__(self, connection: socket.socket) -> None:
        self.seen.append((connection.getpeername()[0], marking(connection)))
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_probe_leaves_from_the_chosen_address_and_is_marked(scheme: str, authority: Authority) -> None:
    context = None
    if scheme in ("tls", "https"):
        certificate = authority.certificate("sbc.example.net")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.chain, certificate.key)
    server = Server()
    with server_in_a_thread(server, context) as port:
        told: dict[str, object] = {"verify_tls": False} if context else {}
        if scheme == "tcp":
            told["query_response"] = [{"send": "GET / HTTP/1.0\r\n\r"}, {"expect": "204"}]
        marked = probe(f"{scheme}://127.0.0.1:{port}", source_address="127.0.0.7", dscp=46, **told)
        plain = probe(f"{scheme}://127.0.0.1:{port}", **told)
    assert {marked.verdict, plain.verdict} == {Verdict.GOOD}
    assert server.seen == [("127.0.0.7", 46), ("127.0.0.1", 0)]


def test_ipv6_has_addresses_and_markings_too() -> None:
    with listener(host="::1") as server:
        target = f"tcp://[::1]:{server.getsockname()[1]}"
        assert probe(target, source_address="::1", dscp=46).verdict is Verdict.GOOD


@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_address_that_this_host_does_not_have_is_not_held_against_the_target(scheme: str) -> None:
    with listener() as server:
        target = f"{scheme}://127.0.0.1:{server.getsockname()[1]}"
        absent = probe(target, source_address="203.0.113.1")
        assert (absent.verdict, absent.reason) == (Verdict.NOT_ASKED, "cannot assign requested address")
        for told in ({"source_address": "::1"}, {"family": "ipv6"}):
            assert probe(target, **told).verdict is Verdict.NOT_ASKED


_ASKED = """
import asyncio, sys
from probes.prober import prober_for

async def asked(target, family):
    kind = prober_for(target)
    prober = kind()
    outcome = await prober.probe(kind.parse(target), kind.options(family=family))
    await prober.close()
    return outcome.detail["address"]

async def main():
    for family in ("ipv4", "ipv6", "ipv4-first", "ipv6-first"):
        print(family, *[await asked(scheme + "://both.test:9", family) for scheme in sys.argv[1:]])
    print("one", *[await asked(scheme + "://one.test:9", "ipv6-first") for scheme in sys.argv[1:]])

asyncio.run(main())
"""


def test_of_both_families_the_preferred_one_is_asked(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 both.test one.test\n::1 both.test\n")
    command = f'ip link set lo up; mount --bind {hosts} /etc/hosts; exec "$@"'
    unshare = [peer("unshare"), "--map-root-user", "--net", "--mount", "/bin/sh", "-ec", command, "sh"]
    done = subprocess.run(
        [*unshare, sys.executable, "-c", _ASKED, *SCHEMES],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    asked = {line.split()[0]: set(line.split()[1:]) for line in done.stdout.splitlines()}
    assert asked == {
        "ipv4": {"127.0.0.1"},
        "ipv6": {"::1"},
        "ipv4-first": {"127.0.0.1"},
        "ipv6-first": {"::1"},
        "one": {"127.0.0.1"},
    }, done.stderr
