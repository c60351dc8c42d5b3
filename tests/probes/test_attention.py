"""A late loop is our fault: what is promised of time-outs."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest

from probes.attention import TICK_S, Deadline, Expired, attended, silence
from probes.outcome import Verdict
from tests.pace import lasting


async def nothing() -> None:
    await asyncio.Event().wait()


async def read_through(sock: socket.socket, turns: int) -> bytes:
    """Read as a layered client does: the data wakes a task, which wakes a task, which …"""
    loop = asyncio.get_running_loop()
    if turns == 0:
        return await loop.sock_recv(sock, 100)
    return await asyncio.create_task(read_through(sock, turns - 1))


def test_silence_ends_at_the_deadline() -> None:
    async def scenario() -> None:
        with lasting(0.1), pytest.raises(Expired):
            async with attended(0.1):
                await nothing()

    asyncio.run(scenario())


def test_silence_is_a_time_out_of_the_target() -> None:
    async def scenario() -> None:
        block = attended(0.02)
        with pytest.raises(Expired):
            async with block:
                await nothing()
        outcome = silence(block.deadline, 1, {"address": "192.0.2.1"})
        assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "timeout")
        assert outcome.detail == {"address": "192.0.2.1"}

    asyncio.run(scenario())


@pytest.mark.parametrize("turns", [0, 1, 3])
def test_an_answer_in_the_socket_beats_the_deadline_however_late_the_loop_reads_it(turns: int) -> None:
    async def scenario() -> None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with ours, theirs:
            async with attended(0.05):
                reading = asyncio.create_task(read_through(ours, turns))
                await asyncio.sleep(0)
                theirs.send(b"answer")
                time.sleep(0.3)
                assert await reading == b"answer"

    asyncio.run(scenario())


def test_a_stall_that_begins_just_before_the_deadline_does_not_count_against_the_answer() -> None:
    async def scenario() -> None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        loop = asyncio.get_running_loop()

        def answer_and_stall() -> None:
            theirs.send(b"answer")
            time.sleep(0.1)

        with ours, theirs:
            async with attended(0.05):
                loop.call_later(0.048, answer_and_stall)
                assert await loop.sock_recv(ours, 100) == b"answer"

    asyncio.run(scenario())


def test_a_stall_puts_the_deadline_off_by_its_length() -> None:
    async def scenario() -> None:
        asyncio.get_running_loop().call_later(0.05, time.sleep, 0.3)
        block = attended(0.6)
        with lasting(0.9 - TICK_S - 0.01), pytest.raises(Expired):
            async with block:
                await nothing()
        assert not block.deadline.unattended

    asyncio.run(scenario())


def test_an_answer_to_a_question_that_the_stall_held_up_still_counts() -> None:
    async def scenario() -> None:
        async with attended(0.2):
            await asyncio.sleep(0.01)
            time.sleep(0.19)
            await asyncio.sleep(0.1)

    asyncio.run(scenario())


def test_a_loop_that_was_away_for_the_whole_time_says_nothing_of_the_target() -> None:
    async def scenario() -> None:
        block = attended(0.05)
        asyncio.get_running_loop().call_soon(time.sleep, 0.2)
        with lasting(0.2), pytest.raises(Expired):
            async with block:
                await nothing()
        outcome = silence(block.deadline, 1, {})
        assert (outcome.verdict, outcome.reason) == (Verdict.NOT_ASKED, "loop was late")

    asyncio.run(scenario())


def test_a_loop_that_is_always_late_ends_the_probe_within_twice_its_time() -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        stalling = True

        def stall() -> None:
            time.sleep(0.05)
            if stalling:
                loop.call_soon(stall)

        loop.call_soon(stall)
        block = attended(0.3)
        with lasting(0.6), pytest.raises(Expired):
            async with block:
                await nothing()
        stalling = False
        assert silence(block.deadline, 1, {}).verdict is Verdict.NOT_ASKED

    asyncio.run(scenario())


def test_time_that_the_resolver_used_up_is_not_held_against_the_target() -> None:
    async def scenario() -> None:
        deadline = Deadline(4.0, lambda: None)
        deadline.cancel()
        assert silence(deadline, 1, {}, resolve_s=0.3).verdict is Verdict.BAD
        slow = silence(deadline, 1, {}, resolve_s=0.5)
        assert (slow.verdict, slow.reason) == (Verdict.NOT_ASKED, "resolver was slow")

    asyncio.run(scenario())


def test_a_stall_before_the_deadline_began_is_none_of_its_business() -> None:
    async def scenario() -> None:
        async with attended(1):
            await asyncio.sleep(0)
            time.sleep(0.5)
            late = Deadline(1, lambda: None)
            await asyncio.sleep(2 * TICK_S)
            assert late.stalled_s < 0.4
            late.cancel()

    asyncio.run(scenario())


def test_a_cancelled_deadline_never_strikes() -> None:
    async def scenario() -> None:
        struck: list[str] = []
        Deadline(0.01, lambda: struck.append("cancelled")).cancel()
        over = asyncio.Event()
        Deadline(0.03, over.set)
        await over.wait()
        assert struck == []

    asyncio.run(scenario())


def test_cancelling_the_task_from_outside_stays_a_cancellation() -> None:
    async def scenario() -> None:
        async def probe() -> None:
            async with attended(5):
                await nothing()

        task = asyncio.create_task(probe())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())


def test_other_errors_pass_through_the_block_unchanged() -> None:
    async def scenario() -> None:
        with pytest.raises(TimeoutError, match="the kernel's"):
            async with attended(5):
                raise TimeoutError("the kernel's")

    asyncio.run(scenario())
