"""What a configuration file says, as the values that the program works with."""

from __future__ import annotations

import socket
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from monitor.config.loading import load
from monitor.sla.money import Money
from tests.config.files import loaded, write

LUXEMBOURG = ZoneInfo("Europe/Luxembourg")


def midnight(year: int, month: int, day: int, zone: ZoneInfo = LUXEMBOURG) -> int:
    return int(datetime(year, month, day, tzinfo=zone).timestamp()) * 1000


def test_everything_has_a_default_but_the_id_of_a_service(tmp_path: Path) -> None:
    configuration = loaded(tmp_path, "services: [{id: a}]")
    agent, [service] = configuration.agent, configuration.services
    assert configuration.path == tmp_path / "ringback.yml"
    assert configuration.zone == "Europe/Luxembourg"
    assert dict(configuration.plans) == {}
    assert (agent.name, agent.listen) == (socket.gethostname(), ("127.0.0.1", 9877))
    assert agent.state_dir == Path("/var/lib/ringback")
    assert agent.database == Path("/var/lib/ringback/ringback.db")
    assert agent.reference_targets == ()
    assert (agent.heartbeat_ms, agent.destination_floor_ms) == (5_000, 200)
    assert (agent.log_format, agent.log_level) == ("auto", "info")
    assert (service.name, service.kind, service.customer, service.tags) == ("a", "link", "", ())
    assert (service.zone, service.contract_from_ms, service.contract_to_ms) == (
        "Europe/Luxembourg",
        None,
        None,
    )
    assert [(terms.from_ms, terms.plan, terms.fee) for terms in service.terms] == [(None, None, None)]
    assert (service.checks, service.up_when) == ((), 0)


def test_a_check_has_what_it_states_and_else_the_defaults(tmp_path: Path) -> None:
    [service] = loaded(
        tmp_path,
        """\
        defaults: {interval: 20s, timeout: 3s, fall: 4, rise: 5, retry_interval: 6s}
        services:
          - id: a
            checks:
              - tcp://192.0.2.1:80
              - {target: "tcp://192.0.2.1:80", name: b, interval: 10s, timeout: 2s, fall: 1, rise: 1,
                 retry_interval: 1s, family: ipv4}
        """,
    ).services
    plain, own = service.checks
    assert (plain.name, plain.target) == ("tcp://192.0.2.1:80", "tcp://192.0.2.1:80")
    assert (plain.interval_ms, plain.options.timeout, plain.retry_interval_ms) == (20_000, 3_000, 6_000)
    assert (plain.fall, plain.rise) == (4, 5)
    assert plain.parsed == plain.prober.parse(plain.target)
    assert (own.name, own.target) == ("b", "tcp://192.0.2.1:80")
    assert (own.interval_ms, own.options.timeout, own.retry_interval_ms) == (10_000, 2_000, 1_000)
    assert (own.fall, own.rise) == (1, 1)
    assert own.options == own.prober.options(timeout="2s", family="ipv4")  # type: ignore[call-arg]


def test_built_in_defaults_are_the_documented_ones(tmp_path: Path) -> None:
    [service] = loaded(tmp_path, "services: [{id: a, checks: ['tcp://192.0.2.1:80']}]").services
    [check] = service.checks
    assert (check.interval_ms, check.options.timeout, check.retry_interval_ms) == (30_000, 4_000, 5_000)
    assert (check.fall, check.rise) == (3, 2)


def test_what_comes_from_the_defaults_is_never_longer_than_the_interval(tmp_path: Path) -> None:
    text = "services: [{id: a, checks: [{target: 'tcp://192.0.2.1:80', interval: 1s}]}]"
    for defaults in ("", "defaults: {timeout: 5s, retry_interval: 5s}\n"):
        [service] = loaded(tmp_path, defaults + text).services
        [check] = service.checks
        assert (check.options.timeout, check.retry_interval_ms) == (1_000, 1_000)


def test_checks_with_equal_options_share_them(tmp_path: Path) -> None:
    first, second = loaded(
        tmp_path,
        """\
        services:
          - {id: a, checks: [{target: "tcp://192.0.2.1:80", family: ipv6}]}
          - {id: b, checks: [{family: ipv6, target: "tcp://192.0.2.2:80"}]}
        """,
    ).services
    assert first.checks[0].options is second.checks[0].options


def test_up_when_is_a_number_of_checks(tmp_path: Path) -> None:
    text = """\
    services:
      - {id: a, checks: &}
      - {id: b, up_when: any, checks: &}
      - {id: c, up_when: 2, checks: &}
      - {id: d, up_when: any}
    """.replace("&", "['tcp://192.0.2.1:1', 'tcp://192.0.2.1:2', 'tcp://192.0.2.1:3']")
    assert [service.up_when for service in loaded(tmp_path, text).services] == [3, 1, 2, 0]


def test_a_contract_is_from_local_midnight_to_local_midnight(tmp_path: Path) -> None:
    here, there = loaded(
        tmp_path,
        """\
        services:
          - {id: a, contract_from: 2026-03-29, contract_to: 2026-03-30}
          - {id: b, timezone: America/New_York, contract_from: 2026-03-29}
        """,
    ).services
    assert here.contract_from_ms == midnight(2026, 3, 29)
    assert here.contract_to_ms == here.contract_from_ms + 23 * 3_600_000
    assert there.contract_from_ms == midnight(2026, 3, 29, ZoneInfo("America/New_York"))


