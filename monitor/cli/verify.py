"""``ringback verify``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.failures import Failure
from monitor.cli.invocation import Invocation, pass_invocation
from monitor.cli.output import print_json, say
from monitor.cli.parameters import JSON

if TYPE_CHECKING:
    from collections.abc import Collection

    from monitor.ledger.verifying import Verdict

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


class Digest(click.ParamType):  # type: ignore[type-arg]
    """The digest of a seal in hexadecimal."""

    name = "SEAL"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        try:
            digest = bytes.fromhex(str(value))
        except ValueError:
            digest = b""
        if len(digest) != 32:
            self.fail("expected the 64 hexadecimal digits of a seal, as verify prints them", param, ctx)
        return digest


@click.command
@click.argument("file", type=FILE, required=False)
@click.option("--key", "key_file", type=FILE, help="The public keys (PEM) that seals may be signed by.")
@click.option(
    "--seal", "noted", type=Digest(), multiple=True, help="A seal noted elsewhere: it must be there."
)
@click.option("--public-key", is_flag=True, help="Only print the public key (PEM), to be kept elsewhere.")
@JSON
@click.pass_context
@pass_invocation
def command(
    invocation: Invocation,
    context: click.Context,
    /,
    file: Path | None,
    key_file: Path | None,
    noted: tuple[bytes, ...],
    public_key: bool,
    as_json: bool,
) -> None:
    """Verify that no record was changed: the chain of seals, their signatures, every record that they are over,
    and that every time line, frozen month and amount follows from the facts.

    FILE: another database than that of the configuration, such as a copy on another machine, or a claim pack (JSON);
    give --key with it. Of a pack each byte and the signature are checked, and that its numbers follow from each other.
    Ends with 1 if something does not fit, and names the first record that does not.
    """
    from monitor.ledger.verifying import verdict_record, verify  # noqa: PLC0415
    from monitor.store.signing_key import public_keys, public_path  # noqa: PLC0415

    if public_key:
        click.echo(_public_key(invocation), nl=False)
        return
    if key_file is None and file is None:
        own = public_path(invocation.configuration.agent.state_dir)
        key_file = own if own.exists() else None
    trusted = None if key_file is None else public_keys(key_file)
    if file is not None and not _is_database(file):
        context.exit(0 if _pack_fits(file, trusted, as_json) else 1)
    with replace(invocation, chosen_db=file or invocation.chosen_db).reading() as db:
        verdict = verify(db, trusted, noted)
    if as_json:
        print_json(verdict_record(verdict))
    else:
        _print(verdict, trusted is not None)
    context.exit(0 if verdict.fits else 1)


def _is_database(file: Path) -> bool:
    """Or at least nothing else that is known. Raises Failure for a PDF."""
    with file.open("rb") as content:
        begin = content.read(16).lstrip()
    if begin.startswith(b"%PDF"):
        raise Failure(
            f"{file}: take the pack out of the PDF first: pdfdetach -save 1 -o claim-pack.json {file}"
        )
    return not begin.startswith(b"{")


def _pack_fits(file: Path, trusted: Collection[bytes] | None, as_json: bool) -> bool:
    from monitor.claims.verifying import verify_pack  # noqa: PLC0415

    verdict = verify_pack(file.read_bytes(), trusted)
    signer = None if verdict.signer is None else verdict.signer.hex()
    if as_json:
        print_json(
            {
                "fits": verdict.fits,
                "signer": signer,
                "claims": verdict.claims,
                "misfits": list(verdict.misfits),
            }
        )
        return verdict.fits
    for misfit in verdict.misfits:
        click.echo(f"does not fit: {misfit}")
    if signer is not None:
        click.echo(f"a pack of {verdict.claims} claims, signed by {signer}")
    click.echo("everything fits" if verdict.fits else "something does not fit")
    if signer is not None and trusted is None:
        say("the key is the one that the pack names itself: give --key with the one that you kept")
    return verdict.fits


def _public_key(invocation: Invocation) -> str:
    from monitor.store.signing_key import public_path  # noqa: PLC0415

    path = public_path(invocation.configuration.agent.state_dir)
    if not path.exists():
        raise Failure(f"{path}: there is no key yet; the agent makes it at its first start")
    return path.read_text("ascii")


def _print(verdict: Verdict, key_given: bool) -> None:
    from datetime import UTC, datetime  # noqa: PLC0415

    evidence, derived = verdict.evidence, verdict.derived
    for misfit in verdict.misfits:
        click.echo(f"does not fit: {misfit}")
    click.echo(f"{evidence.rows} records under {evidence.seals} seals; {evidence.unsealed} not yet sealed")
    if evidence.last_ms is not None:
        instant = datetime.fromtimestamp(evidence.last_ms / 1000, UTC).isoformat(timespec="seconds")
        click.echo(f"last seal {evidence.last.hex()} of {instant}")
    for signer in sorted(evidence.signers):
        click.echo(f"signed by {signer.hex()}")
    if derived is not None:
        click.echo(
            f"computed again: {derived.services} time lines, {derived.months} frozen months,"
            f" {derived.amounts} amounts"
        )
    click.echo("everything fits" if verdict.fits else "something does not fit")
    if evidence.unsealed:
        say("what is not yet sealed is protected by nothing: the agent seals every hour, and when it stops")
    if evidence.seals and not key_given:
        say("the key is the one that the database names itself: give --key with the one that you kept")
    if derived is not None and derived.not_again:
        say(f"{derived.not_again} months were frozen by an earlier version, and not computed again")
