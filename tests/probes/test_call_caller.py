"""The caller of one call, without sockets: whatever the peer does, the call ends in ACK, CANCEL or BYE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.call.caller import Caller
from probes.call.dialog import Dialog
from probes.call.invitation import Invitation
from probes.call.repeating import PATIENCE_NS
from probes.sip.credentials import Account, Credentials
from probes.sip.message import NotSip, Request, Response, parse_message, top_via
from probes.sip.respond import respond

MS = 1_000_000
SOURCE = ("127.0.0.1", 5060)
INVITATION = Invitation(
    uri="sip:1000@sbc.example",
    to_uri="sip:1000@sbc.example",
    from_uri="sip:ringback@127.0.0.2",
    contact="sip:ringback@127.0.0.2:6000",
    transport="udp",
    sent_by="127.0.0.2:6000",
    agent="Ringback",
    max_forwards=70,
    headers=(),
    offer=b"v=0\r\n",
    call_id="c@127.0.0.2",
    tag="ours",
)


@dataclass
class Peer:
    """Reads what the caller sends, and answers as a test tells it."""

    caller: Caller
    now_ns: int = 0
    seen: list[Request] = field(default_factory=list)
    answers: list[Response] = field(default_factory=list)
    hops: list[str | None] = field(default_factory=list)

    def read(self) -> list[str]:
        """The methods of the requests since we read last."""
        before = len(self.seen)
        for packet in self.caller.outgoing:
            message = parse_message(packet.data)
            if isinstance(message, Request):
                self.seen.append(message)
                self.hops.append(packet.hop)
            else:
                self.answers.append(message)
        self.caller.outgoing.clear()
        return [one.method for one in self.seen[before:]]

    def last(self, method: str) -> Request:
        return next(one for one in reversed(self.seen) if one.method == method)

    def answer(
        self,
        method: str,
        status: int,
        tag: str = "theirs",
        headers: Sequence[tuple[str, str]] = (("Contact", "<sip:1000@127.0.0.9:5070>"),),
    ) -> list[str]:
        data = respond(self.last(method), status, to_tag=tag, headers=headers)
        return self.take(data)

    def ask(self, method: str, tag: str = "theirs", **changed: str) -> int:
        """A request within the call; the status of the caller's answer."""
        lines = {
            "Via": "SIP/2.0/UDP 127.0.0.9:5070;branch=z9hG4bKpeer",
            "From": f"<sip:1000@sbc.example>;tag={tag}",
            "To": "<sip:ringback@127.0.0.2>;tag=ours",
            "Call-ID": "c@127.0.0.2",
            "CSeq": f"7 {method}",
            **changed,
        }
        text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.take(f"{method} sip:ringback@127.0.0.2:6000 SIP/2.0\r\n{text}Content-Length: 0\r\n\r\n".encode())
        return self.answers[-1].status

    def take(self, data: bytes) -> list[str]:
        self.caller.take(parse_message(data), SOURCE, self.now_ns)
        return self.read()

    def wait(self, ms: int) -> list[str]:
        self.now_ns += ms * MS
        self.caller.tick(self.now_ns)
        return self.read()

    def hang_up(self) -> list[str]:
        self.caller.hang_up(self.now_ns)
        return self.read()


def called(*, reliable: bool = False, account: Account | None = None) -> Peer:
    caller = Caller(INVITATION, reliable, Credentials(account) if account else None)
    peer = Peer(caller)
    caller.invite(0)
    assert peer.read() == ["INVITE"]
    return peer


def test_an_answered_call_is_acknowledged_talked_in_and_ended_with_bye() -> None:
    peer = called()
    peer.wait(100)
    assert peer.answer("INVITE", 180) == []
    peer.wait(900)
    assert peer.answer("INVITE", 200) == ["ACK"]
    assert not peer.caller.over
    peer.wait(1_000)
    assert peer.hang_up() == ["BYE"]
    assert not peer.caller.over
    assert peer.answer("BYE", 200) == []
    assert peer.caller.over
    course = peer.caller.course
    assert (course.rung_ns, course.answered_ns, course.hung_up_ns) == (100 * MS, 1_000 * MS, 2_000 * MS)
    assert (course.ended_by, course.bye_status) == ("us", 200)


