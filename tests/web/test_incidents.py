"""Open incidents as they are shown: page, API, metrics."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.ledger.incident_clocks import open_incidents
from monitor.ledger.incidents import EnterEvent, OpenIncident
from monitor.ledger.request import checked
from monitor.store.database import open_for_reading
from monitor.web.incident_metrics import incident_exposition
from tests.web.house import PBX, TRUNK, House, at
from tests.web.promtool import lint
from tests.web.test_api import ask, command, get
from tests.web.test_pages import read, text_of


def report(house: House, service: str, reported: str, **fields: Any) -> str:
    """Enterprise (the trunk) is handled 07–19 every day, office (the PBX) 08–18 on working days."""
    asked = {"service": service, "reported_ms": at(reported), "author": "noc", **fields}
    house.ask(checked(OpenIncident, asked))
    return str(get(house, "/api/v1/incidents")[0]["uid"])


def enter(house: House, uid: str, event: str, when: str) -> None:
    house.ask(checked(EnterEvent, {"uid": uid, "event": event, "at_ms": at(when), "author": "noc"}))


def shown(house: House) -> str:
    """The text of the status page, spaced as people see it."""
    return text_of(read(house, "/")).replace(" ,", ",")


def scraped(house: House) -> str:
    """What /metrics says once the agent has looked at the clocks."""
    db = open_for_reading(house.database)
    house.live.incidents = tuple(open_incidents(db, house.now_ms))
    db.close()
    return "".join(incident_exposition(house.live.incidents))


def test_the_status_page_shows_open_incidents_with_the_time_left_in_handling_hours(house: House) -> None:
    assert "Open incidents" not in read(house, "/")
    uid = report(house, TRUNK, "2026-11-20T13:50", title="no <inbound> calls", reference="T-1")
    enter(house, uid, "acknowledged", "2026-11-20T14:00")
    text = shown(house)
    assert "Open incidents" in text
    assert f"acme-trunk no <inbound> calls · T-1 {uid}" in text
    assert "acknowledged open since 13:50:00" in text
    assert "MRT met TTI 5 h 47 min left, due 2026-11-21 07:50:00 TTR 7 h 47 min left" in text
    house.now_ms = at("2026-11-20T23:00")
    assert "TTI 50 min left, due 2026-11-21 07:50:00" in shown(house)
    house.now_ms = at("2026-11-21T08:00")
    assert "TTI breached and running, due 07:50:00" in shown(house)
    enter(house, uid, "resolved", "2026-11-21T08:00")
    assert "Open incidents" not in read(house, "/")


def test_the_most_pressing_incident_comes_first(house: House) -> None:
    report(house, TRUNK, "2026-11-20T13:50", title="later")
    report(house, PBX, "2026-11-20T11:00", title="sooner")
    text = shown(house)
    assert text.index("sooner") < text.index("later")


def test_metrics_have_the_time_left_of_clocks_that_run_and_the_breaches_of_open_incidents(
    house: House,
) -> None:
    uid = report(house, TRUNK, "2026-11-20T13:02:31")
    labels = f'{{service="{TRUNK}",incident="{uid}",clock="%s"}}'
    for clock, left in (("mrt", 7200.0), ("tti", 18000.0), ("ttr", 25200.0)):
        assert f"ringback_incident_time_left_seconds{labels % clock} {left}\n" in scraped(house)
        assert f"ringback_incident_clock_breached{labels % clock} 0\n" in scraped(house)
    house.now_ms = at("2026-11-20T16:32:31")
    assert f"ringback_incident_time_left_seconds{labels % 'mrt'} -1800.0\n" in scraped(house)
    assert f"ringback_incident_clock_breached{labels % 'mrt'} 1\n" in scraped(house)
    enter(house, uid, "acknowledged", "2026-11-20T16:32")
    assert f"time_left_seconds{labels % 'mrt'}" not in scraped(house)
    assert f"ringback_incident_clock_breached{labels % 'mrt'} 1\n" in scraped(house)
    assert lint(scraped(house)) == ""
    enter(house, uid, "resolved", "2026-11-20T16:32:31")
    assert "{" not in scraped(house)


def test_incidents_are_what_the_command_prints(house: House) -> None:
    first = report(house, TRUNK, "2026-11-20T13:50")
    second = report(house, PBX, "2026-11-20T14:00")
    enter(house, first, "resolved", "2026-11-20T14:01")
    answer = get(house, "/api/v1/incidents")
    assert [one["uid"] for one in answer] == [second, first]
    assert answer[1] == command(house, "incident", "list", "--service", TRUNK)[0]
    assert [one["uid"] for one in get(house, "/api/v1/incidents?open=true")] == [second]
    assert [one["uid"] for one in get(house, f"/api/v1/incidents?service={TRUNK}")] == [first]


@pytest.mark.parametrize(("query", "status"), [("service=nobody", 404), ("open=perhaps", 400)])
def test_a_filter_that_cannot_be_understood_is_refused(house: House, query: str, status: int) -> None:
    ((answered, _, _),) = ask(house, f"/api/v1/incidents?{query}")
    assert answered == status
