"""Servers that mean no good, and those who speak in their name: an answer or a time-out, and the loop keeps turning."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import time
from collections.abc import Callable, Iterator

import pytest

from probes.outcome import Outcome, Verdict
from tests.fuzzing.mutations import mutated
from tests.pace import lasting, longest_turn_s
from tests.probes import dns_peers
from tests.probes.dns_peers import LARGE, Answers, answer, ask, datagram_server
from tests.probes.servers import Handler, dripping, reset, stream_server

TRUE, FALSE = "A 127.0.0.1", "A 127.0.0.66"


def probe(answers: Answers, **options: object) -> Outcome:
    with datagram_server(answers) as port:
        return dns_peers.probe(f"dns://127.0.0.1:{port}/lab.test", **options)


def probe_over_tcp(handler: Handler, **options: object) -> Outcome:
    async def scenario() -> Outcome:
        async with stream_server(handler) as port:
            return await ask(f"dns://127.0.0.1:{port}/lab.test", transport="tcp", **options)

    return asyncio.run(scenario())


def said(outcome: Outcome) -> tuple[Verdict, str]:
    return outcome.verdict, outcome.reason


def another_id(question: bytes) -> bytes:
    return bytes([question[0] ^ 0x80]) + answer(question, FALSE)[1:]


def another_name(question: bytes) -> bytes:
    return answer(question, FALSE).replace(b"\x03lab\x04test", b"\x03bal\x04test")


def another_type(question: bytes) -> bytes:
    forged = bytearray(answer(question, FALSE))
    forged[len(question) - 3] = 28
    return bytes(forged)


def another_class(question: bytes) -> bytes:
    forged = bytearray(answer(question, FALSE))
    forged[len(question) - 1] = 3
    return bytes(forged)


def no_question(question: bytes) -> bytes:
    forged = answer(question, FALSE)
    return forged[:4] + b"\0\0" + forged[6:12] + forged[len(question) :]


def another_operation(question: bytes) -> bytes:
    forged = answer(question, FALSE)
    return forged[:2] + bytes([forged[2] | 0x20]) + forged[3:]


FORGED: list[Callable[[bytes], bytes]] = [
    another_id,
    another_name,
    another_type,
    another_class,
    no_question,
    another_operation,
    lambda question: question,
    lambda question: question[:2],
    lambda question: b"",
    lambda question: question[:2] + random.Random(1035).randbytes(500),
]


@pytest.mark.parametrize("forged", FORGED)
class TestWhatIsNoAnswer:
    def test_it_is_read_over_until_the_answer_comes(self, forged: Callable[[bytes], bytes]) -> None:
        outcome = probe(lambda question, _: [forged(question), forged(question), answer(question, TRUE)])
        assert said(outcome) == (Verdict.GOOD, "noerror")
        assert outcome.detail["answers"] == [TRUE]
        assert outcome.detail["ignored"] == 2

    def test_alone_it_is_silence(self, forged: Callable[[bytes], bytes]) -> None:
        outcome = probe(lambda question, _: [forged(question)], timeout="60ms")
        assert said(outcome) == (Verdict.BAD, "timeout")
        assert outcome.detail["ignored"] == 1

    def test_on_a_connection_it_is_read_over_as_well(self, forged: Callable[[bytes], bytes]) -> None:
        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            question = (await reader.read(600))[2:]
            for message in (forged(question), answer(question, TRUE)):
                writer.write(len(message).to_bytes(2) + message)
            await reader.read()

        outcome = probe_over_tcp(handler)
        assert outcome.detail["answers"] == [TRUE]
        assert outcome.detail["ignored"] == 1


def test_an_answer_from_another_port_or_another_address_is_not_heard() -> None:
    def elsewhere(question: bytes, source: tuple[str, int]) -> Iterator[bytes]:
        for address in ("127.0.0.1", "127.0.0.2"):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.bind((address, 0))
                sock.sendto(answer(question, FALSE), source)
        yield answer(question, TRUE)

    outcome = probe(elsewhere)
    assert outcome.detail["answers"] == [TRUE]
    assert "ignored" not in outcome.detail, "the kernel dropped them"


def test_each_question_has_a_port_and_an_identifier_of_its_own() -> None:
    seen: set[tuple[int, bytes]] = set()

    def noted(question: bytes, source: tuple[str, int]) -> list[bytes]:
        seen.add((source[1], question[:2]))
        return [answer(question, TRUE)]

    with datagram_server(noted) as port:
        for _ in range(8):
            dns_peers.probe(f"dns://127.0.0.1:{port}/lab.test")
    assert len({port for port, _ in seen}) > 4
    assert len({identifier for _, identifier in seen}) > 4


@pytest.mark.parametrize(
    "flood",
    [another_name, another_id, lambda question: answer(question, FALSE)[:11]],
)
def test_endless_datagrams_cost_the_time_out_and_nothing_else(flood: Callable[[bytes], bytes]) -> None:
    def endless(question: bytes, _: object) -> Iterator[bytes]:
        said = flood(question)
        while True:
            yield said

    async def scenario(port: int) -> tuple[Outcome, float]:
        probing = asyncio.create_task(ask(f"dns://127.0.0.1:{port}/lab.test", timeout="300ms"))
        longest_s = await longest_turn_s(probing)
        return probing.result(), longest_s

    with datagram_server(endless) as port, lasting():
        outcome, longest_s = asyncio.run(scenario(port))
    assert outcome.verdict in (Verdict.BAD, Verdict.NOT_ASKED)
    assert outcome.reason in ("timeout", "receive buffer overflowed", "loop was late")
    assert longest_s < 0.1


def test_endless_messages_on_a_connection_end_it() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        question = (await reader.read(600))[2:]
        message = another_id(question)
        while True:
            writer.write(len(message).to_bytes(2) + message)
            await writer.drain()

    with lasting():
        outcome = probe_over_tcp(endless)
    assert said(outcome) == (Verdict.BAD, "no answer to the question")
    assert outcome.round_trip_s is None


def test_endless_empty_messages_end_it_too() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(bytes(65_536))
            await writer.drain()

    assert said(probe_over_tcp(endless)) == (Verdict.BAD, "no answer to the question")


def test_a_message_that_never_ends_costs_the_time_out() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\xff\xff")
        while True:
            writer.write(b"x")
            await asyncio.sleep(0.001)

    started = time.monotonic()
    outcome = probe_over_tcp(slow, timeout="200ms")
    assert said(outcome) == (Verdict.BAD, "timeout")
    assert time.monotonic() - started < 0.6


def test_a_long_answer_in_single_bytes_is_an_answer(tmp_path_factory: pytest.TempPathFactory) -> None:
    async def scenario(port: int) -> Outcome:
        async with stream_server(dripping(port)) as drop_by_drop:
            return await ask(f"dns://127.0.0.1:{drop_by_drop}/large.lab.test", transport="tcp")

    with dns_peers.unbound(tmp_path_factory.mktemp("unbound")) as server:
        outcome = asyncio.run(scenario(server.port))
    assert said(outcome) == (Verdict.GOOD, "noerror")
    assert outcome.detail["answer_rrs"] == LARGE


@pytest.mark.parametrize("bytes_said", [0, 1, 2, 40])
@pytest.mark.parametrize("end", ["closes", "resets"])
def test_a_server_that_hangs_up_before_the_answer_is_bad(bytes_said: int, end: str) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        message = answer((await reader.read(600))[2:], TRUE)
        writer.write((len(message).to_bytes(2) + message)[:bytes_said])
        await writer.drain()
        if end == "resets":
            reset(writer)

    outcome = probe_over_tcp(handler)
    reasons = {"closed before the answer"} if end == "closes" else {"reset", "closed before the answer"}
    assert outcome.verdict is Verdict.BAD
    assert outcome.reason in reasons
    assert outcome.round_trip_s is None, "that is for an answer"


def test_the_longest_message_there_can_be_is_read() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        message = answer((await reader.read(600))[2:], TRUE).ljust(65_535, b"\0")
        writer.write(b"\xff\xff" + message)
        await reader.read()

    assert probe_over_tcp(handler).detail["answers"] == [TRUE]


def _with_records(question: bytes, record: bytes, count: int) -> bytes:
    head = question[:2] + struct.pack("!HHHHH", 0x8180, 1, count, 0, 0)
    return head + question[12:] + record * count


@pytest.mark.parametrize(
    ("record", "count"),
    [
        (b"\xc0\x0c\0\2\0\1\0\0\0\1\0\2\xc0\x0c", 900),  # NS
        (b"\xc0\x0c\0\6\0\1\0\0\0\1\0\x18\xc0\x0c\xc0\x0c" + bytes(20), 900),  # SOA
        (b"\0\0\x10\0\1\0\0\0\1\xf0\0" + bytes(0xF000), 1),  # TXT
        (b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4\x7f\0\0\1", 4_000),
    ],
)
def test_names_that_point_back_a_thousand_times_cost_little(record: bytes, count: int) -> None:
    name = ".".join("abcdefghijklmnopqrstuvwxyz" * 4)

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        message = _with_records((await reader.read(600))[2:], record, count)
        writer.write(len(message).to_bytes(2) + message)
        await reader.read()

    async def scenario() -> Outcome:
        async with stream_server(handler) as port:
            return await ask(
                f"dns://127.0.0.1:{port}/{name}", transport="tcp", expect=["127.0.0.1"], record="A"
            )

    started = time.process_time()
    outcome = asyncio.run(scenario())
    assert time.process_time() - started < 1
    assert said(outcome) == (Verdict.BAD, "unreadable answer")


def test_mutated_answers_raise_nothing() -> None:
    chance = random.Random(1035)

    def mutate(question: bytes, _: object) -> list[bytes]:
        said = [answer(question, TRUE, "MX 10 mail.lab.test.", 'TXT "x"')]
        return list(mutated(said, 40, chance.randrange(2**32)))

    for _ in range(10):
        assert probe(mutate, timeout="60ms").verdict in (Verdict.GOOD, Verdict.BAD)
