"""Instants, months and time zones as they stand on the command line."""

from __future__ import annotations

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
