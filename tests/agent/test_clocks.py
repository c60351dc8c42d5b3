"""The running agent looks at the clocks of incidents by itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from tests.agent.real import Ringback, eventually, now_ms, running

SERVICES = "  - {id: trunk, plan: mixvoip/advanced, timezone: Europe/Luxembourg}\n"
"""Around the clock: two hours until a response."""
HOUR_MS = 3_600_000
SOON_MS = 8_000
"""Until a deadline passes, for the commands before it."""


def claims(agent: Ringback) -> list[tuple[str, str]]:
    return [(one["clock"], one["state"]) for one in agent.json("claim", "list")]


def opened(agent: Ringback, ago_ms: int) -> str:
    """Reported so long ago, to the millisecond."""
    reported = datetime.fromtimestamp((now_ms() - ago_ms) / 1000, UTC).isoformat(timespec="milliseconds")
    asked = ("--service", "trunk", "--title", "no calls", "--reported", reported)
    return str(agent.json("incident", "open", *asked)["uid"])


def test_a_deadline_that_passes_while_the_agent_runs_is_drafted_once_and_shown(tmp_path: Path) -> None:
    agent = Ringback(tmp_path, SERVICES)
    with running(agent):
        uid = opened(agent, 2 * HOUR_MS - SOON_MS)
        labels = f'{{service="trunk",incident="{uid}",clock="%s"}}'
        assert claims(agent) == []
        eventually(lambda: agent.metric(f"ringback_incident_clock_breached{labels % 'mrt'}") == 1, 40)
        eventually(lambda: claims(agent) == [("mrt", "draft")], 40)
        assert (agent.metric(f"ringback_incident_time_left_seconds{labels % 'mrt'}") or 0) < 0
        left_s = agent.metric(f"ringback_incident_time_left_seconds{labels % 'tti'}") or 0
        assert 3 * 3600 - 60 < left_s < 3 * 3600 + 9
        (shown,) = json.loads(agent.get("/api/v1/incidents?open=true"))
        assert shown["clocks"]["mrt"]["status"] == "breached and running"
        agent.json("incident", "resolve", uid)
        eventually(lambda: agent.metric(f"ringback_incident_clock_breached{labels % 'mrt'}") is None, 40)


def test_a_deadline_that_passed_while_no_agent_ran_is_drafted_when_it_starts_and_once(tmp_path: Path) -> None:
    agent = Ringback(tmp_path, SERVICES)
    with running(agent):
        uid = opened(agent, 2 * HOUR_MS - SOON_MS)
    eventually(lambda: agent.json("incident", "list")[0]["clocks"]["mrt"]["left_ms"] < 0)
    assert claims(agent) == []
    breached = f'ringback_incident_clock_breached{{service="trunk",incident="{uid}",clock="mrt"}}'
    for _ in range(2):
        with running(agent):
            eventually(lambda: agent.metric(breached) == 1)
            eventually(lambda: claims(agent) == [("mrt", "draft")])
