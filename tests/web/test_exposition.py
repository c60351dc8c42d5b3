"""The text of the metrics: which series there are, and in which pieces they come."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from monitor.config.values import ServiceConfig, Terms
from monitor.live import Live, LiveCheck, LiveService
from monitor.track.states import State
from monitor.web.exposition import SLICE, Exposition
from probes.http import HttpProber
from probes.outcome import Outcome, Verdict
from probes.prober import Prober
from probes.sip import SipProber
from tests.web.house import GOOD, LINK, PBX, TRUNK, House, at, crowd, lively
from tests.web.promtool import lint

LINES_A_SUBJECT = 4
"""A check has four outcomes, a service four states, and no probe here more than two phases."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = lively(tmp_path_factory.mktemp("house"))
    yield house
    house.close()


def text(live: Live, now_ms: int = 0) -> str:
    return "".join(Exposition(live.services).pieces(now_ms))


def series(live: Live, now_ms: int = 0) -> dict[str, float]:
    lines = text(live, now_ms).splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def probed_once(check: str) -> LiveService:
    config = ServiceConfig("x", "x", "link", "", (), "UTC", None, None, (Terms(None, None, None),), 1, ())
    return LiveService(config, (LiveCheck(check, GOOD),))


SIGNALLING = f'service="{TRUNK}",check="signalling"'
SECOND = f'service="{TRUNK}",check="the \\"second\\\\way\\" é"'


def test_a_check_shows_its_last_probe(house: House) -> None:
    found = series(house.live)
    assert found[f"ringback_probe_success{{{SIGNALLING}}}"] == 0
    assert found[f"ringback_probe_success{{{SECOND}}}"] == 1
    assert found[f"ringback_probe_duration_seconds{{{SECOND}}}"] == 0.012345
    assert found[f'ringback_probe_phase_seconds{{{SECOND},phase="resolve"}}'] == 0.001
    assert found[f'ringback_probes_total{{{SECOND},outcome="good"}}'] == 1
    assert found[f'ringback_probes_total{{{SECOND},outcome="bad"}}'] == 0


def test_where_nothing_was_answered_there_is_no_duration(house: House) -> None:
    assert f"ringback_probe_duration_seconds{{{SIGNALLING}}}" not in series(house.live)


def test_what_could_not_be_asked_is_counted_and_says_nothing_of_the_target(house: House) -> None:
    found = series(house.live)
    labels = f'service="{LINK}",check="tcp://127.0.0.1:443"'
    assert found[f'ringback_probes_total{{{labels},outcome="not_asked"}}'] == 1
    assert f"ringback_probe_success{{{labels}}}" not in found
    assert f"ringback_probe_duration_seconds{{{labels}}}" not in found


def test_service_up_is_absent_while_the_state_is_unknown(house: House) -> None:
    found = series(house.live)
    assert found[f'ringback_service_up{{service="{TRUNK}"}}'] == 0
    assert found[f'ringback_service_up{{service="{PBX}"}}'] == 1
    assert f'ringback_service_up{{service="{LINK}"}}' not in found


def test_exactly_one_of_the_four_states_is_set(house: House) -> None:
    found = series(house.live)
    for service, now in ((TRUNK, "down"), (PBX, "up"), (LINK, "unknown")):
        for state in State:
            name = f'ringback_service_state{{service="{service}",state="{state.word}"}}'
            assert found[name] == (state.word == now)


