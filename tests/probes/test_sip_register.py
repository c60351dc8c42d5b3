"""REGISTER: an account gets a contact and loses it again, whatever happens; and the bindings that it has."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from probes.outcome import Outcome, Verdict
from probes.sip import SipOptions, SipProber
from probes.sip.message import cseq
from tests.pace import lasting
from tests.probes.servers import stream_server
from tests.probes.sip_peers import answer, ask, probe, udp_server
from tests.probes.sip_registrar import Registrar, challenge, listed, ok, run, silent


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_an_account_is_registered_and_removed_again(registrar, password, transport):
    target = f"sip:alice@127.0.0.1:{registrar};transport={transport}"
    outcome = probe(target, method="register", password_file=password)
    assert (outcome.verdict, outcome.reason) == (Verdict.GOOD, "200")
    assert outcome.detail["bindings"] == 1
    assert 0 < int(str(outcome.detail["expires_s"])) <= 60
    names = [name for name, _ in outcome.phases]
    assert names == [
        "resolve",
        *(["connect"] if transport == "tcp" else []),
        "challenge",
        "register",
        "remove",
    ]
    assert outcome.round_trip_s == dict(outcome.phases)["register"], "without the round of the challenge"
    assert probe(target, method="bindings", password_file=password).detail["bindings"] == 0


def test_a_registrar_that_finds_it_too_brief_gets_what_it_asks_for(registrar):
    """Kamailio's answer to brief needs no password before 423."""
    target = f"sip:brief@127.0.0.1:{registrar}"
    assert probe(target, method="register").reason == "401", "asked again, with two minutes"
    assert probe(target, method="register", expires="120s").reason == "401"


def test_an_account_that_the_registrar_does_not_know_is_bad(registrar):
    outcome = probe(f"sip:nobody@127.0.0.1:{registrar}", method="register")
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "404")


def test_bindings_are_counted_and_their_least_number_demanded(registrar):
    target = f"sip:open@127.0.0.1:{registrar}"

    async def scenario() -> list[Outcome]:
        await _register_by_hand(registrar)
        return [await ask(target, method="bindings", bindings_min=least) for least in (1, 2)]

    enough, too_few = asyncio.run(scenario())
    assert (enough.verdict, enough.detail["bindings"]) == (Verdict.GOOD, 1)
    assert (too_few.verdict, too_few.reason) == (Verdict.BAD, "too few bindings")
    beside = probe(target, method="register")
    assert (beside.verdict, beside.detail["bindings"]) == (Verdict.GOOD, 2)
    assert probe(target, method="bindings").detail["bindings"] == 1, "what is not ours stays"


