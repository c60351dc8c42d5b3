"""``ringback reflect``: the other end of a measured path, in the foreground."""

from __future__ import annotations

import click

from monitor.cli.failures import Failure
from monitor.reflect.networks import ANY, Network, parse_network
from monitor.reflect.place import Place, parse_place


class _NetworkParam(click.ParamType[tuple[Network, ...]]):
    """A network in CIDR notation, or any."""

    name = "network"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Network, ...]:
        try:
            return parse_network(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _PlaceParam(click.ParamType[Place]):
    """An address and a port."""

    name = "place"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Place:
        try:
            return parse_place(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command
@click.option(
    "--allow",
    "networks",
    type=_NetworkParam(),
    multiple=True,
    metavar="NETWORK",
    help=f"Whom to answer: a network such as 10.20.0.0/16; may be given often. {ANY}: everybody.",
)
@click.option(
    "--listen-stamp",
    "stamp",
    type=_PlaceParam(),
    default="*:862",
    show_default=True,
    metavar="HOST:PORT",
    help="Where to answer STAMP and TWAMP Light; * is every address of this host.",
)
@click.option(
    "--listen-sip",
    "sip",
    type=_PlaceParam(),
    default="*:5060",
    show_default=True,
    metavar="HOST:PORT",
    help="Where to answer OPTIONS and calls, over UDP and TCP.",
)
@click.option("--no-stamp", is_flag=True, help="Answer no STAMP.")
@click.option("--no-sip", is_flag=True, help="Answer no SIP.")
def command(
    networks: tuple[tuple[Network, ...], ...],
    stamp: Place,
    sip: Place,
    no_stamp: bool,
    no_sip: bool,
) -> None:
    """Answer the test packets and calls of other probe hosts, until SIGTERM or Ctrl-C.

    \b
    ringback reflect --allow 10.20.0.0/16       (on 10.30.0.5)
    ringback probe stamp://10.30.0.5            (on 10.20.0.5)

    It answers nobody but whom --allow names: whoever can reach a reflector can take up its time, and with a
    forged address have it send to others.
    """
    if not networks:
        raise click.UsageError(
            "say whom to answer: --allow NETWORK, may be given often, or --allow any. Whoever can reach a reflector "
            "can take up its time, and with a forged address have it send to others."
        )
    if no_stamp and no_sip:
        raise click.UsageError("--no-stamp and --no-sip together leave nothing to answer")
    from monitor.reflect.service import CannotListen, Settings, run  # noqa: PLC0415

    settings = Settings(
        [network for some in networks for network in some],
        None if no_stamp else stamp,
        None if no_sip else sip,
    )
    try:
        run(settings)
    except CannotListen as error:
        raise Failure(str(error)) from error
