"""Many checks of one agent, one request: each gets its own answer, and none suffers from another."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pysnmp.proto.api import v2c

from probes.outcome import Outcome, Verdict
from probes.snmp import SnmpOptions, SnmpProber
from probes.snmp.question import SYS_UP_TIME
from probes.snmp.sharing import MOST_OBJECTS
from tests.probes.hosts import open_sockets
from tests.probes.snmp_agent import Agent, Relay, read, serving
from tests.probes.snmp_peers import credentials, snmpd

BASE = (1, 3, 6, 1, 4, 1, 9, 7)


def full(count: int = 100) -> Agent:
    """An agent that has as many objects, each with its own number as value."""
    agent = Agent()
    agent.objects = {(*BASE, number): v2c.Gauge32(number) for number in range(count)}
    return agent


def together(agent: Agent, paths: list[str], *options: dict[str, object]) -> list[Outcome]:
    """Probes that begin at the same time, by one prober; with the same options, or each with its own."""
    each = options * len(paths) if len(options) < len(paths) else options

    async def scenario() -> list[Outcome]:
        prober = SnmpProber()
        async with serving(agent) as port:
            targets = [SnmpProber.parse(f"snmp://127.0.0.1:{port}/{path}") for path in paths]
            outcomes = await asyncio.gather(
                *(
                    prober.probe(target, SnmpOptions.model_validate({"timeout": "400ms", **asked}))
                    for target, asked in zip(targets, each, strict=False)
                )
            )
        await prober.close()
        return outcomes

    return asyncio.run(scenario())


def path(number: int) -> str:
    return ".".join(map(str, (*BASE, number)))


def test_checks_of_one_agent_share_a_request_and_each_gets_its_own_answer() -> None:
    agent = full()
    outcomes = together(agent, [path(number) for number in range(20)], {})
    assert [outcome.detail["value"] for outcome in outcomes] == list(range(20))
    assert all(outcome.verdict is Verdict.GOOD and outcome.round_trip_s is not None for outcome in outcomes)
    assert agent.asked == 1


def test_what_several_ask_for_is_asked_for_once() -> None:
    agent = full()
    seen: list[int] = []

    def counting(datagram: bytes) -> list[bytes]:
        seen.append(len(v2c.apiPDU.get_varbinds(v2c.apiMessage.get_pdu(read(datagram)))))
        return agent.truthful(datagram)

    agent._answers = counting
    outcomes = together(agent, [path(5)] * 10, {})
    assert [outcome.detail["value"] for outcome in outcomes] == [5] * 10
    assert seen == [1]


def test_more_than_a_datagram_holds_is_more_than_one_request() -> None:
    agent = full()
    outcomes = together(agent, [path(number) for number in range(MOST_OBJECTS + 1)], {})
    assert [outcome.detail["value"] for outcome in outcomes] == list(range(MOST_OBJECTS + 1))
    assert agent.asked == 2


def test_an_object_that_is_missing_is_bad_for_its_own_check_alone() -> None:
    outcomes = together(full(3), [path(number) for number in range(4)], {})
    assert [outcome.reason for outcome in outcomes] == ["answered"] * 3 + ["noSuchInstance"]


def test_checks_with_other_credentials_do_not_share(tmp_path: Path) -> None:
    (tmp_path / "community").write_text("other\n")
    agent = full()
    together(agent, [path(0), path(1)], {}, {"community_file": str(tmp_path / "community")})
    assert agent.asked == 2


def erring(status: int, culprit: Callable[[list[tuple[int, ...]]], int]) -> Agent:
    """An agent that answers requests of many objects with an error, which is about the one at that index."""
    agent = full()

    def answers(datagram: bytes) -> list[bytes]:
        message = read(datagram)
        question = v2c.apiMessage.get_pdu(message)
        oids = [tuple(oid) for oid, _ in v2c.apiPDU.get_varbinds(question)]
        index = culprit(oids)
        if index < 0:
            return agent.truthful(datagram)
        pdu: Any = v2c.ResponsePDU()
        v2c.apiPDU.set_defaults(pdu)
        v2c.apiPDU.set_request_id(pdu, v2c.apiPDU.get_request_id(question))
        v2c.apiPDU.set_varbinds(pdu, v2c.apiPDU.get_varbinds(question))
        v2c.apiPDU.set_error_status(pdu, status)
        v2c.apiPDU.set_error_index(pdu, index)
        v2c.apiMessage.set_pdu(message, pdu)
        return [agent.encoded(message)]

    agent._answers = answers
    return agent


def test_an_agent_to_which_it_is_too_much_at_once_is_asked_in_halves() -> None:
    agent = erring(1, lambda oids: 0 if len(oids) > 4 else -1)
    outcomes = together(agent, [path(number) for number in range(16)], {})
    assert [outcome.detail.get("value") for outcome in outcomes] == list(range(16))


def test_an_error_about_one_object_is_that_of_its_own_check() -> None:
    agent = erring(5, lambda oids: oids.index((*BASE, 2)) + 1 if (*BASE, 2) in oids else -1)
    outcomes = together(agent, [path(number) for number in range(4)], {})
    assert [outcome.reason for outcome in outcomes] == ["answered", "answered", "genErr", "answered"]
    assert outcomes[2].verdict is Verdict.BAD


def test_what_may_not_be_read_is_our_configuration_and_hurts_no_other_check() -> None:
    agent = erring(16, lambda oids: oids.index((*BASE, 2)) + 1 if (*BASE, 2) in oids else -1)
    outcomes = together(agent, [path(number) for number in range(4)], {})
    assert outcomes[2].verdict is Verdict.NOT_ASKED
    assert [outcome.verdict for outcome in outcomes].count(Verdict.GOOD) == 3


def test_an_object_of_which_an_agent_is_silent_silences_the_others_once() -> None:
    agent = full()
    agent._answers = lambda datagram: (
        []
        if (*BASE, 2)
        in [tuple(o) for o, _ in v2c.apiPDU.get_varbinds(v2c.apiMessage.get_pdu(read(datagram)))]
        else agent.truthful(datagram)
    )

    async def scenario() -> list[list[Verdict]]:
        prober = SnmpProber()
        async with serving(agent) as port:
            targets = [SnmpProber.parse(f"snmp://127.0.0.1:{port}/{path(number)}") for number in range(4)]
            options = SnmpOptions.model_validate({"timeout": "200ms"})
            rounds = [
                [one.verdict for one in await asyncio.gather(*(prober.probe(t, options) for t in targets))]
                for _ in range(2)
            ]
        await prober.close()
        return rounds

    first, second = asyncio.run(scenario())
    assert first == [Verdict.BAD] * 4  # nobody knows yet whose fault it is; ``fall`` asks again
    assert second == [Verdict.GOOD, Verdict.GOOD, Verdict.BAD, Verdict.GOOD]


def test_each_check_has_its_own_time_out() -> None:
    agent = full()
    loop_times: list[float] = []

    async def scenario() -> list[Outcome]:
        prober = SnmpProber()

        def late(datagram: bytes) -> list[bytes]:
            loop = asyncio.get_running_loop()
            address = agent_address[0]
            loop.call_later(0.25, lambda: agent._transport.sendto(agent.truthful(datagram)[0], address))
            return []

        agent_address: list[Any] = []
        received = agent.datagram_received

        def noted(data: bytes, addr: Any) -> None:
            agent_address[:] = [addr]
            received(data, addr)

        agent.datagram_received = noted  # type: ignore[method-assign]
        agent._answers = late
        async with serving(agent) as port:
            target = SnmpProber.parse(f"snmp://127.0.0.1:{port}/{path(1)}")

            async def one(timeout: str) -> Outcome:
                begun = asyncio.get_running_loop().time()
                outcome = await prober.probe(target, SnmpOptions.model_validate({"timeout": timeout}))
                loop_times.append(asyncio.get_running_loop().time() - begun)
                return outcome

            outcomes = await asyncio.gather(one("100ms"), one("2s"))
        await prober.close()
        return outcomes

    short, long = asyncio.run(scenario())
    assert (short.verdict, short.reason) == (Verdict.BAD, "timeout")
    assert (long.verdict, long.reason) == (Verdict.GOOD, "answered")
    assert loop_times[0] < 0.2


def test_a_check_that_is_given_up_does_not_take_the_others_with_it() -> None:
    async def scenario() -> Outcome:
        prober, agent = SnmpProber(), full()
        async with serving(agent) as port:
            options = SnmpOptions.model_validate({"timeout": "400ms"})
            given_up, other = (
                asyncio.create_task(
                    prober.probe(SnmpProber.parse(f"snmp://127.0.0.1:{port}/{path(n)}"), options)
                )
                for n in (1, 2)
            )
            await asyncio.sleep(0)
            given_up.cancel()
            outcome = await other
            with contextlib.suppress(asyncio.CancelledError):
                await given_up
        await prober.close()
        return outcome

    assert asyncio.run(scenario()).detail["value"] == 2


def test_a_prober_that_is_closed_ends_what_waits_as_not_asked_and_leaves_no_socket() -> None:
    async def scenario() -> list[Outcome]:
        before = open_sockets()
        prober, agent = SnmpProber(), Agent(lambda _: [])
        async with serving(agent) as port:
            target = SnmpProber.parse(f"snmp://127.0.0.1:{port}/{path(1)}")
            options = SnmpOptions.model_validate({"timeout": "10s"})
            tasks = [asyncio.create_task(prober.probe(target, options)) for _ in range(3)]
            while not agent.asked:
                await asyncio.sleep(0.005)
            await prober.close()
            outcomes = await asyncio.wait_for(asyncio.gather(*tasks), 5)
        await asyncio.sleep(0)  # the agent's own is closed in the next turn
        assert open_sockets() == before
        return outcomes

    assert [outcome.verdict for outcome in asyncio.run(scenario())] == [Verdict.NOT_ASKED] * 3


@pytest.mark.parametrize("kind", ["1", "2c", "3"])
def test_a_real_agent_is_asked_together_by_every_version(tmp_path: Path, kind: str) -> None:
    options = credentials(tmp_path, "sha256-aes128") if kind == "3" else {"version": kind}

    async def scenario(port: int) -> tuple[list[Outcome], int]:
        prober, relay = SnmpProber(), Relay(port, lambda answer: [answer])
        async with serving(relay) as between:
            asked = SnmpOptions.model_validate(options)
            await prober.probe(
                SnmpProber.parse(f"snmp://127.0.0.1:{between}"), asked
            )  # an engine is discovered
            before = len(relay.questions)
            words = ("sysUpTime", "sysName", "ifOperStatus.1", "1.3.6.1.2.1.1.99.0")
            outcomes = await asyncio.gather(
                *(
                    prober.probe(SnmpProber.parse(f"snmp://127.0.0.1:{between}/{word}"), asked)
                    for word in words
                )
            )
            asked_for = len(relay.questions) - before
        await prober.close()
        return outcomes, asked_for

    with snmpd(tmp_path / "agent") as port:
        (uptime, name, up, missing), requests = asyncio.run(scenario(port))
    assert uptime.detail["oid"] == ".".join(map(str, SYS_UP_TIME))
    assert (name.detail["value"], up.reason) == ("lab-router", "up")
    assert missing.verdict is Verdict.BAD
    assert requests == (2 if kind == "1" else 1)  # version 1 gives nothing where one is missing