def test_terms_change_with_a_month_and_keep_what_a_change_does_not_name(tmp_path: Path) -> None:
    [service] = loaded(
        tmp_path,
        """\
        plans: [example.yml]
        services:
          - id: a
            plan: example/gold
            monthly_fee: 100.00 EUR
            overrides: {guarantee: 99.95 %}
            changes:
              - {from: 2026-04-01, monthly_fee: 110.00 EUR}
              - {from: 2026-07-01, overrides: {}}
              - {from: 2027-01-01, plan: example/plain, monthly_fee: none}
              - {from: 2027-02-01, plan: none}
        """,
    ).services
    starts = [None, midnight(2026, 4, 1), midnight(2026, 7, 1), midnight(2027, 1, 1), midnight(2027, 2, 1)]
    assert [terms.from_ms for terms in service.terms] == starts
    hundred, more = Money(Decimal("100.00"), "EUR"), Money(Decimal("110.00"), "EUR")
    assert [terms.fee for terms in service.terms] == [hundred, more, more, None, None]
    plans = [terms.plan and (terms.plan.key, terms.plan.guarantee) for terms in service.terms]
    assert plans == [
        ("example/gold", Decimal("0.9995")),
        ("example/gold", Decimal("0.9995")),
        ("example/gold", Decimal("0.9990")),
        ("example/plain", None),
        None,
    ]


def test_overrides_are_worked_in_value_by_value(tmp_path: Path) -> None:
    configuration = loaded(
        tmp_path,
        """\
        plans: [example.yml]
        services:
          - {id: a, plan: example/gold, overrides: {credit: {cap: 120 %}, ttr: none, degraded: down}}
          - {id: b, plan: example/plain, overrides: {credit: {rate_per_hour: 5 %}}}
          - {id: c, plan: example/gold}
        """,
    )
    first, second, third = (service.terms[0].plan for service in configuration.services)
    gold = configuration.plans["example/gold"]
    assert first is not None
    assert first.credit is not None
    assert (first.credit.rate_per_hour, first.credit.cap) == (Decimal("0.30"), Decimal("1.20"))
    assert (first.ttr_ms, first.degraded, first.guarantee) == (None, "down", gold.guarantee)
    assert second is not None
    assert second.credit is not None
    assert (second.credit.rate_per_hour, second.credit.cap) == (Decimal("0.05"), None)
    assert third == gold


def test_reference_targets_are_probed_at_the_retry_interval(tmp_path: Path) -> None:
    agent = loaded(
        tmp_path,
        """\
        agent: {reference_targets: ["tcp://192.0.2.1:80", {target: "tcp://192.0.2.2:80", timeout: 1s}]}
        defaults: {retry_interval: 2s, timeout: 3s}
        """,
    ).agent
    assert [check.interval_ms for check in agent.reference_targets] == [2_000, 2_000]
    assert [check.options.timeout for check in agent.reference_targets] == [2_000, 1_000]


def test_paths_of_the_agent_begin_at_the_configuration_file(tmp_path: Path) -> None:
    agent = loaded(tmp_path, "agent: {state_dir: state}").agent
    assert (agent.state_dir, agent.database) == (tmp_path / "state", tmp_path / "state" / "ringback.db")
    agent = loaded(tmp_path, "agent: {state_dir: /a, database: b.db}").agent
    assert (agent.state_dir, agent.database) == (Path("/a"), tmp_path / "b.db")


def test_an_address_of_ipv6_stands_in_brackets(tmp_path: Path) -> None:
    assert loaded(tmp_path, "agent: {listen: '[::1]:0'}").agent.listen == ("::1", 0)


def test_a_catalogue_beside_the_file_comes_before_the_installed_one(tmp_path: Path) -> None:
    main = write(tmp_path, "plans: [plans/mixvoip.yml]")
    assert "mixvoip/enterprise" in load(main).plans
    (tmp_path / "plans").mkdir()
    write(tmp_path, "provider: mixvoip\nname: Mine\nplans: {own: {name: Own}}", "plans/mixvoip.yml")
    assert list(load(main).plans) == ["mixvoip/own"]


def test_a_reload_finds_equal_what_did_not_change(tmp_path: Path) -> None:
    text = """\
    plans: [example.yml]
    services:
      - {id: a, plan: example/gold, checks: ["tcp://192.0.2.1:80"]}
      - {id: b, plan: example/gold, checks: ["tcp://192.0.2.1:80", "tcp://192.0.2.2:80"]}
    """
    old = loaded(tmp_path, text)
    assert loaded(tmp_path, text) == old
    new = loaded(tmp_path, text.replace("192.0.2.2", "192.0.2.3"))
    assert new.agent == old.agent
    assert new.services[0] == old.services[0]
    assert new.services[1] != old.services[1]
    assert new.services[1].checks[0] == old.services[1].checks[0]
