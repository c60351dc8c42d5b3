"""The commands of the ledger, as they are called."""

from __future__ import annotations

import csv
import datetime
import io

from icalendar import Calendar

from tests.cli.sites import Site
from tests.ledger.books import SERVICES, line
from tests.ledger.test_calendars import WORKS, calendar, event
from tests.ledger.test_rollup import EXAMPLE


def test_the_example_of_the_documentation_comes_out_to_the_letter(site: Site) -> None:
    site.run("import", "history", site.history())
    assert site.json("report", "2026-10") == {
        "month": "2026-10",
        "timezone": "Europe/Luxembourg",
        "services": [EXAMPLE],
    }
    window = ("--from", "2026-10-01", "--to", "2026-11-01T00:00:00+01:00")
    assert site.json("availability", "--service", "acme-trunk", *window) == EXAMPLE


def test_the_frozen_month_reads_as_before(site: Site) -> None:
    site.run("import", "history", site.history())
    site.run("credits", "2026-10")
    assert site.json("report", "2026-10", "--service", "acme-trunk")["services"] == [EXAMPLE]


def test_importing_a_file_twice_changes_nothing(site: Site) -> None:
    file = site.history()
    assert site.json("import", "history", file) == {
        "spans": 3,
        "exclusions": 0,
        "known": 0,
        "revised": [],
        "applied": True,
    }
    report = site.run("report", "2026-10", "--json").stdout
    again = site.json("import", "history", file)
    assert (again["spans"], again["exclusions"], again["known"], again["revised"]) == (0, 0, 3, [])
    assert site.run("report", "2026-10", "--json").stdout == report


def test_a_history_comes_from_standard_input(site: Site) -> None:
    result = site.run("import", "history", "-", stdin=line("up", "2026-10-01", "2026-10-02"))
    assert result.exit_code == 0
    assert "imported 1 spans" in result.stderr


def test_a_bad_line_is_named_and_nothing_is_imported(site: Site) -> None:
    file = site.history(
        [line("up", "2026-10-01", "2026-10-02"), "{}", line("sideways", "2026-10-02", "2026-10-03")]
    )
    result = site.run("import", "history", file)
    assert result.exit_code == 1
    assert [text.split(":")[1] for text in result.stderr.splitlines()] == [" line 2", " line 3"]
    assert not site.database.exists()


def test_credits_freezes_a_month_that_is_over_and_shows_the_calculation(site: Site) -> None:
    site.run("import", "history", site.history())
    (owed,) = site.json("credits", "2026-10")["entitlements"]
    assert (owed["service"], owed["state"], owed["amount"], owed["currency"]) == (
        "acme-trunk",
        "draft",
        "60.00",
        "EUR",
    )
    assert owed["calculation"][-1]["result"] == "60.00 EUR"
    table = site.run("credits", "2026-10").stdout
    assert owed["uid"] in table
    assert "the lesser of the two" in table


def test_credits_of_a_month_that_goes_on_says_so(site: Site) -> None:
    site.run("import", "history", site.history())
    result = site.run("credits", "2098-10")
    assert (result.exit_code, result.stdout) == (0, "2098-10: no entitlement\n")
    assert "is not over" in result.stderr


def test_an_exclusion_is_entered_listed_and_withdrawn(site: Site) -> None:
    site.run("import", "history", site.history())
    site.run("credits", "2026-10")
    window = ("--from", "2026-10-10T10:00", "--to", "2026-10-10T11:00")
    added = site.run(
        *("exclude", "add", "--service", "acme-trunk", "--class", "maintenance", *window),
        *("--reason", "new [SBC]", "--author", "noc", "--apply"),
    )
    assert added.exit_code == 0, added.output
    uid = added.stdout.strip()
    assert "credit 60.00 EUR -> 30.00 EUR" in added.stderr
    listed = site.run("exclude", "list").stdout
    assert uid in listed
    assert "new [SBC]" in listed
    assert (
        site.run("exclude", "withdraw", uid[:8], "--reason", "typo", "--author", "noc", "--apply").exit_code
        == 0
    )
    (kept,) = site.json("exclude", "list", "--service", "acme-trunk")
    assert (kept["uid"], kept["withdrawn"]["reason"]) == (uid, "typo")
    states = [one["state"] for one in site.json("credits", "2026-10")["entitlements"]]
    assert states == ["superseded", "superseded", "draft"]


