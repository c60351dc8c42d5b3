"""What is promised of names and addresses."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest

from probes.resolve import Address, Family, Resolution, Resolver, Unresolved, getaddrinfo, literal
from tests.pace import lasting

V4 = Address(socket.AF_INET, "192.0.2.1")
OTHER = Address(socket.AF_INET, "192.0.2.2")


class NameServer:
    """A system resolver under the test's control; it answers in the resolver's threads."""

    def __init__(self) -> None:
        self.answer: tuple[Address, ...] | Unresolved = (V4,)
        self.asked = 0
        self.open = threading.Event()
        self.open.set()

    def __call__(self, host: str, family: Family) -> tuple[Address, ...] | Unresolved:
        self.asked += 1
        self.open.wait(10)
        return self.answer


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", V4),
        ("2001:db8::1", Address(socket.AF_INET6, "2001:db8::1")),
        ("[2001:db8::1]", Address(socket.AF_INET6, "2001:db8::1")),
        ("fe80::1%lo", Address(socket.AF_INET6, "fe80::1", socket.if_nametoindex("lo"))),
        ("fe80::1%7", Address(socket.AF_INET6, "fe80::1", 7)),
    ],
)
def test_a_literal_needs_no_look_up(text: str, address: Address) -> None:
    assert literal(text) == Resolution((address,))


@pytest.mark.parametrize(
    "text", ["sbc.example.net", "localhost", "1.2.3", "256.1.1.1", "2001:db8:::1", "[::1", ""]
)
def test_what_is_no_literal_is_a_name(text: str) -> None:
    assert literal(text) is None


def test_a_literal_of_the_other_family_cannot_be_asked() -> None:
    with pytest.raises(Unresolved, match="not an ipv6 address"):
        literal("192.0.2.1", "ipv6")
    with pytest.raises(Unresolved, match="not an ipv4 address"):
        literal("::1", "ipv4")


def test_a_scope_that_this_host_does_not_have_cannot_be_asked() -> None:
    with pytest.raises(Unresolved, match="no interface 'nosuch0'"):
        literal("fe80::1%nosuch0")


def test_socket_addresses_have_the_shape_of_their_family() -> None:
    assert V4.sockaddr(5060) == ("192.0.2.1", 5060)
    assert Address(socket.AF_INET6, "fe80::1", 3).sockaddr(5060) == ("fe80::1", 5060, 0, 3)


def test_the_system_knows_localhost_in_the_family_that_is_wanted() -> None:
    found = getaddrinfo("localhost", "ipv4")
    assert found == (Address(socket.AF_INET, "127.0.0.1"),)


def test_a_name_that_is_none_is_unresolved_and_not_an_exception() -> None:
    assert isinstance(getaddrinfo("a" * 64 + ".example", "any"), Unresolved)


def test_an_answer_is_remembered_and_then_known_at_once() -> None:
    async def scenario() -> None:
        system = NameServer()
        resolver = Resolver(system)
        assert resolver.at_once("sbc.test") is None
        found = await resolver.resolve("sbc.test", timeout_s=5)
        assert found == Resolution((V4,))
        assert resolver.at_once("sbc.test") == found
        assert await resolver.resolve("sbc.test", timeout_s=5) == found
        assert system.asked == 1

    asyncio.run(scenario())


def test_the_families_of_a_name_are_remembered_apart() -> None:
    async def scenario() -> None:
        system = NameServer()
        resolver = Resolver(system)
        await resolver.resolve("sbc.test", "ipv4", timeout_s=5)
        assert resolver.at_once("sbc.test", "ipv6") is None

    asyncio.run(scenario())


def test_callers_at_the_same_time_share_one_look_up() -> None:
    async def scenario() -> None:
        system = NameServer()
        system.open.clear()
        resolver = Resolver(system)
        callers = [asyncio.create_task(resolver.resolve("sbc.test", timeout_s=5)) for _ in range(50)]
        await asyncio.sleep(0)
        system.open.set()
        assert set(await asyncio.gather(*callers)) == {Resolution((V4,))}
        assert system.asked == 1

    asyncio.run(scenario())


def test_an_old_answer_is_looked_up_again() -> None:
    async def scenario() -> None:
        system = NameServer()
        resolver = Resolver(system, fresh_s=0)
        await resolver.resolve("sbc.test", timeout_s=5)
        system.answer = (OTHER,)
        assert await resolver.resolve("sbc.test", timeout_s=5) == Resolution((OTHER,))

    asyncio.run(scenario())


def test_after_a_failed_look_up_the_known_addresses_are_used_and_called_stale() -> None:
    async def scenario() -> None:
        system = NameServer()
        resolver = Resolver(system, fresh_s=0)
        await resolver.resolve("sbc.test", timeout_s=5)
        system.answer = Unresolved("server failure")
        stale = await resolver.resolve("sbc.test", timeout_s=5)
        assert stale == Resolution((V4,), stale=True)
        assert stale.detail == {"address": "192.0.2.1", "address_stale": True}
        assert await resolver.resolve("sbc.test", timeout_s=5) == stale
        assert system.asked == 2, "a resolver that fails is not asked for every probe"

    asyncio.run(scenario())


def test_a_hanging_resolver_leaves_a_known_name_nearly_all_of_its_time() -> None:
    async def scenario() -> None:
        system = NameServer()
        resolver = Resolver(system, fresh_s=0)
        await resolver.resolve("sbc.test", timeout_s=5)
        system.open.clear()
        with lasting():
            assert (await resolver.resolve("sbc.test", timeout_s=10)).stale
        system.open.set()

    asyncio.run(scenario())


def test_a_name_that_was_never_known_is_unresolved_when_the_look_up_fails() -> None:
    async def scenario() -> None:
        system = NameServer()
        system.answer = Unresolved("sbc.test: server failure")
        with pytest.raises(Unresolved, match="server failure"):
            await Resolver(system).resolve("sbc.test", timeout_s=5)

    asyncio.run(scenario())


def test_a_look_up_that_comes_too_late_serves_the_next_caller() -> None:
    async def scenario() -> None:
        system = NameServer()
        system.open.clear()
        resolver = Resolver(system)
        with pytest.raises(Unresolved, match="in time"):
            await resolver.resolve("sbc.test", timeout_s=0.01)
        system.open.set()
        assert await resolver.resolve("sbc.test", timeout_s=5) == Resolution((V4,))
        assert system.asked == 1

    asyncio.run(scenario())


def test_closing_tells_those_who_wait() -> None:
    async def scenario() -> None:
        system = NameServer()
        system.open.clear()
        resolver = Resolver(system)
        waiting = asyncio.create_task(resolver.resolve("sbc.test", timeout_s=60))
        await asyncio.sleep(0)
        await resolver.close()
        with pytest.raises(Unresolved, match="closed"):
            await waiting
        system.open.set()

    asyncio.run(scenario())


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("probes.resolve._NAMES_KEPT", 10)

    async def scenario() -> None:
        resolver = Resolver(NameServer())
        for n in range(30):
            await resolver.resolve(f"sbc{n}.test", timeout_s=5)
        assert [n for n in range(30) if resolver.at_once(f"sbc{n}.test")] == list(range(20, 30))

    asyncio.run(scenario())
