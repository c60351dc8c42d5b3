"""``ringback import``."""

from __future__ import annotations

import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from monitor.cli.changing import carry_out
from monitor.cli.files import read_file
from monitor.cli.import_calendar import calendar
from monitor.cli.invocation import Invocation, pass_invocation
from monitor.cli.modes import tell
from monitor.cli.parameters import JSON, instant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.imports.seen import Seen
    from monitor.ledger.request import Mode


_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_SERVICE = click.option("--service", required=True, help="The service here that it is about.")
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Only show what it would bring in and change.")
_LEAST_STEP_MS = 1000


@click.group
def command() -> None:
    """Bring history in."""


@command.command("history")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True, exists=True, dir_okay=False))
@_DRY_RUN
@JSON
@pass_invocation
def history(invocation: Invocation, file: Path, dry_run: bool, as_json: bool) -> None:
    """Bring in a history in JSON Lines ("-" for standard input): all of it, or nothing.

    \b
    {"service": "acme-trunk", "state": "up|degraded|down|unknown", "from": T, "to": T}
    {"service": "acme-trunk", "exclusion": "maintenance", "from": T, "to": T, "reason": "..."}

    What no span covers is unknown. What an earlier import says as well is passed over, so that a file can be
    imported again after lines were added to it or its last span went on. Frozen months that it touches get a revision.
    """
    _bring_in(invocation, *read_file(file), dry_run, as_json)


@command.command("prometheus")
@click.argument("url")
@_SERVICE
@click.option(
    "--query",
    required=True,
    metavar="EXPR",
    help="What is 1 where the service is up and 0 where it is down, one series of it.",
)
@click.option("--from", "from_text", required=True, metavar="T", help="The first instant.")
@click.option("--to", "to_text", required=True, metavar="T", help="The instant after the last.")
@click.option("--step", default="60s", show_default=True, help="How far apart its samples are.")
@click.option("--token-file", type=_FILE, help="A file with the bearer token that the server asks for.")
@click.option("--ca-file", type=_FILE, help="Certificates to trust instead of the system's (PEM).")
@_DRY_RUN
@JSON
@pass_invocation
def prometheus(
    invocation: Invocation,
    url: str,
    service: str,
    query: str,
    from_text: str,
    to_text: str,
    step: str,
    token_file: Path | None,
    ca_file: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Bring in what a Prometheus server recorded, such as probe_success of blackbox_exporter.

    \b
    ringback import prometheus http://127.0.0.1:9090 --service acme-trunk --from 2026-10-01 --to 2026-11-01 \\
        --query 'last_over_time(probe_success{instance="sbc.example.net"}[60s])'

    The expression is evaluated every STEP, and each value holds for so long; where it has none the state is
    unknown. A plain selector would go on for five minutes after its last sample: last_over_time(...[STEP]) does
    not.
    """
    import asyncio  # noqa: PLC0415

    from monitor.imports import prometheus  # noqa: PLC0415

    zone = ZoneInfo(invocation.service(service).zone)
    from_ms, to_ms = instant(from_text, zone, "--from"), instant(to_text, zone, "--to")
    if from_ms >= to_ms:
        raise click.BadParameter("expected an instant after --from", param_hint="--to")
    asked = prometheus.Query(query, from_ms, min(to_ms, invocation.now_ms), _duration_ms(step))
    server = prometheus.Server(url, _token(token_file), _trusting(ca_file))
    with click.progressbar(length=asked.chunks, label="asking", file=sys.stderr) as bar:
        seen = asyncio.run(prometheus.recorded(server, asked, lambda done: bar.update(done - bar.pos)))
    content = _history(service, seen, asked.from_ms, asked.to_ms)
    _bring_in(invocation, content, f"Prometheus at {url}", dry_run, as_json)


@command.command("uptime-kuma")
@click.argument("file", type=_FILE)
@_SERVICE
@click.option("--monitor", required=True, help="Its name or number in Uptime Kuma.")
@click.option("--from", "from_text", metavar="T", help="The first instant; default the first heartbeat.")
@click.option("--to", "to_text", metavar="T", help="The instant after the last; default the last heartbeat.")
@_DRY_RUN
@JSON
@pass_invocation
def uptime_kuma(
    invocation: Invocation,
    file: Path,
    service: str,
    monitor: str,
    from_text: str | None,
    to_text: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Bring in the heartbeats of a monitor of Uptime Kuma, from its SQLite file (kuma.db).

    A heartbeat holds until the next one, and for its interval and a minute or the time-out at most; then the
    state is unknown, as it is in maintenance. An outage begins with the first heartbeat that failed, also where
    it was pending then.
    """
    from monitor.imports import uptime_kuma  # noqa: PLC0415
    from monitor.imports.errors import SourceError  # noqa: PLC0415

    zone = ZoneInfo(invocation.service(service).zone)
    seen = uptime_kuma.recorded(file, monitor)
    if not seen:
        raise SourceError(f"{file}: expected heartbeats of {monitor!r}, and there are none")
    from_ms = instant(from_text, zone, "--from") if from_text else seen[0].at_ms
    to_ms = instant(to_text, zone, "--to") if to_text else seen[-1].at_ms
    _bring_in(invocation, _history(service, seen, from_ms, to_ms), file.name, dry_run, as_json)


@command.command("csv")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True, exists=True, dir_okay=False))
@click.option("--mapping", required=True, type=_FILE, help="A YAML file that says what the columns are.")
@_DRY_RUN
@JSON
@pass_invocation
def csv_file(invocation: Invocation, file: Path, mapping: Path, dry_run: bool, as_json: bool) -> None:
    """Bring in a table ("-" for standard input), such as Icinga's state history, by a mapping file.

    \b
    columns: {service: host_name, state: state, at: state_time}   # or from and to instead of at
    states: {"0": up, "1": degraded, "2": down, "3": unknown}
    services: {pbx01: acme-pbx}
    time: unix
    until: 2026-11-01
    """
    from monitor.imports import table  # noqa: PLC0415
    from monitor.imports.seen import lines  # noqa: PLC0415

    content, source = read_file(file)
    mapped = table.parse_mapping(mapping.read_text(encoding="utf-8", errors="replace"), str(mapping))
    zones = {one.id: one.zone for one in invocation.configuration.services}
    found = table.spans_of(content, mapped, zones, str(file))
    history = b"".join(line for service, spans in found.items() for line in lines(service, spans))
    _bring_in(invocation, history, source, dry_run, as_json)


