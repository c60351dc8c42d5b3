"""The journal of calls: the cap of an hour holds across restarts, clocks and processes; open calls are found."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.call.dialog import Dialog
from probes.call.journal import HOUR_S, Journal, JournalFailed, Spent
from probes.call.options import CallOptions
from probes.call.record import NotARecord, Record, read
from probes.resolve import literal
from probes.sip.locate import Member
from probes.sip.uri import parse_target


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def begin(journal: Journal, number: int, per_hour: int, destination: str = "1000@sbc") -> None:
    journal.begin(f"call-{number}", "{}", destination, per_hour)


@given(st.lists(st.integers(0, 2_000), min_size=1, max_size=60), st.integers(1, 6))
def test_no_hour_holds_more_calls_than_the_cap(steps: list[int], per_hour: int) -> None:
    clock = Clock()
    journal = Journal(now=clock)
    made, waits = [], []
    for number, step in enumerate(steps):
        clock.now += step
        try:
            begin(journal, number, per_hour)
        except Spent as error:
            waits.append(error.wait_s)
        else:
            made.append(clock.now)
    journal.close()
    assert all(0 < wait_s <= HOUR_S for wait_s in waits)
    for at in made:
        assert sum(at - HOUR_S < other <= at for other in made) <= per_hour


def test_the_wait_that_is_told_is_the_one_that_is_needed() -> None:
    clock = Clock()
    journal = Journal(now=clock)
    begin(journal, 1, 2)
    clock.now += 1_000
    begin(journal, 2, 2)
    with pytest.raises(Spent) as spent:
        begin(journal, 3, 2)
    assert spent.value.wait_s == 2_600
    clock.now += 2_600
    begin(journal, 3, 2)


def test_destinations_and_stricter_checks_have_caps_of_their_own() -> None:
    journal = Journal()
    begin(journal, 1, 2)
    begin(journal, 2, 1, "2000@sbc")
    with pytest.raises(Spent):
        begin(journal, 3, 1)
    begin(journal, 4, 2)


def test_a_clock_that_is_set_back_makes_no_room() -> None:
    clock = Clock()
    journal = Journal(now=clock)
    begin(journal, 1, 1)
    clock.now -= 10 * HOUR_S
    with pytest.raises(Spent):
        begin(journal, 2, 1)
    clock.now += HOUR_S
    begin(journal, 2, 1)


def test_the_cap_outlives_the_process(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    begin(first, 1, 1)
    first.close()
    with pytest.raises(Spent):
        begin(Journal(tmp_path), 2, 1)


_OTHER = """
import sys, time
from pathlib import Path
from probes.call.journal import Journal, Spent
journal = Journal(Path(sys.argv[1]))
made = 0
for number in range(20):
    try:
        journal.begin(f"{sys.argv[2]}-{number}", "{}", "1000@sbc", 30)
        made += 1
    except Spent:
        pass
print(made, flush=True)
time.sleep(60)
"""


def _other(folder: Path, name: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _OTHER, str(folder), name], stdout=subprocess.PIPE, text=True
    )


def test_processes_that_share_a_folder_share_the_cap_and_leave_each_other_s_calls_alone(
    tmp_path: Path,
) -> None:
    others = [_other(tmp_path, name) for name in "ab"]
    try:
        made = [int(other.stdout.readline()) for other in others if other.stdout]
        assert sum(made) == 30
        mine = Journal(tmp_path)
        assert mine.take_over() == {}
        os.kill(others[0].pid, signal.SIGKILL)
        others[0].wait()
        left = mine.take_over()
        assert len(left) == made[0]
        assert all(call_id.startswith("a-") for call_id in left)
        assert mine.take_over() == {}
    finally:
        for other in others:
            other.kill()
            other.communicate()


def test_a_call_that_ended_is_not_found_and_one_that_came_further_is_as_it_was_noted_last(
    tmp_path: Path,
) -> None:
    first = Journal(tmp_path)
    begin(first, 1, 5)
    begin(first, 2, 5)
    first.update("call-2", '{"far": 1}')
    first.end("call-1")
    first.close()
    assert Journal(tmp_path).take_over() == {"call-2": '{"far": 1}'}


def test_a_journal_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "calls.sqlite").write_bytes(b"no database, and long enough to be one" * 100)
    with pytest.raises(JournalFailed, match="not a database"):
        Journal(tmp_path)
    with pytest.raises(OSError, match="owners"):
        Journal(tmp_path / "missing")


def test_a_record_is_read_as_it_was_written() -> None:
    found = literal("127.0.0.1")
    assert found is not None
    record = Record(
        parse_target("sip:1000@sbc.example.net;transport=tcp"),
        CallOptions.model_validate(
            {"user": "me", "password_file": "secret", "dscp": 24, "verify_tls": False}
        ),
        Member("sbc.example.net", found.addresses[0], 5060, "tcp"),
        6000,
        b"INVITE sip:x SIP/2.0\r\n\r\n",
        (Dialog("c", "<sip:a>;tag=1", "<sip:b>;tag=2", "sip:b@h", ("<sip:r;lr>",)),),
    )
    again = read(record.write())
    assert (again.target, again.member, again.port) == (record.target, record.member, record.port)
    assert (again.invite, again.dialogs) == (record.invite, record.dialogs)
    assert (again.options.user, again.options.dscp, again.options.verify_tls) == ("me", 24, False)
    assert str(again.options.password_file) == "secret"


@given(st.text())
def test_a_record_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(NotARecord):
        read(text)


@pytest.mark.parametrize("text", ["{}", "[]", "null", '{"target": "x"}'])
def test_a_record_that_lacks_something_is_refused(text: str) -> None:
    with pytest.raises(NotARecord):
        read(text)
