"""How outcomes look: whatever a prober puts into its detail, and whatever a peer put into that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.cli.detail_view import certificate_lines, detail_lines
from monitor.cli.outcome_view import log_lines, outcome_lines
from monitor.cli.probe_series import Series
from monitor.cli.series_view import summary_lines, summary_record
from monitor.track.states import State
from probes.outcome import Outcome, Verdict
from probes.trace import Line, Trace

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def shown(detail: dict[str, object]) -> list[str]:
    return [line.plain for line in detail_lines(detail)]


def test_members_are_a_line_each_under_their_keys() -> None:
    members = [
        {"name": "a.example.net", "port": 5060, "verdict": "good", "reason": "200", "round_trip_ms": 12.3},
        {"name": "bb.example.net", "port": 506, "verdict": "bad", "reason": "timeout", "round_trip_ms": None},
    ]
    assert shown({"address": "10.0.0.1", "members": members}) == [
        "  address  10.0.0.1",
        "  members",
        "    name            port  verdict  reason   round_trip_ms",
        "    a.example.net   5060  good     200               12.3",
        "    bb.example.net   506  bad      timeout",
    ]


def test_mappings_lists_and_long_texts_keep_their_shape() -> None:
    detail: dict[str, object] = {
        "rtp": {"sent": 500, "jitter_ms": 1.5, "lost": {"burst": 3}},
        "answers": ["10.0.0.1", "10.0.0.2"],
        "none_there": [],
        "dnssec": True,
        "warning": None,
        "banner": "one\ntwo",
        "names": [f"host{n}.example.net" for n in range(9)],
    }
    assert shown(detail) == [
        "  rtp",
        "    sent       500",
        "    jitter_ms  1.5",
        "    lost",
        "      burst  3",
        "  answers     10.0.0.1, 10.0.0.2",
        "  none_there  none",
        "  dnssec      yes",
        "  warning     none",
        "  banner      one",
        "              two",
        "  names       host0.example.net",
        *(f"              host{n}.example.net" for n in range(1, 9)),
    ]


def test_a_peer_cannot_write_to_the_terminal() -> None:
    evil = "\x1b]0;title\x07\x9b31mred\rgone"
    detail = {"server": evil, "members": [{"name": evil}], "tree": {evil: evil}, "list": [evil, [evil]]}
    outcome = Outcome(Verdict.BAD, 0, evil, detail={**detail, "certificate_subject": evil})
    trace = Trace([Line(0, "received", {"message": f"{evil}\nmore", "from": evil})])
    lines = [*outcome_lines("sip:h", outcome, 0, 3, 2), *log_lines(trace, 0)]
    assert "\\x1b]0;title\\x07" in "".join(line.plain for line in lines)
    assert all(line.plain.isprintable() for line in lines)


def test_a_message_in_the_log_is_indented_below_its_step() -> None:
    trace = Trace(
        [Line(1_500_000, "sent", {"to": "10.0.0.1", "message": "OPTIONS sip:h\r\nVia: x\r\n\r\n"})], more=2
    )
    assert [line.plain for line in log_lines(trace, 0)] == [
        "     +1.500 ms  sent  to=10.0.0.1",
        "                message:",
        "                  OPTIONS sip:h",
        "                  Via: x",
        "                ... and 2 more",
    ]


@pytest.mark.parametrize(
    ("days", "words", "style"),
    [(30, "in 30 days", "green"), (1, "in 1 day)", "yellow"), (-3, "expired 3 days ago", "red")],
)
def test_a_certificate_is_a_block_that_counts_the_days(days: int, words: str, style: str) -> None:
    expires = (NOW + timedelta(days=days)).isoformat()
    block = list(certificate_lines({"certificate_expires": expires, "certificate_names": ["a", "b"]}, NOW))
    assert block[0].plain == "  certificate"
    assert [line.plain.split()[0] for line in block[1:]] == ["names", "expires"]
    assert words in block[2].plain
    assert any(style in str(span.style) for span in block[2].spans)
    assert not list(certificate_lines({"status": 200}, NOW))


@pytest.mark.parametrize(
    ("target", "reason", "words"),
    [
        ("sip:h", "480", "480 Temporarily Unavailable"),
        ("SIPS:h", "604", "604 Does Not Exist Anywhere"),
        ("https://h/", "418", "418 I'm a Teapot"),
        ("snmp://h", "480", "(480)"),
        ("tcp://h:1", "no route", "has no way to the target"),
        ("https://h/", "certificate: certificate has expired", "would not go on"),
        ("sip:h", "799", "(799)"),
    ],
)
def test_reasons_are_put_into_words(target: str, reason: str, words: str) -> None:
    lines = outcome_lines(target, Outcome(Verdict.BAD, 0, reason), 0, 3, 2)
    assert words in "\n".join(line.plain for line in lines)


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (Verdict.GOOD, "counts this as up. 4 such answers in a row (rise)"),
        (
            Verdict.DEGRADED,
            "counts this as degraded: it answers, but not as well as was asked for. 5 in a row (fall)",
        ),
        (Verdict.BAD, "counts this as down. 5 in a row (fall) confirm an outage"),
        (Verdict.NOT_ASKED, "as unknown: the fault is on this side, and is never held against the target"),
    ],
)
def test_what_a_check_would_make_of_it_is_said_with_the_rule(verdict: Verdict, words: str) -> None:
    *_, last = outcome_lines("tcp://h:1", Outcome(verdict, 0, "x"), 0, 5, 4)
    assert words in last.plain


@given(
    st.lists(st.sampled_from(Verdict), max_size=40),
    st.integers(1, 3),
    st.integers(1, 3),
)
def test_a_series_adds_up(verdicts: list[Verdict], fall: int, rise: int) -> None:
    series = Series("tcp://h:1", fall, rise)
    for number, verdict in enumerate(verdicts):
        reason = "timeout" if verdict is Verdict.BAD else "any"
        series.take(Outcome(verdict, 0, reason, None if verdict > 1 else 0.001), 1_000 * number)
    record = summary_record(series)
    assert record["probes"] == len(verdicts) == sum(record[verdict.word] for verdict in Verdict)
    asked = [verdict for verdict in verdicts if verdict is not Verdict.NOT_ASKED]
    assert record["loss"] == (asked.count(Verdict.BAD) / len(asked) if asked else None)
    ends = [at for span in series.spans(State.DOWN) for at in (span.from_ms, span.to_ms) if at is not None]
    assert ends == sorted(set(ends))
    assert list(summary_lines(series))


@given(st.lists(st.booleans(), max_size=40))
def test_with_fall_and_rise_of_one_every_run_of_bad_answers_is_an_outage(bad: list[bool]) -> None:
    series = Series("tcp://h:1", 1, 1)
    for number, one in enumerate(bad):
        series.take(Outcome(Verdict.BAD if one else Verdict.GOOD, 0, ""), number)
    begins = [n for n, one in enumerate(bad) if one and (n == 0 or not bad[n - 1])]
    assert [span.from_ms for span in series.spans(State.DOWN)] == begins


def test_the_packets_of_a_burst_count_one_by_one() -> None:
    series = Series("icmp://h", 3, 2)
    for received in (5, 3):
        series.take(
            Outcome(Verdict.GOOD, 0, "echo", 0.01, detail={"sent": 5, "received": received}), received
        )
    assert series.loss == 0.2


def test_an_outage_that_is_confirmed_late_takes_the_place_of_what_was_stated_since() -> None:
    series = Series("tcp://h:1", 3, 2)
    seen = [Verdict.GOOD, Verdict.BAD, Verdict.NOT_ASKED, Verdict.BAD, Verdict.BAD]
    for number, verdict in enumerate(seen):
        series.take(Outcome(verdict, 0, verdict.word), number)
    assert [(span.from_ms, span.to_ms) for span in series.spans(State.DOWN)] == [(1, 2), (3, None)]
    assert [(span.from_ms, span.to_ms) for span in series.spans(State.UNKNOWN)] == [(2, 3)]
