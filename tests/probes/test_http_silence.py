"""HTTP probes without an answer, with one that is none, and with one that could not be asked for."""

from __future__ import annotations

import asyncio

import pytest

from probes.http import PHASES, HttpOptions, HttpProber
from probes.outcome import Outcome, Verdict
from tests.pace import lasting, not_good
from tests.probes.hosts import all_closed, no_file_descriptors, open_sockets, probe_without_network
from tests.probes.servers import Handler, closed_port, forever, reset, silent_listener, stream_server


def probe(url: str, **options: object) -> Outcome:
    async def scenario() -> Outcome:
        before = open_sockets()
        prober = HttpProber()
        outcome = await prober.probe(HttpProber.parse(url), HttpOptions.model_validate(options))
        await prober.close()
        await all_closed(before)
        return outcome

    return asyncio.run(scenario())


def probe_server(handler: Handler, **options: object) -> Outcome:
    async def scenario() -> Outcome:
        prober = HttpProber()
        async with stream_server(handler) as port:
            target = HttpProber.parse(f"http://127.0.0.1:{port}/")
            outcome = await prober.probe(target, HttpOptions.model_validate(options))
        await prober.close()
        return outcome

    return asyncio.run(scenario())


def phases(outcome: Outcome) -> dict[str, float]:
    assert tuple(name for name, _ in outcome.phases) == PHASES, "every phase is always there"
    return dict(outcome.phases)


def test_a_refused_connection_is_bad() -> None:
    with closed_port() as port:
        outcome = probe(f"http://127.0.0.1:{port}/")
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "refused")
    assert outcome.detail["address"] == "127.0.0.1"
    assert phases(outcome)["processing"] == 0


def test_silence_before_the_connection_is_bad_after_the_time_out() -> None:
    with silent_listener() as server, lasting(0.2):
        outcome = probe(f"http://127.0.0.1:{server.getsockname()[1]}/", timeout="200ms")
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "timeout")
    assert phases(outcome)["connect"] > 0.1


def test_silence_after_the_connection_is_bad_after_the_time_out() -> None:
    outcome = probe_server(forever, timeout="200ms")
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "timeout")
    assert phases(outcome)["processing"] > 0.1


async def slow_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.01)


async def slow_header(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(("handler", "phase"), [(slow_body, "transfer"), (slow_header, "processing")])
def test_an_answer_that_drips_costs_the_time_out_and_no_more(handler: Handler, phase: str) -> None:
    with lasting(0.2):
        outcome = probe_server(handler, timeout="200ms")
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "timeout")
    assert phases(outcome)[phase] > 0.1


def test_a_slow_answer_is_degraded() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.06)
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    outcome = not_good(lambda: probe_server(slow, latency_degraded="50ms"))
    assert (outcome.verdict, outcome.reason) == (Verdict.DEGRADED, "slow")
    assert outcome.round_trip_s is not None
    assert outcome.round_trip_s >= 0.05
    assert probe_server(slow, latency_degraded="3s").verdict is Verdict.GOOD
    broken = probe_server(slow, latency_degraded="50ms", status=[200])
    assert (broken.verdict, broken.reason) == (Verdict.BAD, "204"), "which is worse"


def test_a_handshake_that_hangs_costs_the_time_out_and_no_more() -> None:
    async def scenario() -> Outcome:
        prober = HttpProber()
        async with stream_server(forever) as port:
            target = HttpProber.parse(f"https://127.0.0.1:{port}/")
            outcome = await prober.probe(target, HttpOptions.model_validate({"timeout": "200ms"}))
        await prober.close()
        return outcome

    outcome = asyncio.run(scenario())
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "timeout")
    assert phases(outcome)["tls"] > 0.1


def says(answer: bytes) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    return handler


