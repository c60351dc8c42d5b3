"""What was agreed on a service: taken from the configuration, and kept with every frozen month."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from monitor.config.values import ServiceConfig
from monitor.sla.intervals import Interval
from monitor.sla.money import Money
from monitor.sla.months import Month, bounds
from monitor.sla.plans import Plan


@dataclass(frozen=True, slots=True)
class Agreement:
    """The terms in force on a service at some time; the contract is ``[from, to)`` in ms of UTC, None: open."""

    service: str
    zone: str
    """IANA name of the contract's time zone."""
    tags: tuple[str, ...]
    contract_from_ms: int | None
    contract_to_ms: int | None
    plan: Plan | None
    fee: Money | None
    """For a month."""

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def within(self, window: Interval) -> Interval:
        """The part of a window that lies in the contract; empty (from >= to) where none does."""
        from_ms, to_ms = window
        if self.contract_from_ms is not None:
            from_ms = max(from_ms, self.contract_from_ms)
        if self.contract_to_ms is not None:
            to_ms = min(to_ms, self.contract_to_ms)
        return from_ms, to_ms

    def month(self, month: Month) -> Interval:
        """The part of a month that lies in the contract."""
        return self.within(month_bounds(month, self.zone))


_FORM = TypeAdapter(Agreement)


def agreed(service: ServiceConfig, at_ms: int) -> Agreement:
    """What the configuration says was agreed on a service at an instant."""
    terms = next(one for one in reversed(service.terms) if one.from_ms is None or one.from_ms <= at_ms)
    return Agreement(
        service.id,
        service.zone,
        service.tags,
        service.contract_from_ms,
        service.contract_to_ms,
        terms.plan,
        terms.fee,
    )


def agreed_for(service: ServiceConfig, month: Month) -> Agreement:
    """What was agreed for a month: terms change only where one starts."""
    return agreed(service, month_bounds(month, service.zone)[0])


@lru_cache(maxsize=4096)
def month_bounds(month: Month, zone: str) -> Interval:
    """The month in a time zone, by its name. Each service asks for it several times."""
    return bounds(month, ZoneInfo(zone))


def to_json(agreement: Agreement) -> str:
    """As it is kept with a frozen month."""
    return _FORM.dump_json(agreement).decode()


def from_json(text: str) -> Agreement:
    """As it was kept, digit for digit."""
    return _FORM.validate_json(text)
