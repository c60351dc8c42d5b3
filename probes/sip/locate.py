"""From a SIP URI to the hosts that serve it: NAPTR, SRV, then addresses (RFC 3263 §4).

A name that this host's own table (/etc/hosts) knows, and one without a dot, is taken at its word. For all others
the absence of NAPTR and SRV records leads to the addresses of the name itself; a name server that fails to say
whether there are any leads nowhere: what listens at those addresses may be something else.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import dns.asyncresolver
import dns.exception
import dns.rdatatype
import dns.resolver

from probes.resolve import Address, Family, Resolution, Resolver, Unresolved, literal
from probes.trace import tell

MOST_MEMBERS = 32
"""Members of one name at most."""

DEFAULT_PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061}

_PREFIXES = {"udp": "_sip._udp", "tcp": "_sip._tcp", "tls": "_sips._tcp"}
_NAPTR_SERVICES = {"SIP+D2U": "udp", "SIP+D2T": "tcp", "SIPS+D2T": "tls"}
_FRESH_S = (5.0, 300.0)
_ABSENT_FRESH_S = 60.0
_RETRY_S = 5.0
_PATIENCE = 0.05
"""The share of a probe's time that a look-up may cost where old answers are at hand."""
_NAMES_KEPT = 4_096
_LOOKUPS_WAITING = 1_024
_RESOLV_CONF = Path("/etc/resolv.conf")
_HOSTS = Path("/etc/hosts")


@dataclass(frozen=True, slots=True)
class Member:
    """One place at which a name is served; ``name`` is the host as DNS names it."""

    name: str
    address: Address
    port: int
    transport: str
    priority: int = 0
    weight: int = 0


@dataclass(frozen=True, slots=True)
class Location:
    """The members in the order in which a client tries them. ``stale``: a look-up failed or is overdue."""

    members: tuple[Member, ...]
    stale: bool = False


@dataclass(frozen=True, slots=True)
class _Service:
    """What an SRV record says."""

    host: str
    port: int
    transport: str
    priority: int
    weight: int


@dataclass(frozen=True, slots=True)
class _Known:
    """The services of a name, none where it has no such records; used without asking again ``until`` then."""

    services: tuple[_Service, ...]
    until: float
    stale: bool = False


_Key = tuple[str, str | None, bool]


