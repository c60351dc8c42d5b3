"""kill -9 at random instants: no confirmed change is lost, and the dead time is unknown."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.agent.real import Ringback, eventually, free_port, nginx, now_ms, running

pytestmark = pytest.mark.alone

HEARTBEAT_MS = 500
KILLS = 20


@pytest.fixture
def rig(tmp_path: Path):
    port = free_port()
    server = nginx(tmp_path, port)
    agent = Ringback(
        tmp_path,
        f'  - {{id: pbx, kind: pbx, checks: ["tcp://127.0.0.1:{port}"]}}\n',
        agent=f"  heartbeat: {HEARTBEAT_MS}ms\n",
        defaults="{interval: 200ms, timeout: 150ms, fall: 2, rise: 2, retry_interval: 200ms}",
    )
    with running(server, agent):
        eventually(lambda: agent.state("pbx") == "up")
        yield agent, server


def test_twenty_kills_lose_no_confirmed_change_and_bound_the_dead_time(rig):
    agent, server = rig
    chance = random.Random(20)
    shown: list[str] = ["up"]
    dead: list[tuple[int, int]] = []
    for kill in range(KILLS):
        if kill % 4 == 1:
            server.kill()
            eventually(lambda: agent.state("pbx") == "down")
            shown.append("down")
        elif kill % 4 == 3:
            server.start()
            eventually(lambda: agent.state("pbx") == "up")
            shown.append("up")
        time.sleep(chance.random())  # the random instant, not a wait for a state
        agent.signal(9)
        killed_ms = now_ms()
        agent.child.wait(10)
        started_ms = now_ms()
        agent.start()
        eventually(lambda: agent.state("pbx") == shown[-1])
        dead.append((killed_ms, started_ms))
    assert agent.rows("PRAGMA integrity_check") == [{"integrity_check": "ok"}]
    spans = agent.rows("SELECT state, from_ms, to_ms FROM spans ORDER BY from_ms")
    known = [span["state"] for span in spans if span["state"] != "unknown"]
    assert [state for i, state in enumerate(known) if i == 0 or known[i - 1] != state] == shown
    unseen_ms = []
    for killed_ms, started_ms in dead:
        (gap,) = [
            s
            for s in spans
            if s["state"] == "unknown" and s["from_ms"] <= killed_ms and started_ms <= s["to_ms"]
        ]
        unseen_ms.append(killed_ms - gap["from_ms"])
    *usual, longest = sorted(unseen_ms)
    assert usual[-1] <= HEARTBEAT_MS + 300, "unknown from the last heartbeat on"
    assert longest <= 4 * HEARTBEAT_MS, (
        "a disk that holds up a write of a heartbeat makes it no more than a few"
    )
    (outages,) = agent.rows("SELECT count(DISTINCT outage) AS number FROM spans WHERE state = 'down'")
    assert outages["number"] == shown.count("down"), "an outage that was open stays the same outage"
