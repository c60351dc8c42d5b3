"""How the plans of a catalogue are written."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from monitor.config.loading import load
from monitor.config.mistakes import ConfigurationErrors
from monitor.sla.hours import WeeklyHours
from monitor.sla.plans import CreditTerms, Plan
from tests.config.files import write

HEAD = "provider: p\nname: Provider\nplans:\n  a:\n    name: A\n"


def plan(directory: Path, text: str = "") -> Plan:
    write(directory, HEAD + text, "p.yml")
    return load(write(directory, "plans: [p.yml]")).plans["p/a"]


def mistake(directory: Path, text: str) -> tuple[int | None, str, str]:
    with pytest.raises(ConfigurationErrors) as caught:
        plan(directory, text)
    [found] = caught.value.mistakes
    assert found.file == str(directory / "p.yml")
    return found.line, found.path, found.message


def test_everything_of_a_plan_but_its_name_may_be_left_out(tmp_path: Path) -> None:
    assert plan(tmp_path) == Plan("p/a", "A", "Provider")


def test_every_value_of_a_plan_is_taken_as_written(tmp_path: Path) -> None:
    text = """\
    guarantee: 99.90 %
    credit: {rate_per_hour: 30 %, cap: 100%, hours: started}
    support_hours: {mon-fri: "08:00-12:00, 13:00-17:00", sun: "00:00-24:00"}
    fault_hours: {sat: "07:30-18:00"}
    mrt: 3h
    tti: 90m
    ttr: 8h
    degraded: down
    excluded_time: removed
    unknown_time: removed
    holidays: LU
    contact: [e-mail, matrix]
    telephone_queue: priority ++
"""
    workday = ((480, 720), (780, 1020))
    assert plan(tmp_path, text) == Plan(
        key="p/a",
        name="A",
        provider="Provider",
        guarantee=Decimal("0.9990"),
        credit=CreditTerms(Decimal("0.30"), Decimal("1.00"), "started"),
        support_hours=WeeklyHours({**dict.fromkeys(range(5), workday), 6: ((0, 1440),)}),
        fault_hours=WeeklyHours({5: ((450, 1080),)}),
        mrt_ms=3 * 3_600_000,
        tti_ms=90 * 60_000,
        ttr_ms=8 * 3_600_000,
        degraded="down",
        excluded_time="removed",
        unknown_time="removed",
        holidays="LU",
        contact=("e-mail", "matrix"),
        telephone_queue="priority ++",
    )
    assert str(plan(tmp_path, text).guarantee) == "0.9990"


def test_the_word_none_says_that_there_is_no_such_value(tmp_path: Path) -> None:
    keys = (
        "guarantee",
        "credit",
        "support_hours",
        "fault_hours",
        "mrt",
        "tti",
        "ttr",
        "holidays",
        "telephone_queue",
    )
    assert plan(tmp_path, "".join(f"    {key}: none\n" for key in keys)) == plan(tmp_path)


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("guarantee: 99.9", "guarantee", "a percentage such as"),
        ("guarantee: 0 %", "guarantee", "above 0 %"),
        ("credit: 30 %", "credit", "expected a mapping"),
        ("credit: {hours: rounded}", "credit.hours", "'prorata', 'started' or 'whole'"),
        ("mrt: 8", "mrt", "a duration"),
        ("support_hours: all", "support_hours", "expected a mapping"),
        ("support_hours: {}", "support_hours", "a day at least"),
        ('support_hours: {mo: "08:00-17:00"}', "support_hours.mo", "mon-fri"),
        ('support_hours: {fri-mon: "08:00-17:00"}', "support_hours.fri-mon", "mon-fri"),
        ('support_hours: {mon-fri: "08:00-17:00", wed: "09:00-10:00"}', "support_hours", "not wed again"),
        ('support_hours: {mon: "8-17"}', "support_hours.mon", "07:30-18:00"),
        ('support_hours: {mon: "17:00-08:00"}', "support_hours.mon", "in their order"),
        ('support_hours: {mon: "08:00-24:01"}', "support_hours.mon", "in their order"),
        ('support_hours: {mon: "08:00-12:00,11:00-13:00"}', "support_hours.mon", "in their order"),
        ("contact: [fax]", "contact[0]", "'e-mail', 'telephone', 'chat' or 'matrix'"),
        ("holidays: Luxembourg", "holidays", "'LU'"),
        ("guarante: 99.90 %", "guarante", "did you mean 'guarantee'?"),
    ],
)
def test_a_mistake_in_a_plan_is_told_with_its_line_and_path(
    tmp_path: Path, text: str, path: str, expected: str
) -> None:
    line, found, message = mistake(tmp_path, f"    {text}\n")
    assert (line, found) == (6, f"plans.a.{path}")
    assert expected in message