class Locator:
    """Looks NAPTR and SRV records up, and remembers them. Belongs to the loop in which it is used."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._known: dict[_Key, _Known] = {}
        self._under_way: dict[_Key, asyncio.Task[None]] = {}
        self._names = _NameServers()
        self._own_table = _OwnTable()
        self._direct: dict[tuple[object, ...], tuple[Resolution, Location]] = {}

    def at_once(
        self, host: str, *, port: int | None, transport: str | None, secure: bool, family: Family
    ) -> Location | None:
        """What can be said without waiting. Raises Unresolved for an address of another family."""
        if not self._is_direct(host, port):
            return None
        found = self._resolver.at_once(host, family)
        return None if found is None else self._at(found, host, port, transport, secure)

    async def locate(
        self,
        host: str,
        *,
        port: int | None,
        transport: str | None,
        secure: bool,
        family: Family,
        timeout_s: float,
    ) -> Location:
        """The members behind ``host``, within ``timeout_s`` seconds; at least one. Raises Unresolved."""
        began = time.monotonic()
        known = _Known((), 0.0)
        if not self._is_direct(host, port):
            known = await self._services((host.rstrip(".").lower(), transport, secure), timeout_s)
        left_s = max(0.001, timeout_s - (time.monotonic() - began))
        if not known.services:
            found = await self._resolver.resolve(host, family, timeout_s=left_s)
            location = self._at(found, host, port, transport, secure)
            return replace(location, stale=True) if known.stale else location
        return await self._members(known, host, family, left_s)

    async def close(self) -> None:
        """Abandon the look-ups under way: whoever waits gets Unresolved."""
        for lookup in self._under_way.values():
            lookup.cancel()

    def _is_direct(self, host: str, port: int | None) -> bool:
        return port is not None or "." not in host or literal(host) is not None or self._own_table.has(host)

    def _at(
        self, found: Resolution, host: str, port: int | None, transport: str | None, secure: bool
    ) -> Location:
        """The members at the addresses of the host itself, made once for each resolution."""
        key = (host, port, transport, secure)
        made = self._direct.get(key)
        if made is not None and made[0] is found:
            return made[1]
        kind = "tls" if secure else transport or "udp"
        number = port or DEFAULT_PORTS[kind]
        location = Location(tuple(Member(host, one, number, kind) for one in found.addresses), found.stale)
        if len(self._direct) >= _NAMES_KEPT:
            self._direct.clear()
        self._direct[key] = (found, location)
        return location

    async def _members(self, known: _Known, name: str, family: Family, timeout_s: float) -> Location:
        found = await asyncio.gather(
            *(self._resolver.resolve(one.host, family, timeout_s=timeout_s) for one in known.services),
            return_exceptions=True,
        )
        members: list[Member] = []
        stale = known.stale
        for service, resolution in zip(known.services, found, strict=True):
            if isinstance(resolution, Unresolved):
                tell("member without an address", name=service.host, error=resolution)
                continue
            if isinstance(resolution, BaseException):
                raise resolution
            stale = stale or resolution.stale
            members += (
                Member(service.host, one, service.port, service.transport, service.priority, service.weight)
                for one in resolution.addresses
            )
        if not members:
            raise Unresolved(f"{name}: none of its {len(found)} servers has an address")
        return Location(tuple(members[:MOST_MEMBERS]), stale)

    async def _services(self, key: _Key, timeout_s: float) -> _Known:
        """Raises Unresolved where nothing is known, and nothing can be learnt."""
        old = self._known.get(key)
        if old is not None and time.monotonic() < old.until:
            return old
        lookup = self._under_way.get(key) or self._start(key, timeout_s)
        done, _ = await asyncio.wait([lookup], timeout=timeout_s * _PATIENCE if old else timeout_s)
        if not done:
            if old is None:
                raise Unresolved(f"{key[0]}: no answer from the name server in time")
            return replace(old, stale=True)
        if lookup.cancelled():
            raise Unresolved(f"the prober was closed before {key[0]} was looked up")
        if (failure := lookup.exception()) is not None:
            raise failure
        return self._known[key]

    def _start(self, key: _Key, timeout_s: float) -> asyncio.Task[None]:
        if len(self._under_way) >= _LOOKUPS_WAITING:
            raise Unresolved(f"{_LOOKUPS_WAITING} look-ups are waiting already")
        lookup = asyncio.create_task(self._look_up(key, timeout_s), name=f"locate {key[0]}")
        self._under_way[key] = lookup
        lookup.add_done_callback(lambda done: self._finished(key, done))
        return lookup

    def _finished(self, key: _Key, lookup: asyncio.Task[None]) -> None:
        self._under_way.pop(key, None)
        if not lookup.cancelled():
            lookup.exception()  # nobody may be waiting for it any more

    async def _look_up(self, key: _Key, timeout_s: float) -> None:
        try:
            services, fresh_s = await self._names.services(*key, lifetime_s=timeout_s)
        except Unresolved:
            old = self._known.get(key)
            if old is None:
                raise
            self._known[key] = replace(old, stale=True, until=time.monotonic() + _RETRY_S)
        else:
            self._known.pop(key, None)
            self._known[key] = _Known(services, time.monotonic() + fresh_s)
            if len(self._known) > _NAMES_KEPT:
                del self._known[next(iter(self._known))]


class _OwnTable:
    """The names in /etc/hosts, read again when the file changes."""

    def __init__(self) -> None:
        self._changed_ns = -1
        self._names: frozenset[str] = frozenset()

    def has(self, host: str) -> bool:
        changed_ns = _changed_ns(_HOSTS)
        if changed_ns != self._changed_ns:
            self._changed_ns, self._names = changed_ns, _names_of(_HOSTS)
        return host.rstrip(".").lower() in self._names


class _NameServers:
    """This host's name servers, as resolv.conf has them; read again when it changes."""

    def __init__(self) -> None:
        self._changed_ns = -1
        self._resolver: dns.asyncresolver.Resolver | None = None

    async def services(
        self, name: str, transport: str | None, secure: bool, *, lifetime_s: float
    ) -> tuple[tuple[_Service, ...], float]:
        """The services of a name in their order, and for how many seconds to believe it.

        All questions that may be needed leave at once. Raises Unresolved where an answer that matters is missing.
        """
        wanted = ("tls",) if secure or transport == "tls" else (transport,) if transport else tuple(_PREFIXES)
        asked = [(f"{_PREFIXES[kind]}.{name}", dns.rdatatype.SRV) for kind in wanted]
        if transport is None:
            asked.append((name, dns.rdatatype.NAPTR))
        answers = await asyncio.gather(*(self._ask(one, kind, lifetime_s) for one, kind in asked))
        found = dict(zip((*wanted, "naptr") if transport is None else wanted, answers, strict=True))
        if transport is None and (chosen := _chosen(found.pop("naptr"), wanted)) is not None:
            kind, service_name = chosen
            return _in_order(await self._ask(service_name, dns.rdatatype.SRV, lifetime_s), kind, name)
        for kind, answer in found.items():
            if answer is not None and answer.rrset is not None:
                return _in_order(answer, kind, name)
        return (), _ABSENT_FRESH_S

    async def _ask(
        self, name: str, kind: dns.rdatatype.RdataType, lifetime_s: float
    ) -> dns.resolver.Answer | None:
        """None where the name server says that there is no such record. Raises Unresolved."""
        try:
            return await self._read().resolve(
                name, kind, raise_on_no_answer=False, search=False, lifetime=lifetime_s
            )
        except dns.resolver.NXDOMAIN:
            return None
        except (dns.exception.DNSException, OSError) as error:
            tell("look-up failed", name=name, type=kind.name, error=error)
            raise Unresolved(f"{name}: no {kind.name} answer from the name server") from error

    def _read(self) -> dns.asyncresolver.Resolver:
        changed_ns = _changed_ns(_RESOLV_CONF)
        if self._resolver is None or changed_ns != self._changed_ns:
            self._changed_ns = changed_ns
            self._resolver = dns.asyncresolver.Resolver(str(_RESOLV_CONF))
        return self._resolver


