"""``ringback probe``: one target, asked now, once or again and again."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from monitor.cli.asking import Asked, Asker
from monitor.cli.output import print_json
from monitor.cli.probe_options import options_of
from monitor.config.models import DefaultsSection
from probes.outcome import Verdict
from probes.prober import prober_for, probers
from probes.units import parse_positive_duration

if TYPE_CHECKING:
    from rich.text import Text

    from monitor.cli.probe_series import Series
    from monitor.track.states import CheckChange

_DEFAULTS = DefaultsSection()
_RUN = click.IntRange(1, 100)


def _list_schemes(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    """What each prober's module says of itself in its first line."""
    if not wanted or context.resilient_parsing:
        return
    schemes: dict[str, list[str]] = {}
    for scheme, prober in sorted(probers().items()):
        module = sys.modules[".".join(prober.__module__.split(".")[:2])]
        about = (module.__doc__ or "").strip().partition("\n")[0].replace("``", "")
        schemes.setdefault(about, []).append(scheme)
    formatter = click.HelpFormatter(max_width=120)
    formatter.write_dl([(", ".join(names), about) for about, names in schemes.items()])
    click.echo(formatter.getvalue(), nl=False)
    context.exit()


def _milliseconds(_: click.Context, __: click.Parameter, text: str) -> int:
    try:
        return parse_positive_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command
@click.argument("target")
@click.option(
    "-o",
    "--option",
    "pairs",
    multiple=True,
    metavar="KEY=VALUE",
    help="As in the configuration of a check. A key given again makes a list, KEY.NAME=VALUE a mapping; "
    "a VALUE that is a JSON list or mapping is taken as one.",
)
@click.option(
    "--timeout", metavar="DURATION", help="For the whole probe, name resolution included; default 4s."
)
@click.option(
    "--repeat", "count", metavar="N", type=click.IntRange(min=0), help="Ask N times; 0: until Ctrl-C."
)
@click.option(
    "--interval",
    "interval_ms",
    metavar="DURATION",
    default="1s",
    callback=_milliseconds,
    help="From one repeated probe to the next; default 1s.",
)
@click.option(
    "--fall",
    metavar="N",
    type=_RUN,
    default=_DEFAULTS.fall,
    help=f"Bad answers in a row that confirm an outage; default {_DEFAULTS.fall}.",
)
@click.option(
    "--rise",
    metavar="N",
    type=_RUN,
    default=_DEFAULTS.rise,
    help=f"Good answers in a row that end it; default {_DEFAULTS.rise}.",
)
@click.option("-v", "--verbose", is_flag=True, help="Every step of the probe, with its instant.")
@click.option("--json", "as_json", is_flag=True, help="Data instead of text; with --repeat an object a line.")
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_schemes,
    help="The kinds of target there are.",
)
@click.pass_context
def command(
    context: click.Context,
    target: str,
    pairs: tuple[str, ...],
    timeout: str | None,
    count: int | None,
    interval_ms: int,
    fall: int,
    rise: int,
    verbose: bool,
    as_json: bool,
) -> None:
    """Ask TARGET and show what was seen, phase by phase, and what a check would make of it.

    \b
    ringback probe sip:sbc.example.net:5060
    ringback probe icmp://192.0.2.1 -o count=5 --repeat 10
    ringback probe https://pbx.example.net/ -o status=2xx -o status=401 --timeout 2s
    ringback probe tcp://192.0.2.1:22 -o 'query_response=[{"expect": "^SSH"}]'

    Ends with 0 if every answer was good or degraded, with 1 if one was bad or a question could not be asked.
    """
    try:
        prober = prober_for(target)
        parsed = prober.parse(target)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="TARGET") from None
    asker = Asker(target, prober, parsed, options_of(prober, pairs, timeout), verbose)
    if count is None:
        show = _show_json if as_json else _show_text(target, fall, rise)
        well = _once(asker, show)
    else:
        well = _repeatedly(asker, count, interval_ms, fall, rise, as_json)
    context.exit(0 if well else 1)


def _once(asker: Asker, show: Callable[[Asked], None]) -> bool:
    """Whether the answer was good or degraded."""
    seen: list[Asked] = []
    asyncio.run(asker.ask(1, 0, seen.append))
    if not seen:
        raise click.Abort  # by Ctrl-C, before there was an answer
    show(seen[0])
    return seen[0].outcome.verdict <= Verdict.DEGRADED


def _show_json(asked: Asked) -> None:
    print_json(asked.record)


def _show_text(target: str, fall: int, rise: int) -> Callable[[Asked], None]:
    from monitor.cli.outcome_view import outcome_lines  # noqa: PLC0415 - not needed for JSON

    write = _writer()
    bar = "━" if "utf" in (sys.stdout.encoding or "").lower() else "#"

    def show(asked: Asked) -> None:
        for line in asked.log_lines():
            write(line)
        if asked.trace is not None:
            click.echo()
        for line in outcome_lines(target, asked.outcome, asked.sent_ms, fall, rise, bar):
            write(line)

    return show


def _repeatedly(asker: Asker, count: int, interval_ms: int, fall: int, rise: int, as_json: bool) -> bool:
    """Whether every answer was good or degraded. Ctrl-C ends it with the summary."""
    from monitor.cli.probe_series import Series  # noqa: PLC0415
    from monitor.cli.series_view import summary_lines, summary_record  # noqa: PLC0415

    series = Series(asker.target, fall, rise)
    asyncio.run(asker.ask(count, interval_ms, _line_json(series) if as_json else _line_text(series)))
    if as_json:
        print_json({"summary": summary_record(series)}, lines=True)
    else:
        click.echo()
        for line in summary_lines(series):
            click.echo(line)
    return series.well


def _line_json(series: Series) -> Callable[[Asked], None]:
    def take(asked: Asked) -> None:
        series.take(asked.outcome, asked.sent_ms)
        print_json(asked.record, lines=True)

    return take


def _line_text(series: Series) -> Callable[[Asked], None]:
    from monitor.cli.outcome_view import outcome_line  # noqa: PLC0415
    from monitor.cli.series_view import change_line  # noqa: PLC0415

    write = _writer()

    def take(asked: Asked) -> None:
        changes: list[CheckChange] = series.take(asked.outcome, asked.sent_ms)
        write(outcome_line(series.probes, series.target, asked.outcome, asked.sent_ms))
        for line in asked.log_lines():
            write(line)
        for change in changes:
            write(change_line(change))

    return take


def _writer() -> Callable[[Text], None]:
    """Writes lines to stdout; with colours only where that is a terminal and NO_COLOR is not set."""
    from rich.console import Console  # noqa: PLC0415

    console = Console(highlight=False, soft_wrap=True)
    return console.print
