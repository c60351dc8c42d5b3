"""The module file of ``/probe``: what blackbox_exporter's has, and sections of our own probers beside it."""

from __future__ import annotations

import re

from monitor.config.module_section import SectionReader
from monitor.config.source import Source, Steps
from monitor.config.tree import Table, Tree
from monitor.config.values import ModuleConfig
from probes.prober import probers

LONGEST_MS = 120_000
"""The longest time-out; with blackbox_exporter the one where neither module nor scrape has any."""

_LONGEST_NAME = 200
_KEYS = ("prober", "timeout")
_WHOLE = re.compile(r"(?:(\d{1,4})m(?!s))?(?:(\d{1,6})s)?(?:(\d{1,9})ms)?", re.ASCII)
_FRACTION = re.compile(r"(\d{1,6}\.\d{1,9})s", re.ASCII)


def read_modules(source: Source) -> dict[str, ModuleConfig]:
    """The modules of the file by name. What is wrong with them is noted there."""
    root = source.table(source.tree, ())
    for key in root:
        if key != "modules":
            source.unknown_key((key,), ["modules"])
    modules = source.table(root.get("modules"), ("modules",))
    found = (_module(source, name, modules[name]) for name in modules)
    return {module.name: module for module in found if module is not None}


def parse_timeout(value: object) -> int:
    """Milliseconds of ``5s``, ``1m30s`` or ``500ms``, as Prometheus writes them, or ``2.5s``. Raises ValueError."""
    text = value if isinstance(value, str) else ""
    if fraction := _FRACTION.fullmatch(text):
        total_ms = round(float(fraction[1]) * 1000)
    elif text and (match := _WHOLE.fullmatch(text)):
        minutes, seconds, rest = (int(part or 0) for part in match.groups())
        total_ms = (minutes * 60 + seconds) * 1000 + rest
    else:
        raise ValueError(f"expected a duration such as 5s, 1m30s or 500ms, not {value!r:.40}")
    if not 0 < total_ms <= LONGEST_MS:
        raise ValueError(f"expected a time-out above zero and at most {LONGEST_MS // 1000}s, not {text}")
    return total_ms


def _module(source: Source, name: str, value: Tree) -> ModuleConfig | None:
    at: Steps = ("modules", name)
    module = source.table(value, at)
    if not (name.strip() and name.isprintable() and len(name) <= _LONGEST_NAME):
        source.mistake(at, f"expected a name of at most {_LONGEST_NAME} characters in one line")
    scheme = _scheme(source, module, at)
    timeout_ms = _timeout(source, module, at)
    if scheme is None:
        return None
    for key in module:
        if key not in (*_KEYS, scheme):
            source.unknown_key((*at, key), [*_KEYS, scheme])
    reader = SectionReader(source, (*at, scheme), source.table(module.get(scheme), (*at, scheme)))
    reader.read(scheme)
    prober = probers()[scheme]
    keys = dict(reader.keys)
    if timeout_ms is not None:
        keys["timeout"] = f"{timeout_ms}ms"
    checked = source.validate(prober.options, keys, reader.at, others=reader.known, places=reader.places)
    return (
        None if checked is None else ModuleConfig(name, scheme, prober, reader.keys, timeout_ms, reader.tail)
    )


def _scheme(source: Source, module: Table, at: Steps) -> str | None:
    known = sorted({prober.schemes[0] for prober in probers().values()})
    scheme = module.get("prober")
    if isinstance(scheme, str) and scheme in known:
        return scheme
    source.mistake((*at, "prober"), f"expected a prober, one of {', '.join(known)}")
    return None


def _timeout(source: Source, module: Table, at: Steps) -> int | None:
    if "timeout" not in module:
        return None
    try:
        return parse_timeout(module["timeout"])
    except ValueError as error:
        source.mistake((*at, "timeout"), str(error))
        return None
