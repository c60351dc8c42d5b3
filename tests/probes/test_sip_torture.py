"""Every message of RFC 4475, taken as its section says or stricter.

The files hold the RFC's octets, except that the signed body of ``mpart01`` is replaced by other binary octets of
the same length.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from probes.sip.address import parse_address
from probes.sip.message import Framer, NotSip, Request, Response, cseq, parse_message, retry_after_s
from probes.sip.transaction import Transaction
from probes.sip.validity import Refused, check_request

MESSAGES = {path.stem: path.read_bytes() for path in (Path(__file__).parent / "rfc4475").glob("*.dat")}

WELL_FORMED_REQUESTS = [
    *(
        "wsinv",
        "intmeth",
        "esc01",
        "escnull",
        "esc02",
        "lwsdisp",
        "longreq",
        "dblreq",
        "semiuri",
        "transports",
    ),
    *("mpart01", "lwsstart", "trws", "baddate", "badbranch", "unksm2", "bext01", "invut", "regaut01"),
    *("zeromf", "cparam01", "cparam02", "regescrt", "sdp01", "inv2543"),
]
"""Section 3.1.1, the invalid ones that the RFC lets a liberal element take, and those that only the method, the
extension, the body or the account makes unacceptable (3.3 and 3.4): these are for the user agent to answer."""

REFUSED = {
    **dict.fromkeys(("badinv01", "scalar02", "quotbal", "escruri", "regbadct", "badaspec", "baddn"), 400),
    **dict.fromkeys(("mismatch01", "mismatch02", "insuf", "multi01"), 400),
    **dict.fromkeys(("unkscm", "novelsc"), 416),
}

UNREADABLE = ["clerr", "ncl", "ltgtruri", "lwsruri", "badvers", "bigcode", "mcl01"]


def request(name: str) -> Request:
    message = parse_message(MESSAGES[name])
    assert isinstance(message, Request)
    return message


def response(name: str) -> Response:
    message = parse_message(MESSAGES[name])
    assert isinstance(message, Response)
    return message


def test_no_message_of_the_rfc_is_left_out() -> None:
    answers = {"unreason", "noreason", "scalarlg", "bcast"}
    assert len(MESSAGES) == 49
    assert {*WELL_FORMED_REQUESTS, *REFUSED, *UNREADABLE, *answers} == MESSAGES.keys()


@pytest.mark.parametrize("name", WELL_FORMED_REQUESTS)
def test_a_well_formed_request_is_accepted(name: str) -> None:
    check_request(request(name))


@pytest.mark.parametrize("name", REFUSED)
def test_a_malformed_request_is_refused_with_the_code_that_the_rfc_names(name: str) -> None:
    with pytest.raises(Refused) as refused:
        check_request(request(name))
    assert refused.value.status == REFUSED[name]


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_framed_or_is_not_sip_2_0_is_dropped(name: str) -> None:
    with pytest.raises(NotSip):
        parse_message(MESSAGES[name])


def test_3_1_1_1_folds_compact_names_and_lists_are_read() -> None:
    message = request("wsinv")
    sender = parse_address(message.get("from") or "")
    contact = parse_address(message.all("contact")[0])
    assert (sender.name, sender.uri, sender.tag) == ('J Rosenberg \\"', "sip:jdrosen@example.com", "98asjd8")
    assert (contact.name, contact.parameters) == (
        'Quoted string ""',
        {"newparam": "newvalue", "secondparam": "", "q": "0.33"},
    )
    assert cseq(message) == (9, "INVITE")
    assert len(message.all("via")) == 3
    assert message.get("subject") == ""
    assert len(message.body) == 150


def test_3_1_1_2_unusual_characters_survive() -> None:
    message = request("intmeth")
    sender = parse_address(message.get("from") or "")
    assert message.method == "!interesting-Method0123456789_*+`.%indeed'~"
    assert parse_address(message.get("to") or "").name == "BEL:\x07 NUL:\x00 DEL:\x7f"
    assert sender.name == "token1~` token2'+_ token3*%!.-"
    assert sender.parameters["fromparam''~+*_!.-%"] == "работающий"
    assert message.get("call-id") == "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"


def test_3_1_1_3_and_5_percent_escapes_are_left_as_they_are() -> None:
    assert request("esc01").uri == "sip:sips%3Auser%40example.com@example.net"
    contacts = [parse_address(value).uri for value in request("esc02").all("contact")]
    assert contacts == ["sip:alias1@host1.example.com", "sip:alias3@host3.example.com"]
    assert [parse_address(value).uri for value in request("escnull").all("contact")] == [
        "sip:%00@host5.example.com",
        "sip:%00%00@host5.example.com",
    ]


def test_3_1_1_8_what_follows_the_body_in_a_datagram_is_no_part_of_it() -> None:
    message = request("dblreq")
    assert (message.method, message.body) == ("REGISTER", b"")


def test_3_1_1_8_in_a_stream_it_is_the_next_message() -> None:
    framed = list(Framer().feed(MESSAGES["dblreq"]))
    methods = [message.method for data in framed if isinstance(message := parse_message(data), Request)]
    assert methods == ["REGISTER", "INVITE"]


def test_3_1_1_11_a_body_with_nulls_is_whole() -> None:
    assert len(request("mpart01").body) == 553


def test_3_1_1_12_and_13_reason_phrases_may_be_strange_or_missing() -> None:
    assert response("unreason").phrase == "= 2**3 * 5**2 но сто девяносто девять - простое"
    assert (response("noreason").status, response("noreason").phrase) == (100, "")


def test_3_1_2_5_a_response_with_an_overlarge_sequence_number_answers_nothing() -> None:
    answer = response("scalarlg")
    with pytest.raises(NotSip):
        Transaction("z9hG4bKzzxdiwo34sw", "OPTIONS", reliable=True).accept(answer)
    assert retry_after_s(answer) is None


def test_3_3_10_a_response_with_anothers_branch_answers_nothing() -> None:
    with pytest.raises(NotSip):
        Transaction("z9hG4bK1saber23", "INVITE", reliable=False).accept(response("bcast"))


@pytest.mark.parametrize("name", MESSAGES)
def test_octet_by_octet_in_a_stream_every_message_is_framed_as_in_one_piece(name: str) -> None:
    def framed(pieces: list[bytes]) -> list[bytes] | str:
        framer, found = Framer(), []
        try:
            for piece in pieces:
                found += framer.feed(piece)
        except NotSip:
            return "not SIP"
        return found

    data = MESSAGES[name]
    assert framed([data]) == framed([data[i : i + 1] for i in range(len(data))])
