"""The services: who has them, what was agreed, and what is probed for them."""

from __future__ import annotations

import datetime
import zoneinfo
from collections.abc import Sequence

from monitor.config.catalogue import Catalogue, plan_of
from monitor.config.checks import CheckReader
from monitor.config.models import ChangeSection, ServiceSection, Surroundings, TermsSection, UpWhen
from monitor.config.source import Source, Steps
from monitor.config.tree import Table, Tree
from monitor.config.values import ServiceConfig, Terms
from monitor.sla.months import midnight_ms


class ServiceReader:
    """Reads the services of one file."""

    def __init__(self, source: Source, around: Surroundings, catalogue: Catalogue) -> None:
        self._source = source
        self._around = around
        self._catalogue = catalogue
        self._plans = catalogue.plans()
        self._checks = CheckReader(source, around)

    def services(self, written: list[Tree], at: Steps) -> tuple[ServiceConfig, ...]:
        """The services of a list, in its order. Those with mistakes may be left out. Uses up the list."""
        found = []
        first: dict[Tree, int] = {}
        for index, entry in enumerate(written):
            here = (*at, index)
            if not isinstance(entry, Table):
                self._source.mistake(here, "expected a mapping of keys to values")
                continue
            name = entry.get("id")
            if isinstance(name, str) and first.setdefault(name, index) != index:
                message = f"expected an id of its own: services[{first[name]}] is called {name!r}, too"
                self._source.mistake((*here, "id"), message)
            service = self._service(entry, here)
            if service is not None:
                found.append(service)
                written[index] = ""  # the tree of a large file weighs more than the values made of it
        return tuple(found)

    def _service(self, table: Table, at: Steps) -> ServiceConfig | None:
        section = self._source.validate(ServiceSection, table, at, context=self._around)
        checks = self._checks.checks(self._list(table, "checks"), (*at, "checks"))
        changes = self._changes(self._list(table, "changes"), (*at, "changes"))
        if section is None:
            return None
        zone = zoneinfo.ZoneInfo(section.timezone or self._around.defaults.timezone)
        return ServiceConfig(
            id=section.id,
            name=section.name or section.id,
            kind=section.kind,
            customer=section.customer or "",
            tags=section.tags,
            zone=zone.key,
            contract_from_ms=_midnight_ms(section.contract_from, zone),
            contract_to_ms=_midnight_ms(section.contract_to, zone),
            terms=self._terms(section, changes, zone),
            up_when=_needed(section.up_when, len(checks)),
            checks=checks,
        )

    @staticmethod
    def _list(table: Table, key: str) -> list[Tree]:
        value = table.get(key)
        return value if isinstance(value, list) else []  # what is no list is a mistake of the section's

    def _changes(self, written: Sequence[Tree], at: Steps) -> list[ChangeSection]:
        found = []
        latest = ""
        for index, entry in enumerate(written):
            change = self._source.validate(ChangeSection, entry, (*at, index), context=self._around)
            since = entry.get("from") if isinstance(entry, Table) else None
            if isinstance(since, str):
                if since <= latest:  # dates of ISO 8601 sort as text
                    message = f"expected a month after {latest}: changes stand in their order"
                    self._source.mistake((*at, index, "from"), message)
                latest = since
            if change is not None:
                found.append(change)
        return found

    def _terms(
        self, first: ServiceSection, changes: list[ChangeSection], zone: zoneinfo.ZoneInfo
    ) -> tuple[Terms, ...]:
        """What a change does not name stays as it was; its overrides replace all earlier ones."""
        agreed: TermsSection = TermsSection.model_construct(
            plan=first.plan, monthly_fee=first.monthly_fee, overrides=first.overrides
        )
        terms = [self._terms_of(agreed, None)]
        for change in changes:
            agreed = agreed.model_copy(update={key: getattr(change, key) for key in change.model_fields_set})
            terms.append(self._terms_of(agreed, midnight_ms(change.since, zone)))
        return tuple(terms)

    def _terms_of(self, agreed: TermsSection, from_ms: int | None) -> Terms:
        entry = self._catalogue.entries.get(agreed.plan or "")
        if entry is None:
            return Terms(from_ms, None, agreed.monthly_fee)
        plan = plan_of(entry, agreed.overrides) if agreed.overrides else self._plans[entry.key]
        return Terms(from_ms, plan, agreed.monthly_fee)


def _needed(up_when: UpWhen, checks: int) -> int:
    if up_when == "all":
        return checks
    return min(1, checks) if up_when == "any" else up_when


def _midnight_ms(day: datetime.date | None, zone: zoneinfo.ZoneInfo) -> int | None:
    return None if day is None else midnight_ms(day, zone)
