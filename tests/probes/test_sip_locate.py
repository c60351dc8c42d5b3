"""Where RFC 3263 finds the servers of a name, told by a real unbound in a network and mount namespace of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.peers import peer

_ROOT = Path(__file__).parents[2]

_SCRIPT = """
import asyncio, json, socket, sys
from pathlib import Path
from probes.resolve import Resolver, Unresolved
from probes.sip.locate import Locator
from tests.peers import peer
from tests.probes.daemons import running

UNBOUND = '''
server:
  interface: 127.0.0.1
  interface: ::1
  chroot: ""
  username: ""
  directory: "{folder}"
  pidfile: "{folder}/pid"
  use-syslog: no
  do-not-query-localhost: no
  local-zone: "test." nodefault
  local-zone: "lab.test." static
  local-data: 'naptr.lab.test. NAPTR 20 1 "s" "SIP+D2U" "" _sip._udp.naptr.lab.test.'
  local-data: 'naptr.lab.test. NAPTR 10 1 "s" "SIP+D2T" "" _sip._tcp.naptr.lab.test.'
  local-data: 'naptr.lab.test. NAPTR 5 1 "s" "SIP+D2W" "" _sip._ws.naptr.lab.test.'
  local-data: 'naptr.lab.test. NAPTR 30 1 "s" "SIPS+D2T" "" _sips._tcp.naptr.lab.test.'
  local-data: "_sip._tcp.naptr.lab.test. SRV 20 5 5070 b.lab.test."
  local-data: "_sip._tcp.naptr.lab.test. SRV 10 1 5071 a.lab.test."
  local-data: "_sip._tcp.naptr.lab.test. SRV 10 9 5072 b.lab.test."
  local-data: "_sip._udp.naptr.lab.test. SRV 1 1 5073 a.lab.test."
  local-data: "_sips._tcp.naptr.lab.test. SRV 1 1 5074 a.lab.test."
  local-data: "_sip._tcp.srv.lab.test. SRV 1 1 5080 a.lab.test."
  local-data: "_sip._tcp.srv.lab.test. SRV 2 1 5081 gone.lab.test."
  local-data: "_sip._udp.none.lab.test. SRV 0 0 0 ."
  local-data: "none.lab.test. A 127.0.0.1"
  local-data: "a.lab.test. A 127.0.0.1"
  local-data: "a.lab.test. AAAA ::1"
  local-data: "b.lab.test. A 127.0.0.2"
forward-zone:
  name: "broken.test."
  forward-addr: 127.0.0.1@9
remote-control:
  control-enable: no
'''

QUESTIONS = {
    "naptr": ("naptr.lab.test", {}),
    "naptr udp": ("naptr.lab.test", {"transport": "udp"}),
    "naptr sips": ("naptr.lab.test", {"secure": True}),
    "srv": ("srv.lab.test", {}),
    "srv udp": ("srv.lab.test", {"transport": "udp"}),
    "addresses": ("a.lab.test", {}),
    "addresses tls": ("a.lab.test", {"transport": "tls"}),
    "ipv6": ("a.lab.test", {"family": "ipv6"}),
    "port": ("naptr.lab.test", {"port": 5099}),
    "port of a name": ("a.lab.test", {"port": 5099}),
    "number": ("127.0.0.9", {}),
    "own table": ("table.lab.test", {}),
    "said to be absent": ("none.lab.test", {}),
    "nobody": ("nobody.lab.test", {}),
    "broken": ("sip.broken.test", {}),
}

async def told(locator, host, **asked):
    asked = {"port": None, "transport": None, "secure": False, "family": "any"} | asked
    try:
        location = await locator.locate(host, **asked, timeout_s=2)
    except Unresolved as error:
        return str(error)
    members = [[m.name, str(m.address), m.port, m.transport] for m in location.members]
    return members + [["stale"]] if location.stale else members

def answers():
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", 53)) == 0

