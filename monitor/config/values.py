"""The configuration as the rest of the program sees it. Equal parts compare equal, so that a reload can tell
what changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from monitor.sla.money import Money
from monitor.sla.plans import Plan
from probes.prober import Options, Prober

Kind = Literal["sip-trunk", "pbx", "link"]
LogFormat = Literal["auto", "json", "console"]
LogLevel = Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class CheckConfig:
    """A probe that is repeated on schedule. Times are in milliseconds."""

    name: str
    """Unique in its service."""
    target: str
    """As written in the file."""
    prober: type[Prober[Any, Any]]
    parsed: object = field(compare=False)
    """The prober's own form of the target, which decides nothing that the text does not."""
    options: Options
    """Shared between all checks that have the same."""
    interval_ms: int
    fall: int
    """Bad answers in a row that confirm a failure."""
    rise: int
    """Good answers in a row that confirm a recovery."""
    retry_interval_ms: int
    """The interval while the check is suspect or down; at most interval_ms."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed from an instant on (ms UTC, a month's start; None: from the beginning)."""

    from_ms: int | None
    plan: Plan | None
    """With the overrides of the service worked in."""
    fee: Money | None
    """For a month."""


@dataclass(frozen=True, slots=True)
class ServiceConfig:
    """What the contract names and bills. Instants are in milliseconds of UTC, the contract is ``[from, to)``."""

    id: str
    name: str
    kind: Kind
    customer: str
    tags: tuple[str, ...]
    zone: str
    """IANA name of the contract's time zone."""
    contract_from_ms: int | None
    contract_to_ms: int | None
    terms: tuple[Terms, ...]
    """In the order of their instants; the first is from the beginning."""
    up_when: int
    """How many checks have to be up; 0 where there are none."""
    checks: tuple[CheckConfig, ...]
    """None where the service is known by imported history alone."""


@dataclass(frozen=True, slots=True)
class ModuleConfig:
    """How ``/probe`` asks where this module is named."""

    name: str
    scheme: str
    """Of targets that have none."""
    prober: type[Prober[Any, Any]]
    options: Mapping[str, object]
    """As they would stand in a check, without the time-out. They are valid with that of the module."""
    timeout_ms: int | None
    tail: str
    """What is added to a target: the name that a DNS server is asked for."""


@dataclass(frozen=True, slots=True)
class ProbeConfig:
    """What ``/probe`` may be asked for."""

    targets: tuple[str, ...] | None
    """Expressions (RE2), one of which has to match a target as a whole; None: any target will do."""
    modules: frozenset[str] | None
    """None: all that there are."""
    concurrency: int
    """Probes at once at most."""


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """The probe host itself. Times are in milliseconds."""

    name: str
    """The vantage that records carry."""
    state_dir: Path
    database: Path
    listen: tuple[str, int]
    """Host, without brackets, and port; port 0 is any free one."""
    reference_targets: tuple[CheckConfig, ...]
    heartbeat_ms: int
    """How often the end of coverage is written down: the most that a crash makes unknown."""
    destination_floor_ms: int
    """The least gap between two hastened probes to one destination."""
    log_format: LogFormat
    log_level: LogLevel
    modules: Mapping[str, ModuleConfig]
    """Those of the module file, by name."""
    probe: ProbeConfig


@dataclass(frozen=True, slots=True)
class Configuration:
    """All that one file and its catalogues say."""

    path: Path
    zone: str
    """IANA name of the time zone of instants that belong to no service."""
    agent: AgentConfig
    services: tuple[ServiceConfig, ...]
    plans: Mapping[str, Plan]
    """The catalogues' plans by ``provider/key``, without any service's overrides."""
