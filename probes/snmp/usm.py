"""The User-based Security Model (RFC 3414, 3826, 7860): keys, digests, ciphers and the time window. No sockets here.

Keys and ciphers are pysnmp's. Its digests are not used: it looks for their place in a message by searching for
zeros, which an engine ID may hold as well, and compares them in a time that tells how much of one was right.
"""

from __future__ import annotations

import functools
import hmac
from dataclasses import dataclass, field
from typing import Literal

from pyasn1.type.univ import OctetString  # type: ignore[import-untyped]
from pysnmp.proto.secmod.rfc3414.service import SnmpUSMSecurityModel

Auth = Literal["md5", "sha", "sha224", "sha256", "sha384", "sha512"]
Priv = Literal["des", "aes128", "aes192", "aes256", "aes192c", "aes256c"]

WINDOW_S = 150
"""Seconds by which an engine's time may be off (RFC 3414 §2.2.3)."""

SHORTEST_PASSWORD = 8
"""Characters (RFC 3414 §11.2)."""

_AUTH_IDS: dict[Auth, tuple[int, ...]] = {
    "md5": (1, 3, 6, 1, 6, 3, 10, 1, 1, 2),
    "sha": (1, 3, 6, 1, 6, 3, 10, 1, 1, 3),
    "sha224": (1, 3, 6, 1, 6, 3, 10, 1, 1, 4),
    "sha256": (1, 3, 6, 1, 6, 3, 10, 1, 1, 5),
    "sha384": (1, 3, 6, 1, 6, 3, 10, 1, 1, 6),
    "sha512": (1, 3, 6, 1, 6, 3, 10, 1, 1, 7),
}
_PRIV_IDS: dict[Priv, tuple[int, ...]] = {
    "des": (1, 3, 6, 1, 6, 3, 10, 1, 2, 2),
    "aes128": (1, 3, 6, 1, 6, 3, 10, 1, 2, 4),
    "aes192": (1, 3, 6, 1, 4, 1, 9, 12, 6, 1, 1),
    "aes256": (1, 3, 6, 1, 4, 1, 9, 12, 6, 1, 2),
    "aes192c": (1, 3, 6, 1, 4, 1, 9, 12, 6, 1, 101),
    "aes256c": (1, 3, 6, 1, 4, 1, 9, 12, 6, 1, 102),
}
_AUTH = {name: SnmpUSMSecurityModel.AUTH_SERVICES[number] for name, number in _AUTH_IDS.items()}
_PRIV = {name: SnmpUSMSecurityModel.PRIV_SERVICES[number] for name, number in _PRIV_IDS.items()}
"""One of each: it counts up its salts, and two of them would use the same ones with the same key."""


class Unavailable(OSError):
    """This host's libraries cannot do what a check wants. ``str()`` is the reason."""


@dataclass(frozen=True, slots=True)
class User:
    """Whom we ask as. The level is what is given: neither, ``auth`` alone, or both."""

    name: str
    auth: Auth | None = None
    auth_password: str = field(default="", repr=False)
    priv: Priv | None = None
    priv_password: str = field(default="", repr=False)
    context: str = ""

    @property
    def level(self) -> str:
        return "authPriv" if self.priv else "authNoPriv" if self.auth else "noAuthNoPriv"


