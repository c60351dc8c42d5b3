"""The echo for calls: what it answers, what it refuses, and that no call outlives it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from probes.echo import EchoServer
from probes.echo.callee import ALLOW, LONGEST_S, Callee, Ours
from probes.echo.numbers import ECHO, NUMBERS, Number
from probes.outcome import Outcome, Verdict
from probes.sip.message import NotSip, Request, Response, parse_message, parse_response
from probes.sip.validity import Refused, check_request
from tests.probes.call_peers import ask as call
from tests.probes.hosts import all_closed, open_sockets
from tests.probes.sip_peers import ask as ask_options

RFC_4475 = sorted((Path(__file__).parent / "rfc4475").glob("*.dat"))
SECOND = 1_000_000_000


@asynccontextmanager
async def echo(allow: Callable[[str], bool] | None = None, calls: int = 100) -> AsyncIterator[int]:
    before = open_sockets()
    server = EchoServer(allow, calls=calls)
    port = await server.serve("127.0.0.1", 0)
    try:
        yield port
    finally:
        await server.close()
        await all_closed(before)


async def called(number: str, **options: object) -> Outcome:
    async with echo() as port:
        return await call(f"call:{number}@127.0.0.1:{port}", **{"answer_within": "1500ms", **options})


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_it_answers_options_and_calls_over_both_transports(transport: str) -> None:
    async def main() -> None:
        async with echo() as port:
            place = f"127.0.0.1:{port};transport={transport}"
            asked = await ask_options(f"sip:{place}")
            assert (asked.verdict, asked.reason, asked.detail["server"]) == (Verdict.GOOD, "200", "Ringback")
            outcome = await call(f"call:echo@{place}", audio="sound")
            assert (outcome.verdict, outcome.reason) == (Verdict.GOOD, "200")
            assert (outcome.detail["far_loss_percent"], outcome.detail["rtp_lost"]) == (0.0, 0)
            assert float(str(outcome.detail["rtcp_round_trip_ms"])) < 100

    asyncio.run(main())


@pytest.mark.parametrize(
    ("number", "verdict", "reason"),
    [
        ("busy", Verdict.DEGRADED, "486"),
        ("ring", Verdict.BAD, "no answer"),
        ("mute", Verdict.BAD, "one-way audio"),
        ("hangup", Verdict.DEGRADED, "hung up early"),
        ("early", Verdict.GOOD, "200"),
        ("00352123456", Verdict.GOOD, "200"),
    ],
)
def test_there_is_a_number_for_every_finding(number: str, verdict: Verdict, reason: str) -> None:
    outcome = asyncio.run(called(number))
    assert (outcome.verdict, outcome.reason) == (verdict, reason)
    assert ("early_media_ms" in outcome.detail) == (number == "early")
    assert number in NUMBERS or number.isdigit()


def test_who_is_not_allowed_gets_no_answer() -> None:
    async def main() -> str:
        async with echo(lambda host: host != "127.0.0.1") as port:
            return (await call(f"call:echo@127.0.0.1:{port}", answer_within="300ms")).reason

    assert asyncio.run(main()) == "timeout"


def test_one_call_too_many_is_told_when_to_come_again() -> None:
    async def main() -> list[Outcome]:
        async with echo(calls=2) as port:
            target = f"call:echo@127.0.0.1:{port}"
            return await asyncio.gather(*(call(target) for _ in range(3)))

    refused = [one for one in asyncio.run(main()) if one.verdict is Verdict.BAD]
    assert [(one.reason, one.detail["retry_after_s"]) for one in refused] == [("503", 30)]


def test_when_it_is_closed_it_hangs_up_on_everybody() -> None:
    async def main() -> list[Outcome]:
        async with echo() as port:
            target = f"call:echo@127.0.0.1:{port}"
            calls = [
                asyncio.ensure_future(call(target, duration="5s", timeout="12s", answer_within="2s"))
                for _ in range(5)
            ]
            await asyncio.sleep(0.6)
        return await asyncio.gather(*calls)

    assert {one.reason for one in asyncio.run(main())} == {"hung up early"}


def test_torture_messages_are_answered_as_their_sections_say_or_not_at_all() -> None:
    """RFC 4475: what can be answered is, with a status that a user agent may give; and it answers on after that."""

    async def main() -> None:
        async with echo() as port:
            for path in RFC_4475:
                data = path.read_bytes()
                answers = await answers_to(data, port)
                assert {one.status for one in answers} <= expected(data), path.stem
            assert (await ask_options(f"sip:127.0.0.1:{port}")).verdict is Verdict.GOOD

    assert len(RFC_4475) > 40
    asyncio.run(main())


async def answers_to(data: bytes, port: int) -> list[Response]:
    """Those that come within a short while."""
    loop, found = asyncio.get_running_loop(), []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.bind(("127.0.0.1", 0))
        await loop.sock_sendto(sock, data, ("127.0.0.1", port))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.03):
                while True:
                    found.append(parse_response(await loop.sock_recv(sock, 65_536)))
    return found


def expected(data: bytes) -> set[int]:
    """The statuses with which it may be answered; none for what is no request that can be."""
    try:
        message = parse_message(data)
    except NotSip:
        return set()
    if not isinstance(message, Request) or message.method == "ACK":
        return set()
    try:
        check_request(message)
    except Refused as refusal:
        return {refusal.status}
    known = {180, 200, 420, 481, 486, 488}
    return known if message.method in ALLOW.split(", ") else {405, 420}


INVITE = """INVITE sip:{number}@127.0.0.1 SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:5099;branch=z9hG4bK1;rport
Max-Forwards: 70
From: <sip:caller@127.0.0.1>;tag=from
To: <sip:echo@127.0.0.1>
Call-ID: one
CSeq: 1 INVITE
Contact: <sip:caller@127.0.0.1:5099>
{more}Content-Length: 0

