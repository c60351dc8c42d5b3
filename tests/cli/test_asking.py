"""A prober at work outside the agent."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import pytest

from monitor.cli.asking import Asked, Asker
from probes.metric import Metric
from probes.outcome import Outcome, Verdict
from probes.prober import Options


class Slow:
    """Takes until it is closed where the target is "hang", else 30 ms; remembers where it was told to keep things."""

    schemes: ClassVar[tuple[str, ...]] = ("slow",)
    options: ClassVar[type[Options]] = Options
    metrics: ClassVar[tuple[Metric, ...]] = ()
    log: ClassVar[list[object]] = []

    def __init__(self) -> None:
        self._closed = asyncio.Event()

    @staticmethod
    def parse(text: str) -> str:
        return text

    def remember_in(self, folder: Path) -> None:
        self.log.append(folder)

    async def probe(self, target: str, options: Options) -> Outcome:
        self.log.append("begun")
        sent_ns = time.monotonic_ns()
        if target == "hang":
            os.kill(os.getpid(), signal.SIGINT)
            await self._closed.wait()
            self.log.append("hung up")
            return Outcome(Verdict.NOT_ASKED, sent_ns, "prober was closed")
        await asyncio.sleep(0.03)
        return Outcome(Verdict.GOOD, sent_ns, "slow")

    async def close(self) -> None:
        self._closed.set()
        self.log.append("closed")


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    Slow.log.clear()


def ask(target: str, count: int, interval_ms: int) -> list[Asked]:
    seen: list[Asked] = []
    asyncio.run(Asker(target, Slow, target, Options(), False).ask(count, interval_ms, seen.append))
    return seen


def test_a_prober_that_remembers_is_handed_a_folder_of_its_own_before_it_asks(tmp_path: Path) -> None:
    ask("here", 1, 0)
    assert Slow.log == [tmp_path / "ringback" / "slow", "begun", "closed"]
    assert (tmp_path / "ringback" / "slow").stat().st_mode & 0o777 == 0o700


def test_probes_keep_their_beat_and_never_overlap() -> None:
    on_the_beat, overdue = ([one.begun_ns for one in ask("here", 3, gap_ms)] for gap_ms in (60, 1))
    assert on_the_beat[2] - on_the_beat[0] >= 2 * 60e6 * 0.99
    assert all(later - earlier >= 30e6 * 0.99 for earlier, later in pairwise(overdue))


def test_a_signal_lets_the_prober_end_what_it_has_begun_and_takes_no_outcome_of_it() -> None:
    assert ask("hang", 0, 0) == []
    assert Slow.log[1:] == ["begun", "closed", "hung up"]
