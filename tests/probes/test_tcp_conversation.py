"""TCP probes that speak TLS, or wait for lines and say some."""

from __future__ import annotations

import asyncio
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from probes.outcome import Outcome, Verdict
from probes.regex import compiled, expand
from probes.target import HostPort
from probes.tcp import TcpOptions, TcpProber
from probes.tcp.lines import LONGEST, MOST, MOST_LINES, Lines, TooMuch
from probes.trace import traced
from tests.pace import lasting
from tests.probes.certificates import Authority
from tests.probes.servers import (
    Handler,
    closed_port,
    forever,
    reset,
    server_in_a_thread,
    silent_listener,
    stream_server,
)

HOST = "mail.example.net"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def secured(authority: Authority) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = authority.certificate(HOST)
    context.load_cert_chain(certificate.chain, certificate.key)
    return context


def probe(handler: Handler, context: ssl.SSLContext | None = None, **options: object) -> Outcome:
    async def scenario() -> Outcome:
        prober = TcpProber()
        told = TcpOptions.model_validate({"timeout": "2s", **options})
        async with stream_server(handler, context) as port:
            outcome = await prober.probe(HostPort("127.0.0.1", port), told)
        await prober.close()
        return outcome

    return asyncio.run(scenario())


def says(*pieces: bytes) -> Handler:
    """Says all that, and hangs up when the client has said a line or hung up."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        await reader.readline()

    return handler


async def closes_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"421 too busy")


async def smtp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A mail server, which blackbox_exporter's examples ask."""
    writer.write(b"220 mail.example.net ESMTP\r\n")
    while line := await reader.readline():
        words = line.decode().split()
        if words == ["EHLO", "prober"]:
            writer.write(b"250-mail.example.net at your service\r\n250-SIZE 1000\r\n250 STARTTLS\r\n")
        elif words == ["STARTTLS"]:
            writer.write(b"220 go ahead\r\n")
            await writer.drain()
            return
        elif words == ["QUIT"]:
            writer.write(b"221 bye\r\n")
        else:
            writer.write(b"500 what?\r\n")


def test_a_line_that_matches_is_an_answer() -> None:
    outcome = probe(says(b"220 mail ESMTP\r\n"), query_response=[{"expect": "^220 "}])
    assert (outcome.verdict, outcome.reason) == (Verdict.GOOD, "answered")
    assert [name for name, _ in outcome.phases] == ["resolve", "connect", "talk"]
    assert outcome.round_trip_s is not None
    assert outcome.round_trip_s < 0.1, "of the connection, which is the kernel's"
    assert outcome.detail == {"address": "127.0.0.1", "line": "220 mail ESMTP"}


def test_lines_that_do_not_match_are_read_over() -> None:
    turns = [{"expect": "^220 "}, {"send": "EHLO prober\r"}, {"expect": "^250 "}, {"send": "QUIT\r"}]
    assert probe(smtp, query_response=turns).detail["line"] == "250 STARTTLS"


def test_a_line_may_come_in_pieces_and_the_last_one_without_its_end() -> None:
    assert probe(says(b"22", b"0 ma", b"il\n"), query_response=[{"expect": "^220 mail$"}]).verdict is (
        Verdict.GOOD
    )
    assert probe(closes_at_once, query_response=[{"expect": "^421"}]).verdict is Verdict.GOOD


def test_what_the_groups_found_is_said_again() -> None:
    heard: list[bytes] = []

    async def irc(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readline())
        writer.write(b"PING :abc123\r\n")
        heard.append(await reader.readline())
        writer.write(b":irc.example.net 001 welcome\r\n")

    turns = [
        {"send": "NICK prober"},
        {"expect": "^PING :(?P<cookie>[^ ]+)", "send": "PONG ${1} ${cookie} $1x $$"},
        {"expect": " 001 "},
    ]
    assert probe(irc, query_response=turns).verdict is Verdict.GOOD
    assert heard[:2] == [b"NICK prober\n", b"PONG abc123 abc123  $\n"]


def shown(outcome: Outcome) -> dict[str, list[object]]:
    return {metric.name: list(metric.samples(outcome)) for metric in TcpProber.metrics}


def test_what_the_groups_found_is_shown_as_labels() -> None:
    turns = [
        {"expect": "^220 (\\S+) (?P<kind>\\w+)", "labels": {"host": "${1}", "kind": "$kind"}},
        {"send": "EHLO prober\r"},
        {"expect": "^250-SIZE (.*)", "labels": {"size": "$1", "kind": "a mail server"}},
    ]
    outcome = probe(smtp, query_response=turns)
    found = {"host": "mail.example.net", "kind": "a mail server", "size": "1000"}
    assert outcome.detail["labels"] == found
    assert shown(outcome)["probe_expect_info"] == [(found, 1.0)]
    assert shown(probe(smtp, query_response=[{"expect": "^220"}]))["probe_expect_info"] == []


