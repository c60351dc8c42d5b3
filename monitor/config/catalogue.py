"""Catalogues of plans: the plans of one provider, one file each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from monitor.config.fields import identifier
from monitor.config.hours import weekly_hours
from monitor.config.models import CatalogueSection, NamedPlanSection, PlanSection, Section
from monitor.config.source import Source
from monitor.config.tree import Table, Tree
from monitor.sla.plans import CreditTerms, Plan

AnySection = TypeVar("AnySection", bound=Section)


@dataclass(frozen=True, slots=True)
class Entry:
    """A plan as its catalogue has it."""

    key: str
    provider: str
    """The provider's name, for people."""
    section: NamedPlanSection


@dataclass(slots=True)
class Catalogue:
    """The plans of all catalogues by ``provider/key``; None stands for a plan that has mistakes."""

    entries: dict[str, Entry | None] = field(default_factory=dict)
    unfinished: set[str] = field(default_factory=set)
    """Providers whose file could be read only in part."""

    def require(self, plan: str) -> None:
        """Raises ValueError if there is certainly no such plan."""
        if plan in self.entries or plan.partition("/")[0] in self.unfinished:
            return
        known = ", ".join(sorted(self.entries)) or "there are none: the key plans names their files"
        raise ValueError(f"expected a plan of the catalogues ({known}), not {plan!r:.140}")

    def plans(self) -> dict[str, Plan]:
        return {key: plan_of(entry) for key, entry in self.entries.items() if entry is not None}


def read_catalogues(sources: Iterable[Source]) -> Catalogue:
    """The plans of the files. What is wrong with them is noted there."""
    catalogue = Catalogue()
    for source in sources:
        _read(source, catalogue)
    return catalogue


def _read(source: Source, catalogue: Catalogue) -> None:
    section = source.validate(CatalogueSection, source.tree, ())
    root = source.tree if isinstance(source.tree, Table) else Table()
    provider = root.get("provider")
    plans = source.table(root.get("plans"), ("plans",))
    for key in list(plans)[: None if source.complete else -1]:
        plan = _plan_section(source, key, plans[key])
        if isinstance(provider, str):
            name = f"{provider}/{key}"
            if name in catalogue.entries:
                source.mistake(("plans", key), f"expected a plan of its own: {name} is given already")
            entry = None if section is None or plan is None else Entry(name, section.name, plan)
            catalogue.entries.setdefault(name, entry)
    if isinstance(provider, str) and not source.complete:
        catalogue.unfinished.add(provider)


def _plan_section(source: Source, key: str, value: Tree) -> NamedPlanSection | None:
    try:
        identifier(key)
    except ValueError as error:
        source.mistake(("plans", key), str(error))
    return source.validate(NamedPlanSection, value, ("plans", key))


def plan_of(entry: Entry, overrides: PlanSection | None = None) -> Plan:
    """The plan, with the overrides worked in key by key; those of the credit one by one as well."""
    section = entry.section if overrides is None else _merged(entry.section, overrides)
    credit = section.credit
    return Plan(
        key=entry.key,
        name=section.name,
        provider=entry.provider,
        guarantee=section.guarantee,
        credit=None if credit is None else CreditTerms(credit.rate_per_hour, credit.cap, credit.hours),
        support_hours=weekly_hours(section.support_hours),
        fault_hours=weekly_hours(section.fault_hours),
        mrt_ms=section.mrt,
        tti_ms=section.tti,
        ttr_ms=section.ttr,
        degraded=section.degraded,
        excluded_time=section.excluded_time,
        unknown_time=section.unknown_time,
        holidays=section.holidays,
        claim_within=section.claim_within,
        contact=section.contact,
        telephone_queue=section.telephone_queue,
    )


def _merged(base: AnySection, over: Section) -> AnySection:
    update = {key: getattr(over, key) for key in over.model_fields_set}
    for key, value in update.items():
        inner = getattr(base, key)
        if isinstance(value, Section) and isinstance(inner, Section):
            update[key] = _merged(inner, value)
    return base.model_copy(update=update)
