"""Windows that are repeated, calendars that are brought in, and outages as a calendar."""

from __future__ import annotations

import icalendar

from tests.cli.sites import Site

WORKS = ("exclude", "add", "--service", "acme-trunk", "--class", "maintenance", "--reason", "weekly works")
WEEKLY = (
    "--from",
    "2026-10-10T11:00",
    "--to",
    "2026-10-10T12:00",
    "--repeat",
    "FREQ=WEEKLY",
    "--until",
    "2026-11-01",
)
EVENTS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//x//y//EN
BEGIN:VEVENT
UID:works
DTSTAMP:20260101T000000Z
SUMMARY:Announced works
DTSTART;TZID=Europe/Luxembourg:20261010T110000
DURATION:PT1H
RRULE:FREQ=WEEKLY;COUNT=3
END:VEVENT
END:VCALENDAR
"""


def test_a_window_that_is_repeated_is_an_exclusion_each_time(site: Site) -> None:
    site.run("import", "history", site.history())
    result = site.json(*WORKS, *WEEKLY)
    assert (len(result["uids"]), result["known"], result["applied"]) == (4, 0, True)
    assert len(site.json("exclude", "list")) == 4
    assert site.json(*WORKS, *WEEKLY)["known"] == 4
    (month,) = site.json("report", "2026-10")["services"]
    assert (month["down_ms"], month["excluded_ms"]) == (3_600_000, 3_600_000)


def test_where_it_would_change_a_credit_it_is_only_shown_and_once_for_all_windows(site: Site) -> None:
    site.run("import", "history", site.history())
    site.run("credits", "2026-10")
    result = site.run(*WORKS, *WEEKLY)
    assert result.exit_code == 1
    assert "say --apply" in result.stderr
    assert site.json("exclude", "list") == []
    assert [one["revision"] for one in site.json(*WORKS, *WEEKLY, "--apply")["revised"]] == [2]


def test_repetition_needs_its_end(site: Site) -> None:
    result = site.run(*WORKS, *WEEKLY[:-2])
    assert (result.exit_code, "--repeat and --until together" in result.stderr) == (2, True)


def test_a_calendar_is_brought_in_once(site: Site) -> None:
    site.run("import", "history", site.history())
    file = site.path / "works.ics"
    file.write_text(EVENTS)
    first = site.json("import", "calendar", file, "--service", "acme-trunk")
    assert (len(first["uids"]), first["known"]) == (3, 0)
    assert site.json("import", "calendar", file, "--service", "acme-trunk")["known"] == 3
    assert {one["reason"] for one in site.json("exclude", "list")} == {"Announced works"}
    (month,) = site.json("report", "2026-10")["services"]
    assert month["excluded_ms"] == 3_600_000


def test_a_calendar_that_is_none_is_told_and_changes_nothing(site: Site) -> None:
    file = site.path / "works.ics"
    file.write_text("no calendar")
    result = site.run("import", "calendar", file, "--all")
    assert (result.exit_code, "expected an iCalendar file" in result.stderr) == (1, True)
    assert not site.database.exists()


def test_outages_are_a_calendar_with_the_same_names_each_time(site: Site) -> None:
    site.run("import", "history", site.history())
    text = site.run("outages", "--ical").stdout
    (event,) = icalendar.Calendar.from_ical(text).walk("VEVENT")
    assert event.start.isoformat() == "2026-10-10T08:00:00+00:00"
    assert event.end.isoformat() == "2026-10-10T10:00:00+00:00"
    assert "down" in str(event["SUMMARY"])
    assert site.run("outages", "--ical").stdout == text
