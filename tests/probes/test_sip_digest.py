"""Digest challenges and credentials: the RFCs' own examples, several challenges, and whatever a peer may send."""

from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.sip.digest import BadChallenge, Challenge, answer, choose, parse_challenges

RFC_7616 = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)


def response(credentials: str) -> str:
    match = re.search(r'response="([0-9a-f]+)"', credentials)
    assert match
    return match[1]


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_rfc_7616_section_3_9_1_comes_out(algorithm: str, expected: str) -> None:
    (challenge,) = parse_challenges([RFC_7616.format(algorithm=algorithm)])
    credentials = answer(
        challenge,
        user="Mufasa",
        password="Circle of Life",
        method="GET",
        uri="/dir/index.html",
        cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )
    assert response(credentials) == expected
    assert "qop=auth, nc=00000001" in credentials
    assert 'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"' in credentials


def test_without_qop_the_answer_is_that_of_rfc_2069() -> None:
    credentials = answer(
        Challenge("testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093"),
        user="Mufasa",
        password="CircleOfLife",
        method="GET",
        uri="/dir/index.html",
    )
    assert response(credentials) == "1949323746fe6a43ef61f9606e7febea"
    assert not re.search("qop|nc=|cnonce|algorithm", credentials)


def test_auth_int_is_used_only_where_nothing_else_is_offered_and_covers_the_body() -> None:
    both = Challenge("r", "n", qop=("auth", "auth-int"))
    only = Challenge("r", "n", qop=("auth-int",))
    ask = {"user": "u", "password": "p", "method": "INVITE", "uri": "sip:a", "cnonce": "c"}
    assert "qop=auth," in answer(both, **ask)
    assert "qop=auth-int," in answer(only, **ask)
    assert response(answer(only, body=b"v=0", **ask)) != response(answer(only, body=b"v=1", **ask))
    assert response(answer(both, body=b"v=0", **ask)) == response(answer(both, body=b"v=1", **ask))


def test_a_session_algorithm_hashes_nonce_and_cnonce_into_the_secret() -> None:
    def md5(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    secret = md5(f"{md5('u:r:p')}:n:c")
    expected = md5(f"{secret}:n:00000002:c:auth:{md5('REGISTER:sip:x')}")
    credentials = answer(
        Challenge("r", "n", "MD5-sess", qop=("auth",)),
        user="u",
        password="p",
        method="REGISTER",
        uri="sip:x",
        nonce_count=2,
        cnonce="c",
    )
    assert response(credentials) == expected


def test_the_servers_first_algorithm_that_we_have_is_answered() -> None:
    challenges = parse_challenges(
        [
            'Digest realm="r", nonce="1", algorithm=SHA-512',
            'Digest realm="r", nonce="2", algorithm=SHA-512-256, qop="auth"',
            'Digest realm="r", nonce="3", algorithm=MD5',
        ]
    )
    chosen = choose(challenges)
    assert chosen is not None
    assert (chosen.nonce, chosen.hash_name) == ("2", "sha512_256")
    assert choose(parse_challenges(['Digest realm="r", nonce="1", qop="auth-conf"'])) is None


def test_several_challenges_in_one_header_and_other_schemes_are_told_apart() -> None:
    (value,) = [
        'Basic realm="simple, and so on", Digest realm="a, \\"b\\"", nonce="n=,1", stale=TRUE , '
        'qop="auth,auth-int",Digest nonce=2,realm="",algorithm=sha-256'
    ]
    first, second = parse_challenges([value])
    assert first == Challenge('a, "b"', "n=,1", qop=("auth", "auth-int"), stale=True)
    assert second == Challenge("", "2", "sha-256")


def test_quotes_and_backslashes_go_back_escaped() -> None:
    credentials = answer(Challenge('a"b', "n\\1"), user='u"', password="p", method="OPTIONS", uri="sip:x")
    assert r'username="u\"", realm="a\"b", nonce="n\\1"' in credentials


@pytest.mark.parametrize(
    "value",
    [
        "Digest",
        'Digest realm="r"',
        'Digest nonce="n"',
        'Digest realm="r", nonce=""',
        'Digest realm="r, nonce="n"',
        '"',
        'Digest realm="r", nonce="n", algorithm="MD5\r\nX: y"',
        'Digest realm="r", nonce="n\x00"',
        f'Digest realm="r", nonce="{"n" * 5000}"',
    ],
)
def test_what_is_no_challenge_is_refused(value: str) -> None:
    with pytest.raises(BadChallenge):
        parse_challenges([value])


@given(st.text(alphabet='Digest realmnonce="\\,; \t\r\nMD5-qopauth', max_size=300) | st.text(max_size=200))
def test_no_text_raises_anything_else_and_no_credentials_break_a_line(text: str) -> None:
    try:
        challenges = parse_challenges([text, f'Digest realm="r", nonce="n", opaque="{text}"'])
    except BadChallenge:
        return
    for challenge in challenges:
        if challenge.supported:
            credentials = answer(challenge, user="u", password="p", method="OPTIONS", uri="sip:x")
            assert not re.search(r"[\r\n\x00]", credentials)


@pytest.mark.parametrize("piece", ['\\"', 'a="', "a=b,", ",", " ", 'Digest a="b" ', '"', "\\", "a ", "=a"])
def test_reading_takes_linear_time(piece: str) -> None:
    """Quadratic time would read these 4,000 characters for seconds; a generous bound on steps is what counts."""
    value = "Digest " + piece * (4_000 // len(piece))
    try:
        parse_challenges([value] * 50)
    except BadChallenge:
        pass
