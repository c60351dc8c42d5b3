"""``ringback correct``, as it is called."""

from __future__ import annotations

import time

from monitor.sla.months import local_iso
from tests.cli.sites import Site
from tests.cli.test_control import agent
from tests.ledger.books import LUXEMBOURG
from tests.store.recorded import changed

FALSE_ALARM = (
    *("correct", "add", "--service", "acme-trunk", "--class", "false_alarm"),
    *("--from", "2026-10-10T10:00", "--to", "2026-10-10T11:00"),
    *("--reason", "our [firewall]", "--author", "noc"),
)


def test_a_correction_is_entered_listed_and_withdrawn(site: Site) -> None:
    site.run("import", "history", site.history())
    added = site.run(*FALSE_ALARM)
    assert added.exit_code == 0, added.output
    uid = added.stdout.strip()
    listed = site.run("correct", "list").stdout
    assert uid in listed
    assert "our [firewall]" in listed
    assert "in force" in listed
    (outage,) = site.json("outages")
    assert (outage["first_bad"], outage["down_ms"]) == ("2026-10-10T11:00:00+02:00", 3_600_000)
    withdrawn = site.run("correct", "withdraw", uid[:8], "--reason", "typo", "--author", "anna")
    assert (withdrawn.exit_code, withdrawn.stderr) == (0, f"withdrawn: {uid}\n")
    (kept,) = site.json("correct", "list", "--service", "acme-trunk")
    assert (kept["correction"], kept["state"], kept["from"], kept["withdrawn"]["author"]) == (
        "false_alarm",
        "up",
        "2026-10-10T10:00:00+02:00",
        "anna",
    )
    assert site.json("outages")[0]["down_ms"] == 7_200_000


def test_where_a_credit_of_a_frozen_month_changes_a_correction_is_shown_and_not_done_unless_told(
    site: Site,
) -> None:
    site.run("import", "history", site.history())
    site.run("credits", "2026-10")
    for words, code in (((), 1), (("--dry-run",), 0)):
        shown = site.run(*FALSE_ALARM, *words)
        assert (shown.exit_code, shown.stdout) == (code, "")
        assert "credit 60.00 EUR -> 30.00 EUR" in shown.stderr
    assert site.json("correct", "list") == []
    assert site.json("outages")[0]["down_ms"] == 7_200_000
    applied = site.json(*FALSE_ALARM, "--apply")
    assert applied["applied"] is True
    refused = site.run("correct", "withdraw", applied["uid"], "--reason", "typo")
    assert refused.exit_code == 1
    assert site.json("correct", "list")[0]["withdrawn"] is None
    assert site.run("correct", "withdraw", applied["uid"], "--reason", "typo", "--apply").exit_code == 0
    states = [one["state"] for one in site.json("credits", "2026-10")["entitlements"]]
    assert states == ["superseded", "superseded", "draft"]


def test_the_running_agent_corrects_and_goes_on_recording(site: Site) -> None:
    began = time.time_ns() // 1_000_000 - 60_000
    window = [local_iso(began + seconds * 1_000, LUXEMBOURG) for seconds in (10, 20)]
    unseen = ("correct", "add", "--service", "acme-trunk", "--class", "unseen", "--reason", "no audio")
    with agent(site) as writer:
        writer.record([changed("acme-trunk", (began, "up"))])
        added = site.json(*unseen, "--from", window[0], "--to", window[1])
        (outage,) = site.json("outages")
        assert (outage["down_ms"], outage["source"], outage["open"]) == (10_000, "correction", False)
        writer.record([changed("acme-trunk", (began + 30_000, "down"))])
        writer.submit(lambda db: None).result(10)
        assert [one["open"] for one in site.json("outages")] == [False, True]
        site.run("correct", "withdraw", added["uid"], "--reason", "typo")
        assert [one["source"] for one in site.json("outages")] == ["probe"]


def test_a_history_that_was_imported_again_under_a_correction_is_known(site: Site) -> None:
    site.run("import", "history", site.history())
    site.run(*FALSE_ALARM)
    assert site.json("import", "history", site.history())["known"] == 3


def test_a_correction_that_cannot_be_is_refused(site: Site) -> None:
    add = ("correct", "add", "--class", "unseen", "--reason", "x")
    window = ("--from", "2026-10-01", "--to", "2026-10-02")
    assert site.run(*add, *window).exit_code == 2
    assert site.run(*add, "--service", "acme", *window).exit_code == 1
    ahead = site.run(*add, "--service", "acme-trunk", "--from", "2026-10-01", "--to", "2099-01-01")
    assert (ahead.exit_code, "of the past" in ahead.stderr) == (1, True)