def _chosen(answer: dns.resolver.Answer | None, wanted: Iterable[str]) -> tuple[str, str] | None:
    """Transport and SRV name of the first NAPTR record that we can follow (RFC 3263 §4.1)."""
    if answer is None or answer.rrset is None:
        return None
    for record in sorted(answer.rrset, key=lambda one: (one.order, one.preference)):
        kind = _NAPTR_SERVICES.get(record.service.decode("ascii", "replace").upper())
        if kind is not None and kind in wanted and record.flags.lower() == b"s":
            return kind, str(record.replacement.to_text(omit_final_dot=True))
    return None


def _in_order(answer: dns.resolver.Answer | None, kind: str, name: str) -> tuple[tuple[_Service, ...], float]:
    """The services of an SRV answer by priority, the heavier ones first (RFC 2782). Raises Unresolved for a
    service that is said not to be there (the target ".")."""
    if answer is None or answer.rrset is None:
        return (), _ABSENT_FRESH_S
    services = [
        _Service(one.target.to_text(omit_final_dot=True), one.port, kind, one.priority, one.weight)
        for one in answer.rrset
        if one.target.to_text() != "."
    ]
    if not services:
        raise Unresolved(f"{name}: its zone says that it has no SIP service over {kind}")
    services.sort(key=lambda one: (one.priority, -one.weight, one.host, one.port))
    least_s, most_s = _FRESH_S
    return tuple(services[:MOST_MEMBERS]), min(max(float(answer.rrset.ttl), least_s), most_s)


def _changed_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _names_of(table: Path) -> frozenset[str]:
    try:
        lines = table.read_text(errors="replace").splitlines()
    except OSError:
        return frozenset()
    return frozenset(
        name.lower() for line in lines for name in line.partition("#")[0].split()[1:] if line.strip()
    )
