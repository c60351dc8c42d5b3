"""What a request asks for, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.sla.months import Month
from monitor.web.queries import Portion

LIMIT = 100
"""Items in an answer where the request names no limit."""

MOST = 1_000
"""Items in an answer at most."""

_DIGITS = 9


class BadRequest(Exception):
    """The request cannot be understood; the message says what was expected."""


class Forbidden(Exception):
    """The configuration does not allow it; the message says what."""


class NotThere(Exception):
    """There is no such thing; the message says what."""


def number(query: Mapping[str, str], name: str, default: int) -> int:
    """A whole number of the query that is not negative. Raises BadRequest."""
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise BadRequest(f"{name}: expected a number, not {text!r:.40}")
    return int(text)


def portion(query: Mapping[str, str]) -> Portion:
    """Of ``?limit=100&offset=200``. Raises BadRequest."""
    limit = number(query, "limit", LIMIT)
    if not 1 <= limit <= MOST:
        raise BadRequest(f"limit: expected 1 to {MOST}, not {limit}")
    return Portion(limit, number(query, "offset", 0))


def required_month(text: str) -> Month:
    """Raises BadRequest."""
    try:
        return Month.parse(text)
    except ValueError as error:
        raise BadRequest(str(error)) from None


def asked_month(query: Mapping[str, str]) -> Month | None:
    """Of ``?month=2026-10``; None: not asked for. Raises BadRequest."""
    return required_month(query["month"]) if query.get("month") else None
