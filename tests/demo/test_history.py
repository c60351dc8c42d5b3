"""The history that the demo brings along, on any day that it may be started."""

from __future__ import annotations

import datetime
import json
import zoneinfo
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from monitor.demo import history
from monitor.demo.configuration import FIBRE, PBX, ROUTER, TRUNK, ZONE
from monitor.store.history_file import parse_history

SERVICES = dict.fromkeys((TRUNK, PBX, FIBRE, ROUTER), ZONE)
INSTANTS = st.datetimes(
    datetime.datetime(2025, 1, 1), datetime.datetime(2035, 1, 1), timezones=st.just(datetime.UTC)
).map(lambda at: int(at.timestamp() * 1000))


@given(INSTANTS)
@example(1_775_000_000_000)  # on the day after a change of the clocks
@example(1_793_487_600_000)  # 2026-11-01 00:00:00 local: nothing of this month is over
def test_it_can_be_brought_in_and_covers_three_months_without_a_hole(now_ms: int) -> None:
    found = parse_history([line.encode() for line in history.lines(now_ms)], SERVICES, now_ms)
    assert set(found.spans) == set(SERVICES)
    now = datetime.datetime.fromtimestamp(now_ms / 1000, zoneinfo.ZoneInfo(ZONE))
    begin = history.month_before(
        history.month_before(now.replace(day=1, hour=0, minute=0, second=0, microsecond=0))
    )
    for spans in found.spans.values():
        assert spans[0].from_ms == int(begin.timestamp()) * 1000
        assert spans[-1].to_ms == now_ms // 1000 * 1000
        assert all(one.to_ms == other.from_ms for one, other in pairwise(spans))


@given(INSTANTS)
def test_the_maintenance_covers_one_outage_of_last_month(now_ms: int) -> None:
    found = parse_history([line.encode() for line in history.lines(now_ms)], SERVICES, now_ms)
    (maintenance,) = found.exclusions
    inside = [
        span
        for span in found.spans[TRUNK]
        if span.state == "down" and maintenance.from_ms <= span.from_ms and span.to_ms <= maintenance.to_ms
    ]
    assert len(inside) == 1


def test_the_same_instant_gives_the_same_history() -> None:
    assert history.lines(1_790_000_000_000) == history.lines(1_790_000_000_999)
    assert all(json.loads(line) for line in history.lines(1_790_000_000_000))
