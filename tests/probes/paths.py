"""A path of three hosts, each a network namespace of its own: this one, a router, and a far end.

near 10.77.0.1 (.3), fd77:0::1  --1500--  10.77.0.2 router 10.77.1.2  --1400--  10.77.1.1, fd77:1::1 far
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.peers import peer

NEAR, ALSO_NEAR, ROUTER, FAR = "10.77.0.1", "10.77.0.3", "10.77.0.2", "10.77.1.1"
NEAR6, ROUTER6, FAR6 = "fd77:0::1", "fd77:0::2", "fd77:1::1"
PATH_MTU = 1400
HOLE, GONE = "10.77.2.1", "10.77.3.1"
"""The router drops what goes to the one, and answers "host unreachable" to the other."""

_ROOT = Path(__file__).parents[2]

_PATH = f"""
set -e
host() {{ unshare --net sleep 50 & new=$!
  while [ "$(readlink /proc/$new/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do :; done; }}
host; router=$new; host; far=$new
trap "kill $router $far" EXIT
on_router() {{ nsenter -t $router -n "$@"; }}
on_far() {{ nsenter -t $far -n "$@"; }}
for to in "" on_router on_far; do  # a link-local address on trial holds up the first packets for seconds
  $to sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0; $to ip link set lo up; done
ip link add near type veth peer name near netns $router
on_router ip link add far mtu {PATH_MTU} type veth peer name far netns $far
on_far ip link set far mtu {PATH_MTU}
on_router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0 \
  net.ipv6.icmp.ratelimit=0
ip addr add {NEAR}/24 dev near; ip -6 addr add {NEAR6}/64 dev near nodad
ip addr add {ALSO_NEAR}/24 dev near
on_router ip addr add {ROUTER}/24 dev near; on_router ip -6 addr add {ROUTER6}/64 dev near nodad
on_router ip addr add 10.77.1.2/24 dev far; on_router ip -6 addr add fd77:1::2/64 dev far nodad
on_far ip addr add {FAR}/24 dev far; on_far ip -6 addr add {FAR6}/64 dev far nodad
ip link set near up; on_router ip link set near up; on_router ip link set far up; on_far ip link set far up
on_router ip route add blackhole {HOLE}; on_router ip route add unreachable {GONE}
ip route add default via {ROUTER}; ip -6 route add default via {ROUTER6}
on_far ip route add default via 10.77.1.2; on_far ip -6 route add default via fd77:1::2
"""

_ASK = """
import asyncio, json, sys
from probes.icmp import IcmpOptions, IcmpProber

async def main():
    prober = IcmpProber()
    for target, options in json.loads(sys.argv[1]):
        seen = await prober.probe(IcmpProber.parse(target), IcmpOptions.model_validate(options))
        print(json.dumps([seen.verdict.name, seen.reason, dict(seen.detail)]))
    await prober.close()

asyncio.run(main())
"""

Question = tuple[str, Mapping[str, object]]
Seen = tuple[str, str, dict[str, object]]


def ask_across(questions: Sequence[Question], setup: str = "") -> list[Seen]:
    """Verdict, reason and detail of ICMP probes from the near end, one after the other, by one prober.

    ``setup`` is shell; ``on_router`` and ``on_far`` run a command there.
    """
    for program in ("unshare", "nsenter", "ip", "iptables"):
        peer(program)
    shell = f'{_PATH}\n{setup}\n"$0" -c "$1" "$2"'
    command = [peer("unshare"), "--map-root-user", "--net", "/bin/sh", "-c", shell]
    arguments = [sys.executable, _ASK, json.dumps(questions)]
    done = subprocess.run(
        [*command, *arguments], cwd=_ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]
