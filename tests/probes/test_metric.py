"""What a prober declares for Prometheus, from an outcome's detail and phases."""

from __future__ import annotations

from probes.metric import Metric, durations, information, milliseconds, number, timestamp
from probes.outcome import Outcome, Verdict


def samples(metric: Metric, outcome: Outcome) -> list[tuple[dict[str, str], float]]:
    return [(dict(labels), value) for labels, value in metric.samples(outcome)]


NOTHING = Outcome(Verdict.BAD, 0, "timeout")
SOMETHING = Outcome(
    Verdict.GOOD,
    0,
    "200",
    phases=(("resolve", 0.25), ("answer", 0.5)),
    detail={
        "status": 200,
        "http": "1.1",
        "rtt_ms": 1.5,
        "ends": "2026-10-01T00:00:00+00:00",
        "tls": "TLSv1.3",
    },
)


def test_a_number_may_be_text_and_is_absent_where_there_is_none() -> None:
    assert samples(number("probe_status", "", "status"), SOMETHING) == [({}, 200.0)]
    assert samples(number("probe_version", "", "http"), SOMETHING) == [({}, 1.1)]
    assert samples(number("probe_status", "", "status"), NOTHING) == []
    assert samples(number("probe_tls", "", "tls"), SOMETHING) == []


def test_times_are_in_seconds() -> None:
    assert samples(milliseconds("probe_rtt_seconds", "", "rtt_ms"), SOMETHING) == [({}, 0.0015)]
    assert samples(timestamp("probe_ends", "", "ends"), SOMETHING) == [({}, 1_790_812_800.0)]


def test_information_is_one_with_its_texts_as_labels() -> None:
    metric = information("probe_tls_info", "", version="tls", cipher="cipher")
    assert samples(metric, SOMETHING) == [({"version": "TLSv1.3", "cipher": ""}, 1.0)]
    assert samples(metric, NOTHING) == []


def test_every_phase_is_there_from_the_start_under_the_name_that_others_know() -> None:
    metric = durations("probe_duration_seconds", "", "resolve", "connect", "answer", answer="response")
    assert samples(metric, SOMETHING) == [
        ({"phase": "resolve"}, 0.25),
        ({"phase": "connect"}, 0.0),
        ({"phase": "response"}, 0.5),
    ]
    assert [value for _, value in samples(metric, NOTHING)] == [0.0, 0.0, 0.0]
