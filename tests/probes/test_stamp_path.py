"""STAMP across a real path: two hosts and a router between them, which drops packets of one direction."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.peers import peer
from tests.probes.paths import _PATH, FAR, FAR6, GONE

_ROOT = Path(__file__).parents[2]
_EVERY_THIRD = "-p udp -m statistic --mode nth --every 3 --packet 1 -j DROP"


def across(*steps: str) -> list[dict[str, Any]]:
    """What `ringback probe` prints on the near host, with `ringback reflect` on the far one. Steps are shell;
    ``ask TARGET`` is the probe, ``on_router`` runs a command there."""
    for program in ("unshare", "nsenter", "ip", "iptables", "ss"):
        peer(program)
    shell = f"""{_PATH}
nsenter -t $far -n timeout 45 {sys.executable} -m monitor reflect --allow any --no-sip 2>/dev/null & reflector=$!
trap "kill $reflector $router $far" EXIT
until on_far ss -Hlnu6 | grep -q :862; do kill -0 $reflector; done
ask() {{ {sys.executable} -m monitor probe --json -o count=9 --timeout 1s "$@" || true; }}
{"; ".join(steps)}
"""
    command = [peer("unshare"), "--map-root-user", "--net", "/bin/sh", "-c", shell]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    found, decoder, text = [], json.JSONDecoder(), done.stdout.lstrip()
    while text:
        one, end = decoder.raw_decode(text)
        found.append(one)
        text = text[end:].lstrip()
    return found


def test_the_direction_in_which_a_router_drops_packets_is_the_one_that_is_blamed() -> None:
    there, back, six, gone = across(
        f"on_router iptables -A FORWARD -d {FAR} {_EVERY_THIRD}",
        f"ask stamp://{FAR}",
        f"on_router iptables -F; on_router iptables -A FORWARD -s {FAR} {_EVERY_THIRD}",
        f"ask stamp://{FAR} -o size=1000 -o dscp=46",
        f"ask stamp://[{FAR6}]",
        f"ask stamp://{GONE}",
    )
    assert (there["detail"]["forward_lost"], there["detail"]["backward_lost"]) == (3, 0)
    assert (back["detail"]["forward_lost"], back["detail"]["backward_lost"]) == (0, 3)
    assert there["detail"]["loss"] == back["detail"]["loss"] == 0.3333
    assert there["detail"]["ttl_there"] == 63  # one router on the way
    assert (six["verdict"], six["detail"]["loss"], six["detail"]["ttl_there"]) == ("good", 0, 63)
    assert (gone["verdict"], gone["reason"]) == ("bad", "host unreachable")