def test_an_invite_is_repeated_by_timer_a_until_anything_comes_and_never_over_a_connection() -> None:
    peer = called()
    sent = [ms for ms in range(0, 8_000, 100) if peer.wait(100) == ["INVITE"]]
    assert [at + 100 for at in sent] == [500, 1_500, 3_500, 7_500]
    assert peer.caller.course.retransmissions == 4
    peer.answer("INVITE", 100)
    assert all(peer.wait(1_000) == [] for _ in range(60))
    reliable = called(reliable=True)
    assert all(reliable.wait(1_000) == [] for _ in range(31))


def test_a_call_that_nobody_answers_is_given_up_after_timer_b() -> None:
    peer = called()
    peer.wait(31_999)
    assert not peer.caller.over
    peer.wait(1)
    assert peer.caller.over


def test_a_refusal_is_acknowledged_in_its_transaction_as_often_as_it_comes() -> None:
    peer = called()
    assert peer.answer("INVITE", 486) == ["ACK"]
    assert peer.caller.over
    assert top_via(peer.last("ACK")).branch == top_via(peer.last("INVITE")).branch
    assert peer.answer("INVITE", 486) == ["ACK"]
    assert peer.caller.course.final is not None
    assert peer.caller.lingers_until_ns == PATIENCE_NS


def test_a_challenge_is_acknowledged_and_answered_with_another_invite() -> None:
    peer = called(account=Account("u", "secret"))
    challenge = [("WWW-Authenticate", 'Digest realm="lab", nonce="n", algorithm=SHA-256, qop="auth"')]
    first = peer.last("INVITE")
    assert peer.answer("INVITE", 401, headers=challenge) == ["ACK", "INVITE"]
    second = peer.last("INVITE")
    assert 'username="u"' in (second.get("authorization") or "")
    assert (first.get("cseq"), second.get("cseq")) == ("1 INVITE", "2 INVITE")
    assert first.get("call-id") == second.get("call-id")
    # the first one's answer comes again, for its ACK was lost
    assert peer.take(respond(first, 401, to_tag="theirs", headers=challenge)) == ["ACK"]
    assert peer.answer("INVITE", 200) == ["ACK"]
    assert peer.last("ACK").get("authorization") == second.get("authorization")
    assert peer.hang_up() == ["BYE"]
    again = [("WWW-Authenticate", 'Digest realm="lab", nonce="m", algorithm=SHA-256, qop="auth"')]
    assert peer.answer("BYE", 401, headers=again) == ["BYE"]
    assert 'nonce="m"' in (peer.last("BYE").get("authorization") or "")
    peer.answer("BYE", 200)
    assert peer.caller.over


def test_a_password_that_is_not_taken_ends_the_call() -> None:
    peer = called(account=Account("u", "wrong"))
    challenge = [("WWW-Authenticate", 'Digest realm="lab", nonce="n"')]
    peer.answer("INVITE", 401, headers=challenge)
    assert peer.answer("INVITE", 401, headers=challenge) == ["ACK"]
    assert peer.caller.over


def test_a_session_that_is_too_brief_for_the_peer_is_asked_for_as_long_as_it_wants() -> None:
    peer = called()
    assert peer.last("INVITE").get("session-expires") == "90;refresher=uac"
    assert peer.answer("INVITE", 422, headers=[("Min-SE", "120")]) == ["ACK", "INVITE"]
    assert peer.last("INVITE").get("session-expires") == "120;refresher=uac"
    assert peer.answer("INVITE", 422, headers=[("Min-SE", "120")]) == ["ACK"]
    assert peer.caller.over


