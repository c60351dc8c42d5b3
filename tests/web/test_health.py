"""Whether the agent lives, and whether it does its work."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.web.house import House


def ask(house: House, path: str, status: int) -> dict[str, Any]:
    async def get() -> str:
        async with house.served() as site:
            return await site.text(path, status)

    answer: dict[str, Any] = json.loads(asyncio.run(get()))
    return answer


def test_it_is_alive_as_long_as_it_answers(house: House) -> None:
    house.live.probing = False
    assert ask(house, "/healthz", 200) == {"status": "alive", "version": "0.1.0"}


def test_it_is_ready_while_it_probes_and_writes(house: House) -> None:
    assert ask(house, "/readyz", 200) == {"status": "ready"}


def test_it_says_everything_that_keeps_it_from_being_ready(house: House) -> None:
    house.live.probing = False
    house.live.store_failing = "database or disk is full"
    house.live.covered_ms = house.now_ms - 61_000
    assert ask(house, "/readyz", 503) == {
        "status": "not ready",
        "reasons": [
            "not probing: the agent is starting or stopping",
            "the database cannot be written: database or disk is full",
            "nothing has been written for 61 s",
        ],
    }
