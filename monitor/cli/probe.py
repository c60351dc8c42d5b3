"""``ringback probe``: one target, asked once and now."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any

import click
from pydantic import ValidationError

from monitor.cli.outcome_view import as_record, as_text
from monitor.cli.output import print_json
from probes.outcome import Outcome, Verdict
from probes.prober import Options, Prober, prober_for


@click.command
@click.argument("target")
@click.option(
    "-o",
    "--option",
    "pairs",
    multiple=True,
    metavar="KEY=VALUE",
    help="As in the configuration of a check. A key given again makes a list, KEY.NAME=VALUE a mapping.",
)
@click.option(
    "--timeout", metavar="DURATION", help="For the whole probe, name resolution included; default 4s."
)
@click.option("--json", "as_json", is_flag=True, help="Data instead of text.")
@click.pass_context
def command(
    context: click.Context, target: str, pairs: tuple[str, ...], timeout: str | None, as_json: bool
) -> None:
    """Ask TARGET once and show what was seen, phase by phase.

    \b
    ringback probe sip:sbc.example.net:5060
    ringback probe icmp://192.0.2.1 -o count=5
    ringback probe https://pbx.example.net/ -o status=2xx -o status=401 --timeout 2s

    Ends with 0 if the answer was good or degraded, with 1 if it was bad or the question could not be asked.
    """
    try:
        prober = prober_for(target)
        parsed = prober.parse(target)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="TARGET") from None
    options = _options(prober, pairs, timeout)
    outcome, sent_ms = asyncio.run(_ask(prober, parsed, options))
    if as_json:
        print_json(as_record(target, outcome, sent_ms))
    else:
        click.echo(as_text(target, outcome, sent_ms))
    context.exit(0 if outcome.verdict <= Verdict.DEGRADED else 1)


async def _ask(prober: type[Prober[Any, Any]], parsed: object, options: Options) -> tuple[Outcome, int]:
    """The outcome, and when the question was sent in milliseconds of UTC."""
    one = prober()
    try:
        outcome = await one.probe(parsed, options)
    finally:
        await one.close()
    ago_ns = time.monotonic_ns() - outcome.sent_ns
    return outcome, (time.time_ns() - ago_ns) // 1_000_000


def _options(prober: type[Prober[Any, Any]], pairs: Iterable[str], timeout: str | None) -> Options:
    """Raises click.BadParameter that says which key is wrong, and what was expected."""
    given = _tree(pairs)
    if timeout is not None:
        given["timeout"] = timeout
    try:
        return prober.options.model_validate(given)
    except ValidationError as error:
        raise click.BadParameter(
            "; ".join(_complaint(prober, details) for details in error.errors(include_url=False)),
            param_hint="--timeout" if error.errors()[0]["loc"][:1] == ("timeout",) else "-o",
        ) from None


def _tree(pairs: Iterable[str]) -> dict[str, Any]:
    """``status=2xx status=401 headers.Via=x`` → ``{"status": ["2xx", "401"], "headers": {"Via": "x"}}``"""
    found: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not (key and equals):
            raise click.BadParameter(f"expected KEY=VALUE, not {pair!r}", param_hint="-o")
        outer, dot, inner = key.partition(".")
        if dot:
            mapping = found.setdefault(outer, {})
            if not isinstance(mapping, dict):
                raise click.BadParameter(f"{outer} is a mapping and a value", param_hint="-o")
            mapping[inner] = value
        elif key in found:
            earlier = found[key]
            found[key] = [*earlier, value] if isinstance(earlier, list) else [earlier, value]
        else:
            found[key] = value
    return found


def _complaint(prober: type[Prober[Any, Any]], details: Any) -> str:
    key = ".".join(str(part) for part in details["loc"])
    if details["type"] == "extra_forbidden":
        return f"{key}: unknown; expected one of {', '.join(sorted(prober.options.model_fields))}"
    error = details.get("ctx", {}).get("error")
    return f"{key}: {error or details['msg']}"
