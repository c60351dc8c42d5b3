"""From where SIP requests leave and what stands in them: source, DSCP, IPv6, routes, headers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from pydantic import ValidationError

from probes.outcome import Outcome, Verdict
from probes.resolve import Address, Resolver
from probes.sip import SipOptions, SipProber
from probes.sip.message import Request, parse_message
from probes.sip.sockets import MOST, Lines, Way
from tests.probes.daemons import free_port
from tests.probes.hosts import open_sockets
from tests.probes.servers import stream_server
from tests.probes.sip_peers import answer, ask

_TOS = {socket.AF_INET: (socket.IPPROTO_IP, 13), socket.AF_INET6: (socket.IPPROTO_IPV6, 66)}


@dataclass
class Heard:
    """What a peer saw of each request."""

    requests: list[Request] = field(default_factory=list)
    senders: list[tuple[str, int]] = field(default_factory=list)
    dscps: list[int] = field(default_factory=list)
    port: int = 0


@asynccontextmanager
async def listening(host: str = "127.0.0.1") -> AsyncIterator[Heard]:
    """A peer that says 200 and remembers how each request came."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    heard, loop = Heard(), asyncio.get_running_loop()
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.bind((host, 0))
        sock.setsockopt(*_TOS[family], 1)
        heard.port = sock.getsockname()[1]

        def readable() -> None:
            data, ancillary, _, sender = sock.recvmsg(65_536, 64)
            request = parse_message(data)
            assert isinstance(request, Request)
            heard.requests.append(request)
            heard.senders.append(sender[:2])
            heard.dscps.append(ancillary[0][2][0] >> 2)
            sock.sendto(answer(data), sender)

        loop.add_reader(sock, readable)
        try:
            yield heard
        finally:
            loop.remove_reader(sock)


def heard_from(host: str = "127.0.0.1", user: str = "", **options: object) -> tuple[Outcome, Heard]:
    async def scenario() -> tuple[Outcome, Heard]:
        async with listening(host) as heard:
            bracketed = f"[{host}]" if ":" in host else host
            return await ask(f"sip:{user}{bracketed}:{heard.port}", **options), heard

    return asyncio.run(scenario())


def test_ipv6_is_asked_and_named():
    outcome, heard = heard_from("::1")
    assert (outcome.verdict, outcome.detail["address"]) == (Verdict.GOOD, "::1")
    assert "UDP [::1]:" in str(heard.requests[0].get("via"))
    assert heard.requests[0].uri == f"sip:[::1]:{heard.port}"
    assert heard.requests[0].get("to") == "<sip:[::1]>", "a port has no place there"
    assert str(heard.requests[0].get("from")).startswith("<sip:ringback@[::1]>;tag=")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_what_we_send_is_marked(host):
    for dscp in (0, 24, 46):
        outcome, heard = heard_from(host, dscp=dscp)
        assert (outcome.verdict, heard.dscps) == (Verdict.GOOD, [dscp])


def test_the_source_is_the_one_that_was_chosen():
    port = free_port(socket.SOCK_DGRAM)
    outcome, heard = heard_from(source_address="127.0.0.7", source_port=port)
    assert (outcome.verdict, heard.senders) == (Verdict.GOOD, [("127.0.0.7", port)])
    assert f"UDP 127.0.0.7:{port};" in str(heard.requests[0].get("via"))
    assert f"@127.0.0.7:{port}>" in str(heard.requests[0].get("contact"))


def test_a_connection_is_marked_as_well():
    """The listener keeps the SYN that it got (TCP_SAVE_SYN), the class of its packet in the second byte."""

    async def scenario(server: socket.socket) -> int:
        host, port = server.getsockname()
        asking = asyncio.create_task(
            ask(f"sip:{host}:{port};transport=tcp", dscp=46, timeout="300ms", source_address="127.0.0.1")
        )
        connection, _ = await asyncio.get_running_loop().sock_accept(server)
        with connection:
            header = connection.getsockopt(socket.IPPROTO_TCP, 28, 128)
        await asking
        return header[1] >> 2

    with socket.socket() as server:
        server.setblocking(False)
        server.setsockopt(socket.IPPROTO_TCP, 27, 1)
        server.bind(("127.0.0.1", 0))
        server.listen()
        assert asyncio.run(scenario(server)) == 46


def test_over_tcp_the_source_address_is_the_one_that_was_chosen():
    senders = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        senders.append(writer.get_extra_info("peername")[0])
        writer.write(answer(await reader.readuntil(b"\r\n\r\n")))
        await writer.drain()

    async def scenario() -> Outcome:
        async with stream_server(serve) as port:
            return await ask(f"sip:127.0.0.1:{port};transport=tcp", source_address="127.0.0.7")

    assert asyncio.run(scenario()).verdict is Verdict.GOOD
    assert senders == ["127.0.0.7"]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_source_address_that_is_not_ours_was_not_asked(transport):
    outcome = asyncio.run(ask(f"sip:127.0.0.1:9;transport={transport}", source_address="192.0.2.1"))
    assert (outcome.verdict, outcome.reason) == (Verdict.NOT_ASKED, "cannot assign requested address")