"""


def request(text: str) -> Request:
    message = parse_message(text.replace("\n", "\r\n").encode())
    assert isinstance(message, Request)
    return message


def callee(number: Number = ECHO, more: str = "", *, reliable: bool = False) -> Callee:
    ours = Ours("SIP/2.0/UDP 127.0.0.1:5060", "sip:echo@127.0.0.1:5060", "Ringback", b"v=0\r\n", tag="to")
    one = Callee(
        request(INVITE.format(number="echo", more=more)), ("127.0.0.1", 5099), number, ours, reliable
    )
    one.begin(0)
    return one


def said(one: Callee) -> list[str]:
    lines = [data.partition(b"\r\n")[0].decode() for data in one.outgoing]
    one.outgoing.clear()
    return lines


def within(method: str, cseq: int = 2, more: str = "") -> Request:
    text = INVITE.format(number="echo", more=more).replace("1 INVITE", f"{cseq} {method}")
    text = text.replace("INVITE sip", f"{method} sip").replace("z9hG4bK1", f"z9hG4bK{cseq}{method}")
    return request(text.replace("To: <sip:echo@127.0.0.1>", "To: <sip:echo@127.0.0.1>;tag=to"))


class TestOneCall:
    """By its clock alone."""

    def test_the_answer_comes_again_until_it_is_acknowledged(self) -> None:
        one = callee()
        assert said(one) == ["SIP/2.0 180 Ringing"]
        times = []
        while not one.over and one.due_ns < 20 * SECOND:
            now_ns = one.due_ns
            one.tick(now_ns)
            times += [now_ns / SECOND] * len(said(one))
        assert times == pytest.approx([0.1, 0.6, 1.6, 3.6, 7.6, 11.6, 15.6, 19.6])
        one.take(within("ACK", 1), ("127.0.0.1", 5099), 20 * SECOND)
        assert one.due_ns == LONGEST_S * SECOND

    def test_who_never_acknowledges_is_hung_up_on(self) -> None:
        one = callee()
        while one.due_ns < 33 * SECOND and not one.ended:
            one.tick(one.due_ns)
        assert said(one)[-1].startswith("BYE sip:caller@127.0.0.1:5099")

    def test_a_caller_that_does_not_refresh_its_session_is_hung_up_on(self) -> None:
        one = callee(more="Session-Expires: 90;refresher=uac\nSupported: timer\n")
        one.tick(SECOND // 10)
        assert b"Session-Expires: 90;refresher=uac\r\nRequire: timer" in one.outgoing[-1]
        one.take(within("ACK", 1), one.source, SECOND)
        one.take(within("UPDATE", 2, "Session-Expires: 90\n"), one.source, 50 * SECOND)
        said(one)
        assert one.due_ns == 110 * SECOND
        one.tick(one.due_ns)
        assert said(one)[-1].startswith("BYE")

    def test_a_session_that_is_too_brief_is_refused(self) -> None:
        one = callee(more="Session-Expires: 30\n")
        assert b"422" in one.outgoing[0]
        assert b"Min-SE: 90" in one.outgoing[0]

    def test_a_cancelled_call_ends_with_487_until_that_is_acknowledged(self) -> None:
        one = callee(NUMBERS["ring"])
        said(one)
        one.take(within("CANCEL", 1), one.source, SECOND)
        assert said(one) == ["SIP/2.0 200 OK", "SIP/2.0 487 Request Terminated"]
        one.tick(one.due_ns)
        assert said(one) == ["SIP/2.0 487 Request Terminated"]
        assert one.ended
        assert not one.over
        one.take(within("ACK", 1), one.source, 2 * SECOND)
        assert one.over

    def test_a_bye_is_answered_and_that_is_all(self) -> None:
        one = callee()
        one.tick(one.due_ns)
        one.take(within("ACK", 1), one.source, SECOND)
        said(one)
        one.take(within("BYE"), one.source, 2 * SECOND)
        assert said(one) == ["SIP/2.0 200 OK"]
        assert one.over
        assert not one.talks

    def test_our_own_bye_is_repeated_until_it_is_answered(self) -> None:
        one = callee(NUMBERS["hangup"])
        one.tick(one.due_ns)
        one.take(within("ACK", 1), one.source, SECOND // 5)
        said(one)
        one.tick(one.due_ns)
        one.tick(one.due_ns)
        bye = one.outgoing[-1]
        assert len(said(one)) == 2
        assert b"To: <sip:caller@127.0.0.1>;tag=from\r\n" in bye
        branch = bye.partition(b"branch=")[2].partition(b";")[0].decode()
        one.take_response(
            parse_response(
                f"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch={branch}\r\nCSeq: 1 BYE\r\n\r\n".encode()
            )
        )
        assert one.over

    def test_an_invite_that_comes_again_gets_the_same_answer(self) -> None:
        one = callee()
        first = said(one)
        one.take(one.invite, one.source, SECOND // 20)
        assert said(one) == first

    def test_a_new_offer_within_the_call_is_answered_with_the_same_description(self) -> None:
        one = callee()
        one.tick(one.due_ns)
        one.take(within("ACK", 1), one.source, SECOND)
        said(one)
        one.take(within("INVITE", 2), one.source, 2 * SECOND)
        assert one.outgoing[-1].startswith(b"SIP/2.0 200")
        assert one.outgoing[-1].endswith(b"v=0\r\n")
