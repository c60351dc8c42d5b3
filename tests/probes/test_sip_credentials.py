"""SIP requests that are challenged: answered once, and what a refused password means."""

from __future__ import annotations

import pytest

from probes.outcome import Verdict
from probes.sip.message import cseq
from probes.trace import traced
from tests.probes.sip_peers import answer, probe
from tests.probes.sip_registrar import Registrar, challenge, listed, ok, run


def test_a_wrong_password_is_bad_and_says_so(registrar, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text("battery staple")
    outcome = probe(f"sip:alice@127.0.0.1:{registrar}", method="register", password_file=wrong)
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "credentials refused")
    assert outcome.detail["status"] == 401


def test_without_a_password_a_registrar_that_asks_for_one_is_bad(registrar):
    outcome = probe(f"sip:alice@127.0.0.1:{registrar}", method="register")
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "401")


def test_challenges_of_another_realm_are_not_answered(registrar, password):
    outcome = probe(f"sip:alice@127.0.0.1:{registrar}", method="register", password_file=password, realm="x")
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "401")


def test_options_with_an_account_are_answered_after_the_challenge(registrar, password):
    for user, status in (("members", 401), ("transit", 407)):
        target = f"sip:{user}@127.0.0.1:{registrar}"
        outcome = probe(target, user="alice", password_file=password)
        assert (outcome.verdict, outcome.reason) == (Verdict.GOOD, "200")
        assert [name for name, _ in outcome.phases] == ["resolve", "challenge", "answer"]
        assert outcome.round_trip_s == dict(outcome.phases)["answer"]
        assert probe(target).detail["status"] == status


def test_options_with_a_refused_password_are_degraded_though_the_target_lives(registrar, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text("battery staple")
    target = f"sip:members@127.0.0.1:{registrar}"
    outcome = probe(target, user="alice", password_file=wrong)
    assert (outcome.verdict, outcome.reason) == (Verdict.DEGRADED, "credentials refused")
    assert probe(target, user="alice", password_file=wrong, up_codes=[401]).verdict is Verdict.GOOD


def test_a_password_that_is_not_there_was_not_asked(tmp_path):
    outcome = probe("sip:a@127.0.0.1:5060", method="register", password_file=tmp_path / "none")
    assert (outcome.verdict, outcome.reason) == (Verdict.NOT_ASKED, "password file not readable")


def test_requests_of_one_probe_have_one_call_id_and_tag_rising_numbers_and_branches_of_their_own(password):
    registrar = Registrar(challenge(), listed, ok)
    assert run(registrar, password, method="register").verdict is Verdict.GOOD
    assert [cseq(request) for request in registrar.heard] == [(n, "REGISTER") for n in (1, 2, 3)]
    assert len({(request.get("call-id"), request.get("from")) for request in registrar.heard}) == 1
    assert len({request.get("via") for request in registrar.heard}) == 3
    first, second, third = (request.get("authorization") for request in registrar.heard)
    assert first is None
    assert 'username="bob"' in str(second)
    assert "nc=00000001" in str(second)
    assert "nc=00000002" in str(third), "the nonce is used again"


def test_a_stale_nonce_is_replaced_once(password):
    registrar = Registrar(challenge(), challenge("true", "m"), listed, ok)
    assert run(registrar, password, method="register").verdict is Verdict.GOOD
    assert 'nonce="m"' in (registrar.heard[2].get("authorization") or "")


def test_a_nonce_that_is_good_for_one_request_only_does_no_harm(password):
    registrar = Registrar(challenge(), listed, challenge(nonce="m"), ok)
    assert run(registrar, password, method="register").verdict is Verdict.GOOD
    assert len(registrar.heard) == 4


def test_a_registrar_whose_nonces_are_always_stale_does_not_keep_us(password):
    registrar = Registrar(challenge("true"))
    outcome = run(registrar, password, method="register")
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "credentials refused")
    assert len(registrar.heard) == 3


def test_answers_to_the_challenge_are_not_counted_as_round_trip_nor_shown_to_who_watches(password):
    registrar = Registrar(challenge(), ok)
    with traced() as trace:
        run(registrar, password, user="bob")
    said = "\n".join(str(line) for line in trace.lines)
    assert "Authorization: (blanked)" in said
    assert "response=" not in said
    assert "WWW-Authenticate" in said


@pytest.mark.parametrize(
    "header",
    [
        "",
        "WWW-Authenticate: Digest\r\n",
        'WWW-Authenticate: Digest realm="a", nonce="b", algorithm=SHA-999\r\n',
        'WWW-Authenticate: Basic realm="a"\r\n',
    ],
)
def test_a_challenge_that_cannot_be_answered_is_judged_by_its_code(password, header):
    registrar = Registrar(lambda data: answer(data, "401 Unauthorized", header))
    outcome = run(registrar, password, method="register")
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "401")
    assert len(registrar.heard) == 1
