"""Open pages are told when to look again."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from monitor.track.states import State
from monitor.web import events
from tests.web.house import PBX, House


async def told(answer: aiohttp.ClientResponse) -> str:
    """The next event."""
    async with asyncio.timeout(5):
        while True:
            line = (await answer.content.readline()).decode()
            if line.startswith("event: "):
                return line.removeprefix("event: ").strip()
            assert line, "the stream has ended"


def test_a_change_of_state_is_told_within_a_second_or_so(house: House) -> None:
    async def listen() -> str:
        async with house.served() as site, site.client.get("/events") as answer:
            assert answer.headers["Content-Type"] == "text/event-stream"
            await answer.content.readline()
            await asyncio.sleep(0)
            house.turn(PBX, State.DOWN, "2026-11-20T14:02:30")
            return await told(answer)

    assert asyncio.run(listen()) == "change"


def test_a_tick_comes_where_nothing_changes(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LOOK_S", 0.02)

    async def listen() -> str:
        async with house.served() as site, site.client.get("/events") as answer:
            return await told(answer)

    assert asyncio.run(listen()) == "tick"


def test_there_is_a_limit_to_how_many_listen(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LISTENERS", 2)
    monkeypatch.setattr(events, "LOOK_S", 0.02)  # who has gone is noticed when something is told

    async def listen() -> None:
        async with house.served() as site:
            first = await site.client.get("/events")
            second = await site.client.get("/events")
            await second.content.readline()
            async with site.client.get("/events") as refused:
                assert refused.status == 503
                assert refused.headers["Retry-After"] == "30"
            first.close()
            async with asyncio.timeout(15):
                while (await site.client.get("/events")).status == 503:
                    await asyncio.sleep(0.05)
            second.close()

    asyncio.run(listen())


def test_a_stop_does_not_wait_for_open_pages(house: House) -> None:
    async def listen() -> bytes:
        async with aiohttp.ClientSession() as client:
            async with house.served() as site:
                answer = await client.get(f"{site.url}/events")
                await answer.content.readline()
            async with asyncio.timeout(2):
                return await answer.content.read()

    assert b"retry" not in asyncio.run(listen())
