"""All of it in order: the program, the configuration, the disk, the network, the clock, the agent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from monitor.config.loading import load
from monitor.config.mistakes import ConfigurationErrors
from monitor.config.values import Configuration
from monitor.doctor import clock, disk, key, network, running, software
from monitor.doctor.finding import Finding


def examine(path: Path, database: Path | None = None) -> Iterator[Finding]:
    """Findings as they are made; what needs the configuration is left out where there is none."""
    yield software.python()
    yield software.sqlite()
    yield software.snmp_ciphers()
    configuration: Configuration | None = None
    try:
        configuration = load(path)
    except ConfigurationErrors as errors:
        first, *others = errors.mistakes
        more = f" (and {len(others)} more)" if others else ""
        yield Finding(
            "configuration", "fail", f"{first}{more}", "mend it; `ringback config check` shows every mistake"
        )
    else:
        checks = sum(len(service.checks) for service in configuration.services)
        yield Finding(
            "configuration", "ok", f"{path}: {len(configuration.services)} services, {checks} checks"
        )
        database = database or configuration.agent.database
        yield from disk.state_directory(configuration.agent.state_dir)
        yield key.signing(configuration.agent.state_dir)
    if database is not None:
        yield disk.database(database)
    yield from network.icmp(configuration)
    yield network.ipv6_loopback()
    yield network.receive_buffer(configuration)
    yield network.open_files(configuration)
    yield clock.synchronised()
    if configuration is not None and database is not None:
        yield running.agent(configuration.agent.listen, database)
