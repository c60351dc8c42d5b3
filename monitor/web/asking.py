"""What a request asks for, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.config.values import Configuration
from monitor.ledger.claims import STEPS
from monitor.ledger.entitlements import Wanted
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


def flag(query: Mapping[str, str], name: str) -> bool:
    """Of ``?open=true``. Raises BadRequest."""
    text = query.get(name, "false")
    if text not in ("true", "false"):
        raise BadRequest(f"{name}: expected true or false, not {text!r:.40}")
    return text == "true"


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


def asked_claims(query: Mapping[str, str], configuration: Configuration) -> Wanted:
    """Of ``?month=2026-10&state=draft&customer=ACME&service=acme-trunk``. Raises BadRequest and NotThere."""
    state, customer, service = (query.get(name) or None for name in ("state", "customer", "service"))
    if state is not None and state not in STEPS:
        raise BadRequest(f"state: expected one of {', '.join(STEPS)}, not {state!r:.40}")
    services = [
        one.id
        for one in configuration.services
        if customer in (None, one.customer) and service in (None, one.id)
    ]
    if not services and (customer or service):
        raise NotThere(
            f"there is no service of {customer or 'anybody'!r:.80} called {service or 'anything'!r:.80}"
        )
    return Wanted(
        asked_month(query),
        services=services if customer or service else None,
        states=None if state is None else (state,),
    )
