"""From a host to its addresses.

A name that cannot be resolved says nothing of the service behind it: the resolver is ours (``resolv.conf``,
``nsswitch``, the path to our name server), and its silence looks the same whether our network or the zone is
broken. So a failed look-up is never held against the target: addresses that were known before are asked again
(and the outcome says so), and where there are none the probe ends as NOT_ASKED. A zone that has to be watched
gets a check of its own.
"""

from __future__ import annotations

import asyncio
import math
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

Family = Literal["any", "ipv4", "ipv6", "ipv4-first", "ipv6-first"]
"""Which addresses of a host count. ``any`` keeps the system's order (RFC 6724); ``ipv4-first`` and
``ipv6-first`` take the other family only where the host has no address of the wanted one."""

Sockaddr = tuple[str, int] | tuple[str, int, int, int]
"""What the socket calls take: (host, port), for IPv6 followed by flow information and scope."""

_AF: dict[Family, socket.AddressFamily] = {
    "any": socket.AF_UNSPEC,
    "ipv4": socket.AF_INET,
    "ipv6": socket.AF_INET6,
    "ipv4-first": socket.AF_UNSPEC,
    "ipv6-first": socket.AF_UNSPEC,
}
_FIRST: dict[Family, socket.AddressFamily] = {"ipv4-first": socket.AF_INET, "ipv6-first": socket.AF_INET6}

FRESH_S = 60.0
"""How long an answer is used without asking again."""

RETRY_S = 5.0
"""How long after a failed look-up known addresses are used before the name is looked up again."""

_LOOKUPS_AT_ONCE = 16
_LOOKUPS_WAITING = 1_024
_NAMES_KEPT = 8_192
_PATIENCE = 0.05
"""The share of a probe's time that a look-up may cost where old addresses are at hand."""


class Unresolved(OSError):
    """No address is known for a host: we could not ask. ``str()`` says why."""


@dataclass(frozen=True, slots=True)
class Address:
    """One numeric address; ``scope`` is the interface index of a link-local IPv6 address, otherwise 0."""

    family: socket.AddressFamily
    host: str
    scope: int = 0

    def sockaddr(self, port: int) -> Sockaddr:
        """What the socket calls of this family take."""
        if self.family == socket.AF_INET:
            return (self.host, port)
        return (self.host, port, 0, self.scope)

    def __str__(self) -> str:
        return f"{self.host}%{self.scope}" if self.scope else self.host


@dataclass(frozen=True, slots=True)
class Resolution:
    """The addresses of a host, best first, at least one. ``stale``: the last look-up failed or is overdue."""

    addresses: tuple[Address, ...]
    stale: bool = False

    @property
    def detail(self) -> dict[str, object]:
        """What an outcome says of the address that was asked (the first)."""
        asked: dict[str, object] = {"address": str(self.addresses[0])}
        return asked | {"address_stale": True} if self.stale else asked


def literal(host: str, family: Family = "any") -> Resolution | None:
    """The address that ``host`` spells out: ``192.0.2.1``, ``[2001:db8::1]``, ``fe80::1%eth0``; or None.

    Raises Unresolved for an address of the other family, or an interface that this host does not have.
    """
    address = _literal_v6(host) if ":" in host else _literal_v4(host)
    if address is None:
        return None
    if _AF[family] not in (socket.AF_UNSPEC, address.family):
        raise Unresolved(f"{host} is not an {family} address")
    return Resolution((address,))


def _literal_v4(host: str) -> Address | None:
    try:
        socket.inet_pton(socket.AF_INET, host)
    except (OSError, ValueError):
        return None
    return Address(socket.AF_INET, host)


def _literal_v6(host: str) -> Address | None:
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    number, percent, zone = bare.partition("%")
    try:
        socket.inet_pton(socket.AF_INET6, number)
    except (OSError, ValueError):
        return None
    return Address(socket.AF_INET6, number, _interface_index(zone) if percent else 0)


def _interface_index(zone: str) -> int:
    if zone.isascii() and zone.isdigit():
        return int(zone)
    try:
        return socket.if_nametoindex(zone)
    except (OSError, ValueError):
        raise Unresolved(f"no interface {zone!r} on this host") from None


@dataclass(frozen=True, slots=True)
class _Known:
    resolution: Resolution
    until: float
    """Monotonic seconds up to which the resolution is used without another look-up."""


_Key = tuple[str, Family]
SystemResolver = Callable[[str, Family], tuple[Address, ...] | Unresolved]


