"""The sans-I/O core: messages, framing, the non-INVITE client transaction."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.sip.message import (
    Framer,
    NotSip,
    cseq,
    parse_message,
    parse_response,
    retry_after_s,
    split_values,
    top_via,
)
from probes.sip.request import Identity, Template, branch_of
from probes.sip.transaction import Transaction
from tests.probes.sip_peers import answer

MS = 1_000_000


def template(uri: str = "sip:a@192.0.2.1") -> Template:
    us = Identity("192.0.2.9", 40000)
    return Template("OPTIONS", uri, via=("udp", us.sent_by), to_uri=uri, from_uri=f"sip:b@{us.sent_by}")


def request() -> bytes:
    return template().new().data


def test_a_request_is_complete_and_each_one_is_new():
    template_ = template("sip:a@192.0.2.1:5070")
    first, second = template_.new(), template_.new()
    text = first.data.decode()
    assert text.startswith("OPTIONS sip:a@192.0.2.1:5070 SIP/2.0\r\n")
    for header in ("Via: SIP/2.0/UDP 192.0.2.9:40000;branch=z9hG4bK", ";rport\r\n", "Max-Forwards: 70\r\n"):
        assert header in text
    for header in ("To: <sip:a@192.0.2.1:5070>\r\n", "CSeq: 1 OPTIONS\r\n", "Content-Length: 0\r\n\r\n"):
        assert header in text
    assert first.branch != second.branch
    assert branch_of(first.data) == first.branch
    assert branch_of(answer(first.data)) == first.branch


def test_the_next_request_has_call_id_and_tag_of_the_first_and_its_own_branch_and_number():
    template_ = template()
    first = template_.new()
    second = template_.next(first.token, 2, "Authorization: Digest x\r\n")
    one, two = (parse_message(outgoing.data) for outgoing in (first, second))
    assert (one.get("call-id"), one.get("from")) == (two.get("call-id"), two.get("from"))
    assert (cseq(one), cseq(two)) == ((1, "OPTIONS"), (2, "OPTIONS"))
    assert first.branch != second.branch
    assert two.get("authorization") == "Digest x"


def test_credentials_are_blank_for_whoever_watches():
    told = str(template().next(b"0" * 24, 2, "Proxy-Authorization: Digest a,\r\n response=secret\r\n"))
    assert "secret" not in told
    assert "Proxy-Authorization: (blanked)" in told
    assert "Call-ID: " in told


def test_an_ipv6_host_stands_in_brackets():
    us = Identity("2001:db8::9", 5060)
    assert us.sent_by == "[2001:db8::9]:5060"
    assert us.record == "sip:ringback@[2001:db8::9]"
    assert us.contact("b", "tls") == "sip:b@[2001:db8::9]:5060;transport=tls"
    assert us.contact("b", "tls", sips=True) == "sips:b@[2001:db8::9]:5060"


def test_folded_compact_and_bare_line_feed_headers_are_read():
    response = parse_response(
        b"sip/2.0 200 \nv: SIP/2.0/UDP h\n ;branch=z9hG4bKx;received=192.0.2.4;rport=4711\n"
        b"CSEQ:\t7   options\nServer: a,\r\n\tb\nl: 0\n\n"
    )
    via = top_via(response)
    assert (via.branch, via.received, via.rport) == ("z9hG4bKx", "192.0.2.4", 4711)
    assert cseq(response) == (7, "OPTIONS")
    assert response.get("server") == "a, b"


def test_line_ends_before_a_message_and_an_empty_line_in_its_body_are_no_part_of_its_head():
    response = parse_response(b"\r\n\r\nSIP/2.0 200 OK\nServer: a\n\nx\r\n\r\ny")
    assert (response.get("server"), response.body) == ("a", b"x\r\n\r\ny")


def test_the_top_via_is_the_first_of_several_in_one_line():
    response = parse_response(b"SIP/2.0 200 OK\r\nVia: a;branch=1, b;branch=2\r\nVia: c;branch=3\r\n\r\n")
    assert top_via(response).branch == "1"
    assert len(response.all("via")) == 3


def test_commas_in_quotes_and_angle_brackets_part_nothing():
    assert split_values('"a, \\"b" <sip:x,y@h>, c') == ['"a, \\"b" <sip:x,y@h>', "c"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30", 30), (" 18000;duration=3600", 18000), ("5 (I'm in a meeting)", 5), ("soon", None)],
)
def test_retry_after_is_read_with_its_ornaments(text, seconds):
    response = parse_response(f"SIP/2.0 503 X\r\nRetry-After: {text}\r\n\r\n".encode())
    assert retry_after_s(response) == seconds


_TOKEN = st.from_regex(r"[A-Za-z][A-Za-z-]{0,15}", fullmatch=True).filter(lambda name: len(name) > 1)
_VALUE = st.from_regex(r"(?:[!-~](?:[ -~]{0,40}[!-~])?)?", fullmatch=True)


@given(st.integers(100, 699), _VALUE, st.lists(st.tuples(_TOKEN, _VALUE), max_size=8), st.binary(max_size=50))
def test_what_is_written_is_read_back(status, phrase, headers, body):
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    response = parse_response(f"SIP/2.0 {status} {phrase}\r\n{head}\r\n".encode() + body)
    assert (response.status, response.phrase, response.body) == (status, phrase, body)
    written: dict[str, list[str]] = {}
    for name, value in headers:
        written.setdefault(name.lower(), []).append(value)
    assert response.headers == written


@given(st.binary(max_size=2_000))
def test_any_bytes_are_a_response_or_not_sip(data):
    try:
        response = parse_response(data)
        top_via(response), cseq(response)
    except NotSip:
        pass


@given(st.data())
def test_a_mutated_answer_is_a_response_or_not_sip(data):
    bytes_ = bytearray(answer(request()))
    for _ in range(data.draw(st.integers(1, 8))):
        bytes_[data.draw(st.integers(0, len(bytes_) - 1))] = data.draw(st.integers(0, 255))
    try:
        response = parse_response(bytes(bytes_))
        top_via(response), cseq(response)
    except NotSip:
        pass


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=4), st.integers(1, 40))
def test_a_stream_is_cut_into_the_messages_it_was_made_of(bodies, size):
    messages = [
        f"SIP/2.0 200 OK\r\nCall-ID: {i}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        for i, body in enumerate(bodies)
    ]
    stream = b"\r\n\r\n".join(messages)
    framer = Framer()
    cut = [one for at in range(0, len(stream), size) for one in framer.feed(stream[at : at + size])]
    assert cut == messages


@given(st.lists(st.binary(max_size=300), max_size=10))
def test_any_stream_is_cut_or_refused(chunks):
    framer = Framer()
    try:
        for chunk in chunks:
            list(framer.feed(chunk))
    except NotSip:
        pass


def test_timer_e_doubles_from_t1_to_t2():
    asked = Transaction("z9hG4bKx", "OPTIONS", reliable=False)
    waits, at_ns = [], 0
    for _ in range(7):
        asked.sent(at_ns)
        assert asked.retransmit_ns is not None
        waits.append((asked.retransmit_ns - at_ns) // MS)
        at_ns = asked.retransmit_ns
    assert waits == [500, 1000, 2000, 4000, 4000, 4000, 4000]


def test_after_a_provisional_answer_it_retransmits_every_t2():
    asked = Transaction("z9hG4bKx", "OPTIONS", reliable=False)
    asked.sent(0)
    trying = b"SIP/2.0 100 Trying\r\nVia: h;branch=z9hG4bKx\r\nCSeq: 1 OPTIONS\r\n\r\n"
    assert asked.accept(parse_response(trying)) is False
    asked.sent(500 * MS)
    assert asked.retransmit_ns == 4_500 * MS


def test_over_a_reliable_transport_nothing_is_sent_again():
    asked = Transaction("z9hG4bKx", "OPTIONS", reliable=True)
    asked.sent(0)
    assert asked.retransmit_ns is None


def test_the_round_trip_is_taken_from_clean_exchanges_only():
    asked = Transaction("z9hG4bKx", "OPTIONS", reliable=False)
    asked.sent(0)
    assert asked.round_trip_s(3 * MS) == 0.003
    asked.sent(500 * MS)
    assert asked.round_trip_s(503 * MS) is None
    assert asked.asked_ns(499 * MS) == 0
    assert asked.asked_ns(503 * MS) == 500 * MS
