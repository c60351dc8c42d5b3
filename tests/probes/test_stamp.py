"""Bursts to real reflectors, over paths that lose, double and delay."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable

import pytest

from probes.outcome import Outcome, Verdict
from probes.resolve import Sockaddr
from probes.stamp import StampOptions, StampProber
from probes.stamp.clock import Clock
from tests.pace import lasting
from tests.probes.hosts import no_file_descriptors, open_sockets, probe_without_network
from tests.probes.stamp_peers import (
    Fate,
    answering,
    counting,
    late_reflector,
    losing,
    reflector,
    reflector_in_a_thread,
    relay,
    silent_port,
    stateless,
    untouched,
)

SYNCHRONISED = Clock(synchronised=True, error_ns=2_000_000)
QUICK = {"timeout": "500ms"}


def ask(
    port: int, *, prober: StampProber | None = None, host: str = "127.0.0.1", **options: object
) -> Awaitable[Outcome]:
    asking = prober or StampProber()

    async def once() -> Outcome:
        try:
            target = asking.parse(f"stamp://{f'[{host}]' if ':' in host else host}:{port}")
            return await asking.probe(target, StampOptions.model_validate({"count": 5, **QUICK, **options}))
        finally:
            if prober is None:
                await asking.close()

    return once()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("options", [{}, {"size": 1200, "dscp": 46}, {"mode": "twamp-light", "size": 41}])
def test_a_reflector_that_answers_is_good_and_measured(host: str, options: dict[str, object]) -> None:
    async def scenario() -> Outcome:
        async with reflector("*") as port:
            return await ask(port, host=host, **options)

    seen = asyncio.run(scenario())
    assert (seen.verdict, seen.reason) == (Verdict.GOOD, "reflected")
    assert (seen.detail["sent"], seen.detail["received"], seen.detail["loss"]) == (5, 5, 0)
    assert (seen.detail["reflector"], seen.detail["ttl_there"]) == ("stateful", 64)
    assert "reply_size" not in seen.detail
    assert seen.round_trip_s is not None
    assert 0 < seen.round_trip_s < 0.5
    assert [name for name, _ in seen.phases] == ["resolve", "setup", "reflect"]


def test_loss_is_blamed_on_the_direction_that_had_it() -> None:
    async def scenario() -> list[Outcome]:
        return await asyncio.gather(
            _over(forward=losing(1, 3)),
            _over(backward=losing(0, 2, 3)),
            _over(forward=losing(1), backward=losing(0)),
        )

    there, back, both = asyncio.run(scenario())
    assert (there.detail["forward_lost"], there.detail["backward_lost"]) == (2, 0)
    assert (there.detail["loss"], there.verdict) == (0.4, Verdict.GOOD)
    assert (back.detail["forward_lost"], back.detail["backward_lost"]) == (0, 3)
    assert (both.detail["forward_lost"], both.detail["backward_lost"], both.detail["loss"]) == (1, 1, 0.4)
    assert not any("unattributed_lost" in seen.detail for seen in (there, back, both))


def test_where_the_last_ones_are_lost_a_packet_more_tells_which_direction_did() -> None:
    async def scenario() -> list[Outcome]:
        there = [_over(forward=losing(*lost)) for lost in ((4,), (3, 4), (4, 5))]
        return await asyncio.gather(*there, _over(backward=losing(4)))

    told = [
        (seen.detail["sent"], seen.detail["forward_lost"], seen.detail["backward_lost"])
        for seen in asyncio.run(scenario())
    ]
    assert told == [(5, 1, 0), (5, 2, 0), (5, 1, 0), (5, 0, 1)]


def test_of_a_stateless_reflector_it_is_said_that_nobody_knows_where_a_packet_was_lost() -> None:
    async def scenario(forward: tuple[int, ...]) -> Outcome:
        async with answering(stateless) as port, relay(port, losing(*forward)) as path:
            return await ask(path)

    seen = asyncio.run(scenario((1, 2)))
    assert (seen.detail["reflector"], seen.detail["unattributed_lost"]) == ("stateless", 2)
    assert not {"forward_lost", "backward_lost"} & seen.detail.keys()
    assert asyncio.run(scenario(())).detail["reflector"] == "stateless"


def test_a_reflector_that_counts_on_from_burst_to_burst_is_understood() -> None:
    async def scenario() -> list[Outcome]:
        prober = StampProber()
        lost = {1, 5 + 2}  # one of each burst
        async with answering(counting()) as port, relay(port, losing(*lost)) as path:
            seen = [await ask(path, prober=prober) for _ in range(2)]
        await prober.close()
        return seen

    for seen in asyncio.run(scenario()):
        assert (seen.detail["reflector"], seen.detail["forward_lost"]) == ("stateful", 1)
        assert seen.detail["backward_lost"] == 0


def test_bursts_to_one_reflector_at_once_do_not_share_a_count() -> None:
    sources: set[Sockaddr] = set()

    def answer(data: bytes, source: Sockaddr) -> list[bytes]:
        sources.add(source)
        return stateless(data, source)

    async def scenario() -> None:
        prober = StampProber()
        async with answering(answer) as port:
            for _ in range(2):
                await asyncio.gather(*(ask(port, prober=prober) for _ in range(4)))
        assert not prober._lines.owners
        await prober.close()

    asyncio.run(scenario())
    assert len(sources) == 4  # a reflector may know sessions by nothing else, and the sockets are used again


def test_doubled_packets_are_no_answers_more_and_known_by_direction() -> None:
    doubled = lambda index: [0.0, 0.0] if index == 1 else [0.0]  # noqa: E731
    there, back = (asyncio.run(_over(**{way: doubled})) for way in ("forward", "backward"))
    for seen in (there, back):
        assert (seen.detail["received"], seen.detail["duplicates"], seen.detail["loss"]) == (5, 1, 0)
    assert there.detail["forward_duplicates"] == 1
    assert back.detail["backward_duplicates"] == 1
    assert not {"backward_duplicates"} & there.detail.keys()
    assert not {"forward_duplicates"} & back.detail.keys()


def test_packets_that_overtake_each_other_are_counted_by_direction() -> None:
    held = lambda index: [0.08] if index == 1 else [0.0]  # noqa: E731
    there, back = (asyncio.run(_over(**{way: held})) for way in ("forward", "backward"))
    for seen in (there, back):
        assert (seen.detail["received"], seen.detail["reordered"], seen.detail["loss"]) == (5, 1, 0)
    assert there.detail["forward_reordered"] == 1
    assert "backward_reordered" not in there.detail
    assert back.detail["backward_reordered"] == 1
    assert "forward_reordered" not in back.detail


def test_a_delay_is_found_in_the_direction_that_has_it() -> None:
    async def scenario() -> Outcome:
        slow_back = lambda index: [0.04 + 0.02 * (index % 2)]  # noqa: E731
        async with reflector(clock=SYNCHRONISED) as port, relay(port, backward=slow_back) as path:
            prober = StampProber(lambda: SYNCHRONISED)
            seen = await ask(path, prober=prober, delay_degraded="35ms")
            await prober.close()
            return seen

    seen = asyncio.run(scenario())
    assert (seen.verdict, seen.reason, seen.detail["clocks"]) == (Verdict.DEGRADED, "delay", "synchronised")
    forward, backward = (seen.detail[f"{way}_delay_avg_ms"] for way in ("forward", "backward"))
    assert 0 <= forward < 20 < 40 <= backward < 80
    assert seen.detail["forward_jitter_ms"] < 10 < seen.detail["backward_jitter_ms"]
    assert seen.detail["rtt_avg_ms"] == pytest.approx(forward + backward, abs=0.01)
    assert 4 <= seen.detail["delay_error_ms"] < 4.1


def test_where_a_clock_is_not_synchronised_no_delay_is_told_but_its_variation_is() -> None:
    async def scenario() -> Outcome:
        async with reflector(clock=Clock(synchronised=False, error_ns=10**9)) as port:
            prober = StampProber(lambda: SYNCHRONISED)
            seen = await ask(port, prober=prober)
            await prober.close()
            return seen

    seen = asyncio.run(scenario())
    assert seen.detail["clocks"] == "theirs is not synchronised"
    assert not any("_delay_" in name for name in seen.detail)
    assert {"forward_jitter_ms", "backward_variation_ms"} <= seen.detail.keys()


def test_loss_is_degraded_or_bad_from_its_threshold_on() -> None:
    async def scenario() -> list[Outcome]:
        told = ({"loss_degraded": "20 %"}, {"loss_down": "20 %"}, {"loss_degraded": "21 %"})
        return await asyncio.gather(*(_over(forward=losing(2), **options) for options in told))

    assert [(seen.verdict, seen.reason) for seen in asyncio.run(scenario())] == [
        (Verdict.DEGRADED, "loss"),
        (Verdict.BAD, "loss"),
        (Verdict.GOOD, "reflected"),
    ]


def test_silence_is_bad_after_the_timeout() -> None:
    with silent_port() as port, lasting(0.45):
        seen = asyncio.run(ask(port))
    assert (seen.verdict, seen.reason, seen.round_trip_s) == (Verdict.BAD, "timeout", None)
    assert (seen.detail["sent"], seen.detail["loss"]) == (5, 1)


def test_nobody_there_is_bad_at_once() -> None:
    with silent_port() as port:
        pass
    with lasting(most_s=5):
        seen = asyncio.run(ask(port, timeout="20s"))
    assert (seen.verdict, seen.reason) == (Verdict.BAD, "refused")
    assert seen.detail["icmp"] == "3/3"


def test_without_a_route_nothing_was_asked() -> None:
    assert probe_without_network("stamp://10.9.9.9") == "NOT_ASKED no route"
    assert probe_without_network("stamp://[fd00::9]:8620").startswith("NOT_ASKED ")


def test_without_a_socket_nothing_was_asked() -> None:
    async def scenario() -> Outcome:
        prober = StampProber()
        with no_file_descriptors():
            seen = await ask(862, prober=prober)
        await prober.close()
        return seen

    seen = asyncio.run(scenario())
    assert (seen.verdict, seen.reason) == (Verdict.NOT_ASKED, "too many open files")


def test_an_address_that_is_not_ours_cannot_ask() -> None:
    seen = asyncio.run(ask(862, source_address="10.99.99.99"))
    assert (seen.verdict, seen.reason) == (Verdict.NOT_ASKED, "cannot assign requested address")
    seen = asyncio.run(ask(862, source_address="::1"))
    assert (seen.verdict, seen.reason) == (Verdict.NOT_ASKED, "source_address is of the other family")


def test_a_late_loop_loses_nothing() -> None:
    async def scenario() -> Outcome:
        with reflector_in_a_thread() as port:
            asking = asyncio.ensure_future(ask(port, count=3, timeout="400ms"))
            await asyncio.sleep(0.01)
            time.sleep(0.6)
            return await asking

    seen = asyncio.run(scenario())
    assert (seen.verdict, seen.detail["loss"]) == (Verdict.GOOD, 0)
    assert seen.round_trip_s is not None
    assert seen.round_trip_s < 0.1


def test_an_answer_that_came_too_late_is_none_however_late_it_is_read() -> None:
    async def scenario(answers_after_s: float) -> Outcome:
        with late_reflector(answers_after_s) as port:
            asking = asyncio.ensure_future(ask(port, count=1, timeout="300ms"))
            await asyncio.sleep(0.01)
            time.sleep(0.6)
            return await asking

    assert asyncio.run(scenario(0.1)).verdict is Verdict.GOOD
    late = asyncio.run(scenario(0.45))
    assert (late.verdict, late.reason) == (Verdict.BAD, "timeout")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_packets_have_the_code_point_that_was_asked_for(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    wanted = (socket.IPPROTO_IPV6, 66) if ":" in host else (socket.IPPROTO_IP, 13)
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.bind((host, 0))
        sock.setsockopt(*wanted, 1)
        asyncio.run(ask(sock.getsockname()[1], host=host, count=1, timeout="100ms", dscp=46))
        _, ancillary, _, _ = sock.recvmsg(100, 100)
    assert ancillary[0][2][0] == 46 << 2


def test_closing_the_prober_ends_what_is_under_way_and_leaves_no_socket() -> None:
    async def scenario() -> Outcome:
        prober = StampProber()
        with silent_port() as port:
            asking = asyncio.ensure_future(ask(port, prober=prober, timeout="20s"))
            await asyncio.sleep(0.05)
            await prober.close()
            return await asking

    before = open_sockets()
    seen = asyncio.run(scenario())
    assert (seen.verdict, seen.reason) == (Verdict.NOT_ASKED, "prober was closed")
    assert open_sockets() == before


def test_prometheus_is_shown_each_direction() -> None:
    async def scenario() -> Outcome:
        async with reflector(clock=SYNCHRONISED) as port, relay(port, losing(1, 2), losing(0)) as path:
            prober = StampProber(lambda: SYNCHRONISED)
            seen = await ask(path, prober=prober)
            await prober.close()
            return seen

    seen = asyncio.run(scenario())
    shown = {
        (metric.name.removeprefix("probe_stamp_"), *labels.values()): value
        for metric in StampProber.metrics
        for labels, value in metric.samples(seen)
    }
    assert shown["loss_ratio",] == 0.6
    assert shown["lost_packets", "forward"] == 2
    assert shown["lost_packets", "backward"] == 1
    assert ("lost_packets", "unknown") not in shown
    assert shown["duration_seconds", "rtt"] == seen.round_trip_s
    assert shown["delay_seconds", "forward"] == pytest.approx(seen.detail["forward_delay_avg_ms"] / 1000)
    assert shown["delay_error_seconds",] == pytest.approx(0.004, rel=0.05)
    assert {("jitter_seconds", "both"), ("jitter_seconds", "backward"), ("dwell_seconds",)} <= shown.keys()
    assert all(name.startswith("probe_stamp_") for name in (metric.name for metric in StampProber.metrics))


@pytest.mark.parametrize(
    ("text", "expected"), [("stamp://a", ("a", 862)), ("stamp://[fd00::1]:8620", ("fd00::1", 8620))]
)
def test_a_target_is_a_host_and_perhaps_a_port(text: str, expected: tuple[str, int]) -> None:
    target = StampProber.parse(text)
    assert (target.host, target.port) == expected


@pytest.mark.parametrize("text", ["stamp://", "stamp://a/b", "stamp://a:0", "stamp://a?x", "stamp://u@a"])
def test_a_target_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        StampProber.parse(text)


async def _over(forward: Fate = untouched, backward: Fate = untouched, **options: object) -> Outcome:
    async with reflector() as port, relay(port, forward, backward) as path:
        return await ask(path, **options)