async def endless_header(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-More: " + b"x" * 1000 + b"\r\n")
        await writer.drain()


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")


async def resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    reset(writer)


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (says(b"SSH-2.0-OpenSSH_9.2\r\n"), "not HTTP"),
        (says(bytes(range(256)) * 20), "not HTTP"),
        (says(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"), "not HTTP"),
        (says(b"HTTP/1.1 99999 OK\r\n\r\n"), "not HTTP"),
        (says(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"), "not HTTP"),
        (endless_header, "not HTTP"),
        (says(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"), "body broken off"),
        (says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "not HTTP"),
        (hangs_up, "closed without an answer"),
        (resets, "reset"),
    ],
)
def test_an_answer_that_is_none_is_bad(handler: Handler, reason: str) -> None:
    outcome = probe_server(handler, timeout="2s")
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, reason)
    phases(outcome)


def test_an_endless_body_costs_what_was_allowed_and_no_more() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(bytes(10_000))
            await writer.drain()

    outcome = probe_server(endless, max_body=50_000)
    assert outcome.verdict is Verdict.GOOD
    assert isinstance(outcome.detail["body_bytes"], int)
    assert outcome.detail["body_bytes"] < 500_000


def test_a_name_without_an_address_is_not_held_against_the_target() -> None:
    outcome = probe("http://" + "a" * 64 + ".example/")
    assert (outcome.verdict, outcome.reason) == (Verdict.NOT_ASKED, "name not resolved")


def test_no_route_from_this_host_is_not_held_against_the_target() -> None:
    assert probe_without_network("http://192.0.2.1/") == "NOT_ASKED no route"


def test_no_file_descriptor_is_not_held_against_the_target() -> None:
    async def scenario() -> Outcome:
        prober = HttpProber()
        with no_file_descriptors():
            outcome = await prober.probe(HttpProber.parse("http://127.0.0.1:1/"), HttpOptions())
        await prober.close()
        return outcome

    outcome = asyncio.run(scenario())
    assert (outcome.verdict, outcome.reason) == (Verdict.NOT_ASKED, "too many open files")


@pytest.mark.parametrize("end", ["close", "cancel"])
def test_probes_under_way_leave_no_socket_behind(end: str) -> None:
    async def scenario() -> list[object]:
        prober = HttpProber()
        held = open_sockets()
        with silent_listener() as server:
            async with stream_server(forever) as port:
                ports = [port, server.getsockname()[1]]
                targets = [HttpProber.parse(f"http://127.0.0.1:{port}/") for port in ports]
                before = open_sockets()
                probing = [asyncio.create_task(prober.probe(target, HttpOptions())) for target in targets]
                while open_sockets() < before + 3:  # two of ours and the server's end of one
                    await asyncio.sleep(0)
                if end == "close":
                    await prober.close()
                else:
                    for task in probing:
                        task.cancel()
                results = await asyncio.gather(*probing, return_exceptions=True)
        await prober.close()
        await asyncio.sleep(0)
        assert open_sockets() == held
        return list(results)

    results = asyncio.run(scenario())
    if end == "close":
        outcomes = [result for result in results if isinstance(result, Outcome)]
        assert [(o.verdict, o.reason) for o in outcomes] == [(Verdict.NOT_ASKED, "prober was closed")] * 2
    else:
        assert [type(result) for result in results] == [asyncio.CancelledError] * 2


def test_closing_in_the_middle_of_a_body_is_not_held_against_the_target() -> None:
    async def scenario() -> Outcome:
        prober = HttpProber()
        begun = asyncio.Event()

        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            begun.set()
            await slow_body(reader, writer)

        async with stream_server(handler) as port:
            target = HttpProber.parse(f"http://127.0.0.1:{port}/")
            probing = asyncio.create_task(prober.probe(target, HttpOptions()))
            await begun.wait()
            for _ in range(100):
                await asyncio.sleep(0)
            await prober.close()
            return await probing

    outcome = asyncio.run(scenario())
    assert (outcome.verdict, outcome.reason) == (Verdict.NOT_ASKED, "prober was closed")
    assert outcome.detail["status"] == 200
