"""The sections of a configuration file, key by key. Unknown keys are errors; values come as text.

What is a list of ``object`` here is looked into entry by entry, so that one bad entry hides no other.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

from monitor.config.fields import (
    Address,
    ClaimPeriod,
    Country,
    Day,
    Fee,
    FilePath,
    Guarantee,
    Identifier,
    Label,
    OrNone,
    Target,
    Zone,
)
from monitor.config.hours import Hours
from monitor.config.values import Kind, LogFormat, LogLevel
from monitor.sla.plans import DegradedRule, HourRule, TimeRule
from probes.regex import Regex
from probes.units import Duration, Ratio

SHORTEST_MS = 20
LONGEST_MS = 24 * 3_600_000


def _interval(milliseconds: int) -> int:
    if not SHORTEST_MS <= milliseconds <= LONGEST_MS:
        raise ValueError(f"expected an interval from {SHORTEST_MS}ms to 24h, not {milliseconds}ms")
    return milliseconds


def _at_most(value: int | None, interval: int | None) -> int | None:
    if value is not None and interval is not None and value > interval:
        raise ValueError(f"expected at most the interval ({interval}ms), not {value}ms")
    return value


def _month_start(day: datetime.date) -> datetime.date:
    if day.day != 1:
        raise ValueError(f"expected the first day of a month, because terms change with a month; not {day}")
    return day


def _up_when(value: object) -> object:
    if value in ("all", "any"):
        return value
    if isinstance(value, str) and value.isdecimal() and value.isascii() and int(value[:9]) > 0:
        return int(value[:9])
    raise ValueError(f"expected all, any or a number of checks, not {value!r:.80}")


Interval = Annotated[Duration, AfterValidator(_interval)]
Run = Annotated[int, Field(ge=1, le=100)]
Channel = Literal["e-mail", "telephone", "chat", "matrix"]
Queue = Literal["standard", "priority", "priority +", "priority ++"]
UpWhen = Annotated[Literal["all", "any"] | int, BeforeValidator(_up_when)]


class Section(BaseModel):
    """A mapping in the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class MainSection(Section):
    """The file as a whole; its sections are looked into one by one."""

    agent: object = None
    plans: object = None
    defaults: object = None
    services: object = None


class ProbeSection(Section):
    """What may be asked for over HTTP."""

    targets: Annotated[tuple[Regex, ...] | None, Field(max_length=1_000)] = None
    modules: tuple[Label, ...] | None = None
    concurrency: Annotated[int, Field(ge=1, le=1_000)] = 50


class AgentSection(Section):
    name: Label | None = None
    state_dir: FilePath = Path("/var/lib/ringback")
    database: FilePath | None = None
    listen: Address = ("127.0.0.1", 9877)
    reference_targets: list[object] = []
    heartbeat: Interval = 5_000
    destination_floor: Interval = 200
    log_format: LogFormat = "auto"
    log_level: LogLevel = "info"
    modules: FilePath = Path("modules.yml")
    probe: ProbeSection = ProbeSection()


class DefaultsSection(Section):
    """What holds for every check and service that does not say otherwise."""

    interval: Interval = 30_000
    timeout: Interval | None = None
    """None: the prober's own."""
    fall: Run = 3
    rise: Run = 2
    retry_interval: Interval = 5_000
    timezone: Zone = "Europe/Luxembourg"

    @field_validator("timeout", "retry_interval")
    @classmethod
    def _within_interval(cls, value: int | None, info: ValidationInfo) -> int | None:
        return _at_most(value, info.data.get("interval"))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the validators of checks and services have to know of the rest: the context of their validation."""

    defaults: DefaultsSection
    require_plan: Callable[[str], None]
    """Raises ValueError for a plan that is in no catalogue."""
    complete: bool
    """Whether the file was read to its end; if not, a service may have more than is seen of it."""


def _around(info: ValidationInfo) -> Surroundings:
    assert isinstance(info.context, Surroundings)
    return info.context


class CheckSection(Section):
    """The keys that every check can have; those of its prober stand beside them. Needs Surroundings."""

    target: Target
    name: Label | None = None
    interval: Interval | None = None
    timeout: Interval | None = None
    fall: Run | None = None
    rise: Run | None = None
    retry_interval: Interval | None = None

    @field_validator("timeout", "retry_interval")
    @classmethod
    def _within_interval(cls, value: int | None, info: ValidationInfo) -> int | None:
        return _at_most(value, info.data.get("interval") or _around(info).defaults.interval)


class CreditSection(Section):
    rate_per_hour: Annotated[Ratio | None, OrNone] = None
    cap: Annotated[Ratio | None, OrNone] = None
    hours: HourRule = "prorata"


class PlanSection(Section):
    """What a plan says, or what a service has otherwise than its plan."""

    guarantee: Annotated[Guarantee | None, OrNone] = None
    credit: Annotated[CreditSection | None, OrNone] = None
    support_hours: Annotated[Hours | None, OrNone] = None
    fault_hours: Annotated[Hours | None, OrNone] = None
    mrt: Annotated[Duration | None, OrNone] = None
    tti: Annotated[Duration | None, OrNone] = None
    ttr: Annotated[Duration | None, OrNone] = None
    degraded: DegradedRule = "up"
    excluded_time: TimeRule = "available"
    unknown_time: TimeRule = "available"
    holidays: Annotated[Country | None, OrNone] = None
    claim_within: Annotated[ClaimPeriod | None, OrNone] = None
    contact: tuple[Channel, ...] = ()
    telephone_queue: Annotated[Queue | None, OrNone] = None


class NamedPlanSection(PlanSection):
    name: Label


class CatalogueSection(Section):
    """A catalogue as a whole; its plans are looked into one by one."""

    provider: Identifier
    name: Label
    plans: object


class TermsSection(Section):
    """What may change at a month's start. Needs Surroundings."""

    plan: Annotated[str | None, OrNone] = None
    monthly_fee: Annotated[Fee | None, OrNone] = None
    overrides: PlanSection | None = None

    @field_validator("plan")
    @classmethod
    def _in_a_catalogue(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None:
            _around(info).require_plan(value)
        return value


class ChangeSection(TermsSection):
    since: Annotated[Day, AfterValidator(_month_start)] = Field(alias="from")


class ServiceSection(TermsSection):
    id: Identifier
    name: Label | None = None
    kind: Kind = "link"
    customer: Label | None = None
    tags: tuple[Identifier, ...] = ()
    timezone: Zone | None = None
    contract_from: Day | None = None
    contract_to: Day | None = None
    changes: list[object] = []
    checks: list[object] = []
    up_when: UpWhen = "all"

    @field_validator("overrides")
    @classmethod
    def _of_a_plan(cls, value: PlanSection | None, info: ValidationInfo) -> PlanSection | None:
        missing = _around(info).complete and info.data.get("plan", "") is None
        if value is not None and value.model_fields_set and missing:
            raise ValueError("expected a plan beside it, of which it overrides values")
        return value

    @field_validator("contract_to")
    @classmethod
    def _after_contract_from(cls, value: datetime.date | None, info: ValidationInfo) -> datetime.date | None:
        begun = info.data.get("contract_from")
        if value is not None and begun is not None and value <= begun:
            raise ValueError(f"expected a day after contract_from ({begun}), not {value}")
        return value

    @field_validator("up_when")
    @classmethod
    def _at_most_all(cls, value: UpWhen, info: ValidationInfo) -> UpWhen:
        checks = info.data.get("checks") if _around(info).complete else None
        if isinstance(value, int) and checks is not None and value > len(checks):
            raise ValueError(f"expected at most the number of checks ({len(checks)}), not {value}")
        return value
