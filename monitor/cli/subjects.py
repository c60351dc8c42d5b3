"""For which services an exclusion is, and of which class: options that some commands share."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from typing import Any, TypeVar

import click

from monitor.cli.invocation import Invocation
from monitor.store.exclusions import CLASSES

Command = TypeVar("Command", bound=Callable[..., Any])


def subject_options(command: Command) -> Command:
    """``--service``, ``--tag`` or ``--all``, and ``--class``."""
    command = click.option("--class", "exclusion_class", type=click.Choice(CLASSES), required=True)(command)
    command = click.option("--all", "for_all", is_flag=True, help="For every service.")(command)
    command = click.option("--tag", metavar="T", help="For every service with that tag.")(command)
    return click.option("--service", "service_id", metavar="S", help="For that service.")(command)


def asked_subject(
    invocation: Invocation, service_id: str | None, tag: str | None, for_all: bool
) -> tuple[str, str, zoneinfo.ZoneInfo]:
    """Scope and subject, and the time zone of instants without offset."""
    if (service_id is not None) + (tag is not None) + for_all != 1:
        raise click.UsageError("expected one of --service, --tag and --all")
    if service_id is not None:
        return "service", service_id, zoneinfo.ZoneInfo(invocation.service(service_id).zone)
    return ("all" if tag is None else "tag"), tag or "", invocation.zone
