"""Long work in the loop, cut into slices, so that it never holds the loop and is never done twice at once.

A thread would not do: it holds the interpreter's lock while it runs, and the loop then waits for it at every
step that it takes. Work that goes on in the loop for a millisecond or less and then lets all that is ready go
first costs the probes less.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def in_turns(pieces: Iterable[T]) -> list[T]:
    """All pieces; between any two of them everything else that the loop has to do goes first."""
    made = []
    for piece in pieces:
        made.append(piece)
        await asyncio.sleep(0)
    return made


class Shared:
    """Work under way that is shared by all who ask for the same while it lasts."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, asyncio.Task[Any]] = {}

    async def result(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What ``work`` comes to; started only if the work of that key is not under way."""
        task: asyncio.Task[T] | None = self._under_way.get(key)
        if task is None:
            task = asyncio.create_task(work())
            self._under_way[key] = task
            task.add_done_callback(lambda _: self._under_way.pop(key))
        return await asyncio.shield(task)  # who goes away does not take the others' work along
