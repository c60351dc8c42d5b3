"""Several hosts behind one name: every one is asked and named, and a target can be partly up."""

from __future__ import annotations

import asyncio
import socket

from hypothesis import given
from hypothesis import strategies as st

from probes.outcome import Outcome, Verdict
from probes.resolve import Address, Resolver
from probes.sip import SipOptions, SipProber
from probes.sip.locate import Member
from probes.sip.members import first_addresses, together
from probes.sip.prober import MEMBERS_AT_ONCE
from tests.probes.sip_peers import kamailio

_WORST_FIRST = {"degraded": Verdict.DEGRADED, "good": Verdict.GOOD, "bad": Verdict.BAD}


def member(name: str, host: str = "127.0.0.1", port: int = 5060) -> Member:
    return Member(
        name=name, address=Address(socket.AF_INET, host), port=port, transport="udp", priority=0, weight=0
    )


def outcome(verdict: Verdict, sent_ns: int = 0, **detail: object) -> Outcome:
    trip = 0.001 if verdict is Verdict.GOOD else None
    return Outcome(verdict, sent_ns, verdict.word, trip, detail=detail)


def seen(*verdicts: Verdict, partly_up: str = "degraded") -> Outcome:
    asked = [(member(f"h{i}"), outcome(verdict, i)) for i, verdict in enumerate(verdicts)]
    return together(asked, partly_up)


GOOD, DEGRADED, BAD, NOT_ASKED = Verdict


def test_all_good_is_good_and_names_them():
    whole = seen(GOOD, GOOD)
    assert (whole.verdict, whole.reason, whole.round_trip_s) == (GOOD, "good", 0.001)
    assert whole.detail["members"] == [
        {
            **{"name": f"h{i}", "address": "127.0.0.1", "port": 5060, "transport": "udp"},
            **{"verdict": "good", "reason": "good", "round_trip_ms": 1.0},
        }
        for i in (0, 1)
    ]


def test_some_bad_is_partly_up_as_the_operator_says():
    assert (seen(BAD, GOOD).verdict, seen(BAD, GOOD).reason) == (DEGRADED, "partly up")
    assert seen(GOOD, BAD, partly_up="bad").verdict is BAD
    assert seen(DEGRADED, BAD, partly_up="good").verdict is GOOD


def test_all_bad_is_bad_and_one_degraded_makes_it_degraded():
    assert (seen(BAD, BAD).verdict, seen(BAD, BAD).reason) == (BAD, "bad")
    assert seen(GOOD, DEGRADED).reason == "degraded"


def test_who_could_not_be_asked_is_not_judged():
    assert seen(NOT_ASKED, GOOD).verdict is GOOD
    assert seen(NOT_ASKED, BAD).verdict is BAD
    assert (seen(NOT_ASKED, NOT_ASKED).verdict, seen(NOT_ASKED).reason) == (NOT_ASKED, "not_asked")


@given(st.lists(st.sampled_from(Verdict), min_size=1, max_size=6), st.sampled_from([*_WORST_FIRST]))
def test_it_counts_from_when_the_last_one_judged_was_asked(verdicts, partly_up):
    whole = seen(*verdicts, partly_up=partly_up)
    judged = [i for i, verdict in enumerate(verdicts) if verdict is not NOT_ASKED]
    assert (whole.verdict is NOT_ASKED) is (not judged)
    if judged:
        assert whole.sent_ns == max(judged)
        kinds = {verdicts[i] for i in judged}
        partly = BAD in kinds and len(kinds) > 1
        assert whole.verdict is (_WORST_FIRST[partly_up] if partly else max(kinds))


def test_the_first_certificate_to_end_is_that_of_any_member():
    asked = [
        (member("a"), outcome(GOOD, chain_expires="2027-01-01T00:00:00+00:00")),
        (member("b"), outcome(GOOD, chain_expires="2026-12-01T00:00:00+00:00")),
    ]
    assert together(asked, "degraded").detail["chain_expires"] == "2026-12-01T00:00:00+00:00"


def test_of_each_host_the_first_address_is_taken():
    members = [member("a", "127.0.0.1"), member("a", "127.0.0.2"), member("b", "127.0.0.2")]
    assert first_addresses(members) == (members[0], members[2])
    assert first_addresses([member("a"), member("a", port=5070)]) == (member("a"), member("a", port=5070))


def test_prometheus_sees_how_many_there_are_and_which_is_up():
    shown = {metric.name: list(metric.samples(seen(GOOD, BAD, NOT_ASKED))) for metric in SipProber.metrics}
    assert shown["probe_sip_members"] == [({}, 3)]
    assert shown["probe_sip_members_up"] == [({}, 1)]
    up = {labels["name"]: value for labels, value in shown["probe_sip_member_up"]}
    assert up == {"h0": True, "h1": False}, "nothing is said of who was not asked"


def asked(port: int, count: int, **options: object) -> Outcome:
    """Of a name with so many addresses, 127.0.0.1 and on."""

    async def scenario() -> Outcome:
        found = tuple(Address(socket.AF_INET, f"127.0.0.{n}") for n in range(1, count + 1))
        prober = SipProber(Resolver(lambda host, family: found))
        target = SipProber.parse(f"sip:sbc.example.net:{port};transport=udp")
        outcome = await prober.probe(target, SipOptions.model_validate(options))
        await prober.close()
        return outcome

    return asyncio.run(scenario())


def test_all_addresses_of_a_host_are_asked_if_the_operator_wants_it(tmp_path):
    with kamailio(tmp_path) as port:
        assert asked(port, 2).verdict is GOOD
        both = asked(port, 2, addresses="all", timeout="300ms")
    assert (both.verdict, both.reason) == (DEGRADED, "partly up")
    members = both.detail["members"]
    assert isinstance(members, list)
    assert [one["reason"] for one in members] == ["200", "refused"]


def test_members_that_wait_too_long_for_their_turn_are_not_judged():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("0.0.0.0", 0))
        many = asked(silent.getsockname()[1], MEMBERS_AT_ONCE + 2, addresses="all", timeout="200ms")
    assert (many.verdict, many.reason) == (BAD, "timeout")
    members = many.detail["members"]
    assert isinstance(members, list)
    assert [one["reason"] for one in members] == ["timeout"] * MEMBERS_AT_ONCE + ["too many members"] * 2