def test_a_source_port_that_is_taken_was_not_asked():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("0.0.0.0", 0))
        outcome = asyncio.run(ask("sip:127.0.0.1:9", source_port=other.getsockname()[1]))
    assert (outcome.verdict, outcome.reason) == (Verdict.NOT_ASKED, "address already in use")


def test_a_target_of_the_other_family_was_not_asked():
    outcome = asyncio.run(ask("sip:[::1]:9", source_address="127.0.0.1"))
    assert outcome.verdict is Verdict.NOT_ASKED


def test_of_a_name_only_addresses_that_the_source_can_reach_are_asked():
    wanted = []

    def look_up(host: str, family: str) -> tuple[Address, ...]:
        wanted.append(family)
        return (Address(socket.AF_INET, "127.0.0.1"),)

    async def scenario() -> None:
        prober = SipProber(Resolver(look_up))
        options = SipOptions(source_address="127.0.0.1")
        async with listening() as heard:
            target = SipProber.parse(f"sip:sbc.example.net:{heard.port}")
            assert (await prober.probe(target, options)).verdict is Verdict.GOOD
        await prober.close()

    asyncio.run(scenario())
    assert wanted == ["ipv4"]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_prober_that_was_closed_asks_no_more(transport):
    async def scenario() -> Outcome:
        prober = SipProber()
        await prober.close()
        return await prober.probe(SipProber.parse(f"sip:127.0.0.1;transport={transport}"), SipOptions())

    outcome = asyncio.run(scenario())
    assert (outcome.verdict, outcome.reason) == (Verdict.NOT_ASKED, "prober was closed")


def test_connections_are_given_back():
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(await reader.readuntil(b"\r\n\r\n")))
        await writer.drain()
        await reader.read()

    async def scenario() -> tuple[int, int]:
        async with stream_server(serve) as port:
            prober, target = SipProber(), SipProber.parse(f"sip:127.0.0.1:{port};transport=tcp")
            before = open_sockets()
            for _ in range(10):
                await prober.probe(target, SipOptions())
            await asyncio.sleep(0)
            after = open_sockets()
            await prober.close()
            return before, after

    before, after = asyncio.run(scenario())
    assert after < before + 5


def test_sockets_are_bounded_and_those_that_nobody_waits_at_make_room():
    async def scenario() -> None:
        lines = Lines()
        for dscp in range(MOST):
            lines.of(Way(socket.AF_INET, dscp=dscp)).exchange(b"under way")
        with pytest.raises(OSError, match="too many kinds"):
            lines.of(Way(socket.AF_INET, dscp=63))
        lines.of(Way(socket.AF_INET, dscp=5)).forget(b"under way")
        lines.of(Way(socket.AF_INET, dscp=63))
        lines.close()
        with pytest.raises(OSError, match="closed"):
            lines.of(Way(socket.AF_INET))

    asyncio.run(scenario())


def test_a_request_says_what_the_operator_wants_it_to_say():
    _, heard = heard_from(
        user="echo@",
        headers={"X-Site": "Luxembourg é", "Subject": "probe"},
        max_forwards=3,
        user_agent="Acme/1",
        **{"from": "sip:noc@example.net", "to": "sip:echo@example.net", "contact": "sip:noc@probe.example"},
    )
    request = heard.requests[0]
    assert str(request.get("from")).startswith("<sip:noc@example.net>;tag=")
    told = [
        request.get(name) for name in ("to", "contact", "x-site", "subject", "max-forwards", "user-agent")
    ]
    assert told == [
        *("<sip:echo@example.net>", "<sip:noc@probe.example>", "Luxembourg é", "probe", "3", "Acme/1"),
    ]
    assert request.uri == f"sip:echo@127.0.0.1:{heard.port}"


def test_with_a_route_the_request_goes_to_the_first_proxy_and_names_them_all():
    async def scenario() -> tuple[Outcome, Heard, str]:
        async with listening() as heard:
            proxy = f"sip:127.0.0.1:{heard.port};lr"
            outcome = await ask("sip:pbx.example.net", route=[proxy, "sip:next.example.net;lr"])
            return outcome, heard, proxy

    outcome, heard, proxy = asyncio.run(scenario())
    assert outcome.verdict is Verdict.GOOD
    assert heard.requests[0].uri == "sip:pbx.example.net"
    assert heard.requests[0].all("route") == [f"<{proxy}>", "<sip:next.example.net;lr>"]


@pytest.mark.parametrize(
    "options",
    [
        {"headers": {"Authorization": "x"}},
        {"headers": {"v": "SIP/2.0/UDP x"}},
        {"headers": {"CSeq": "1 INVITE"}},
        {"headers": {"X-A": "b\r\nVia: x"}},
        {"headers": {"X A": "b"}},
        {"headers": {f"X-{n}": "a" for n in range(33)}},
        {"route": ["sip:proxy.example.net"]},
        {"route": ["proxy"]},
        {"from": "sip:a@b>\r\nX: y"},
        {"to": "https://x"},
        {"contact": "sip:a@[fe80::1%eth0]"},
        {"source_address": "sbc.example.net"},
        {"source_address": "127.0.0.1", "family": "ipv6"},
        {"source_port": 0},
        {"dscp": 64},
        {"partly_up": "maybe"},
    ],
)
def test_options_that_would_spoil_a_request_or_cannot_be_met_are_refused(options):
    with pytest.raises(ValidationError):
        SipOptions.model_validate(options)