@dataclass(frozen=True, slots=True)
class Keys:
    """A user's keys for one engine (RFC 3414 §2.6); empty where the level has none."""

    auth: bytes = field(default=b"", repr=False)
    priv: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Clock:
    """What an engine said of its time, and when (nanoseconds of a monotonic clock)."""

    boots: int
    time_s: int
    at_ns: int

    def now_s(self, now_ns: int) -> int:
        return min(self.time_s + (now_ns - self.at_ns) // 1_000_000_000, 2**31 - 1)

    def accepts(self, boots: int, time_s: int, now_ns: int) -> bool:
        """Whether an answer with that time is of now, and none that was recorded (RFC 3414 §3.2, 7b)."""
        if boots != self.boots:
            return boots > self.boots
        return time_s >= self.now_s(now_ns) - WINDOW_S


def localized(user: User, engine_id: bytes) -> Keys:
    """The keys of a user for an engine. The first time it hashes a mebibyte for each password."""
    if user.auth is None:
        return Keys()
    engine = OctetString(engine_id)
    key = bytes(_AUTH[user.auth].localize_key(_master_key(user.auth, user.auth_password), engine))
    if user.priv is None:
        return Keys(key)
    master = _master_key(user.auth, user.priv_password)
    return Keys(key, bytes(_PRIV[user.priv].localize_key(_AUTH_IDS[user.auth], master, engine)))


@functools.lru_cache(maxsize=256)
def _master_key(auth: Auth, password: str) -> OctetString:
    return _AUTH[auth].hash_passphrase(password.encode())


def digest_length(auth: Auth) -> int:
    return int(_AUTH[auth].digest_length)


def digest(auth: Auth, key: bytes, message: bytes) -> bytes:
    """The digest of a message whose place for it holds zeros (RFC 3414 §6.3.1, RFC 7860 §4.2.1)."""
    name = "sha1" if auth == "sha" else auth
    return hmac.digest(key, message, name)[: digest_length(auth)]


def is_authentic(auth: Auth, key: bytes, message: bytes, given: bytes) -> bool:
    """Whether ``given``, which stands in the message, is its digest. Takes as long for any wrong one."""
    if len(given) != digest_length(auth):
        return False
    before, _, after = message.partition(given)
    return hmac.compare_digest(digest(auth, key, before + bytes(len(given)) + after), given)


def encrypt(priv: Priv, key: bytes, boots: int, time_s: int, data: bytes) -> tuple[bytes, bytes]:
    """The secret, and the salt that goes with it."""
    secret, salt = _PRIV[priv].encrypt_data(OctetString(key), (boots, time_s, b""), data)
    return bytes(secret), bytes(salt)


def decrypt(priv: Priv, key: bytes, boots: int, time_s: int, salt: bytes, secret: bytes) -> bytes:
    """What was encrypted, DES with its padding. Raises an error of pysnmp's for a salt or a length that cannot be."""
    parameters = (boots, time_s, OctetString(salt))
    return bytes(_PRIV[priv].decrypt_data(OctetString(key), parameters, OctetString(secret)))


@functools.cache
def check_available(auth: Auth | None, priv: Priv | None) -> None:
    """Whether this host can do it, tried once. Raises Unavailable.

    A cipher that our libraries lack looks in pysnmp like an agent's refusal, and would be taken for an outage.
    """
    try:
        if auth is not None:
            digest(auth, b"key", b"message")
    except Exception as error:
        raise Unavailable(f"hash not available: {auth}: {_said(error)}") from error
    if priv is None:
        return
    try:
        works = _works(priv)
    except Exception as error:
        raise Unavailable(f"cipher not available: {_NAMES[priv]}: {_said(error)}") from error
    if not works:
        raise Unavailable(f"cipher not available: {_NAMES[priv]}: wrong result")


_AES_192 = "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b", "cdc80d6fddf18cab34c25909c99a4174"
_AES_256 = (
    "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
    "dc7e84bfda79164b7ecd8486985d3860",
)
_VECTORS: dict[Priv, tuple[str, str]] = {
    "des": ("0123456789abcdef" + 8 * "00", "b990178c90d30577b1288506273d8a01"),
    "aes128": ("2b7e151628aed2a6abf7158809cf4f3c", "3b3fd92eb72dad20333449f8e83cfb4a"),
    "aes192": _AES_192,
    "aes256": _AES_256,
    "aes192c": _AES_192,
    "aes256c": _AES_256,
}
"""Keys, and what they make of _PLAIN: NIST SP 800-38A §F.3.13 to F.3.17; DES by FIPS 81 with OpenSSL."""

_PLAIN = bytes.fromhex("6bc1bee22e409f96e93d7e117393172a")
_BOOTS, _TIME_S, _SALT = 0x00010203, 0x04050607, bytes.fromhex("08090a0b0c0d0e0f")
_NAMES: dict[Priv, str] = {
    "des": "DES",
    "aes128": "AES 128",
    "aes192": "AES 192",
    "aes256": "AES 256",
    "aes192c": "AES 192",
    "aes256c": "AES 256",
}


def _works(priv: Priv) -> bool:
    key, secret = map(bytes.fromhex, _VECTORS[priv])
    ours, salt = encrypt(priv, key, _BOOTS, _TIME_S, _PLAIN)
    return (
        decrypt(priv, key, _BOOTS, _TIME_S, _SALT, secret) == _PLAIN
        and decrypt(priv, key, _BOOTS, _TIME_S, salt, ours)[: len(_PLAIN)] == _PLAIN
    )


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
