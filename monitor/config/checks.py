"""A check as written, alone or as a mapping, to a CheckConfig."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from monitor.config.models import CheckSection, Surroundings
from monitor.config.source import Source, Steps
from monitor.config.tree import Table
from monitor.config.values import CheckConfig
from probes.prober import Options, Prober, prober_for

_Prober = type[Prober[Any, Any]]


class CheckReader:
    """Reads the checks of one file. Checks with equal options get the same options object."""

    def __init__(self, source: Source, around: Surroundings) -> None:
        self._source = source
        self._around = around
        self._defaults = around.defaults
        self._options: dict[tuple[_Prober, str], Options] = {}

    def checks(self, written: Sequence[object], at: Steps) -> tuple[CheckConfig, ...]:
        """The checks of a list, in its order. Those with mistakes are left out."""
        found: dict[str, CheckConfig] = {}
        for index, entry in enumerate(written):
            here = (*at, index)
            check = self._check(entry, here)
            if check is None:
                continue
            if check.name in found:
                self._source.mistake(
                    here, f"expected a name of its own: another check is called {check.name!r}"
                )
            found[check.name] = check
        return tuple(found.values())

    def _check(self, entry: object, at: Steps) -> CheckConfig | None:
        if isinstance(entry, str):
            keys: dict[str, object] = {"target": entry}
        elif isinstance(entry, Table):
            keys = dict(entry)
        else:
            self._source.mistake(at, "expected a target, or a mapping with the key target")
            return None
        own = {key: keys.pop(key) for key in CheckSection.model_fields if key in keys}
        section = self._source.validate(CheckSection, own, at, context=self._around)
        target = own.get("target")
        if not isinstance(target, str):
            return None  # without its prober nothing can be said of the other keys
        try:
            prober = prober_for(target)
            parsed = prober.parse(target)
        except ValueError as error:
            self._source.mistake(at if isinstance(entry, str) else (*at, "target"), str(error))
            return None
        if section is None:
            self._shared(prober, keys, at)
            return None
        return self._build(section, prober, parsed, keys, at)

    def _build(
        self, section: CheckSection, prober: _Prober, parsed: object, keys: dict[str, object], at: Steps
    ) -> CheckConfig | None:
        """What is not said of the check itself is taken over, but never longer than its interval."""
        interval = section.interval or self._defaults.interval
        timeout = section.timeout or self._defaults.timeout
        if timeout is not None:
            keys["timeout"] = f"{timeout}ms"
        options = self._shared(prober, keys, at)
        if options is not None and options.timeout > interval:
            options = self._shared(prober, {**keys, "timeout": f"{interval}ms"}, at)
        if options is None:
            return None
        return CheckConfig(
            name=section.name or section.target,
            target=section.target,
            prober=prober,
            parsed=parsed,
            options=options,
            interval_ms=interval,
            fall=section.fall or self._defaults.fall,
            rise=section.rise or self._defaults.rise,
            retry_interval_ms=section.retry_interval or min(self._defaults.retry_interval, interval),
        )

    def _shared(self, prober: _Prober, keys: dict[str, object], at: Steps) -> Options | None:
        known = (prober, repr(sorted(keys.items())))
        if known in self._options:
            return self._options[known]
        options = self._source.validate(prober.options, keys, at, others=CheckSection.model_fields)
        if options is not None:
            self._options[known] = options
        return options