def test_a_label_holds_text_of_some_length_whatever_the_peer_says() -> None:
    turns = [{"expect": "^(.*)$", "labels": {"line": "$1"}}]
    outcome = probe(says(b"caf\xe9 \xff" + b"x" * 1000 + b"\n"), query_response=turns)
    assert outcome.detail["labels"] == {"line": "caf\ufffd \ufffd" + "x" * 194}


def test_the_last_line_that_is_sent_reaches_the_peer(secured: ssl.SSLContext) -> None:
    heard: list[bytes] = []

    async def listens(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220\n")
        await asyncio.sleep(0.02)
        heard.append(await reader.read())

    turns = [{"expect": "220", "send": "QUIT"}]

    async def scenario(context: ssl.SSLContext | None) -> None:
        prober = TcpProber()
        told = TcpOptions.model_validate(
            {"tls": context is not None, "verify_tls": False, "query_response": turns}
        )
        async with stream_server(listens, context) as port:
            await prober.probe(HostPort("127.0.0.1", port), told)
            async with asyncio.timeout(2):
                while not heard:
                    await asyncio.sleep(0.001)

    for context in (None, secured):
        heard.clear()
        asyncio.run(scenario(context))
        assert heard == [b"QUIT\n"]


def test_an_end_before_the_expected_line_is_bad_and_counted_as_blackbox_exporter_does() -> None:
    outcome = probe(closes_at_once, query_response=[{"expect": "^220 "}])
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "closed before the expected line")
    assert outcome.detail["line"] == "421 too busy"
    assert outcome.detail["expected"] == "^220 "
    assert shown(outcome)["probe_failed_due_to_regex"] == [({}, 1.0)]
    good = probe(says(b"220\n"), query_response=[{"expect": "220"}])
    assert shown(good)["probe_failed_due_to_regex"] == [({}, 0.0)]


def test_tls_from_the_start(authority: Authority, secured: ssl.SSLContext) -> None:
    told = {"tls": True, "ca_file": authority.ca_file, "server_name": HOST}
    connected = probe(forever, secured, **told)
    assert (connected.verdict, connected.reason) == (Verdict.GOOD, "connected")
    assert [name for name, _ in connected.phases] == ["resolve", "connect", "tls"]
    talked = probe(says(b"hello\n"), secured, **told, query_response=[{"expect": "hello"}])
    assert (talked.verdict, talked.reason) == (Verdict.GOOD, "answered")
    assert talked.detail["certificate_names"] == [HOST]
    soon = probe(says(b"hello\n"), secured, **told, expires_degraded="8d")
    assert (soon.verdict, soon.reason) == (Verdict.DEGRADED, "certificate expires")


def test_a_certificate_that_does_not_hold_is_bad(authority: Authority, secured: ssl.SSLContext) -> None:
    outcome = probe(forever, secured, tls=True, ca_file=authority.ca_file)
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "certificate: IP address mismatch")


def test_our_own_certificate_is_shown_to_who_asks_for_it(authority: Authority) -> None:
    theirs, ours = authority.certificate(HOST), authority.certificate("probe.example.net")
    demanding = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    demanding.load_cert_chain(theirs.chain, theirs.key)
    demanding.load_verify_locations(authority.ca_file)
    demanding.verify_mode = ssl.CERT_REQUIRED

    async def scenario(port: int, **options: object) -> Outcome:
        prober = TcpProber()
        told = {"tls": True, "ca_file": authority.ca_file, "server_name": HOST, **options}
        outcome = await prober.probe(HostPort("127.0.0.1", port), TcpOptions.model_validate(told))
        await prober.close()
        return outcome

    with server_in_a_thread(lambda connection: None, demanding) as port:
        unknown = asyncio.run(scenario(port))
        known = asyncio.run(scenario(port, certificate_file=ours.chain, key_file=ours.key))
    assert (unknown.verdict, unknown.reason) == (Verdict.BAD, "TLS handshake failed")
    assert (known.verdict, known.reason) == (Verdict.GOOD, "connected")


def starttls(secured: ssl.SSLContext) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await smtp(reader, writer)
        await writer.start_tls(secured)
        await smtp(reader, writer)

    return handler


