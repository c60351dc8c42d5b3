"""A configuration file and its catalogues to a Configuration, or to everything that is wrong with them."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from monitor.config.catalogue import read_catalogues
from monitor.config.checks import CheckReader
from monitor.config.mistakes import ConfigurationErrors
from monitor.config.models import AgentSection, DefaultsSection, MainSection, ProbeSection, Surroundings
from monitor.config.modules import read_modules
from monitor.config.samples import installed_config
from monitor.config.services import ServiceReader
from monitor.config.source import Source
from monitor.config.tree import Series, Table
from monitor.config.values import AgentConfig, Configuration, ModuleConfig, ProbeConfig

_DATABASE = "ringback.db"
_MODULES = "modules.yml"


def load(path: Path, *, with_modules: bool = True) -> Configuration:
    """The configuration that the file and its catalogues hold. ``with_modules``: and the module file of ``/probe``,
    for which every prober is loaded; what only reads the store has no use for them.

    Raises ConfigurationErrors with every mistake in all of these files, and nothing else: a file that is
    missing or cannot be read is a mistake, too.
    """
    source = Source(path)
    root = source.table(source.tree, ())
    source.validate(MainSection, root, ())
    catalogues = _catalogues(source, root, path.parent)
    catalogue = read_catalogues(catalogues)
    defaults = _defaults(source, root)
    around = Surroundings(defaults, catalogue.require, source.complete)
    module_file = _module_file(source, root, path.parent) if with_modules else None
    modules = None if module_file is None else read_modules(module_file)
    agent = _agent(source, root, around, path.parent, modules)
    written = source.series(root.get("services"), ("services",))
    services = ServiceReader(source, around, catalogue).services(written, ("services",))
    files = [source, *catalogues, *([module_file] if module_file else [])]
    mistakes = [mistake for file in files for mistake in file.mistakes()]
    if mistakes or agent is None:
        raise ConfigurationErrors(mistakes)
    return Configuration(
        path=path,
        zone=defaults.timezone,
        agent=agent,
        services=services,
        plans=catalogue.plans(),
    )


def _catalogues(source: Source, root: Table, beside: Path) -> list[Source]:
    found: dict[Path, Source] = {}
    for index, name in enumerate(source.series(root.get("plans"), ("plans",))):
        at = ("plans", index)
        if not isinstance(name, str):
            source.mistake(at, "expected the path of a catalogue")
            continue
        candidates = (beside / name, installed_config() / name)
        path = next((candidate for candidate in candidates if _is_file(candidate)), None)
        if path is None:
            source.mistake(at, f"expected a catalogue: neither {candidates[0]} nor {candidates[1]} is a file")
        elif path in found:
            source.mistake(at, f"expected each catalogue once, not {name!r} again")
        else:
            found[path] = Source(path)
    return list(found.values())


def _module_file(source: Source, root: Table, beside: Path) -> Source | None:
    """The one beside the configuration, or that which came with the program."""
    agent = root.get("agent")
    name = agent.get("modules", _MODULES) if isinstance(agent, Table) else _MODULES
    if not isinstance(name, str):
        return None  # the agent's section says so
    candidates = (beside / name, installed_config() / name)
    path = next((candidate for candidate in candidates if _is_file(candidate)), None)
    if path is None:
        expected = f"expected a module file: neither {candidates[0]} nor {candidates[1]} is a file"
        source.mistake(("agent", "modules"), expected)
        return None
    return Source(path)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long, a directory that may not be searched
        return False


def _defaults(source: Source, root: Table) -> DefaultsSection:
    at = ("defaults",)
    section = source.validate(DefaultsSection, source.table(root.get("defaults"), at), at)
    return section or DefaultsSection()


def _agent(
    source: Source,
    root: Table,
    around: Surroundings,
    beside: Path,
    modules: Mapping[str, ModuleConfig] | None,
) -> AgentConfig | None:
    at = ("agent",)
    table = source.table(root.get("agent"), at)
    section = source.validate(AgentSection, table, at)
    targets = table.get("reference_targets")
    defaults = around.defaults.model_copy(update={"interval": around.defaults.retry_interval})
    reader = CheckReader(source, replace(around, defaults=defaults))
    references = reader.checks(targets if isinstance(targets, Series) else (), (*at, "reference_targets"))
    if section is None:
        return None
    state_dir = (beside / section.state_dir).absolute()
    return AgentConfig(
        name=section.name or socket.gethostname(),
        state_dir=state_dir,
        database=(beside / section.database).absolute() if section.database else state_dir / _DATABASE,
        listen=section.listen,
        reference_targets=references,
        heartbeat_ms=section.heartbeat,
        destination_floor_ms=section.destination_floor,
        log_format=section.log_format,
        log_level=section.log_level,
        modules=modules or {},
        probe=_probe(source, section.probe, modules),
    )


def _probe(source: Source, section: ProbeSection, modules: Mapping[str, ModuleConfig] | None) -> ProbeConfig:
    for index, name in enumerate(section.modules or ()):
        if modules is not None and name not in modules:
            at = ("agent", "probe", "modules", index)
            source.mistake(at, f"expected a module of the module file ({', '.join(modules)}), not {name!r}")
    allowed = None if section.modules is None else frozenset(section.modules)
    return ProbeConfig(section.targets, allowed, section.concurrency)
