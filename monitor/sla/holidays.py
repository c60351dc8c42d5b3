"""Public holidays, which a plan may take out of its handling hours."""

from __future__ import annotations

from datetime import date
from functools import lru_cache


@lru_cache(maxsize=256)
def public_holidays(country: str | None, first_year: int, last_year: int) -> frozenset[date]:
    """Of a country by its code, from the first year to the last; none where there is no country."""
    if country is None:
        return frozenset()
    import holidays  # noqa: PLC0415 - takes a moment, and only few plans need it

    return frozenset(holidays.country_holidays(country, years=range(first_year, last_year + 1)))
