"""What a command is called with: the configuration, the database, the time."""

from __future__ import annotations

import sqlite3
import time
import zoneinfo
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.failures import Failure

if TYPE_CHECKING:
    from monitor.config.values import Configuration, ServiceConfig
    from monitor.store.signing_key import SigningKey

DEFAULT_CONFIG = Path("/etc/ringback/ringback.yml")


@dataclass
class Invocation:
    """The options that stand before the sub-command."""

    chosen_config: Path | None
    chosen_db: Path | None

    @property
    def config_path(self) -> Path:
        return self.chosen_config or DEFAULT_CONFIG

    @cached_property
    def configuration(self) -> Configuration:
        """Without the modules of ``/probe``. Raises ConfigurationErrors."""
        from monitor.config.loading import load  # noqa: PLC0415 - takes a moment, and not every command needs it

        return load(self.config_path, with_modules=False)

    @property
    def database(self) -> Path:
        return self.chosen_db or self.configuration.agent.database

    @property
    def signing_key(self) -> SigningKey | None:
        """What changes are sealed with; None: the agent will. Raises StoreError."""
        from monitor.store.signing_key import key_of_command  # noqa: PLC0415

        return key_of_command(self.configuration.agent.state_dir)

    @cached_property
    def now_ms(self) -> int:
        """The instant at which the command was called."""
        return time.time_ns() // 1_000_000

    def service(self, service_id: str) -> ServiceConfig:
        """The service of that id. Raises Failure with a suggestion."""
        found = {service.id: service for service in self.configuration.services}
        if service_id not in found:
            raise Failure(
                f"expected a service of the configuration, not {service_id!r}{did_you_mean(service_id, found)}"
            )
        return found[service_id]

    def services(self, service_id: str | None) -> tuple[ServiceConfig, ...]:
        """That service, or all of them."""
        return self.configuration.services if service_id is None else (self.service(service_id),)

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The time zone of instants that belong to no service."""
        return zoneinfo.ZoneInfo(self.configuration.zone)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The database as it stands, in one transaction."""
        from monitor.store.database import open_for_reading  # noqa: PLC0415

        db = open_for_reading(self.database)
        try:
            db.execute("BEGIN")
            yield db
        finally:
            db.close()


def did_you_mean(word: str, words: object) -> str:
    import difflib  # noqa: PLC0415

    close = difflib.get_close_matches(word, list(words), n=1)  # type: ignore[call-overload]
    return f"; did you mean {close[0]!r}?" if close else ""


pass_invocation = click.make_pass_decorator(Invocation)
