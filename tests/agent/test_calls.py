"""A hundred calls under way when the agent is stopped, or killed: the peer is left with none."""

from __future__ import annotations

import csv
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent.real import Ringback, eventually, running
from tests.probes.call_peers import ANSWERED, ENDED, Sipp, sipp

CALLS = 100
CHECKS = 130
"""They begin at once, and a check of 12 s talks for 9.5 s of them: time enough to see that they talk."""

_WATCHED = """  - id: trunk
    kind: sip-trunk
    up_when: any
    checks:
"""
_CHECK = (
    "      - {{target: 'call:{number}@127.0.0.1:{port}', answer_within: 500ms, duration: 9500ms, "
    "calls_per_hour: 3600}}\n"
)
_DEFAULTS = "{interval: 12s, timeout: 12s, fall: 3, rise: 2, retry_interval: 12s}"


class Peer:
    """The user agent, and what it says of its calls, once a second."""

    def __init__(self, user_agent: Sipp, table: Path) -> None:
        self.port = user_agent.port
        self._table = table

    def count(self, column: str) -> int:
        return int(self._rows(column)[-1][column])

    def _rows(self, column: str) -> list[dict[str, str]]:
        with self._table.open() as lines:
            return [row for row in csv.DictReader(lines, delimiter=";") if row.get(column)]

    def calls(self) -> int:
        return self.count("CurrentCall")

    def talking(self) -> int:
        """Calls that were under way a second before the last line already: none rings for so long."""
        rows = self._rows("CurrentCall")[-2:]
        return min(int(row["CurrentCall"]) for row in rows)


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Peer]:
    table = tmp_path / "calls.csv"
    words = ("-trace_stat", "-stf", str(table), "-fd", "1")
    with sipp(tmp_path, *ANSWERED, *ENDED, calls=100_000, words=words, timeout="120s") as user_agent:
        yield Peer(user_agent, table)


def test_no_call_is_left_open_by_a_stop_nor_after_a_crash_by_the_next_start(
    tmp_path: Path, peer: Peer
) -> None:
    checks = "".join(_CHECK.format(number=number, port=peer.port) for number in range(CHECKS))
    agent = Ringback(tmp_path, _WATCHED + checks, defaults=_DEFAULTS)
    with running(agent):
        eventually(lambda: peer.talking() >= CALLS, 40)
        agent.signal(signal.SIGTERM)
        assert agent.child is not None
        assert agent.child.wait(15) == 0
        eventually(lambda: peer.calls() == 0, 5)

        agent.start()
        eventually(lambda: peer.talking() >= CALLS, 40)
        agent.kill()
        assert peer.calls() >= CALLS
        agent.services = "  - {id: other, kind: link, checks: [], up_when: all}\n"
        agent.write()
        agent.start()
        eventually(lambda: peer.calls() == 0, 15)
    cancelled = peer.count("FailedUnexpectedMessage(C)")  # while they rang: no step of the scenario
    assert peer.count("FailedCall(C)") == cancelled < CALLS / 5
    assert peer.count("SuccessfulCall(C)") >= 2 * CALLS
