"""What may stand in a history file, and what is said of what may not."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.store.history_file import HistoryErrors, HistorySpan, parse_history

ZONES = {"acme-trunk": "Europe/Luxembourg", "acme-pbx": "Asia/Tokyo"}
NOW = 1_800_000_000_000
GOOD = {"service": "acme-trunk", "state": "up", "from": "2026-10-01T00:00:00Z", "to": "2026-10-02T00:00:00Z"}


def mistakes(*lines: bytes) -> tuple[str, ...]:
    with pytest.raises(HistoryErrors) as caught:
        parse_history(lines, ZONES, NOW)
    return caught.value.mistakes


def line(**changes: object) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


def exclusion(word: str, reason: str) -> bytes:
    window = {"from": "2026-10-01", "to": "2026-10-02"}
    return json.dumps({"service": "acme-trunk", "exclusion": word, "reason": reason, **window}).encode()


def test_spans_come_in_any_order_and_are_sorted() -> None:
    later = line(**{"from": "2026-10-02T00:00:00Z", "to": "2026-10-03T00:00:00Z", "state": "down"})
    history = parse_history([later, b"\n", line()], ZONES, NOW)
    assert [(span.line, span.state) for span in history.spans["acme-trunk"]] == [(3, "up"), (1, "down")]


def test_an_instant_without_offset_is_in_the_time_zone_of_the_contract() -> None:
    local = {"from": "2026-10-01T00:00", "to": "2026-10-01T00:00:00.001"}
    history = parse_history([line(**local), line(service="acme-pbx", **local)], ZONES, NOW)
    luxembourg, tokyo = (history.spans[name][0].from_ms for name in ZONES)
    assert luxembourg - tokyo == 7 * 3_600_000


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm() -> None:
    assert parse_history([b"\xef\xbb\xbf" + line() + b"\r\n"], ZONES, NOW).spans


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (b"\xff", "line 1: expected UTF-8: byte 1 is none"),
        (b"{", "line 1: expected a JSON object: "),
        (b"[1]", "line 1: expected a JSON object"),
        (b"[" * 10_000, "line 1: expected a JSON object, not one nested without end"),
        (b"1" * 10_000, "line 1: "),
        (b" " * 9 + b"1" * 20_000, "line 1: expected at most 16384 bytes in a line"),
        (line().replace(b'"up"', b"NaN"), "line 1: expected JSON, which has no NaN"),
        (line().replace(b'"up"', b'"up", "state": "down"'), "line 1: expected each key once"),
        (line(state="UP"), "line 1: 'state': expected one of up, degraded, down, unknown, not 'UP'"),
        (line(state=[]), "line 1: 'state': expected one of up, degraded, down, unknown, not []"),
        (line(fom=1), "line 1: unknown key 'fom'; did you mean 'from'?"),
        (b'{"service": "acme-trunk"}', "line 1: expected the key 'from'"),
        (line(service="acme-trnk"), "not 'acme-trnk'; did you mean 'acme-trunk'?"),
        (line(service=1), "line 1: expected a service of the configuration, not 1"),
        (line(to=GOOD["from"]), "line 1: expected 'from' before 'to'"),
        (line(to=10**30), "line 1: 'to': expected an instant such as"),
        (line(to="2026-10-01T00:00:00.0001Z"), "line 1: 'to': expected whole milliseconds"),
        (line(to="2026-13-01"), "line 1: 'to': expected an instant such as"),
        (line(to="2026-03-29T02:30"), "'2026-03-29T02:30' is a time that Europe/Luxembourg skips"),
        (line(to="2099-01-01"), "line 1: expected a span of the past: 2099-01-01 is still to come"),
        (line(**{"from": "1969-01-01"}), "line 1: 'from': expected a year from 1971 to 9998"),
        (
            exclusion("weather", "x"),
            "line 1: 'exclusion': expected one of maintenance, force_majeure, third_party, customer, not 'weather'",
        ),
        (
            exclusion("customer", ""),
            "line 1: expected a reason",
        ),
    ],
)
def test_a_bad_line_is_named_with_what_was_expected(written: bytes, said: str) -> None:
    (mistake,) = mistakes(written)
    assert said in mistake


def test_spans_of_one_service_must_not_overlap() -> None:
    (mistake,) = mistakes(line(), line(**{"from": "2026-10-01T23:59:59.999Z", "to": "2026-10-03"}))
    assert mistake == (
        "line 2: acme-trunk: expected spans that do not overlap: up from 2026-10-02T01:59:59.999+02:00 to"
        " 2026-10-03T00:00:00+02:00 and, in line 1, up from 2026-10-01T02:00:00+02:00 to 2026-10-02T02:00:00+02:00"
    )


def test_every_bad_line_is_named_up_to_twenty() -> None:
    found = mistakes(line(), *[b"x"] * 30)
    assert found[0].startswith("line 2: ")
    assert len(found) == 21
    assert found[-1] == "and more"


@given(
    st.lists(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8")), max_size=5)
)
def test_whatever_stands_in_a_file_it_is_read_or_refused(lines: list[bytes]) -> None:
    with contextlib.suppress(HistoryErrors):
        parse_history(lines, ZONES, NOW)


@given(st.lists(st.integers(10**11, 10**12), min_size=2, max_size=30, unique=True), st.randoms())
def test_what_is_written_comes_back(cuts: list[int], random: Random) -> None:
    def written(at_ms: int) -> str:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)).isoformat(
            timespec="milliseconds"
        )

    cuts.sort()
    lines = [line(**{"from": written(a), "to": written(b)}) for a, b in pairwise(cuts)]
    random.shuffle(lines)
    spans: tuple[HistorySpan, ...] = parse_history(lines, ZONES, NOW).spans["acme-trunk"]
    assert [(span.from_ms, span.to_ms) for span in spans] == list(pairwise(cuts))
