"""Whose services they are: the configuration says so, and it is not part of what is frozen."""

from __future__ import annotations

from monitor.config.values import Configuration
from monitor.ledger.errors import LedgerError


def customers(configuration: Configuration) -> dict[str, str]:
    """The customer of each service; '' where none is given."""
    return {one.id: one.customer for one in configuration.services}


def services_of(configuration: Configuration, customer: str) -> list[str]:
    """The services of a customer. Raises LedgerError where there are none."""
    services = [one.id for one in configuration.services if one.customer == customer]
    if not services:
        raise LedgerError(f"expected a customer of the configuration, not {customer!r:.80}")
    return services