async def main(folder):
    config = folder / "unbound.conf"
    (folder / "dns").mkdir()
    config.write_text(UNBOUND.format(folder=folder / "dns"))
    locator = Locator(Resolver(fresh_s=0.0))
    with running([peer("unbound"), "-d", "-c", str(config)], folder / "dns", answers):
        seen = {name: await told(locator, host, **asked) for name, (host, asked) in QUESTIONS.items()}
    for known in list(locator._known):
        old = locator._known[known]
        locator._known[known] = type(old)(old.services, 0.0)
    seen["name server gone"] = await told(locator, "naptr.lab.test", transport="udp")
    seen["never known"] = await told(Locator(Resolver()), "naptr.lab.test")
    print(json.dumps(seen))

asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("names")
    (folder / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    (folder / "hosts").write_text("127.0.0.1 localhost\n127.0.0.7 Table.lab.test table # ours\n")
    for program in ("unshare", "ip", "unbound"):
        peer(program)
    shell = (
        'set -e; ip link set lo up; mount --bind "$0/resolv.conf" /etc/resolv.conf;'
        ' mount --bind "$0/hosts" /etc/hosts; exec "$1" -c "$2" "$0"'
    )
    command = [peer("unshare"), "--map-root-user", "--net", "--mount", "/bin/sh", "-c", shell]
    done = subprocess.run(
        [*command, str(folder), sys.executable, _SCRIPT],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def places(members: list[list[Any]]) -> list[tuple[str, int, str]]:
    return [(name, port, transport) for name, _, port, transport in members]


def test_the_first_naptr_that_can_be_followed_leads_to_every_server_in_its_order(
    seen: dict[str, Any],
) -> None:
    found = list(dict.fromkeys(places(seen["naptr"])))
    assert found == [("b.lab.test", 5072, "tcp"), ("a.lab.test", 5071, "tcp"), ("b.lab.test", 5070, "tcp")]


def test_an_explicit_transport_asks_for_its_own_servers(seen: dict[str, Any]) -> None:
    assert set(places(seen["naptr udp"])) == {("a.lab.test", 5073, "udp")}


def test_sips_is_served_over_tls_only(seen: dict[str, Any]) -> None:
    assert set(places(seen["naptr sips"])) == {("a.lab.test", 5074, "tls")}


def test_without_naptr_the_srv_records_are_asked_for_and_a_server_without_address_is_left_out(
    seen: dict[str, Any],
) -> None:
    assert set(places(seen["srv"])) == {("a.lab.test", 5080, "tcp")}


def test_without_srv_the_name_itself_is_the_server(seen: dict[str, Any]) -> None:
    assert set(places(seen["addresses"])) == {("a.lab.test", 5060, "udp")}
    assert {address for _, address, _, _ in seen["addresses"]} == {"127.0.0.1", "::1"}
    assert set(places(seen["addresses tls"])) == {("a.lab.test", 5061, "tls")}
    assert [address for _, address, _, _ in seen["ipv6"]] == ["::1"]


def test_a_port_a_number_and_a_name_of_this_hosts_own_are_taken_at_their_word(seen: dict[str, Any]) -> None:
    assert set(places(seen["port of a name"])) == {("a.lab.test", 5099, "udp")}
    assert seen["number"] == [["127.0.0.9", "127.0.0.9", 5060, "udp"]]
    assert seen["own table"] == [["table.lab.test", "127.0.0.7", 5060, "udp"]]


def test_what_is_absent_or_unknown_has_no_members(seen: dict[str, Any]) -> None:
    assert "no SIP service over udp" in seen["said to be absent"]
    for name in ("nobody", "port", "srv udp"):
        assert isinstance(seen[name], str)


def test_a_name_server_that_fails_leads_nowhere_and_what_was_known_stays(seen: dict[str, Any]) -> None:
    assert "answer from the name server" in seen["broken"]
    assert "answer from the name server" in seen["never known"]
    assert seen["name server gone"][-1] == ["stale"]
    assert set(places(seen["name server gone"][:-1])) == {("a.lab.test", 5073, "udp")}