def test_hanging_up_while_it_rings_cancels() -> None:
    peer = called()
    peer.answer("INVITE", 180)
    assert peer.hang_up() == ["CANCEL"]
    assert top_via(peer.last("CANCEL")).branch == top_via(peer.last("INVITE")).branch
    assert peer.last("CANCEL").get("cseq") == "1 CANCEL"
    assert peer.wait(500) == ["CANCEL"]
    peer.answer("CANCEL", 200)
    assert not peer.caller.over
    assert peer.answer("INVITE", 487) == ["ACK"]
    assert peer.caller.over
    assert peer.hang_up() == []


def test_hanging_up_before_anything_came_waits_with_the_cancel() -> None:
    peer = called()
    assert peer.hang_up() == []
    assert peer.wait(500) == []  # nor is anybody called any more
    assert peer.answer("INVITE", 100) == ["CANCEL"]
    assert peer.answer("INVITE", 487) == ["ACK"]
    assert peer.caller.over


def test_a_call_that_is_answered_while_it_is_cancelled_is_ended_with_bye() -> None:
    peer = called()
    peer.answer("INVITE", 180)
    peer.hang_up()
    assert peer.answer("INVITE", 200) == ["ACK", "BYE"]
    peer.answer("BYE", 200)
    assert peer.caller.over


def test_of_a_forked_call_one_answer_is_taken_and_the_others_are_ended() -> None:
    peer = called()
    assert peer.answer("INVITE", 200, "one") == ["ACK"]
    assert peer.answer("INVITE", 200, "two") == ["ACK", "BYE"]
    assert "tag=two" in (peer.last("BYE").get("to") or "")
    peer.answer("BYE", 200)
    assert not peer.caller.over
    assert peer.hang_up() == ["BYE"]
    assert "tag=one" in (peer.last("BYE").get("to") or "")
    peer.answer("BYE", 200)
    assert peer.caller.over


def test_an_answer_that_comes_again_is_acknowledged_again_even_after_the_end() -> None:
    peer = called()
    peer.answer("INVITE", 200)
    assert peer.answer("INVITE", 200) == ["ACK"]
    peer.hang_up()
    peer.answer("BYE", 200)
    assert peer.answer("INVITE", 200) == ["ACK"]
    assert peer.caller.over


def test_requests_within_the_call_follow_the_contact_and_the_recorded_route() -> None:
    peer = called()
    headers = [
        ("Contact", "<sip:1000@127.0.0.9:5070>"),
        ("Record-Route", "<sip:127.0.0.8;lr>, <sip:127.0.0.7;lr>"),
    ]
    peer.answer("INVITE", 200, headers=headers)
    peer.hang_up()
    for method in ("ACK", "BYE"):
        request = peer.last(method)
        assert request.uri == "sip:1000@127.0.0.9:5070"
        assert request.all("route") == ["<sip:127.0.0.7;lr>", "<sip:127.0.0.8;lr>"]
    assert peer.hops[-2:] == ["sip:127.0.0.7;lr"] * 2


def test_a_strict_router_gets_its_own_uri() -> None:
    invite = parse_message(INVITATION.invite("z9hG4bKx", 1, [], 90))
    assert isinstance(invite, Request)
    headers = [("Contact", "<sip:1000@127.0.0.9>"), ("Record-Route", "<sip:127.0.0.8>")]
    answer = parse_message(respond(invite, 200, to_tag="t", headers=headers))
    assert isinstance(answer, Response)
    bye = parse_message(Dialog.of(invite, answer).request("BYE", INVITATION.via("z9hG4bKy"), 2))
    assert isinstance(bye, Request)
    assert (bye.uri, bye.all("route")) == ("sip:127.0.0.8", ["<sip:1000@127.0.0.9>"])


def test_the_peer_may_hang_up_and_ask_and_may_not_change_the_media() -> None:
    peer = called()
    peer.answer("INVITE", 200)
    assert peer.ask("OPTIONS") == 200
    assert peer.ask("INFO") == 200
    assert peer.ask("UPDATE", **{"Session-Expires": "90"}) == 200
    assert peer.answers[-1].get("session-expires") == "90"
    assert peer.ask("INVITE") == 488
    assert peer.ask("MESSAGE") == 405
    assert peer.ask("BYE", tag="nobody") == 481
    assert not peer.caller.over
    assert peer.ask("BYE") == 200
    assert peer.caller.over
    assert peer.caller.course.ended_by == "peer"
    assert peer.hang_up() == []
    assert peer.ask("BYE") == 200  # our answer was lost