def test_starttls(authority: Authority, secured: ssl.SSLContext) -> None:
    turns = [
        {"expect": "^220 "},
        {"send": "EHLO prober\r"},
        {"expect": "^250 STARTTLS"},
        {"send": "STARTTLS\r"},
        {"expect": "^220"},
        {"starttls": True},
        {"expect": "^220 "},
        {"send": "EHLO prober\r"},
        {"expect": "^250 STARTTLS"},
        {"send": "QUIT\r"},
    ]
    told = {"ca_file": authority.ca_file, "server_name": HOST, "query_response": turns}
    outcome = probe(starttls(secured), **told)
    assert (outcome.verdict, outcome.reason) == (Verdict.GOOD, "answered")
    assert outcome.detail["tls"] == "TLSv1.3"
    assert [name for name, _ in outcome.phases] == ["resolve", "connect", "tls", "talk"]


async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


async def one_endless_line(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x" * 10_000)
        await writer.drain()


async def endless_lines(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x\n" * 5_000)
        await writer.drain()


async def resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(0.01)
    reset(writer)


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (forever, "timeout"),
        (drips, "timeout"),
        (one_endless_line, "too long an answer"),
        (endless_lines, "too long an answer"),
        (resets, "reset"),
    ],
)
def test_a_hostile_peer_costs_the_time_out_at_most(handler: Handler, reason: str) -> None:
    """The pattern would be catastrophic for an engine that goes back."""
    turns = [{"expect": "(x+x+)+y"}]
    with lasting():
        outcome = probe(handler, query_response=turns, timeout="300ms" if reason == "timeout" else "4s")
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, reason)
    assert "regex_failed" not in outcome.detail


def test_a_pattern_takes_linear_time_in_the_longest_line() -> None:
    pattern = compiled("(x+x+)+y")
    with lasting():
        assert pattern.search(b"x" * LONGEST) is None


def test_no_connection_is_bad_as_it_is_without_a_conversation() -> None:
    async def scenario(port: int) -> Outcome:
        prober = TcpProber()
        told = TcpOptions.model_validate({"timeout": "200ms", "query_response": [{"expect": "x"}]})
        return await prober.probe(HostPort("127.0.0.1", port), told)

    with closed_port() as port:
        assert asyncio.run(scenario(port)).reason == "refused"
    with silent_listener() as server:
        assert asyncio.run(scenario(server.getsockname()[1])).reason == "timeout"


def test_who_watches_sees_what_was_said() -> None:
    with traced() as trace:
        probe(says(b"220 mail\r\n"), query_response=[{"expect": "^220 "}, {"send": "QUIT"}])
    assert [line.what for line in trace.lines] == ["connecting", "expecting", "line", "sending"]
    assert trace.lines[2].facts == {"text": "220 mail"}


@pytest.mark.parametrize(
    "options",
    [
        {"query_response": [{}]},
        {"query_response": [{"expect": "("}]},
        {"query_response": [{"expect": r"(a)\1"}]},
        {"query_response": [{"say": "hello"}]},
        {"query_response": [{"send": "x", "labels": {"a": "b"}}]},
        {"query_response": [{"expect": "x", "labels": {"a-b": "b"}}]},
        {"query_response": [{"expect": "x", "labels": {"__name__": "b"}}]},
        {"query_response": [{"send": "x"}] * 33},
        {"tls": True, "query_response": [{"starttls": True}]},
        {"dscp": 64},
        {"source_address": "localhost"},
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TcpOptions.model_validate(options)


def test_equal_options_can_be_shared() -> None:
    told = {"query_response": [{"expect": "^220 ", "labels": {"a": "$1"}, "send": "QUIT"}]}
    assert len({TcpOptions.model_validate(told), TcpOptions.model_validate(told)}) == 1


@given(st.binary(max_size=200), st.lists(st.integers(1, 50), max_size=20))
def test_lines_are_the_same_however_the_bytes_come(data: bytes, cuts: list[int]) -> None:
    lines, found, rest = Lines(), [], data
    for cut in [*cuts, len(data)]:
        lines.take(rest[:cut])
        rest = rest[cut:]
        while (line := lines.next()) is not None:
            found.append(line)
    last = lines.last()
    expected = [line.removesuffix(b"\r") for line in data.split(b"\n")]
    assert found == expected[:-1]
    assert last == (expected[-1] or None)


def test_lines_have_a_limit_each_and_together() -> None:
    lines = Lines()
    lines.take(b"x" * (LONGEST + 1))
    with pytest.raises(TooMuch):
        lines.next()
    with pytest.raises(TooMuch):
        lines.take(b"\n" * MOST)
    short = Lines()
    short.take(b"\n" * (MOST_LINES + 1))
    assert [short.next() for _ in range(MOST_LINES)] == [b""] * MOST_LINES
    with pytest.raises(TooMuch):
        short.next()


@given(st.text(max_size=40), st.binary(max_size=40))
def test_any_template_and_any_line_can_be_put_together(template: str, line: bytes) -> None:
    match = compiled("(.)?(?P<rest>.*)").search(line)
    assert isinstance(expand(template, match), str)
