"""Long work lets the loop go on, and is done once for all who ask."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from monitor.web.slices import Shared, in_turns
from tests.web.house import counting_turns


def test_the_loop_turns_between_any_two_pieces() -> None:
    async def work() -> list[int]:
        counted = counting_turns()

        def pieces() -> Iterator[int]:
            for _ in range(50):
                yield counted[0]

        return await in_turns(pieces())

    turns = asyncio.run(work())
    assert turns == sorted(set(turns))


def test_work_under_way_is_shared_and_not_kept() -> None:
    started = []

    async def work() -> int:
        started.append(1)
        await asyncio.sleep(0)
        return len(started)

    async def ask() -> list[int]:
        shared = Shared()
        together = await asyncio.gather(*(shared.result("a", work) for _ in range(5)))
        return [*together, await shared.result("a", work)]

    assert asyncio.run(ask()) == [1, 1, 1, 1, 1, 2]


def test_who_goes_away_does_not_take_the_work_along() -> None:
    async def ask() -> str:
        shared, done = Shared(), asyncio.Event()

        async def work() -> str:
            await done.wait()
            return "made"

        first = asyncio.create_task(shared.result("a", work))
        second = asyncio.create_task(shared.result("a", work))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        done.set()
        return await second

    assert asyncio.run(ask()) == "made"


def test_a_failure_is_everybodys_and_is_forgotten() -> None:
    async def fail() -> None:
        raise ValueError("no")

    async def ask() -> None:
        shared = Shared()
        for _ in range(2):
            with pytest.raises(ValueError, match="no"):
                await shared.result("a", fail)

    asyncio.run(ask())