def test_what_is_of_another_call_is_not_taken() -> None:
    peer = called()
    with pytest.raises(NotSip):
        peer.ask("BYE", **{"Call-ID": "other"})
    other = parse_message(INVITATION.invite("z9hG4bKother", 1, [], 90))
    assert isinstance(other, Request)
    peer.take(respond(other, 200, to_tag="theirs"))
    assert peer.caller.course.final is None


def test_a_bye_is_repeated_by_timer_e_and_given_up_after_timer_f() -> None:
    peer = called()
    peer.answer("INVITE", 200)
    peer.hang_up()
    sent = [ms for ms in range(0, 12_000, 100) if peer.wait(100) == ["BYE"]]
    assert [at + 100 for at in sent] == [500, 1_500, 3_500, 7_500, 11_500]
    peer.wait(20_000)
    assert peer.caller.over
    assert peer.caller.course.closed_ns is None


@pytest.mark.parametrize("answered", [False, True])
def test_a_call_of_an_earlier_process_is_cancelled_or_ended_from_what_was_noted(answered: bool) -> None:
    before = called()
    before.answer("INVITE", 180)
    dialogs = []
    if answered:
        before.answer("INVITE", 200)
        dialogs = [branch.dialog for branch in before.caller.branches.values()]
    caller = Caller.resumed(INVITATION, before.caller.written, dialogs, None, reliable=False)
    peer = Peer(caller, seen=[before.last("INVITE")])
    assert not caller.over
    assert peer.hang_up() == ["BYE" if answered else "CANCEL"]
    if answered:
        assert "tag=theirs" in (peer.last("BYE").get("to") or "")
        peer.answer("BYE", 200)
    else:
        assert top_via(peer.last("CANCEL")).branch == top_via(before.last("INVITE")).branch
        peer.answer("CANCEL", 200)
        assert peer.answer("INVITE", 487) == ["ACK"]
    assert caller.over


_EVENTS = st.one_of(
    st.tuples(
        st.just("answer"), st.sampled_from([100, 180, 183, 200, 302, 401, 422, 486]), st.sampled_from("ab")
    ),
    st.tuples(
        st.just("request"), st.sampled_from(["BYE", "OPTIONS", "INVITE", "ACK"]), st.sampled_from("ab")
    ),
    st.tuples(st.just("wait"), st.integers(0, 40_000), st.just("")),
    st.tuples(st.just("hang up"), st.just(0), st.just("")),
)


@given(st.lists(_EVENTS, max_size=12), st.booleans())
@settings(max_examples=300, deadline=None)
def test_whatever_happens_every_answer_is_acknowledged_and_every_dialog_ended(
    events: list[tuple[str, int | str, str]], reliable: bool
) -> None:
    peer = called(reliable=reliable)
    accepted: set[str] = set()
    for kind, what, tag in events:
        if kind == "answer":
            assert isinstance(what, int)
            sent = peer.answer("INVITE", what, tag)
            assert what < 200 or "ACK" in sent
            if what == 200:
                accepted.add(tag)
        elif kind == "request":
            before = len(peer.answers)
            if what == "ACK":
                continue
            peer.ask(str(what), tag)
            assert len(peer.answers) == before + 1
            if what == "BYE":
                accepted.discard(tag)
        elif kind == "wait":
            assert isinstance(what, int)
            peer.wait(what)
        else:
            peer.hang_up()
    peer.hang_up()
    ended = {one.get("to") for one in peer.seen if one.method == "BYE"}
    assert all(any(f"tag={tag}" in (to or "") for to in ended) for tag in accepted)
    for _ in range(3):
        peer.wait(33_000)
    assert peer.caller.over
    assert peer.caller.due_ns is None
