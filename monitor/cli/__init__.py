"""The commands: each reads the store, or hands a change to whoever may write."""

from __future__ import annotations

from pathlib import Path

import click

from monitor import __version__
from monitor.cli.group import Lazy, LazyGroup
from monitor.cli.invocation import DEFAULT_CONFIG, Invocation

COMMANDS = (
    Lazy("agent", "monitor.cli.agent", "The daemon, in the foreground."),
    Lazy("demo", "monitor.cli.demo", "A lab on loopback, the agent on it, and an outage to watch."),
    Lazy("probe", "monitor.cli.probe", "Ask one target once, phase by phase."),
    Lazy("reflect", "monitor.cli.reflect", "Answer the probes of other hosts: STAMP, SIP, calls."),
    Lazy("status", "monitor.cli.status", "State of every service since when, and coverage today."),
    Lazy("outages", "monitor.cli.outages", "The outages, with their error bounds."),
    Lazy("availability", "monitor.cli.availability", "Availability of a service in any window, exact."),
    Lazy("report", "monitor.cli.report", "What availability each service had in a month."),
    Lazy("explain", "monitor.cli.explain", "A month step by step, and under every rule."),
    Lazy("credits", "monitor.cli.credits", "The entitlements of a month."),
    Lazy("month", "monitor.cli.month", "Frozen months: their revisions, freezing, rolling up again."),
    Lazy("claim", "monitor.cli.claim", "Claims, from draft to payment."),
    Lazy("exclude", "monitor.cli.exclude", "Stretches that do not count against the provider."),
    Lazy("correct", "monitor.cli.correct", "What somebody knows better than the probes."),
    Lazy("incident", "monitor.cli.incident", "Reported problems, and the clocks of response and resolution."),
    Lazy("deadline", "monitor.cli.deadline", "When a reported problem must be answered and resolved."),
    Lazy("import", "monitor.cli.imports", "Bring history in."),
    Lazy(
        "verify",
        "monitor.cli.verify",
        "Whether any record was changed, and every number follows from the facts.",
    ),
    Lazy("config", "monitor.cli.config", "Check a configuration, or write the samples."),
    Lazy("doctor", "monitor.cli.doctor", "What is wrong with this host."),
)


@click.group(cls=LazyGroup, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    envvar="RINGBACK_CONFIG",
    metavar="FILE",
    help=f"The configuration; default $RINGBACK_CONFIG, then {DEFAULT_CONFIG}.",
)
@click.option(
    "--db",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The database; default as the configuration says.",
)
@click.version_option(__version__, prog_name="ringback")
@click.pass_context
def main(context: click.Context, config_path: Path | None, db: Path | None) -> None:
    """Watches telecom services, records their outages, and says what credit an SLA owes.

    Exit codes: 0 fine; 1 the answer is no, or the operation failed; 2 usage; 3 configuration error.
    """
    context.obj = Invocation(config_path, db)
