"""Instants, months and time zones as they stand on the command line, and options that many commands have."""

from __future__ import annotations

import getpass
import os
import zoneinfo

import click

from monitor.sla.months import Month, parse_instant


def instant(text: str, zone: zoneinfo.ZoneInfo, option: str) -> int:
    """Milliseconds of UTC. Raises a usage error with what was expected."""
    try:
        return parse_instant(text, zone)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from None


class _MonthParam(click.ParamType[Month]):
    """A calendar month, such as 2026-10."""

    name = "month"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Month:
        if isinstance(value, Month):
            return value
        try:
            return Month.parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


MONTH = _MonthParam()


class _ZoneParam(click.ParamType[zoneinfo.ZoneInfo]):
    """An IANA time zone."""

    name = "zone"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> zoneinfo.ZoneInfo:
        if isinstance(value, zoneinfo.ZoneInfo):
            return value
        try:
            return zoneinfo.ZoneInfo(str(value))
        except (KeyError, ValueError, OSError):  # the last for a directory, such as "Europe"
            self.fail(f"expected a time zone such as Europe/Luxembourg, not {value!r}", param, ctx)


ZONE = _ZoneParam()


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a uid without a name, as in a container
        return f"uid {os.getuid()}"


AUTHOR = click.option("--author", default=_login, show_default="your login", help="Who says so.")
FROM = click.option(
    "--from",
    "from_text",
    metavar="T",
    required=True,
    help="ISO 8601; without offset in the contract's time zone.",
)
TO = click.option("--to", "to_text", metavar="T", required=True, help="Likewise.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
