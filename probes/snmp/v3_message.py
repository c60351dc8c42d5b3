"""Messages of version 3 (RFC 3412 §6, RFC 3414 §2.4): bytes to answers and back. No sockets here."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pyasn1.codec.ber import decoder, encoder  # type: ignore[import-untyped]
from pysnmp.proto.mpmod.rfc3412 import ScopedPDU, SNMPv3Message
from pysnmp.proto.secmod.rfc3414.service import UsmSecurityParameters

from probes.snmp.pdu import LARGEST, Answer, Malformed, read_pdu
from probes.snmp.usm import Keys, User, decrypt, digest, digest_length, encrypt, is_authentic

_VERSION_3 = 3
_USM = 3
_AUTH, _PRIV, _REPORTABLE = 1, 2, 4

ANYBODY = User("")
"""As whom an engine is asked for its ID (RFC 3414 §4)."""


class Forged(Malformed):
    """A message without the digest, or the cipher, of an engine that has our keys."""

    reason: ClassVar[str] = "answer not authentic"


@dataclass(frozen=True, slots=True)
class Engine:
    """An agent's engine as a message names it, with its notion of time."""

    id: bytes = b""
    boots: int = 0
    time_s: int = 0


@dataclass(frozen=True, slots=True)
class Asker:
    """A user with the keys for one engine."""

    user: User
    keys: Keys = field(default_factory=Keys)


@dataclass(frozen=True, slots=True)
class Received:
    """``engine`` is only what the message says, unless it is ``authentic``."""

    answer: Answer
    engine: Engine
    authentic: bool


def encode(asker: Asker, engine: Engine, pdu: Any, number: int) -> bytes:
    """A message with a PDU of pysnmp, on which the other side may report. ``number`` is its msgID."""
    user, flags = asker.user, _REPORTABLE
    scoped = ScopedPDU()
    scoped["contextEngineId"] = engine.id
    scoped["contextName"] = user.context.encode()
    scoped["data"].setComponentByType(pdu.tagSet, pdu)
    message = SNMPv3Message()
    salt = b""
    if user.priv:
        flags |= _PRIV
        plain = bytes(encoder.encode(scoped))
        secret, salt = encrypt(user.priv, asker.keys.priv, engine.boots, engine.time_s, plain)
        message["msgData"]["encryptedPDU"] = secret
    else:
        message["msgData"]["plaintext"] = scoped
    place = b""
    if user.auth:
        flags |= _AUTH
        place = secrets.token_bytes(digest_length(user.auth))
    message["msgVersion"] = _VERSION_3
    header = message["msgGlobalData"]
    header["msgID"] = number
    header["msgMaxSize"] = LARGEST
    header["msgFlags"] = bytes([flags])
    header["msgSecurityModel"] = _USM
    message["msgSecurityParameters"] = _parameters(engine, user.name, place, salt)
    whole = bytes(encoder.encode(message))
    if not user.auth:
        return whole
    before, _, after = whole.partition(place)
    return before + digest(user.auth, asker.keys.auth, before + bytes(len(place)) + after) + after


def _parameters(engine: Engine, user: str, place: bytes, salt: bytes) -> bytes:
    parameters = UsmSecurityParameters()
    parameters["msgAuthoritativeEngineId"] = engine.id
    parameters["msgAuthoritativeEngineBoots"] = engine.boots
    parameters["msgAuthoritativeEngineTime"] = engine.time_s
    parameters["msgUserName"] = user.encode()
    parameters["msgAuthenticationParameters"] = place
    parameters["msgPrivacyParameters"] = salt
    return bytes(encoder.encode(parameters))


def decode(datagram: bytes, asker: Asker, engine_id: bytes, number: int) -> Received:
    """The answer in a datagram. Raises Malformed for everything that is no answer to this number, and Forged for
    one that does not come from the engine, at the level at which the user asks. Reports may come at a lower one.
    """
    if len(datagram) > LARGEST:
        raise Malformed("larger than anything that was asked for")
    try:
        return _decode(datagram, asker, engine_id, number)
    except Malformed:
        raise
    except Exception as error:  # pyasn1 and the ciphers meet hostile bytes with almost any of them
        raise Malformed(f"not BER of an SNMP message: {type(error).__name__}") from error


def _decode(datagram: bytes, asker: Asker, engine_id: bytes, number: int) -> Received:
    message, rest = decoder.decode(datagram, asn1Spec=SNMPv3Message())
    header = message["msgGlobalData"]
    if rest or int(message["msgVersion"]) != _VERSION_3 or int(header["msgSecurityModel"]) != _USM:
        raise Malformed("not a message of version 3 with USM")
    if int(header["msgID"]) != number:
        raise Malformed("an answer to another message")
    parameters, _ = decoder.decode(bytes(message["msgSecurityParameters"]), asn1Spec=UsmSecurityParameters())
    engine = Engine(
        bytes(parameters["msgAuthoritativeEngineId"]),
        int(parameters["msgAuthoritativeEngineBoots"]),
        int(parameters["msgAuthoritativeEngineTime"]),
    )
    flags = bytes(header["msgFlags"])[0]
    authentic = bool(flags & _AUTH)
    if authentic:
        _authenticate(datagram, asker, engine_id, parameters)
    salt = bytes(parameters["msgPrivacyParameters"])
    answer = read_pdu(_scoped(message["msgData"], asker, engine, flags, salt)["data"].getComponent())
    if not answer.is_report:
        _insist(answer, asker.user, engine.id == engine_id, flags, number)
    return Received(answer, engine, authentic)


def _authenticate(datagram: bytes, asker: Asker, engine_id: bytes, parameters: Any) -> None:
    ours = engine_id, asker.user.name.encode()
    theirs = bytes(parameters["msgAuthoritativeEngineId"]), bytes(parameters["msgUserName"])
    given = bytes(parameters["msgAuthenticationParameters"])
    auth = asker.user.auth
    if auth is None or theirs != ours or not is_authentic(auth, asker.keys.auth, datagram, given):
        raise Forged("wrong digest")


def _scoped(data: Any, asker: Asker, engine: Engine, flags: int, salt: bytes) -> Any:
    if not flags & _PRIV:
        return data["plaintext"]
    priv = asker.user.priv
    if priv is None or not flags & _AUTH:
        raise Forged("encrypted for another user")
    secret = bytes(data["encryptedPDU"])
    plain = decrypt(priv, asker.keys.priv, engine.boots, engine.time_s, salt, secret)
    return decoder.decode(plain, asn1Spec=ScopedPDU())[0]  # what follows is the padding of DES


def _insist(answer: Answer, user: User, from_engine: bool, flags: int, number: int) -> None:
    wanted = (_AUTH if user.auth else 0) | (_PRIV if user.priv else 0)
    if not from_engine or flags & (_AUTH | _PRIV) != wanted:
        raise Forged("another engine, or another security level")
    if answer.request_id != number:
        raise Malformed("an answer to another request")
