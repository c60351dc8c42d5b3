"""Claims for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from zoneinfo import ZoneInfo

import click

from monitor.cli.output import RIGHT, print_table
from monitor.ledger.claim_sums import Line, Sums, amounts, totals
from monitor.ledger.claims import UNSENT
from monitor.ledger.entitlements import Entitlement
from monitor.sla.figures import written
from monitor.sla.months import from_ms, local_iso

AGREED_LATER = "to be agreed"


def print_claims(found: Sequence[Entitlement], customers: Mapping[str, str], now_ms: int) -> None:
    """One line a claim."""
    print_table(
        (
            *("ID", "MONTH", "SERVICE", "CUSTOMER", "STATE", f"{RIGHT}AMOUNT", f"{RIGHT}DIFFERENCE"),
            *(f"{RIGHT}ACCEPTED", f"{RIGHT}PAID", "SEND BEFORE", "REFERENCE"),
        ),
        [
            (
                one.uid,
                str(one.month),
                one.service,
                customers.get(one.service, ""),
                one.state,
                amount_of(one),
                "" if one.difference is None else f"{one.difference:+f}",
                "" if one.accepted is None else written(one.accepted),
                written(one.paid) if one.paid else "",
                deadline(one, now_ms),
                one.reference,
            )
            for one in found
        ],
    )


def print_claim(
    claim: Entitlement, chain: Sequence[Entitlement], customers: Mapping[str, str], now_ms: int
) -> None:
    """All there is to one."""
    zone = ZoneInfo(claim.zone)
    customer = customers.get(claim.service, "")
    of = f" for {customer}" if customer else ""
    click.echo(f"{claim.uid}: {claim.service}{of}, {claim.month}, {basis(claim)}")
    click.echo(f"{claim.state}: {amount_of(claim)}")
    if claim.amends is not None:
        against = (
            "" if claim.difference is None else f", a difference of {claim.difference:+f} {claim.currency}"
        )
        click.echo(f"amends {claim.amends.uid}, which claimed {claim.amends.amount}{against}")
    if claim.state in UNSENT and claim.deadline_ms is not None:
        click.echo(f"to be sent before {deadline(claim, now_ms)}")
    click.echo("\nStep by step:")
    print_table(("STEP", "HOW", "RESULT"), claim.calculation)
    click.echo("\nHistory:")
    print_table(
        ("STATE", "AT", "BY", f"{RIGHT}AMOUNT", "REFERENCE", "NOTE"),
        [
            (one.state, local_iso(one.at_ms, zone), one.author, one.amount or "", one.reference, one.note)
            for one in claim.events
        ],
    )
    if len(chain) > 1:
        click.echo("\nAll claims of the month:")
        print_table(
            ("ID", f"{RIGHT}REVISION", "STATE", f"{RIGHT}AMOUNT", "AMENDS"),
            [
                (
                    one.uid,
                    str(one.revision or ""),
                    one.state,
                    amount_of(one),
                    "" if one.amends is None else one.amends.uid,
                )
                for one in chain
            ],
        )


def print_year(year: int, lines: Sequence[Line]) -> None:
    """One line for each month, customer and currency, and the sums of each currency."""
    if not lines:
        click.echo(f"{year}: no claim")
        return
    rows = [_sums_row(str(line.month), line.customer, line.currency, line.sums) for line in lines]
    rows += [_sums_row(str(year), "in all", currency, sums) for currency, sums in totals(lines).items()]
    titles = (f"{RIGHT}{one.name.upper()}" for one in fields(Sums))
    print_table(("MONTH", "CUSTOMER", "CURRENCY", *titles), rows)
    without = sum(line.to_be_agreed for line in lines)
    if without:
        click.echo(f"{without} claims without an amount: it is to be agreed.")


def deadline(claim: Entitlement, now_ms: int) -> str:
    """The day before whose beginning it has to be sent, and whether that is past; '' where nothing presses."""
    at_ms = claim.to_send_by_ms
    if at_ms is None:
        return ""
    day = f"{from_ms(at_ms, ZoneInfo(claim.zone)):%Y-%m-%d}"
    return f"{day} (past)" if at_ms <= now_ms else day


def amount_of(claim: Entitlement) -> str:
    """With its currency; where there is none, that it is to be agreed."""
    return AGREED_LATER if claim.amount is None else f"{claim.amount} {claim.currency}"


def basis(claim: Entitlement) -> str:
    """What it follows from."""
    if claim.revision is None:
        return f"{(claim.clock or '').upper()} of incident {claim.incident}"
    return f"revision {claim.revision}"


def _sums_row(month: str, customer: str, currency: str, sums: Sums) -> tuple[str, ...]:
    return (month, customer, currency, *amounts(sums, currency).values())
