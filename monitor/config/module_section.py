"""The section of a prober in a module, to options of that prober."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from monitor.config.dialect import DIALECTS, Dialect, Keys, truth
from monitor.config.source import Source, Steps
from monitor.config.tree import Step, Table, Tree

_FAMILIES = {"ip4": "ipv4", "ip6": "ipv6", "": "ipv6"}
_PREFERRED, _FALLBACK = "preferred_ip_protocol", "ip_protocol_fallback"


@dataclass(slots=True)
class SectionReader:
    """Reads one section, which stands at ``at`` in the file. What is wrong with it is noted there."""

    source: Source
    at: Steps
    section: Table
    keys: Keys = field(default_factory=dict)
    """What the section says, as a check would have it."""
    places: dict[Step, Steps] = field(default_factory=dict)
    """The steps within the section to what says each of the keys."""
    tail: str = ""
    """What the section adds to each target."""
    known: set[str] = field(default_factory=set)
    """Keys of blackbox_exporter's that can stand here."""
    _done: set[str] = field(default_factory=lambda: {"timeout"})

    def read(self, scheme: str) -> None:
        if "timeout" in self.section:
            self._mistake(("timeout",), "expected the timeout one level above: it is the module's")
        dialect = DIALECTS.get(scheme)
        if dialect is not None:
            self.known |= dialect.keys
            self._take_family()
        if scheme == "dns":
            self._take_question()
            self._take_transport()
        self._take(dialect or Dialect(), self.section, ())

    def _take(self, dialect: Dialect, section: Table, inside: Steps) -> None:
        for key, value in section.items():
            here = (*inside, key)
            if not inside and key in self._done:
                continue
            if key in dialect.without:
                why = f"{key!r} of blackbox_exporter has no counterpart here: {dialect.without[key]}"
                self._mistake(here, why)
            elif key in dialect.inside:
                self._take(dialect.inside[key], self.source.table(value, (*self.at, *here)), here)
            elif key in dialect.forms:
                self._take_formed(dialect, key, value, here)
            elif inside and key not in dialect.names:
                self.source.unknown_key((*self.at, *here), dialect.keys)
            else:
                self._put(dialect.names.get(key, key), value, here)

    def _take_formed(self, dialect: Dialect, key: str, value: Tree, here: Steps) -> None:
        try:
            formed = dialect.forms[key](value)
        except ValueError as error:
            self._mistake(here, str(error))
        else:
            for name, option in formed.items():
                self._put(name, option, here)

    def _take_family(self) -> None:
        """Of two keys that are one here. blackbox_exporter prefers IPv6 where nothing is said."""
        said = self._words(_PREFERRED, _FALLBACK)
        if "family" in self.section and not said:
            return
        preferred = said.get(_PREFERRED, "ip6")
        if not isinstance(preferred, str) or preferred not in _FAMILIES:
            self._mistake((_PREFERRED,), "expected ip4 or ip6")
            return
        falls_back = self._truth(_FALLBACK, default=True)
        family = _FAMILIES[preferred] + ("-first" if falls_back else "")
        self._put("family", family, (next(iter(said), "family"),))

    def _take_question(self) -> None:
        """The name goes into the target, and without a type all records are asked for."""
        name = self._words("query_name").get("query_name")
        if isinstance(name, str) and name:
            self.tail = f"/{quote(name, safe='')}"
        else:
            self._mistake(("query_name",), "expected query_name, the name to ask for")
        if not {"query_type", "record"} & set(self.section):
            self._put("record", "ANY", ("query_type",))

    def _take_transport(self) -> None:
        said = self._words("dns_over_tls", "transport_protocol")
        transport = said.get("transport_protocol")
        if self._truth("dns_over_tls", default=False):
            if transport != "tcp":
                self._mistake(("dns_over_tls",), "expected transport_protocol: tcp beside it")
            self._put("transport", "tls", ("dns_over_tls",))
        elif transport is not None:
            self._put("transport", transport, ("transport_protocol",))

    def _words(self, *keys: str) -> Mapping[str, Tree]:
        """What the section says under keys that need more than their dialect."""
        self._done |= set(keys)
        self.known |= set(keys)
        return {key: self.section[key] for key in keys if key in self.section}

    def _truth(self, key: str, *, default: bool) -> bool:
        try:
            return truth(self.section[key]) if key in self.section else default
        except ValueError as error:
            self._mistake((key,), str(error))
            return default

    def _put(self, key: str, value: object, here: Steps) -> None:
        if key in self.keys:
            written = f"expected {self.places[key][-1]} or {here[-1]}, which say the same, and not both"
            self._mistake(here, written)
        else:
            self.keys[key] = value
            self.places[key] = here

    def _mistake(self, here: Steps, message: str) -> None:
        self.source.mistake((*self.at, *here), message)
