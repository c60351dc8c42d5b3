"""From what went wrong to a message on stderr and an exit code."""

from __future__ import annotations

import sqlite3

import click

FAILED = 1
BAD_CONFIGURATION = 3


class Failure(click.ClickException):
    """The operation failed, or the answer is no; one message a line."""

    exit_code = FAILED

    def show(self, file: object = None) -> None:
        for line in self.message.splitlines() or [""]:
            click.echo(f"ringback: {line}", err=True)


class BadConfiguration(Failure):
    """Everything that is wrong with the configuration, one mistake a line, each with its place."""

    exit_code = BAD_CONFIGURATION

    def show(self, file: object = None) -> None:
        click.echo(self.message, err=True)


def failure_of(error: Exception) -> click.ClickException | None:
    """How an error is told; None: it is click's own, or the reader of our output went away."""
    if isinstance(error, (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError)):
        return None
    # Imported here, where something has gone wrong, so that starting stays quick.
    from monitor.config.mistakes import ConfigurationErrors  # noqa: PLC0415
    from monitor.imports.errors import SourceError  # noqa: PLC0415
    from monitor.ledger.errors import LedgerError  # noqa: PLC0415
    from monitor.store.database import StoreError  # noqa: PLC0415
    from monitor.store.history_file import HistoryErrors  # noqa: PLC0415

    if isinstance(error, ConfigurationErrors):
        return BadConfiguration(str(error))
    if isinstance(error, (StoreError, LedgerError, HistoryErrors, SourceError)):
        return Failure(str(error))
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return Failure(f"{place}{error.strerror or error}")
    if isinstance(error, sqlite3.Error):
        return Failure(f"the database: {error}")
    return Failure(f"this is a mistake in ringback itself: {type(error).__name__}: {error}")
