"""``ringback claim``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from monitor.cli.changing import change
from monitor.cli.invocation import Invocation, pass_invocation
from monitor.cli.output import print_json, say
from monitor.cli.parameters import AUTHOR, JSON, MONTH
from monitor.ledger.claims import STEPS

if TYPE_CHECKING:
    from monitor.ledger.claiming import ClaimStep
    from monitor.sla.months import Month

Command = TypeVar("Command", bound=Callable[..., Any])


@click.group
def command() -> None:
    """What frozen months owe, from draft to payment.

    A claim is drafted by the ledger, approved, submitted to the provider, and settled or rejected by it. A step
    that is not possible is refused, with those that are.
    """


@command.command("list")
@click.option("--month", type=MONTH, help="Only of that month.")
@click.option("--service", "service_id", metavar="S", help="Only of that service.")
@click.option("--customer", metavar="C", help="Only of that customer.")
@click.option("--state", "states", multiple=True, type=click.Choice(tuple(STEPS)), help="May be given often.")
@JSON
@pass_invocation
def list_all(
    invocation: Invocation,
    month: Month | None,
    service_id: str | None,
    customer: str | None,
    states: tuple[str, ...],
    as_json: bool,
) -> None:
    """List claims, those that were superseded as well, the latest month first."""
    from monitor.cli.claim_view import print_claims  # noqa: PLC0415
    from monitor.ledger.claim_record import claim_record  # noqa: PLC0415
    from monitor.ledger.customers import customers, services_of  # noqa: PLC0415
    from monitor.ledger.entitlements import Wanted, find  # noqa: PLC0415

    configuration = invocation.configuration
    services = None if customer is None else services_of(configuration, customer)
    if service_id is not None:
        services = [service_id] if services is None else [one for one in services if one == service_id]
    with invocation.reading() as db:
        found = find(db, Wanted(month, services=services, states=states or None))
    if as_json:
        whose = customers(configuration)
        print_json([claim_record(one, whose, invocation.zone) for one in found])
    else:
        print_claims(found, customers(configuration), invocation.now_ms)


@command.command("show")
@click.argument("uid")
@JSON
@pass_invocation
def show(invocation: Invocation, uid: str, as_json: bool) -> None:
    """Show a claim by its id, or the beginning of it: calculation, amendments, and every step with its author."""
    from monitor.cli.claim_view import print_claim  # noqa: PLC0415
    from monitor.ledger.claim_record import claim_record  # noqa: PLC0415
    from monitor.ledger.customers import customers  # noqa: PLC0415
    from monitor.ledger.entitlements import chain, one_key, read  # noqa: PLC0415

    with invocation.reading() as db:
        key = one_key(db, uid)
        (claim,) = read(db, [key])
        of_chain = chain(db, claim)
    whose = customers(invocation.configuration)
    if as_json:
        record = claim_record(claim, whose, invocation.zone)
        print_json({**record, "chain": [_link(one.uid, one.state, one.amount) for one in of_chain]})
    else:
        print_claim(claim, of_chain, whose, invocation.now_ms)


def _step_options(command: Command) -> Command:
    """Which claims, who says so, and what there is to say."""
    for option in reversed(
        (
            click.argument("uids", metavar="[UID]...", nargs=-1),
            click.option(
                "--customer", metavar="C", help="All of that customer that can take the step, with --month."
            ),
            click.option("--month", type=MONTH, help="The month of --customer's claims."),
            AUTHOR,
            click.option("--note", default="", help="One line, kept with the step."),
            click.option("--reference", default="", help="The provider's reference."),
            JSON,
        )
    ):
        command = option(command)
    return command


@command.command("approve")
@_step_options
@pass_invocation
def approve(invocation: Invocation, /, as_json: bool, **asked: Any) -> None:
    """Say that drafts may be sent: by ids, or all of a customer's month. All of them, or none."""
    from monitor.ledger.claiming import Approve  # noqa: PLC0415

    _take(invocation, Approve, asked, as_json)


@command.command("submit")
@_step_options
@pass_invocation
def submit(invocation: Invocation, /, as_json: bool, **asked: Any) -> None:
    """Say that approved claims were sent to the provider."""
    from monitor.ledger.claiming import Submit  # noqa: PLC0415

    _take(invocation, Submit, asked, as_json)


@command.command("settle")
@_step_options
@click.option("--amount", metavar="A", help="What was accepted, such as 60.00; default all that was claimed.")
@click.option(
    "--paid",
    metavar="A",
    help="What was paid, now or after it was accepted; negative: paid back. May come in parts.",
)
@pass_invocation
def settle(invocation: Invocation, /, as_json: bool, **asked: Any) -> None:
    """Say that the provider accepted claims, wholly or in part, or what it paid."""
    from monitor.ledger.claiming import Settle  # noqa: PLC0415

    _take(invocation, Settle, asked, as_json)


@command.command("reject")
@_step_options
@pass_invocation
def reject(invocation: Invocation, /, as_json: bool, **asked: Any) -> None:
    """Say that the provider refused claims."""
    from monitor.ledger.claiming import Reject  # noqa: PLC0415

    _take(invocation, Reject, asked, as_json)


@command.command("withdraw")
@_step_options
@pass_invocation
def withdraw(invocation: Invocation, /, as_json: bool, **asked: Any) -> None:
    """Give claims up that are not decided. That is final: only a revision of the month drafts anew."""
    from monitor.ledger.claiming import WithdrawClaim  # noqa: PLC0415

    _take(invocation, WithdrawClaim, asked, as_json)


@command.command("year")
@click.argument("year", type=click.IntRange(1971, 9998))
@click.option("--customer", metavar="C", help="Only of that customer.")
@JSON
@pass_invocation
def year(invocation: Invocation, year: int, customer: str | None, as_json: bool) -> None:
    """Show what was drafted, claimed, accepted, rejected and paid for YEAR, by month and customer."""
    from monitor.cli.claim_view import print_year  # noqa: PLC0415
    from monitor.ledger.claim_sums import sums_of_year, sums_record  # noqa: PLC0415
    from monitor.ledger.customers import customers, services_of  # noqa: PLC0415

    configuration = invocation.configuration
    services = None if customer is None else services_of(configuration, customer)
    with invocation.reading() as db:
        found = sums_of_year(db, year, customers(configuration), services)
    if as_json:
        print_json(sums_record(year, found))
    else:
        print_year(year, found)


def _take(invocation: Invocation, step: type[ClaimStep], asked: dict[str, Any], as_json: bool) -> None:
    uids: Sequence[str] = asked.pop("uids")
    month = asked.pop("month")
    fields = {name: value for name, value in asked.items() if value is not None}
    if month is not None:
        fields["month"] = str(month)
    if bool(uids) == ("customer" in fields) or ("month" in fields) != ("customer" in fields):
        raise click.UsageError("expected ids of claims, or --customer and --month")
    result = change(invocation, step, {**fields, "uids": list(uids)})
    if as_json:
        print_json(result)
        return
    for one in result["claims"]:
        amount = "" if one["amount"] is None else f", {one['amount']} {one['currency']}"
        say(f"{one['uid']} ({one['service']}, {one['month']}{amount}): {one['from']} -> {one['to']}")


def _link(uid: str, state: str, amount: str | None) -> dict[str, str | None]:
    return {"uid": uid, "state": state, "amount": amount}
