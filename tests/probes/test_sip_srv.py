"""A domain with two proxies, as a real name server has it: both are asked, and named (RFC 3263).

In a network and mount namespace of its own, for the name server is the one of this host's resolv.conf.
"""

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
import contextlib, json, socket, sys
from pathlib import Path
from tests.peers import peer
from tests.probes.daemons import running
from tests.probes.sip_peers import kamailio, probe

UNBOUND = '''
server:
  interface: 127.0.0.1
  chroot: ""
  username: ""
  directory: "{folder}"
  pidfile: "{folder}/pid"
  use-syslog: no
  local-zone: "lab.test." static
  local-data: 'lab.test. NAPTR 10 1 "s" "SIP+D2U" "" _sip._udp.lab.test.'
  local-data: "_sip._udp.lab.test. SRV 10 1 {one} a.lab.test."
  local-data: "_sip._udp.lab.test. SRV 20 1 {two} b.lab.test."
  local-data: "a.lab.test. A 127.0.0.1"
  local-data: "b.lab.test. A 127.0.0.1"
remote-control:
  control-enable: no
'''

def answers():
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", 53)) == 0

folder = Path(sys.argv[1])
for name in ("one", "two", "dns"):
    (folder / name).mkdir()
with contextlib.ExitStack() as stack:
    one = stack.enter_context(kamailio(folder / "one"))
    with kamailio(folder / "two") as two:
        config = folder / "unbound.conf"
        config.write_text(UNBOUND.format(folder=folder / "dns", one=one, two=two))
        stack.enter_context(running([peer("unbound"), "-d", "-c", str(config)], folder / "dns", answers))
        said = [probe("sip:lab.test"), probe("sip:busy@lab.test"), probe("sip:none.lab.test")]
    said += [probe("sip:lab.test"), probe("sip:lab.test", partly_up="bad")]
    print(json.dumps([[one.verdict.name, one.reason, dict(one.detail)] for one in said]))
"""

Seen = list[Any]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> list[Seen]:
    """Both alive; both busy; no such name; the second dead; the same, and that is bad."""
    folder = tmp_path_factory.mktemp("domain")
    (folder / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    for program in ("unshare", "ip", "unbound", "kamailio"):
        peer(program)
    shell = (
        'set -e; ip link set lo up; mount --bind "$0/resolv.conf" /etc/resolv.conf; exec "$1" -c "$2" "$0"'
    )
    command = [peer("unshare"), "--map-root-user", "--net", "--mount", "/bin/sh", "-c", shell]
    arguments = [str(folder), sys.executable, _SCRIPT]
    done = subprocess.run(
        [*command, *arguments], cwd=_ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    seen: list[Seen] = json.loads(done.stdout)
    return seen


def test_both_proxies_of_a_domain_are_asked_in_its_order(seen):
    verdict, reason, detail = seen[0]
    assert (verdict, reason) == ("GOOD", "200")
    assert [member["name"] for member in detail["members"]] == ["a.lab.test", "b.lab.test"]
    assert {member["verdict"] for member in detail["members"]} == {"good"}


def test_a_domain_whose_proxies_are_all_bad_is_bad(seen):
    assert seen[1][:2] == ["BAD", "503"]


def test_a_domain_that_is_not_there_was_not_asked(seen):
    assert seen[2][0] == "NOT_ASKED"


def test_a_domain_with_a_dead_proxy_is_partly_up_and_names_it(seen):
    verdict, reason, detail = seen[3]
    assert (verdict, reason) == ("DEGRADED", "partly up")
    reasons = {member["name"]: member["reason"] for member in detail["members"]}
    assert reasons == {"a.lab.test": "200", "b.lab.test": "refused"}
    assert seen[4][0] == "BAD"
