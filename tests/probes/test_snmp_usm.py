"""The User-based Security Model without sockets: keys, digests, ciphers, the time window, hostile messages."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder  # type: ignore[import-untyped]
from pysnmp.proto.api import v2c
from pysnmp.proto.mpmod.rfc3412 import SNMPv3Message

from probes.snmp import usm
from probes.snmp.mark import mark, mark_of
from probes.snmp.message import Community
from probes.snmp.message import encode as encode_community
from probes.snmp.pdu import Malformed, Request, request_pdu
from probes.snmp.question import SYS_UP_TIME
from probes.snmp.usm import Auth, Clock, Priv, User, localized
from probes.snmp.v3_message import Asker, Engine, Forged, decode, encode

NUMBER = 2**30 + 77
ENGINE = Engine(b"\x80\0\x1f\x88\x04lab", 3, 1000)
USERS = [
    User("noc"),
    User("noc", "sha256", "authenticate"),
    User("noc", "md5", "authenticate", "des", "keep private"),
    User("noc", "sha512", "authenticate", "aes256", "keep private"),
]


def test_keys_are_those_of_the_rfc() -> None:
    engine_id = bytes.fromhex("000000000000000000000002")
    md5 = localized(User("u", "md5", "maplesyrup"), engine_id)  # RFC 3414 §A.3.1
    assert md5.auth.hex() == "526f5eed9fcce26f8964c2930787d82b"
    sha = localized(User("u", "sha", "maplesyrup"), engine_id)  # RFC 3414 §A.3.2
    assert sha.auth.hex() == "6695febc9288e36282235fc7151f128497b38f3f"


@pytest.mark.parametrize(
    ("auth", "octets"),
    [("md5", 12), ("sha", 12), ("sha224", 16), ("sha256", 24), ("sha384", 32), ("sha512", 48)],
)
def test_digests_have_the_length_of_their_protocol(auth: Auth, octets: int) -> None:
    assert usm.digest_length(auth) == octets
    message = b"head" + bytes(octets) + b"tail"
    given_digest = usm.digest(auth, b"key", message)
    signed = b"head" + given_digest + b"tail"
    assert len(given_digest) == octets
    assert usm.is_authentic(auth, b"key", signed, given_digest)
    assert not usm.is_authentic(auth, b"kez", signed, given_digest)
    assert not usm.is_authentic(auth, b"key", signed + b"!", given_digest)
    assert not usm.is_authentic(auth, b"key", signed, given_digest[:-1])
    assert not usm.is_authentic(auth, b"key", signed, b"")


@pytest.mark.parametrize("priv", ["des", "aes128", "aes192", "aes256", "aes192c", "aes256c"])
def test_ciphers_work_here_and_no_salt_comes_twice(priv: Priv) -> None:
    usm.check_available("sha256", priv)
    key = localized(User("u", "sha256", "password", priv, "password"), b"engine").priv
    secrets = {usm.encrypt(priv, key, 1, 1, b"the same") for _ in range(50)}
    assert len(secrets) == 50


@given(
    boots=st.integers(0, 2**31 - 2),
    time_s=st.integers(0, 2**31 - 1),
    elapsed_s=st.integers(0, 10**6),
    off_s=st.integers(-1000, 1000),
)
def test_an_answer_of_150_seconds_ago_is_of_the_past(
    boots: int, time_s: int, elapsed_s: int, off_s: int
) -> None:
    clock = Clock(boots, time_s, 5_000_000_000)
    now_ns = 5_000_000_000 + elapsed_s * 1_000_000_000
    now_s = clock.now_s(now_ns)
    assert now_s == min(time_s + elapsed_s, 2**31 - 1)
    assert clock.accepts(boots, now_s + off_s, now_ns) == (off_s >= -150)
    assert clock.accepts(boots + 1, 0, now_ns)
    assert not clock.accepts(boots - 1, now_s, now_ns)


def asking(user: User) -> Asker:
    return Asker(user, localized(user, ENGINE.id))


def answered(asker: Asker, engine: Engine = ENGINE, number: int = NUMBER) -> bytes:
    """What an agent sends that gives 42 for everything."""
    pdu = v2c.ResponsePDU()
    v2c.apiPDU.set_defaults(pdu)
    v2c.apiPDU.set_request_id(pdu, number)
    v2c.apiPDU.set_varbinds(pdu, [(SYS_UP_TIME, v2c.TimeTicks(42))])
    return encode(asker, engine, pdu, number)


@pytest.mark.parametrize("user", USERS, ids=lambda user: user.level)
def test_an_answer_of_the_engine_is_read_at_the_level_of_the_user(user: User) -> None:
    asker = asking(user)
    received = decode(answered(asker), asker, ENGINE.id, NUMBER)
    assert received.answer.bindings[0].value == 42
    assert received.engine == ENGINE
    assert received.authentic == (user.auth is not None)


def test_an_answer_below_the_level_or_of_another_engine_or_user_is_forged() -> None:
    wanted = asking(USERS[3])
    for other in (
        Asker(User("noc")),
        asking(User("noc", "sha512", "authenticate")),
        asking(User("noc", "sha512", "other password", "aes256", "keep private")),
        asking(User("cnc", "sha512", "authenticate", "aes256", "keep private")),
    ):
        with pytest.raises(Forged):
            decode(answered(other), wanted, ENGINE.id, NUMBER)
    with pytest.raises(Forged):
        decode(answered(wanted, Engine(b"other", 3, 1000)), wanted, ENGINE.id, NUMBER)
    with pytest.raises(Malformed):
        decode(answered(wanted, number=NUMBER + 1), wanted, ENGINE.id, NUMBER)


@pytest.mark.parametrize("user", USERS, ids=lambda user: user.level)
def test_a_question_is_known_by_its_number_whatever_its_level(user: User) -> None:
    question = encode(asking(user), ENGINE, request_pdu(Request((SYS_UP_TIME,)), NUMBER, "3"), NUMBER)
    assert mark_of(question) == mark(NUMBER)
    assert mark_of(question[:40]) == mark(NUMBER), "as an ICMP error quotes it"
    message, _ = decoder.decode(question, asn1Spec=SNMPv3Message())
    assert (
        bytes(message["msgGlobalData"]["msgFlags"])
        == {"noAuthNoPriv": b"\4", "authNoPriv": b"\5", "authPriv": b"\7"}[user.level]
    )


@given(st.binary(max_size=80))
def test_a_mark_is_read_from_any_bytes(datagram: bytes) -> None:
    assert len(mark_of(datagram) or bytes(4)) == 4
    question = encode_community(Community("2c", "public"), Request((SYS_UP_TIME,)), NUMBER)
    assert mark_of(question + datagram) == mark(NUMBER)


@given(st.binary(max_size=300))
def test_hostile_bytes_are_malformed_and_nothing_else(datagram: bytes) -> None:
    with pytest.raises(Malformed):
        decode(datagram, ASKER, ENGINE.id, NUMBER)


ASKER = asking(USERS[2])
ANSWER = answered(ASKER)
PLAIN = Asker(USERS[0])
PLAIN_ANSWER = answered(PLAIN)


@given(st.integers(0, 500), st.integers(0, 255))
def test_an_answer_with_any_octet_changed_is_forged_or_malformed(at: int, octet: int) -> None:
    datagram = bytearray(ANSWER)
    datagram[at % len(datagram)] = octet
    if bytes(datagram) != ANSWER:
        with pytest.raises(Malformed):
            decode(bytes(datagram), ASKER, ENGINE.id, NUMBER)


@given(st.integers(0, 500), st.binary(max_size=6))
def test_an_answer_without_a_digest_is_read_or_malformed_whatever_changed(at: int, octets: bytes) -> None:
    datagram = bytearray(PLAIN_ANSWER)
    at %= len(datagram)
    datagram[at : at + len(octets)] = octets
    with contextlib.suppress(Malformed):
        decode(bytes(datagram), PLAIN, ENGINE.id, NUMBER)
