"""Named sensors: what NOCs ask of routers, PBXs and power supplies, judged by their figures."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pysnmp.proto.api import v2c

from probes.outcome import Outcome, Verdict
from probes.snmp import SnmpOptions, SnmpProber
from probes.snmp import sensors as known_sensors
from probes.snmp.figures import shifted
from probes.snmp.question import IF_NAME, IF_OPER_STATUS, SYS_UP_TIME
from probes.snmp.ranges import parse_ranges
from probes.snmp.rates import SHORTEST_NS, Count, Reading, rate, restarted
from probes.snmp.sensor import Figure, Sensor
from tests.probes.snmp_agent import Agent, serving, silent_port
from tests.probes.snmp_peers import credentials, probe, snmpd

IF = (1, 3, 6, 1, 2, 1, 2, 2, 1)
IF_X = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
BATTERY = (1, 3, 6, 1, 2, 1, 33, 1, 2)
ASTERISK = (1, 3, 6, 1, 4, 1, 22736, 1)
BGP = (1, 3, 6, 1, 2, 1, 15, 3, 1)
PHYSICAL = (1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1)
SENSED = (1, 3, 6, 1, 2, 1, 99, 1, 1, 1)

Objects = Mapping[tuple[int, ...], Any]


def interface(index: int, name: str, oper: int = 1, admin: int = 1, errors: int = 0) -> Objects:
    return {
        (*IF_NAME, index): v2c.OctetString(name.encode()),
        (*IF_OPER_STATUS, index): v2c.Integer(oper),
        (*IF, 7, index): v2c.Integer(admin),
        (*IF, 14, index): v2c.Counter32(errors),
        (*IF_X, 6, index): v2c.Counter64(errors * 1_000),
    }


def ask(*states: Objects, **options: object) -> list[Outcome]:
    """One prober asks an agent once for each state that it is in."""

    async def scenario() -> list[Outcome]:
        prober, agent, outcomes = SnmpProber(), Agent(), []
        async with serving(agent) as port:
            target = SnmpProber.parse(f"snmp://127.0.0.1:{port}")
            asked = SnmpOptions.model_validate({"timeout": "400ms", **options})
            for number, state in enumerate(states):
                if number:
                    await asyncio.sleep(SHORTEST_NS / 1e9)
                agent.objects = {SYS_UP_TIME: v2c.TimeTicks(500_000 + 60 * number), **state}
                outcomes.append(await prober.probe(target, asked))
        await prober.close()
        return outcomes

    return asyncio.run(scenario())


def figures(outcome: Outcome, row: str = "") -> Mapping[str, float]:
    shown = outcome.detail["figures"]
    assert isinstance(shown, Mapping)
    return dict(shown[row])


class TestInterfaces:
    def test_all_that_are_switched_on_and_up_are_good(self) -> None:
        states = {**interface(1, "lo"), **interface(2, "wan0"), **interface(3, "spare", oper=2, admin=2)}
        (outcome,) = ask(states, sensor="interfaces")
        assert (outcome.verdict, outcome.reason) == (Verdict.GOOD, "answered")
        assert set(outcome.detail["figures"]) == {"lo", "wan0"}  # type: ignore[call-overload]

    def test_one_that_is_down_is_bad_and_named(self) -> None:
        (outcome,) = ask({**interface(1, "lo"), **interface(2, "wan0", oper=2)}, sensor="interfaces")
        assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "wan0: down")

    def test_one_is_asked_for_by_its_name(self) -> None:
        states = {**interface(1, "lan0", oper=2), **interface(2, "wan0")}
        (outcome,) = ask(states, sensor="interfaces", row="wan0")
        assert (outcome.verdict, figures(outcome, "wan0")["oper_status"]) == (Verdict.GOOD, 1)

    def test_one_that_is_switched_off_is_degraded_where_it_is_asked_for(self) -> None:
        (outcome,) = ask(interface(2, "wan0", oper=2, admin=2), sensor="interfaces", row="wan0")
        assert (outcome.verdict, outcome.reason) == (Verdict.DEGRADED, "administratively down")

    def test_one_that_is_not_there_is_bad(self) -> None:
        (outcome,) = ask(interface(2, "wan0"), sensor="interfaces", row="wan1")
        assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "no such row")

    def test_one_that_moved_is_found_again(self) -> None:
        before, after = ask(
            interface(2, "wan0"),
            {**interface(2, "lan0", oper=2), **interface(9, "wan0")},
            sensor="interfaces",
            row="wan0",
        )
        assert before.verdict is after.verdict is Verdict.GOOD

    def test_errors_a_second_are_degraded_and_known_from_the_second_probe_on(self) -> None:
        first, second = ask(interface(2, "wan0"), interface(2, "wan0", errors=100), sensor="interfaces")
        assert "in_errors_per_second" not in figures(first, "wan0")
        assert 0 < figures(second, "wan0")["in_errors_per_second"] <= 200
        assert (second.verdict, second.reason) == (Verdict.DEGRADED, "in_errors_per_second")
        assert figures(second, "wan0")["in_bits_per_second"] == pytest.approx(
            8_000 * figures(second, "wan0")["in_errors_per_second"], rel=0.001
        )

    def test_a_counter_that_began_anew_counts_on(self) -> None:
        end = (1 << 32) - 50
        _, second = ask(
            interface(2, "wan0", errors=end), interface(2, "wan0", errors=50), sensor="interfaces", row="wan0"
        )
        assert 0 < figures(second, "wan0")["in_errors_per_second"] <= 200

    def test_the_operator_draws_the_lines(self) -> None:
        _, lenient = ask(
            interface(2, "wan0"),
            interface(2, "wan0", errors=100),
            sensor="interfaces",
            degraded={"in_errors_per_second": "never"},
        )
        assert lenient.verdict is Verdict.GOOD
        (strict,) = ask(interface(2, "wan0", oper=5), sensor="interfaces", bad="2..7")
        assert (strict.verdict, strict.reason) == (Verdict.BAD, "dormant")

    @pytest.mark.parametrize("user", ["", "sha256-aes128"])
    def test_a_real_agent_has_them(self, tmp_path: Path, user: str) -> None:
        options = credentials(tmp_path, user) if user else {}
        with snmpd(tmp_path / "agent") as port:
            seen = probe(port, sensor="interfaces", row="lo", **options)
            everything = probe(port, sensor="interfaces", bad="never", degraded="never", **options)
            missing = probe(port, sensor="bgp", **options)
        assert (seen.verdict, figures(seen, "lo")["oper_status"]) == (Verdict.GOOD, 1)
        assert "lo" in everything.detail["figures"]  # type: ignore[operator]
        assert (missing.verdict, missing.reason) == (Verdict.BAD, "nothing to read")


class TestUptime:
    def test_a_restart_is_degraded_once(self) -> None:
        outcomes = ask(
            {SYS_UP_TIME: v2c.TimeTicks(90_000_000)},
            {SYS_UP_TIME: v2c.TimeTicks(20)},
            {SYS_UP_TIME: v2c.TimeTicks(70)},
            sensor="uptime",
        )
        assert [outcome.reason for outcome in outcomes] == ["answered", "restarted", "answered"]
        assert outcomes[1].verdict is Verdict.DEGRADED
        assert figures(outcomes[1]) == {"uptime_seconds": 0.2, "restarted": 1}

    def test_its_wrap_after_497_days_is_no_restart(self) -> None:
        _, after = ask(
            {SYS_UP_TIME: v2c.TimeTicks((1 << 32) - 20)}, {SYS_UP_TIME: v2c.TimeTicks(30)}, sensor="uptime"
        )
        assert (after.verdict, figures(after)["restarted"]) == (Verdict.GOOD, 0)


class TestOtherSensors:
    @pytest.mark.parametrize(
        ("objects", "verdict", "reason"),
        [
            ({(1, 0): 2, (2, 0): 0, (3, 0): 45, (4, 0): 100}, Verdict.GOOD, "answered"),
            ({(1, 0): 2, (2, 0): 30, (3, 0): 45, (4, 0): 90}, Verdict.DEGRADED, "on_battery_seconds"),
            ({(1, 0): 3, (2, 0): 300, (3, 0): 5, (4, 0): 30}, Verdict.BAD, "battery low"),
            ({(1, 0): 2, (2, 0): 300, (3, 0): 1, (4, 0): 60}, Verdict.BAD, "remaining_seconds"),
        ],
    )
    def test_a_battery(self, objects: Objects, verdict: Verdict, reason: str) -> None:
        state = {(*BATTERY, *oid): v2c.Integer(value) for oid, value in objects.items()}
        (outcome,) = ask(state, sensor="ups")
        assert (outcome.verdict, outcome.reason) == (verdict, reason)

    def test_the_channels_of_a_pbx_within_the_operators_limits(self) -> None:
        state = {(*ASTERISK, 5, 1, 0): v2c.Gauge32(31), (*ASTERISK, 2, 5, 0): v2c.Gauge32(15)}
        (calm,) = ask(state, sensor="asterisk")
        assert (calm.verdict, figures(calm)) == (Verdict.GOOD, {"channels": 31, "calls": 15})
        (full,) = ask(state, sensor="asterisk", degraded="30..", bad={"calls": "20.."})
        assert (full.verdict, full.reason) == (Verdict.DEGRADED, "channels")

    def test_what_the_agent_does_not_have_is_bad(self) -> None:
        (outcome,) = ask({}, sensor="asterisk")
        assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "noSuchInstance")

    def test_temperatures_are_read_by_scale_and_precision(self) -> None:
        state = {
            (*PHYSICAL, 7, 5): v2c.OctetString(b"inlet"),
            (*SENSED, 1, 5): v2c.Integer(8),
            (*SENSED, 2, 5): v2c.Integer(9),
            (*SENSED, 3, 5): v2c.Integer(1),
            (*SENSED, 4, 5): v2c.Integer(783),
            (*SENSED, 5, 5): v2c.Integer(1),
            (*PHYSICAL, 7, 6): v2c.OctetString(b"fan"),
            (*SENSED, 1, 6): v2c.Integer(10),
            (*SENSED, 4, 6): v2c.Integer(9_000),
        }
        (outcome,) = ask(state, sensor="temperature")
        assert (outcome.verdict, outcome.reason) == (Verdict.DEGRADED, "temperature_celsius")
        assert figures(outcome, "inlet")["temperature_celsius"] == 78.3
        assert set(outcome.detail["figures"]) == {"inlet"}  # type: ignore[call-overload]

    @pytest.mark.parametrize(
        ("peer_state", "admin", "verdict", "reason"),
        [
            (6, 2, Verdict.GOOD, "answered"),
            (3, 2, Verdict.BAD, "active"),
            (1, 1, Verdict.BAD, "nothing to read"),
        ],
    )
    def test_a_bgp_peer(self, peer_state: int, admin: int, verdict: Verdict, reason: str) -> None:
        at = (192, 0, 2, 1)
        state = {
            (*BGP, 7, *at): v2c.IpAddress("192.0.2.1"),
            (*BGP, 2, *at): v2c.Integer(peer_state),
            (*BGP, 3, *at): v2c.Integer(admin),
            (*BGP, 16, *at): v2c.Gauge32(60),
        }
        (outcome,) = ask(state, sensor="bgp")
        assert (outcome.verdict, outcome.reason) == (verdict, reason)

    def test_silence_is_bad_and_a_missing_secret_is_our_fault(self, tmp_path: Path) -> None:
        with silent_port() as port:
            silent = probe(port, sensor="ups", timeout="100ms")
            unread = probe(port, sensor="ups", community_file=str(tmp_path / "none"))
        assert (silent.verdict, silent.reason) == (Verdict.BAD, "timeout")
        assert unread.verdict is Verdict.NOT_ASKED

    def test_one_more_is_a_few_lines_of_data(self, monkeypatch: pytest.MonkeyPatch) -> None:
        fax = Sensor(
            "fax", figures=(Figure("waiting", "Faxes that wait", ((1, 3, 9, 1, 0),)),), bad={"waiting": "5.."}
        )
        monkeypatch.setitem(known_sensors.SENSORS, "fax", fax)
        (outcome,) = ask({(1, 3, 9, 1, 0): v2c.Gauge32(7)}, sensor="fax")
        assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "waiting")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"sensor": "disks"}, "expected a sensor, one of interfaces, "),
        ({"sensor": "ups", "expect": 1}, "expect is for objects"),
        ({"sensor": "ups", "row": "x"}, "row needs a sensor that has rows"),
        ({"row": "x"}, "row needs a sensor that has rows"),
        ({"sensor": "ups", "bad": {"colour": "1"}}, "expected a figure of ups: battery_status"),
        ({"bad": {"colour": "1"}}, "expected a range"),
        ({"bad": "high"}, "expected a range such as 70.."),
        ({"bad": "9..1"}, "expected a range from low to high"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, object], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        SnmpOptions.model_validate(options)


def test_an_object_can_have_ranges_too() -> None:
    def value(number: int) -> Outcome:
        async def scenario() -> Outcome:
            prober, agent = SnmpProber(), Agent()
            agent.objects = {(1, 3, 9, 2, 0): v2c.Gauge32(number)}
            async with serving(agent) as port:
                target = SnmpProber.parse(f"snmp://127.0.0.1:{port}/1.3.9.2.0")
                outcome = await prober.probe(
                    target, SnmpOptions.model_validate({"degraded": "70..", "bad": "90.."})
                )
            await prober.close()
            return outcome

        return asyncio.run(scenario())

    assert [value(number).verdict for number in (69, 70, 90)] == [Verdict.GOOD, Verdict.DEGRADED, Verdict.BAD]


SECOND = 1_000_000_000


@given(st.sampled_from((32, 64)), st.integers(0), st.integers(0, 1 << 31), st.integers(1, 3600))
def test_a_rate_is_the_increase_a_second_also_where_the_counter_began_anew(
    bits: int, start: int, increase: int, seconds: int
) -> None:
    key = ("row", "figure")
    old, new = start % (1 << bits), (start + increase) % (1 << bits)
    before = Reading(0, 1_000, {key: Count(old, bits)})
    now = Reading(seconds * SECOND, 1_000 + 100 * seconds, {key: Count(new, bits)})
    expected = None if new < old and increase >= 1 << (bits - 1) else increase / seconds
    assert rate(before, now, key) == (None if expected is None else pytest.approx(expected))


@given(st.integers(0, (1 << 32) - 1), st.integers(1, 86_400 * 30), st.floats(-1, 1))
def test_an_agent_whose_clock_went_on_was_not_restarted(ticks: int, seconds: int, drift: float) -> None:
    later = round(ticks + 100 * seconds * (1 + drift / 200)) % (1 << 32)
    assert not restarted(Reading(0, ticks), Reading(seconds * SECOND, later))


@given(st.integers(0, 86_400 * 30), st.integers(60, 86_400))
def test_an_agent_that_came_up_in_between_was_restarted(seconds_up_before: int, seconds: int) -> None:
    before = Reading(0, 100 * (seconds_up_before + 60))
    for up in (0, seconds // 2):
        assert restarted(before, Reading(seconds * SECOND, 100 * up))


def test_counters_of_before_a_restart_or_a_discontinuity_give_no_rate() -> None:
    key = ("row", "figure")
    before = Reading(0, 500_000, {key: Count(10)})
    assert rate(before, Reading(60 * SECOND, 100, {key: Count(20)}), key) is None
    assert rate(before, Reading(60 * SECOND, 506_000, {key: Count(20, since=7)}), key) is None
    assert rate(before, Reading(60 * SECOND, 506_000, {key: Count(70)}), key) == 1.0


@given(st.integers(-1_000, 1_000), st.integers(0, 1_000), st.integers(-2_000, 2_000))
def test_a_range_holds_both_its_ends(low: int, width: int, value: int) -> None:
    assert (value in parse_ranges(f"{low}..{low + width}")) is (low <= value <= low + width)
    assert (value in parse_ranges(f"{low}..")) is (value >= low)
    assert (value in parse_ranges(f"..{low}")) is (value <= low)
    assert value not in parse_ranges("never")


@pytest.mark.parametrize(
    ("value", "scale", "precision", "expected"),
    [(783, 9, 1, 78.3), (25, 9, 0, 25.0), (25_000, 8, 0, 25.0), (5, 9, -3, 5.0)],
)
def test_scale_and_precision_are_those_of_rfc_3433(
    value: int, scale: int, precision: int, expected: float
) -> None:
    assert shifted(value, scale, precision) == pytest.approx(expected)


def test_metrics_have_a_series_a_row() -> None:
    (outcome,) = ask({**interface(1, "lo"), **interface(2, "wan0", oper=2)}, sensor="interfaces")
    shown = {
        (metric.name, labels.get("row")): value
        for metric in SnmpProber.metrics
        for labels, value in metric.samples(outcome)
    }
    assert shown["probe_snmp_interface_oper_status", "lo"] == 1
    assert shown["probe_snmp_interface_oper_status", "wan0"] == 2
    assert not any(name.startswith("probe_snmp_ups") for name, _ in shown)
