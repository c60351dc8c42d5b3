"""The samples that come with the program are right, and are never written over a file that is there."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from monitor.config.loading import load
from monitor.config.models import (
    AgentSection,
    CheckSection,
    DefaultsSection,
    MainSection,
    NamedPlanSection,
    ProbeSection,
    ServiceSection,
)
from monitor.config.samples import installed_config, installed_systemd, write_samples
from monitor.sla.hours import WeeklyHours
from monitor.sla.plans import CreditTerms, Plan
from tests.config.files import write

H = 3_600_000


def test_the_sample_configuration_is_right_as_it_is() -> None:
    configuration = load(installed_config() / "ringback.yml")
    assert [service.id for service in configuration.services] == ["acme-trunk", "acme-pbx", "acme-fibre"]


@pytest.mark.parametrize(
    "section", [MainSection, AgentSection, DefaultsSection, ServiceSection, CheckSection]
)
def test_the_sample_configuration_shows_every_key(section: type[MainSection]) -> None:
    text = (installed_config() / "ringback.yml").read_text()
    missing = [key for key in _keys(section) if f"{key}:" not in text]
    assert missing == []


@pytest.mark.parametrize(
    "section", [AgentSection, ProbeSection, DefaultsSection, ServiceSection, CheckSection, NamedPlanSection]
)
def test_the_reference_describes_every_key(section: type[MainSection]) -> None:
    text = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
    missing = [key for key in _keys(section) if f"| `{key}` |" not in text]
    assert missing == []


def _keys(section: type[MainSection]) -> list[str]:
    return [field.alias or name for name, field in section.model_fields.items()]


def week(first: str, last: str, days: int) -> WeeklyHours:
    minutes = tuple(int(time[:2]) * 60 + int(time[3:]) for time in (first, last))
    return WeeklyHours(dict.fromkeys(range(days), (minutes,)))  # type: ignore[arg-type]


FROM_9, FROM_8 = week("09:00", "16:00", 5), week("08:00", "17:00", 5)
UNTIL_18, FROM_7_30 = week("08:00", "18:00", 5), week("07:30", "18:00", 5)
DAYS_7, LONG, ALWAYS = week("08:00", "18:00", 7), week("07:00", "19:00", 7), week("00:00", "24:00", 7)

# key: name, guarantee, support hours, fault hours, MRT, TTI, TTR, rate, cap, contact, telephone queue
PLANS = {
    "basic": ("De base", None, FROM_9, FROM_9, 48, 96, 96, None, None, 1, None),
    "standard": ("Standard", "0.9980", FROM_8, FROM_8, 12, 24, 24, "0.20", "0.50", 2, "standard"),
    "office": ("Bureau", "0.9980", UNTIL_18, UNTIL_18, 4, 8, 10, "0.20", "0.50", 3, "priority"),
    "retail": ("Retail", "0.9985", UNTIL_18, DAYS_7, 4, 8, 10, "0.25", "0.75", 3, "priority"),
    "enterprise": ("Entreprises", "0.9990", FROM_7_30, LONG, 3, 6, 8, "0.30", "1.00", 4, "priority +"),
    "advanced": ("Avancé", "0.9995", FROM_7_30, ALWAYS, 2, 5, 7, "0.40", "1.50", 4, "priority ++"),
}


@pytest.mark.parametrize("key", PLANS)
def test_the_plans_of_mixvoip_have_the_values_of_its_page(tmp_path: Path, key: str) -> None:
    plans = load(write(tmp_path, "plans: [plans/mixvoip.yml]")).plans
    name, guarantee, support, fault, mrt, tti, ttr, rate, cap, contact, queue = PLANS[key]
    assert set(plans) == {f"mixvoip/{each}" for each in PLANS}
    assert plans[f"mixvoip/{key}"] == Plan(
        key=f"mixvoip/{key}",
        name=name,
        provider="Mixvoip",
        guarantee=Decimal(guarantee) if guarantee else None,
        credit=CreditTerms(Decimal(rate), Decimal(cap), "prorata") if rate and cap else None,
        support_hours=support,
        fault_hours=fault,
        mrt_ms=mrt * H,
        tti_ms=tti * H,
        ttr_ms=ttr * H,
        contact=("e-mail", "telephone", "chat", "matrix")[:contact],
        telephone_queue=queue,
    )


def test_samples_are_written_with_everything_beside_them(tmp_path: Path) -> None:
    written = write_samples(tmp_path / "etc" / "ringback")
    names = {str(path.relative_to(tmp_path / "etc" / "ringback")) for path in written}
    assert {"ringback.yml", "plans/mixvoip.yml"} <= names
    assert load(tmp_path / "etc" / "ringback" / "ringback.yml").services


def test_samples_are_never_written_over_a_file(tmp_path: Path) -> None:
    mine = tmp_path / "ringback.yml"
    mine.write_text("mine")
    with pytest.raises(FileExistsError, match=r"ringback\.yml exists already; nothing was written"):
        write_samples(tmp_path)
    assert mine.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [mine]


def test_units_are_looked_for_beside_the_configuration() -> None:
    assert installed_systemd().parent == installed_config().parent