def test_where_the_credit_of_a_frozen_month_changes_it_is_shown_and_not_done_unless_told(site: Site) -> None:
    site.run("import", "history", site.history())
    window = ("--from", "2026-10-10T10:00", "--to", "2026-10-10T11:00")
    add = ("exclude", "add", "--all", "--class", "maintenance", *window, "--reason", "new SBC")
    rehearsed = site.run(*add, "--dry-run")
    assert (rehearsed.exit_code, rehearsed.stdout) == (0, "")
    site.run("credits", "2026-10")
    refused = site.run(*add)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "credit 60.00 EUR -> 30.00 EUR" in refused.stderr
    assert "--apply" in refused.stderr
    assert site.json("exclude", "list") == []
    assert site.json("credits", "2026-10")["entitlements"][0]["state"] == "draft"
    assert site.run(*add, "--apply", "--dry-run").exit_code == 2
    assert site.json(*add, "--apply")["applied"] is True
    assert site.json("credits", "2026-10")["entitlements"][0]["state"] == "superseded"


def test_a_history_is_only_looked_at_with_dry_run(site: Site) -> None:
    result = site.run("import", "history", site.history(), "--dry-run")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "would" in result.stderr
    assert site.json("import", "history", site.history(), "--dry-run")["spans"] == 3
    assert site.json("import", "history", site.history())["spans"] == 3


def test_an_exclusion_that_cannot_be_is_refused(site: Site) -> None:
    add = ("exclude", "add", "--class", "customer", "--reason", "x")
    inverted = ("--from", "2026-10-02", "--to", "2026-10-01")
    window = ("--from", "2026-10-01", "--to", "2026-10-02")
    assert site.run(*add, *window).exit_code == 2
    assert site.run(*add, "--all", "--service", "acme-trunk", *window).exit_code == 2
    assert site.run(*add, "--all", "--from", "yesterday", "--to", "2026-10-02").exit_code == 2
    refused = site.run(*add, "--all", *inverted)
    assert (refused.exit_code, refused.stderr) == (
        1,
        "ringback: expected an exclusion that begins before it ends\n",
    )
    assert "no-tag" in site.run(*add, "--tag", "no-tag", *window).stderr


def test_the_report_of_a_month_that_goes_on_says_so_and_what_is_left(site: Site) -> None:

    today = datetime.datetime.now(datetime.UTC)
    site.history(
        [line("up", "2026-01-01", (today - datetime.timedelta(seconds=1)).isoformat(timespec="seconds"))]
    )
    site.run("import", "history", site.path / "history.jsonl")
    report = site.run("report", f"{today:%Y-%m}").stdout
    assert "The month is not complete" in report
    assert "LEFT TO BREACH" in report


def test_tables_keep_names_with_brackets_and_long_ids_whole(site: Site) -> None:
    name = "a" * 60
    (site.path / "odd.yml").write_text('provider: odd\nname: Odd\nplans:\n  x: {name: "[red]x"}\n')
    site.configure(f"{SERVICES}  - {{id: {name}, name: '[bold]x', plan: odd/x}}\n")
    site.config.write_text(
        site.config.read_text().replace("[plans/mixvoip.yml]", "[plans/mixvoip.yml, odd.yml]")
    )
    site.run("import", "history", site.history())
    report = site.process("report", "2026-10").stdout
    assert name in report
    assert "none: the plan guarantees no availability" in report
    assert all(len(text.split()) > 5 for text in report.splitlines()[1:])


def test_csv_has_one_line_a_service(site: Site) -> None:
    site.run("import", "history", site.history())
    (row,) = csv.DictReader(io.StringIO(site.run("report", "2026-10", "--csv").stdout))
    assert (row["availability"], row["breach"], row["credit_amount"]) == ("0.99731543", "true", "60.00")


