"""Incidents, as the commands carry them from report to claim."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest

from monitor.cli.invocation import Invocation
from tests.cli.sites import Site

FRIDAY = "2026-10-16T14:00"
"""Enterprise is handled 07–19 every day: due at 17:00, at 08:00 and at 10:00 of the next day."""


def open_one(site: Site, *more: str) -> str:
    asked = ("--service", "acme-trunk", "--reported", FRIDAY, "--author", "anna")
    result = site.run("incident", "open", *asked, *more)
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


@pytest.fixture
def past(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site at the hour of the report."""
    go_to(monkeypatch, "2026-10-16T12:30:00+00:00")
    return site


def go_to(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(Invocation, "now_ms", int(datetime.fromisoformat(text).timestamp()) * 1000)


def clocks(site: Site, uid: str) -> dict[str, Any]:
    return dict(site.json("incident", "show", uid)["clocks"])


def test_an_incident_is_carried_from_report_to_resolution(
    past: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = open_one(past, "--title", "no inbound calls", "--reference", "T-1")
    (listed,) = past.json("incident", "list", "--open")
    assert (listed["uid"], listed["state"], listed["reference"]) == (uid, "reported", "T-1")
    assert listed["clocks"]["mrt"] == {
        "agreed_ms": 10_800_000,
        "deadline": "2026-10-16T17:00:00+02:00",
        "used_ms": 1_800_000,
        "left_ms": 9_000_000,
        "status": "running",
        "claim": None,
    }
    assert "2 h 30 min 00 s left" in past.run("incident", "list").stdout
    acknowledged = past.run("incident", "ack", uid[:8], "--note", "ticket taken", "--author", "ben")
    assert (acknowledged.exit_code, acknowledged.stdout) == (0, "")
    assert acknowledged.stderr == f"{uid} (acme-trunk): acknowledged\n"
    go_to(monkeypatch, "2026-10-17T12:00:00+00:00")
    intervened = past.run("incident", "intervene", uid, "--at", "2026-10-17T08:30")
    assert "TTI is breached: a claim is drafted, its amount is to be agreed" in intervened.stderr
    assert past.json("incident", "resolve", uid, "--at", "2026-10-17T09:00")["state"] == "resolved"
    assert [one["status"] for one in clocks(past, uid).values()] == ["met", "breached", "met"]
    shown = past.json("incident", "show", uid)
    assert shown["acknowledged"] == "2026-10-16T14:30:00+02:00"
    assert [(one["event"], one["author"]) for one in shown["events"]][:1] == [("acknowledged", "ben")]
    assert past.json("incident", "list", "--open") == []
    text = past.run("incident", "show", uid).stdout
    assert "ticket taken" in text
    assert re.search(r"6 h 30 min 00 s +-30 min 00 s  breached", text)


def test_the_claim_of_a_breached_clock_is_to_be_agreed_and_settled_as_any_other(site: Site) -> None:
    uid = open_one(site)
    assert len(site.json("claim", "list")) == 3
    mrt = clocks(site, uid)["mrt"]["claim"]
    claim = site.json("claim", "show", mrt)
    assert (claim["kind"], claim["clock"], claim["incident"], claim["amount"]) == (
        "response",
        "mrt",
        uid,
        None,
    )
    assert claim["calculation"][-1]["result"] == "to be agreed"
    assert "to be agreed" in site.run("claim", "list").stdout
    for step in (("approve",), ("submit",), ("settle", "--amount", "15.00")):
        assert site.run("claim", step[0], mrt, *step[1:]).exit_code == 0
    assert site.json("claim", "show", mrt)["accepted"] == "15.00"


def test_an_incident_is_opened_from_an_outage(site: Site) -> None:
    site.run("import", "history", site.history())
    uid = open_one(site, "--outage", "2026-10-10T10:00")
    assert site.json("incident", "show", uid)["outages"] == ["2026-10-10T10:00:00+02:00"]
    assert "about the outage that began 2026-10-10T10:00:00+02:00" in site.run("incident", "show", uid).stdout
    other = site.run("incident", "link", uid, "--outage", "2026-10-10T11:00")
    assert (other.exit_code, "has no outage that began at that instant" in other.stderr) == (1, True)
    assert site.run("incident", "link", uid, "--outage", "2026-10-10T10:00").exit_code == 0


def test_what_is_out_of_order_fails_and_says_why(site: Site) -> None:
    uid = open_one(site)
    refused = site.run("incident", "ack", uid, "--at", "2026-10-16T13:00")
    assert refused.exit_code == 1
    assert "would be before the incident was reported, at 2026-10-16T14:00:00+02:00" in refused.stderr
    assert site.run("incident", "ack", uid, "--at", "yesterday").exit_code == 2
    assert site.run("incident", "ack", "00000000").exit_code == 1
    assert site.run("incident", "open", "--service", "nobody").exit_code == 1


def test_a_withdrawn_incident_stays_on_record_without_clocks(site: Site) -> None:
    uid = open_one(site)
    assert site.run("incident", "withdraw", uid, "--reason", "the wrong service").exit_code == 0
    (listed,) = site.json("incident", "list")
    assert (listed["state"], listed["clocks"]) == ("withdrawn", {"mrt": None, "tti": None, "ttr": None})
    assert {one["state"] for one in site.json("claim", "list")} == {"superseded"}
    again = site.run("incident", "reference", uid, "T-2")
    assert "was withdrawn" in again.stderr


def test_a_ticket_gets_its_reference_when_it_has_one(site: Site) -> None:
    uid = open_one(site)
    assert site.run("incident", "reference", uid, "T-4711").exit_code == 0
    assert "ticket T-4711" in site.run("incident", "show", uid).stdout
    assert "T-4711" in site.run("incident", "list", "--service", "acme-trunk").stdout
