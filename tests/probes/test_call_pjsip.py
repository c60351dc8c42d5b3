"""Calls to a PJSIP user agent: audio with its RTCP, early media, BYE from either side, refusals, no answer."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from probes.outcome import Outcome, Verdict
from tests.probes.call_peers import call

pytest.importorskip("pjsua2", reason="pjsua2 (PJSIP) is not installed")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.probes.pjsip_agent"],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    said = next(line for line in child.stdout if line.startswith("port "))
    yield int(said.split()[1])
    child.kill()
    child.wait()


def ask(port: int, number: str, **options: object) -> Outcome:
    return call(f"call:{number}@127.0.0.1:{port}", **{"duration": "800ms", "answer_within": "2s", **options})


@pytest.mark.parametrize("codec", ["PCMA", "PCMU"])
def test_a_call_is_good_and_both_sides_say_how_they_hear(port: int, codec: str) -> None:
    outcome = ask(port, "echo", codecs=[codec], audio="sound")
    detail = outcome.detail
    assert (outcome.verdict, outcome.reason) == (Verdict.GOOD, "200")
    assert (detail["codec"], detail["silent"], detail["ended_by"]) == (codec, False, "us")
    assert 36 <= int(str(detail["rtp_received"])) <= 42
    assert (detail["rtp_lost"], detail["far_loss_percent"]) == (0, 0.0)
    assert float(str(detail["far_jitter_ms"])) < 15
    assert float(str(detail["rtcp_round_trip_ms"])) < 100
    assert "rtp_foreign" not in detail


def test_early_media_is_heard(port: int) -> None:
    outcome = ask(port, "early")
    assert outcome.verdict is Verdict.GOOD
    assert 0 < float(str(outcome.detail["early_media_ms"])) < 300
    assert 0.25 < dict(outcome.phases)["answer"] < 0.8


def test_who_hangs_up_on_us_is_degraded(port: int) -> None:
    outcome = ask(port, "hangup", duration="3s", timeout="12s")
    assert (outcome.verdict, outcome.reason) == (Verdict.DEGRADED, "hung up early")
    assert outcome.detail["ended_by"] == "peer"
    assert 0.35 < dict(outcome.phases)["talk"] < 1


def test_silence_is_bad_where_sound_is_wanted(port: int) -> None:
    assert ask(port, "mute", audio="sound").reason == "silence"
    assert ask(port, "mute").verdict is Verdict.GOOD


def test_busy_and_no_answer(port: int) -> None:
    busy, ringing = ask(port, "busy"), ask(port, "ring", answer_within="500ms")
    assert (busy.verdict, busy.reason) == (Verdict.DEGRADED, "486")
    assert (ringing.verdict, ringing.reason, ringing.detail["provisional"]) == (Verdict.BAD, "no answer", 180)


def test_the_agent_has_no_call_left_when_all_of_them_are_over(port: int) -> None:
    """It has room for four calls at a time: what was left open would take it up."""
    for _ in range(3):
        for number in ("echo", "ring"):
            ask(port, number, duration="100ms", answer_within="300ms", audio="ignored")
    assert ask(port, "echo").verdict is Verdict.GOOD