def test_a_degraded_service_is_up(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.live.services[TRUNK].state = State.DEGRADED
    assert series(house.live)[f'ringback_service_up{{service="{TRUNK}"}}'] == 1
    house.close()


def test_an_open_outage_shows_how_long_and_only_while_it_is_open(house: House) -> None:
    found = series(house.live, at("2026-11-20T14:02:31"))
    assert found[f'ringback_outage_open_seconds{{service="{TRUNK}"}}'] == 751
    assert f'ringback_outage_open_seconds{{service="{PBX}"}}' not in found
    assert found[f'ringback_outages_total{{service="{TRUNK}"}}'] == 1


def test_the_running_month_is_that_of_the_report(house: House) -> None:
    found = series(house.live)
    figures = house.live.services[TRUNK].figures
    assert figures is not None
    told = figures.figures()

    def of(name: str) -> float:
        return found[f'ringback_{name}{{service="{TRUNK}"}}']

    assert of("month_downtime_seconds") * 1000 == told["down_ms"] == 751_000
    assert of("month_allowed_downtime_seconds") * 1000 == told["allowed_down_ms"]
    assert f"{of('month_availability_ratio'):.12f}".startswith(told["availability"])
    assert f"{of('month_coverage_ratio'):.12f}".startswith(told["coverage"])
    assert of("guarantee_ratio") == 0.999


def test_the_credit_is_what_would_be_owed_by_now(house: House, tmp_path: Path) -> None:
    name = f'ringback_month_credit{{service="{TRUNK}",currency="EUR"}}'
    assert series(house.live)[name] == 0
    worse = House(tmp_path)
    worse.bring_in(
        [(TRUNK, "up", "2026-11-01", "2026-11-02"), (TRUNK, "down", "2026-11-02", "2026-11-02T02:00")]
    )
    worse.measure()
    worse.close()
    assert series(worse.live)[name] == 60
    assert not any(f'month_credit{{service="{LINK}"' in one for one in series(worse.live))


def test_a_service_without_plan_has_no_guarantee_and_no_allowance(house: House) -> None:
    found = series(house.live)
    assert f'ringback_month_downtime_seconds{{service="{LINK}"}}' in found
    assert f'ringback_guarantee_ratio{{service="{LINK}"}}' not in found
    assert f'ringback_month_allowed_downtime_seconds{{service="{LINK}"}}' not in found


def test_every_family_is_one_stretch_with_its_help_and_type_first(house: House) -> None:
    family, seen = "", set()
    for line in text(house.live).splitlines():
        if line.startswith("# HELP "):
            family = line.split()[2]
            assert family not in seen
            seen.add(family)
        elif line.startswith("# TYPE "):
            assert line.split()[2] == family
        else:
            assert line.startswith(family + "{")


def test_promtool_has_nothing_to_say(house: House) -> None:
    assert lint(text(house.live)) == ""


def test_a_house_without_services_is_valid_too() -> None:
    assert lint(text(Live("lux-1", "0"))) == ""


@given(st.text(st.characters(exclude_categories=("Cs",)), min_size=1))
def test_any_name_comes_back_as_it_was(name: str) -> None:
    live = Live("lux-1", "0")
    live.services["x"] = probed_once(name)
    found = {
        sample.labels["check"]
        for family in text_string_to_metric_families(text(live))
        for sample in family.samples
        if sample.name == "ringback_probe_success"
    }
    assert found == {name}


def shown_by(prober: type[Prober[Any, Any]], outcome: Outcome) -> dict[str, float]:
    live = Live("lux-1", "0", {"x": probed_once("c")})
    live.services["x"].checks = (LiveCheck("c", outcome, prober=prober),)
    assert lint(text(live)) == ""
    return {
        name.removeprefix("ringback_"): value
        for name, value in series(live).items()
        if name.startswith("ringback_probe_") and "_phase_seconds" not in name
    }


def test_a_prober_shows_what_it_saw_and_nothing_where_it_could_not_ask() -> None:
    ways = [
        {"name": "a", "address": "192.0.2.1", "port": 5061, "transport": "tls", "verdict": verdict}
        for verdict in ("good", "bad", "not_asked")
    ]
    detail = {"status": 200, "chain_expires": "2027-01-01T00:00:00+00:00", "members": ways}
    found = shown_by(SipProber, Outcome(Verdict.GOOD, 0, "200", 0.01, (("answer", 0.01),), detail))
    own = 'service="x",check="c"'
    assert found[f"probe_sip_status_code{{{own}}}"] == 200
    assert found[f"probe_ssl_earliest_cert_expiry{{{own}}}"] == 1798761600
    assert (found[f"probe_sip_members{{{own}}}"], found[f"probe_sip_members_up{{{own}}}"]) == (3, 1)
    assert (
        found[f'probe_sip_member_up{{{own},address="192.0.2.1",name="a",port="5061",transport="tls"}}'] == 0
    )
    assert not any("duration_seconds{" in name and "phase" in name for name in found)
    assert shown_by(SipProber, Outcome(Verdict.NOT_ASKED, 0, "no route", detail=detail)) == {}


def test_what_could_not_be_asked_while_a_scrape_is_rendered_is_absent_in_what_is_left_of_it() -> None:
    detail = {"status": 200, "retransmissions": 0}
    check = LiveCheck("c", Outcome(Verdict.GOOD, 0, "200", 0.01, (), detail), prober=SipProber)
    live = Live("lux-1", "0", {"x": probed_once("c")})
    live.services["x"].checks = (check,)
    pieces = Exposition(live.services).pieces(0)
    before = "".join(takewhile(lambda piece: "ringback_probe_sip" not in piece, pieces))
    check.outcome = Outcome(Verdict.NOT_ASKED, 0, "no route", detail=detail)
    assert "ringback_probe_sip" not in before + "".join(pieces)


def test_one_name_of_two_probers_is_one_family(house: House) -> None:
    detail = {"status": 200, "tls": "TLSv1.3", "chain_expires": "2027-01-01T00:00:00+00:00"}
    outcome = Outcome(Verdict.GOOD, 0, "200", 0.01, (), detail)
    live = Live("lux-1", "0", {"x": probed_once("c")})
    live.services["x"].checks = tuple(
        LiveCheck(name, outcome, prober=prober) for name, prober in (("a", SipProber), ("b", HttpProber))
    )
    shown = text(live)
    assert shown.count("# TYPE ringback_probe_ssl_earliest_cert_expiry gauge") == 1
    assert lint(shown) == ""


def test_after_a_reload_there_are_no_stale_labels(tmp_path: Path) -> None:
    house = lively(tmp_path)
    house.close()
    exposition = Exposition(house.live.services)
    before = "".join(exposition.pieces(0))
    house.showing.dismiss(PBX)
    house.showing.adopt(replace(house.live.services[LINK].config, checks=()))
    after = "".join(exposition.pieces(0))
    assert PBX in before
    assert PBX not in after
    assert f'service="{LINK}",check=' in before
    assert f'service="{LINK}",check=' not in after
    assert f'service="{LINK}"' in after


def test_no_piece_is_longer_than_a_slice(house: House) -> None:
    live = Live("lux-1", "0", dict(house.live.services))
    crowd(live, 3 * SLICE, checks=2)
    pieces = list(Exposition(live.services).pieces(0))
    samples = [len(re.findall(r"^[^#]", piece, re.MULTILINE)) for piece in pieces]
    assert max(samples) <= SLICE * LINES_A_SUBJECT
    labelling = list(takewhile(lambda piece: not piece, pieces))
    assert len(labelling) == len(live.services) // SLICE  # while labels are made the loop has its turns, too


def test_a_degraded_answer_is_an_answer() -> None:
    live = Live("lux-1", "0", {"x": probed_once("c")})
    live.services["x"].checks[0].outcome = Outcome(Verdict.DEGRADED, 0, "503", 0.25)
    found = series(live)
    assert found['ringback_probe_success{service="x",check="c"}'] == 1
    assert found['ringback_probe_duration_seconds{service="x",check="c"}'] == 0.25