async def _register_by_hand(port: int) -> None:
    """A phone of the account open."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.settimeout(2)
        phone.bind(("127.0.0.1", 0))
        ours = f"127.0.0.1:{phone.getsockname()[1]}"
        register = (
            f"REGISTER sip:127.0.0.1:{port} SIP/2.0\r\nVia: SIP/2.0/UDP {ours};branch=z9hG4bKphone\r\n"
            f"To: <sip:open@127.0.0.1>\r\nFrom: <sip:open@127.0.0.1>;tag=1\r\nCall-ID: phone\r\n"
            f"CSeq: 1 REGISTER\r\nContact: <sip:phone@{ours}>\r\nContent-Length: 0\r\n\r\n"
        )
        phone.sendto(register.encode(), ("127.0.0.1", port))
        assert b" 200 " in phone.recv(4096)


def test_a_registration_without_an_account_was_not_asked():
    outcome = probe("sip:127.0.0.1:5060", method="register")
    assert (outcome.verdict, outcome.reason) == (Verdict.NOT_ASKED, "no user to register")


@pytest.mark.parametrize(
    "options",
    [
        {"bindings_min": 1},
        {"method": "register", "bindings_min": 1},
        {"expires": "1500ms"},
        {"user": "a@b"},
        {"password_file": "password"},
        {"auth_user": 'a"\r\nX: y'},
    ],
)
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(ValidationError):
        SipOptions.model_validate(options)


def test_the_contact_is_our_own_and_only_that_is_removed():
    registrar = Registrar(listed, ok)
    assert run(registrar, method="register", expires="30s").verdict is Verdict.GOOD
    added, removed = (request.get("contact") or "" for request in registrar.heard)
    assert re.fullmatch(r"<sip:ringback-[0-9a-f]{12}@127\.0\.0\.1:\d+>;expires=30", added)
    assert removed == added.replace(";expires=30", ";expires=0")
    assert [request.get("to") for request in registrar.heard] == ["<sip:bob@127.0.0.1>"] * 2
    assert "bob" not in registrar.heard[0].uri


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=60), max_size=4))
def test_whatever_contacts_a_registrar_lists_there_is_an_outcome(contacts):
    lines = "".join(f"Contact: {contact}\r\n" for contact in contacts)

    def strange(data: bytes) -> bytes:
        return answer(data, extra="EXTRA").replace(b"EXTRA", lines.encode())

    outcome = run(Registrar(strange), method="register")
    assert outcome.verdict in (Verdict.GOOD, Verdict.BAD), "bad where it is no longer SIP"


def test_too_brief_is_mended_once_and_not_for_ever():
    def brief(least: str) -> Callable[[bytes], bytes]:
        return lambda data: answer(data, "423 Interval Too Brief", f"Min-Expires: {least}\r\n")

    registrar = Registrar(brief("300"), listed, ok)
    assert run(registrar, method="register").detail["expires_s"] == 300
    assert run(Registrar(brief("300")), method="register").reason == "423"
    unending = Registrar(brief("999999999"))
    assert run(unending, method="register").reason == "423"
    assert len(unending.heard) == 1


def test_what_a_registrar_does_not_answer_in_time_is_removed_all_the_same():
    registrar = Registrar(silent, ok)
    outcome = run(registrar, method="register", timeout="200ms")
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "timeout")
    assert len(registrar.removals) == 1
    added, removed = registrar.heard[0], registrar.heard[-1]
    assert added.get("call-id") == removed.get("call-id")
    assert cseq(removed)[0] > cseq(added)[0]


def test_a_registrar_that_does_not_let_go_is_degraded_and_asked_once_more():
    registrar = Registrar(listed, silent, ok)
    outcome = run(registrar, method="register", timeout="300ms")
    assert (outcome.verdict, outcome.reason) == (Verdict.DEGRADED, "not removed")
    assert len(registrar.removals) == 2
    still_there = Registrar(listed, listed, ok)
    assert run(still_there, method="register").reason == "not removed"


@pytest.mark.parametrize("way", ["cancelled", "closed"])
@pytest.mark.parametrize("before", [[silent], [listed, silent]], ids=["register", "remove"])
def test_a_probe_that_is_broken_off_takes_its_contact_back(way, before):
    registrar = Registrar(*before, ok)

    async def scenario() -> None:
        async with udp_server(registrar.reply) as port:
            prober = SipProber()
            target, options = SipProber.parse(f"sip:bob@127.0.0.1:{port}"), SipOptions(method="register")
            task = asyncio.create_task(prober.probe(target, options))
            await _until(lambda: len(registrar.heard) == len(before))
            if way == "cancelled":
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            await prober.close()
            if way == "closed":
                assert (await task).verdict is Verdict.NOT_ASKED

    asyncio.run(scenario())
    assert len(registrar.removals) == len(before)
    assert registrar.removals[-1] in registrar.removals[0]


def test_a_challenge_that_comes_after_the_removal_began_is_not_answered_with_a_contact(password):
    heard: list[bytes] = []

    def late(data: bytes, sender: tuple[str, int], sock: socket.socket) -> None:
        heard.append(data)
        if len(heard) == 2:
            sock.sendto(challenge()(heard[0]), sender)
            asyncio.get_running_loop().call_later(0.05, sock.sendto, ok(data), sender)

    async def scenario() -> Outcome:
        async with udp_server(late) as port:
            prober = SipProber()
            options = SipOptions(method="register", password_file=password)
            target = SipProber.parse(f"sip:bob@127.0.0.1:{port}")
            task = asyncio.create_task(prober.probe(target, options))
            await _until(lambda: bool(heard))
            await prober.close()
            return await task

    assert asyncio.run(scenario()).reason == "prober was closed"
    assert [b";expires=0\r\n" in request for request in heard] == [False, True]


async def _until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 2
    while not happened() and time.monotonic() < deadline:
        await asyncio.sleep(0.005)


def test_a_registrar_that_stays_silent_holds_up_the_closing_for_a_second_at_most():
    with lasting():
        run(Registrar(silent), method="register", timeout="100ms")


def test_over_tcp_what_a_registrar_does_not_answer_is_removed_by_another_connection():
    heard: list[bytes] = []

    async def hang_up_on_the_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = await reader.readuntil(b"\r\n\r\n")
        heard.append(data)
        if len(heard) > 1:
            writer.write(answer(data))
            await writer.drain()

    async def scenario() -> Outcome:
        async with stream_server(hang_up_on_the_first) as port:
            return await ask(f"sip:bob@127.0.0.1:{port};transport=tcp", method="register", timeout="500ms")

    outcome = asyncio.run(scenario())
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "reset")
    assert b";expires=0\r\n" in heard[1]
