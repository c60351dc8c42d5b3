"""The log of one probe: nobody pays for it but who watches, and no peer can fill it."""

from __future__ import annotations

import asyncio

from probes.trace import LONGEST, MOST_LINES, tell, traced


def test_steps_are_kept_with_their_facts_while_somebody_watches() -> None:
    tell("before")
    with traced() as trace:
        tell("sent", to="192.0.2.1", bytes=12)
    tell("after")
    assert [(line.what, line.facts) for line in trace.lines] == [("sent", {"to": "192.0.2.1", "bytes": "12"})]
    assert trace.lines[0].at_ns > 0


def test_probes_side_by_side_have_logs_of_their_own() -> None:
    async def probe(name: str) -> list[str]:
        with traced() as trace:
            tell(name)
            await asyncio.sleep(0)
            tell(name)
        return [line.what for line in trace.lines]

    async def both() -> list[list[str]]:
        return list(await asyncio.gather(probe("a"), probe("b")))

    assert asyncio.run(both()) == [["a", "a"], ["b", "b"]]


def test_a_log_is_bounded() -> None:
    with traced() as trace:
        for _ in range(MOST_LINES + 5):
            tell("received", message="x" * 2 * LONGEST)
    assert (len(trace.lines), trace.more) == (MOST_LINES, 5)
    assert all(len(line.facts["message"]) == LONGEST for line in trace.lines)