def test_outages_are_listed_with_their_bounds(site: Site) -> None:
    site.run("import", "history", site.history())
    (outage,) = site.json("outages", "--month", "2026-10")
    assert (outage["first_bad"], outage["first_good"], outage["down_ms"]) == (
        "2026-10-10T10:00:00+02:00",
        "2026-10-10T12:00:00+02:00",
        7_200_000,
    )
    assert site.json("outages", "--month", "2026-09") == []
    assert "2 h 00 min 00 s" in site.run("outages", "--service", "acme-trunk").stdout


def test_status_tells_what_is_known_now(site: Site) -> None:
    site.run("import", "history", site.history())
    status = site.json("status")
    assert status["agent"] is None
    assert (status["services"][0]["state"], status["services"][0]["reason"]) == ("unknown", "not covered")
    assert "has never run" in site.run("status").stdout


def test_deadlines_run_in_the_fault_hours_of_the_plan(site: Site) -> None:
    asked = ("deadline", "--plan", "mixvoip/enterprise", "--reported", "2026-11-20T18:30")
    assert site.json(*asked) == {
        "reported": "2026-11-20T18:30:00+01:00",
        "mrt": "2026-11-21T09:30:00+01:00",
        "tti": "2026-11-21T12:30:00+01:00",
        "ttr": "2026-11-21T14:30:00+01:00",
    }
    assert "response (MRT)" in site.run(*asked).stdout


def test_an_unknown_plan_gets_a_suggestion(site: Site) -> None:
    result = site.run("deadline", "--plan", "mixvoip/entreprise", "--reported", "2026-11-20T18:30")
    assert result.exit_code == 1
    assert "did you mean 'mixvoip/enterprise'?" in result.stderr


def test_a_window_that_comes_back_is_entered_as_a_whole_and_revises_each_month_once(site: Site) -> None:
    site.run("import", "history", site.history())
    site.run("credits", "2026-10")
    add = ("exclude", "add", "--all", "--class", "maintenance", "--reason", "works", "--author", "noc")
    window = ("--from", "2026-10-10T10:00", "--to", "2026-10-10T11:00")
    weekly = (*add, *window, "--repeat", "FREQ=WEEKLY;BYDAY=SA", "--until", "2026-11-01")
    shown = site.run(*weekly)
    assert (shown.exit_code, len(shown.stdout.splitlines())) == (1, 4)
    assert site.json("exclude", "list") == []
    entered = site.json(*weekly, "--apply")
    assert [one["uid"] for one in site.json("exclude", "list")] == entered["uids"]
    (revised,) = entered["revised"]
    assert revised["difference"]["down_ms"] == [7_200_000, 3_600_000]
    assert site.run(*add, *window, "--repeat", "FREQ=DAILY").exit_code == 2
    refused = site.run(*add, *window, "--repeat", "FREQ=DAILY", "--until", "2035-01-01")
    assert (refused.exit_code, "at most 1000" in refused.stderr) == (2, True)


def test_outages_are_printed_as_a_calendar(site: Site) -> None:
    site.run("import", "history", site.history())
    (event,) = Calendar.from_ical(site.run("outages", "--ical").stdout).walk("VEVENT")
    assert (event.start.isoformat(), event.end.isoformat(), event["SUMMARY"]) == (
        "2026-10-10T08:00:00+00:00",
        "2026-10-10T10:00:00+00:00",
        "acme-trunk was down",
    )
    assert event["UID"] == "acme-trunk-1791619200000@ringback"
    assert site.run("outages", "--ical", "--json").exit_code == 2


def test_a_calendar_with_a_mistake_is_not_imported(site: Site) -> None:
    file = site.path / "works.ics"
    file.write_bytes(calendar(event(*WORKS), event("DTSTART:20261010T080000Z", uid="b")))
    words = ("import", "calendar", file, "--all", "--class", "maintenance")
    refused = site.run(*words)
    assert (refused.exit_code, refused.stderr) == (1, "ringback: event b: expected DTEND or DURATION\n")
    file.write_bytes(calendar(event(*WORKS)))
    assert site.run(*words, "--dry-run").exit_code == 0
    site.run("import", "history", site.history())
    assert site.json("exclude", "list") == []
    assert site.json(*words)["entered"] == 1
