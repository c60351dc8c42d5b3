"""What the status page shows: the vantage, and a page of its services, worst first."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from monitor.live import LiveCheck, LiveService
from monitor.track.states import State
from monitor.web.asking import BadRequest, number
from monitor.web.month_view import MonthView, reported_month, running_month
from monitor.web.wording import Instant, instant, maybe_instant, roughly, round_trip

ORDER = (State.DOWN, State.UNKNOWN, State.DEGRADED, State.UP)
"""Worst first. What nobody knows may be the worst."""

PAGE = 50
"""Services on a page."""

CHECKS = 6
"""Checks of a service on the page; the others are counted."""

SLICE = 1_000
"""Services looked at before the loop gets its turn."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which services are to be shown."""

    state: State | None = None
    text: str = ""
    page: int = 1

    @staticmethod
    def parse(query: Mapping[str, str]) -> Asked:
        """Of ``?state=down&q=acme&page=2``. Raises BadRequest."""
        word = query.get("state", "")
        states = {state.word: state for state in State}
        if word and word not in states:
            raise BadRequest(f"state: expected {', '.join(states)}, not {word!r:.40}")
        return Asked(states.get(word), query.get("q", "").strip()[:100], max(1, number(query, "page", 1)))

    def fits(self, service: LiveService, text: str) -> bool:
        """Whether the service is meant; ``text`` is what is looked for, case folded."""
        if not text:
            return True
        config = service.config
        return text in f"{config.id}\n{config.name}\n{config.customer}\n{' '.join(config.tags)}".casefold()


@dataclass(slots=True)
class Selection:
    """The services that are meant, by state and in the order of the configuration."""

    asked: Asked
    by_state: dict[State, list[LiveService]]
    of_all: dict[State, int]
    """How many there are in each state, meant or not."""

    @staticmethod
    def pieces(services: Mapping[str, LiveService], asked: Asked) -> Iterator[Selection]:
        """The same selection again and again while it is being made; the last one is complete."""
        selection = Selection(asked, {state: [] for state in ORDER}, dict.fromkeys(ORDER, 0))
        text = asked.text.casefold()
        everything = tuple(services.values())
        for start in range(0, len(everything) or 1, SLICE):
            for service in everything[start : start + SLICE]:
                selection.of_all[service.state] += 1
                if asked.fits(service, text):
                    selection.by_state[service.state].append(service)
            yield selection

    @property
    def counts(self) -> dict[State, int]:
        """How many of those with the text that was asked for are in each state."""
        return {state: len(services) for state, services in self.by_state.items()}

    @property
    def total(self) -> int:
        """Those in the state that was asked for."""
        return sum(len(self.by_state[state]) for state in self._states())

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))

    def page(self) -> list[LiveService]:
        left = PAGE * (self.asked.page - 1)
        shown: list[LiveService] = []
        for state in self._states():
            services = self.by_state[state]
            shown += services[left : left + PAGE - len(shown)]
            left = max(0, left - len(services))
        return shown

    def _states(self) -> Sequence[State]:
        return ORDER if self.asked.state is None else (self.asked.state,)


def headline(counts: Mapping[State, int]) -> str:
    """The state of the house in one sentence."""
    total = sum(counts.values())
    if not total:
        return "No services are configured"
    worst = next(state for state in ORDER if counts[state])
    number = counts[worst]
    verb = "is" if number == 1 else "are"
    if number == total:
        return f"All {total} services are {worst.word}" if total > 1 else f"The service is {worst.word}"
    return f"{number} of {total} services {verb} {worst.word}"


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the bar that is a thousand wide."""

    state: str
    x: int
    width: int


def spread(counts: Mapping[State, int]) -> list[Part]:
    """The services by state as a bar; the least stretch can be seen."""
    total = sum(counts.values())
    parts: list[Part] = []
    x = 0
    for state in ORDER:
        if counts[state]:
            width = 1000 - x if state is ORDER[-1] else max(8, round(1000 * counts[state] / total))
            parts.append(Part(state.word, x, width))
            x += width
    return parts


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the page shows of a service that only the database knows."""

    last_good_ms: int | None
    """Of the outage that is open."""
    last_month: str | None
    last_figures: Mapping[str, Any] | None
    """The latest month that is frozen."""


def recorded(db: sqlite3.Connection, services: Sequence[tuple[str, int | None]]) -> dict[str, Recorded]:
    """Of services, each with the first bad instant of its open outage."""
    return {service: _recorded(db, service, outage_ms) for service, outage_ms in services}


def _recorded(db: sqlite3.Connection, service: str, outage_ms: int | None) -> Recorded:
    start = db.execute(
        "SELECT seen_ms FROM spans WHERE service = (SELECT key FROM services WHERE id = ?) AND from_ms = ?",
        (service, outage_ms),
    ).fetchone()
    frozen = db.execute(
        "SELECT month, figures FROM months WHERE service = (SELECT key FROM services WHERE id = ?)"
        " ORDER BY month DESC, revision DESC LIMIT 1",
        (service,),
    ).fetchone()
    month, figures = frozen or (None, None)
    return Recorded(start[0] if start else None, month, json.loads(figures) if figures else None)


@dataclass(frozen=True, slots=True)
class CheckView:
    name: str
    state: str
    suspect: bool
    reason: str
    round_trip: str | None


@dataclass(frozen=True, slots=True)
class OutageView:
    """An outage that is open."""

    first_bad: Instant
    last_good: Instant | None
    lasting: str


@dataclass(frozen=True, slots=True)
class ServiceView:
    id: str
    name: str
    kind: str
    customer: str
    state: str
    since: Instant | None
    lasting: str | None
    reason: str
    checks: tuple[CheckView, ...]
    more_checks: int
    outage: OutageView | None
    month: MonthView | None
    last_month: str | None
    last: MonthView | None


def service_view(service: LiveService, known: Recorded | None, now_ms: int) -> ServiceView:
    """``known`` is None where the database cannot be read."""
    config = service.config
    zone = ZoneInfo(config.zone)
    since_ms, outage_ms = service.since_ms, service.outage_since_ms
    figures = None if known is None else known.last_figures
    return ServiceView(
        id=config.id,
        name=config.name,
        kind=config.kind,
        customer=config.customer,
        state=service.state.word,
        since=maybe_instant(since_ms, zone, now_ms),
        lasting=None if since_ms is None else roughly(now_ms - since_ms),
        reason=service.reason,
        checks=tuple(map(check_view, service.checks[:CHECKS])),
        more_checks=max(0, len(service.checks) - CHECKS),
        outage=None
        if outage_ms is None
        else OutageView(
            instant(outage_ms, zone, now_ms),
            maybe_instant(None if known is None else known.last_good_ms, zone, now_ms),
            roughly(now_ms - outage_ms),
        ),
        month=None if service.figures is None else running_month(service.figures),
        last_month=None if known is None else known.last_month,
        last=None if figures is None else reported_month(figures),
    )


def check_view(check: LiveCheck) -> CheckView:
    outcome = check.outcome
    return CheckView(
        check.name,
        check.state.word,
        check.suspect,
        "not asked yet" if outcome is None else outcome.reason,
        None if outcome is None or outcome.round_trip_s is None else round_trip(outcome.round_trip_s),
    )