def _history(service: str, seen: Iterable[Seen], from_ms: int, to_ms: int) -> bytes:
    from monitor.imports.seen import lines, spans  # noqa: PLC0415

    return b"".join(lines(service, spans(seen, from_ms, to_ms)))


def _duration_ms(text: str) -> int:
    from probes.units import parse_duration  # noqa: PLC0415

    try:
        step_ms = parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--step") from None
    if step_ms < _LEAST_STEP_MS:
        raise click.BadParameter("expected a second or more", param_hint="--step")
    return step_ms


def _token(file: Path | None) -> str | None:
    return None if file is None else file.read_text(encoding="utf-8").strip()


def _trusting(file: Path | None) -> ssl.SSLContext | None:
    if file is None:
        return None
    try:
        return ssl.create_default_context(cafile=str(file))
    except (OSError, ValueError):
        raise click.BadParameter(f"expected certificates (PEM) in {file}", param_hint="--ca-file") from None


def _bring_in(invocation: Invocation, content: bytes, source: str, dry_run: bool, as_json: bool) -> None:
    from monitor.ledger.importing import importing  # noqa: PLC0415

    mode: Mode = "rehearse" if dry_run else "apply"
    result = carry_out(
        invocation,
        lambda: importing(invocation.configuration, content, source, invocation.now_ms),
        "/v1/import-history",
        content,
        mode,
        {"source": source},
    )
    done = (
        f"imported {result['spans']} spans and {result['exclusions']} exclusions;"
        f" {result['known']} were there already"
    )
    tell(result, mode, as_json, done)


command.add_command(calendar)
