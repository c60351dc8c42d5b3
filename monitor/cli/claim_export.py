"""``ringback claim export``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from monitor.claims.forms import Form
from monitor.cli.failures import Failure
from monitor.cli.files import FORCE, LANGUAGE, write_file
from monitor.cli.invocation import Invocation, pass_invocation
from monitor.cli.output import print_json, say
from monitor.cli.parameters import MONTH

if TYPE_CHECKING:
    from monitor.claims.pack import Pack
    from monitor.sla.months import Month


@click.command("export")
@click.argument("uid", required=False)
@click.option("--customer", metavar="C", help="All that the customer claims for --month.")
@click.option("--month", type=MONTH, help="The month of --customer's claims.")
@click.option("--format", "form", type=click.Choice(get_args(Form)), default="json", show_default=True)
@LANGUAGE
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="Where to; default standard output.",
)
@FORCE
@click.option("--schema", "print_schema", is_flag=True, help="Print the JSON Schema of claim packs.")
@pass_invocation
def export_claim(
    invocation: Invocation,
    uid: str | None,
    customer: str | None,
    month: Month | None,
    form: Form,
    language: str,
    output: Path | None,
    force: bool,
    print_schema: bool,
) -> None:
    """Write the pack of a claim, or of all that a customer claims for a month, as a document to send.

    It follows from the frozen month alone. PDF has the JSON attached; JSON and CSV are the same in every language.
    """
    if print_schema:
        from monitor.claims.pack import schema  # noqa: PLC0415

        print_json(schema())
        return
    if (uid is None) == (customer is None) or (customer is None) != (month is None):
        raise click.UsageError("expected the id of a claim, or --customer and --month")
    to_stdout = output is None or str(output) == "-"
    if to_stdout and form == "pdf" and sys.stdout.isatty():
        raise Failure("a PDF is not for a terminal: say --output FILE")

    from monitor.claims.export import export  # noqa: PLC0415

    content = export(_signed(invocation, _pack(invocation, uid, customer, month)), form, language)
    if output is None or to_stdout:
        click.echo(content, nl=False)
    else:
        write_file(output, content, force)
        say(f"wrote {output}")


def _signed(invocation: Invocation, pack: Pack) -> Pack:
    """With the signature of this host, where its key is this user's to use."""
    from monitor.ledger.signed_document import sign_document  # noqa: PLC0415
    from monitor.store.signing_key import key_of_command  # noqa: PLC0415

    key = key_of_command(invocation.configuration.agent.state_dir)
    if key is None:
        say("not signed: the key is the agent's; run it as the user of the service")
        return pack
    signed: Pack = sign_document(pack, key)  # type: ignore[assignment]
    return signed


def _pack(invocation: Invocation, uid: str | None, customer: str | None, month: Month | None) -> Pack:
    from monitor.claims.packing import names, pack_of_claim, pack_of_customer  # noqa: PLC0415
    from monitor.ledger.customers import services_of  # noqa: PLC0415

    configuration = invocation.configuration
    called = names(configuration)
    if customer is not None:
        services_of(configuration, customer)  # one that is unknown is told so
    with invocation.reading() as db:
        if customer is not None and month is not None:
            return pack_of_customer(db, customer, month, called)
        assert uid is not None
        return pack_of_claim(db, uid, called)