class Resolver:
    """Looks names up in threads of its own, and remembers. Belongs to the loop in which it is used."""

    def __init__(
        self,
        system: SystemResolver | None = None,
        *,
        fresh_s: float = FRESH_S,
        retry_s: float = RETRY_S,
    ) -> None:
        self._system = system or getaddrinfo
        self._fresh_s = fresh_s
        self._retry_s = retry_s
        self._known: dict[_Key, _Known] = {}
        self._under_way: dict[_Key, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(_LOOKUPS_AT_ONCE)

    def at_once(self, host: str, family: Family = "any") -> Resolution | None:
        """What can be said without waiting: a literal or a remembered name. Raises as ``literal`` does."""
        known = self._known.get((host, family))
        if known is not None and time.monotonic() < known.until:
            return known.resolution
        found = literal(host, family)
        if found is not None and "%" not in host:  # an interface may come and go
            self._keep((host, family), found, math.inf)
        return found

    async def resolve(self, host: str, family: Family = "any", *, timeout_s: float) -> Resolution:
        """The addresses of ``host``, within ``timeout_s`` seconds. Raises Unresolved.

        Callers that ask for one name at the same time share one look-up; it goes on when a caller gives up,
        so that the next one finds its answer. Where addresses are known already, fresh ones get a twentieth
        of the time to arrive, so that a hanging resolver does not use up the target's.
        """
        if (resolution := self.at_once(host, family)) is not None:
            return resolution
        key = (host, family)
        known = key in self._known
        lookup = self._under_way.get(key) or self._start(key)
        done, _ = await asyncio.wait([lookup], timeout=timeout_s * _PATIENCE if known else timeout_s)
        if not done:
            return self._overdue(key)
        if lookup.cancelled():
            raise Unresolved(f"the resolver was closed before {host} was looked up")
        if (failure := lookup.exception()) is not None:
            raise failure
        return self._known[key].resolution

    async def close(self) -> None:
        """Abandon the look-ups under way: whoever waits gets Unresolved. Their threads end by themselves."""
        for lookup in self._under_way.values():
            lookup.cancel()

    def _start(self, key: _Key) -> asyncio.Task[None]:
        if len(self._under_way) >= _LOOKUPS_WAITING:
            raise Unresolved(f"{_LOOKUPS_WAITING} look-ups are waiting already")
        lookup = asyncio.create_task(self._look_up(key), name=f"resolve {key[0]}")
        self._under_way[key] = lookup
        lookup.add_done_callback(lambda done: self._finished(key, done))
        return lookup

    def _finished(self, key: _Key, lookup: asyncio.Task[None]) -> None:
        self._under_way.pop(key, None)
        if not lookup.cancelled():
            lookup.exception()  # nobody may be waiting for it any more

    def _overdue(self, key: _Key) -> Resolution:
        known = self._known.get(key)
        if known is None:
            raise Unresolved(f"{key[0]}: no answer from the resolver in time")
        return replace(known.resolution, stale=True)

    async def _look_up(self, key: _Key) -> None:
        try:
            async with self._slots:
                resolution = Resolution(await _in_thread(self._system, *key))
        except Unresolved:
            old = self._known.get(key)
            if old is None:
                raise
            self._keep(key, replace(old.resolution, stale=True), self._retry_s)
        else:
            self._keep(key, resolution, self._fresh_s)

    def _keep(self, key: _Key, resolution: Resolution, seconds: float) -> None:
        self._known.pop(key, None)
        self._known[key] = _Known(resolution, time.monotonic() + seconds)
        if len(self._known) > _NAMES_KEPT:
            del self._known[next(iter(self._known))]


async def _in_thread(system: SystemResolver, host: str, family: Family) -> tuple[Address, ...]:
    """Asks in a daemon thread: ``getaddrinfo`` may hang for half a minute, and must not hold up our exit."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[tuple[Address, ...]] = loop.create_future()

    def deliver(found: tuple[Address, ...] | Unresolved) -> None:
        if answer.done():
            return
        if isinstance(found, Unresolved):
            answer.set_exception(found)
        else:
            answer.set_result(found)

    def look_up() -> None:
        found = system(host, family)
        try:
            loop.call_soon_threadsafe(deliver, found)
        except RuntimeError:
            pass  # the loop was closed meanwhile

    threading.Thread(target=look_up, name=f"resolve {host}", daemon=True).start()
    return await answer


def getaddrinfo(host: str, family: Family) -> tuple[Address, ...] | Unresolved:
    """The system's answer, in the system's order; blocks."""
    try:
        rows = socket.getaddrinfo(host, None, _AF[family], socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not a host name"
        return Unresolved(f"{host}: {why}")
    addresses = (
        Address(socket.AddressFamily(af), str(sockaddr[0]).partition("%")[0], _scope(sockaddr))
        for af, _, _, _, sockaddr in rows
        if af in (socket.AF_INET, socket.AF_INET6)
    )
    found = sorted(dict.fromkeys(addresses), key=lambda address: address.family != _FIRST.get(family))
    return tuple(found) or Unresolved(f"{host}: no usable address")


def _scope(sockaddr: tuple[object, ...]) -> int:
    scope = sockaddr[3] if len(sockaddr) == 4 else 0
    return scope if isinstance(scope, int) else 0
