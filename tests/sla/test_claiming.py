"""Until when a credit can be claimed."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sla.claiming import ClaimWithin, claim_deadline_ms
from monitor.sla.months import Month, bounds, from_ms, local_iso

LUXEMBOURG = "Europe/Luxembourg"


@pytest.mark.parametrize(
    ("month", "within", "before"),
    [
        ("2026-10", 30, "2026-12-01T00:00:00+01:00"),
        ("2026-10", "month_end", "2026-12-01T00:00:00+01:00"),
        ("2026-01", 30, "2026-03-03T00:00:00+01:00"),
        ("2028-01", 30, "2028-03-02T00:00:00+01:00"),
        ("2026-01", "month_end", "2026-03-01T00:00:00+01:00"),
        ("2026-12", "month_end", "2027-02-01T00:00:00+01:00"),
        ("2026-02", 30, "2026-03-31T00:00:00+02:00"),
        ("2026-09", 1, "2026-10-02T00:00:00+02:00"),
    ],
)
def test_a_claim_has_to_be_sent_before_a_local_midnight(month: str, within: ClaimWithin, before: str) -> None:
    deadline_ms = claim_deadline_ms(Month.parse(month), LUXEMBOURG, within)
    assert deadline_ms is not None
    assert local_iso(deadline_ms, ZoneInfo(LUXEMBOURG)) == before


def test_where_nothing_was_agreed_there_is_no_deadline() -> None:
    assert claim_deadline_ms(Month.parse("2026-10"), LUXEMBOURG, None) is None


@given(
    st.integers(2000, 2060),
    st.integers(1, 12),
    st.integers(1, 400),
    st.sampled_from([LUXEMBOURG, "America/New_York", "Asia/Beirut", "Pacific/Apia", "UTC"]),
)
def test_days_are_counted_on_the_calendar_whatever_the_clocks_do(
    year: int, number: int, days: int, zone: str
) -> None:
    """By walking from day to day."""
    month = Month(year, number)
    place = ZoneInfo(zone)
    deadline_ms = claim_deadline_ms(month, zone, days)
    assert deadline_ms is not None
    first = from_ms(bounds(month, place)[1], place).date()
    assert (from_ms(deadline_ms, place).date() - first).days == days
    assert (from_ms(deadline_ms - 1, place).date() - first).days < days
