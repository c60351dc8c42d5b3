"""What a report of a month tells of each service: of a frozen one its latest revision, else what is known now."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from monitor.claims.counting import counted
from monitor.claims.pack import Exclusion, Figures, Outage
from monitor.claims.packing import Naming
from monitor.ledger.frozen import exclusion_record
from monitor.ledger.outages import outage_record
from monitor.ledger.report import ReportedMonth
from monitor.sla.months import Month
from monitor.store.timelines import Timelines


@dataclass(frozen=True, slots=True)
class ServiceMonth:
    """A service's month with its outages; those have no evidence here, a claim's pack has it."""

    naming: Naming
    timezone: str
    revision: int | None
    """None: the month is not frozen."""
    figures: Figures
    outages: Sequence[Outage]
    exclusions: Sequence[Exclusion]


def service_months(
    db: sqlite3.Connection,
    month: Month,
    found: Sequence[ReportedMonth],
    names: Mapping[str, Naming],
    now_ms: int,
) -> list[ServiceMonth]:
    """In the order of ``found``."""
    frozen = {
        service: (json.loads(outages), json.loads(exclusions))
        for service, outages, exclusions in db.execute(
            "SELECT id, outages, exclusions FROM services CROSS JOIN months ON service = services.key"
            " WHERE month = ? ORDER BY revision",  # of each service the latest is taken
            (str(month),),
        )
    }
    timelines = Timelines(db, now_ms)
    made = []
    for one in found:
        agreement = one.rolled.agreement
        if one.revision is None:
            known = timelines.outages(agreement.service, *one.rolled.measured.window)
            outages = [outage_record(agreement.service, each, agreement.tz) for each in known]
            exclusions = [exclusion_record(each, agreement.tz) for each in one.rolled.exclusions]
        else:
            outages, exclusions = frozen[agreement.service]
        parts = counted(one.figures, outages, exclusions, agreement.tz)
        made.append(
            ServiceMonth(
                names[agreement.service],
                agreement.zone,
                one.revision,
                cast(Figures, dict(one.figures)),
                [_outage(*each) for each in zip(outages, parts, strict=True)],
                [cast(Exclusion, each) for each in exclusions],
            )
        )
    return made


def _outage(record: Mapping[str, Any], counted_ms: int | None) -> Outage:
    return cast(Outage, {**record, "counted_ms": counted_ms, "evidence": []})
