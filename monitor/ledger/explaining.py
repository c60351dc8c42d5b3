"""A service's month step by step: its terms, each outage with its bounds, and what every rule would make of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, get_args

from monitor.config.values import ServiceConfig
from monitor.ledger.agreement import agreed_for
from monitor.ledger.frozen import Difference, FrozenMonth, differing, latest
from monitor.ledger.rollup import Ledger, Rollup, around_month
from monitor.sla.availability import Observed, left_ms
from monitor.sla.bounds import Bounds, Edges, bounded
from monitor.sla.credit import Credit, NoCredit, Step, all_steps, credit
from monitor.sla.months import Month
from monitor.sla.plans import DegradedRule, HourRule, Plan, TimeRule
from monitor.store.timelines import Outage


@dataclass(frozen=True, slots=True)
class Owed:
    """What is owed within the error bounds of a month."""

    least: Credit | NoCredit
    counted: Credit | NoCredit
    most: Credit | NoCredit
    worst: Credit | NoCredit


@dataclass(frozen=True, slots=True)
class Rule:
    """A way to count. ``hours``: None where the plan gives no credit to round."""

    degraded: DegradedRule
    excluded_time: TimeRule
    unknown_time: TimeRule
    hours: HourRule | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule makes of the month."""

    rule: Rule
    in_force: bool
    bounds: Bounds
    owed: Owed


@dataclass(frozen=True, slots=True)
class CountedOutage:
    """What an outage adds to the month."""

    outage: Outage
    bounds: Bounds
    """Of the month, had it had this outage alone and degraded time been up."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a month was frozen with."""

    revision: int
    frozen_ms: int
    reason: str
    figures: Mapping[str, Any]
    outages: Sequence[Mapping[str, Any]]
    exclusions: Sequence[Mapping[str, Any]]
    calculation: Sequence[Sequence[str]] | None
    """The steps of the entitlement that was drafted with it; None: none was."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A month as the facts stand, by the terms that it was frozen with or else by those of the configuration."""

    month: Month
    rolled: Rollup
    observed: Observed
    outages: Sequence[CountedOutage]
    verdicts: Sequence[Verdict]
    """The rule in force first."""
    kept: Kept | None
    """The latest revision, if the month is frozen."""
    differences: Difference
    """Where the facts say otherwise by now: what was frozen, and what they say."""
    left_ms: int | None
    """Downtime until the breach, while the month goes on; negative: overdrawn."""

    @property
    def steps(self) -> tuple[Step, ...]:
        return all_steps(self.rolled.measured, self.rolled.owed)

    @property
    def in_force(self) -> Verdict:
        return self.verdicts[0]

    @property
    def degraded_counted_ms(self) -> int:
        """Degraded time that the rule in force counts as downtime."""
        outages_ms = sum(one.bounds.counted.down_ms for one in self.outages)
        return self.rolled.measured.down_ms - outages_ms


def explain(db: sqlite3.Connection, service: ServiceConfig, month: Month, now_ms: int) -> Explanation | None:
    """None: the month has not begun, or the service was not in contract."""
    frozen = next(iter(latest(db, month, services=(service.id,))), None)
    agreement = agreed_for(service, month) if frozen is None else frozen.agreement
    ledger = Ledger(db, now_ms, around_month(month))
    rolled = ledger.month(agreement, month)
    if rolled is None:
        return None
    measured = rolled.measured
    observed, _ = ledger.observed(agreement, measured.window, measured.complete)
    outages = ledger.timelines.outages(service.id, *measured.window)
    edges = _edges(outages)
    return Explanation(
        month=month,
        rolled=rolled,
        observed=observed,
        outages=list(_counted(observed, outages, agreement.plan, edges)),
        verdicts=_verdicts(rolled, observed, edges),
        kept=None if frozen is None else _kept(db, service.id, frozen),
        differences={} if frozen is None else differing(frozen.figures, rolled.figures()),
        left_ms=None if measured.complete else left_ms(measured, agreement.month(month)),
    )


def _edges(outages: Iterable[Outage]) -> Edges:
    last_good, last_bad = {}, {}
    for one in outages:
        if one.last_good_ms is not None:
            last_good[one.first_bad_ms] = one.last_good_ms
        if one.first_good_ms is not None and one.last_bad_ms is not None:
            last_bad[one.first_good_ms] = one.last_bad_ms
    return Edges(last_good, last_bad)


def _counted(
    observed: Observed, outages: Iterable[Outage], plan: Plan | None, edges: Edges
) -> Iterator[CountedOutage]:
    stretches = {one[0][0]: one for one in observed.outages}
    by_rule = None if plan is None else replace(plan, degraded="up")
    for outage in outages:
        alone = replace(observed, outages=[stretches[outage.first_bad_ms]])
        yield CountedOutage(outage, bounded(alone, by_rule, edges))


def _verdicts(rolled: Rollup, observed: Observed, edges: Edges) -> list[Verdict]:
    plan, fee = rolled.agreement.plan, rolled.agreement.fee
    if plan is None:
        bounds = bounded(observed, None, edges)
        nothing = Owed(rolled.owed, rolled.owed, rolled.owed, rolled.owed)
        return [Verdict(Rule("up", "available", "available", None), True, bounds, nothing)]
    terms = plan.credit
    pays = terms is not None and terms.rate_per_hour is not None
    hour_rules = get_args(HourRule) if pays else (None,)
    hours_in_force = terms.hours if terms is not None and pays else None
    in_force = Rule(plan.degraded, plan.excluded_time, plan.unknown_time, hours_in_force)
    verdicts = []
    for degraded, excluded, unknown in product(*map(get_args, (DegradedRule, TimeRule, TimeRule))):
        counting = replace(plan, degraded=degraded, excluded_time=excluded, unknown_time=unknown)
        bounds = bounded(observed, counting, edges)
        for hours in hour_rules:
            paying = counting
            if terms is not None and hours is not None:
                paying = replace(counting, credit=replace(terms, hours=hours))
            owed = Owed(
                *(
                    credit(one, paying, fee)
                    for one in (bounds.least, bounds.counted, bounds.most, bounds.worst)
                )
            )
            rule = Rule(degraded, excluded, unknown, hours)
            verdicts.append(Verdict(rule, rule == in_force, bounds, owed))
    return sorted(verdicts, key=lambda one: not one.in_force)


def _kept(db: sqlite3.Connection, service: str, frozen: FrozenMonth) -> Kept:
    frozen_ms, reason, outages, exclusions, calculation = db.execute(
        "SELECT frozen_ms, reason, outages, exclusions,"
        " (SELECT calculation FROM entitlements WHERE entitlements.month = months.key ORDER BY key LIMIT 1)"
        " FROM months WHERE service = (SELECT key FROM services WHERE id = ?) AND month = ? AND revision = ?",
        (service, str(frozen.month), frozen.revision),
    ).fetchone()
    return Kept(
        frozen.revision,
        frozen_ms,
        reason,
        frozen.figures,
        json.loads(outages),
        json.loads(exclusions),
        None if calculation is None else json.loads(calculation),
    )
