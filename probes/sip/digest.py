"""Digest access authentication for SIP (RFC 3261 §22, RFC 7616, RFC 8760): challenges in, credentials out."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass

LONGEST = 4_096
"""Characters of a challenge that are read."""

_HASHES = {"md5": "md5", "sha-256": "sha256", "sha-512-256": "sha512_256"}
_SESSION = "-sess"

_SCHEME = re.compile(r"[\s,]*([A-Za-z0-9!#$%&'*+.^_`|~-]+)[ \t]+")
_PARAMETER = re.compile(
    r"""[\s,]*([A-Za-z0-9!#$%&'*+.^_`|~-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))[ \t]*(?:,|$)""",
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_TO_ESCAPE = re.compile(r'(["\\])')


class BadChallenge(ValueError):
    """The text is no challenge that can be read."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge; texts are without their quotes and escapes. ``qop``: what is offered, in lower case.

    ``algorithm`` is as the peer wrote it, and None where it wrote none: then it is MD5.
    """

    realm: str
    nonce: str
    algorithm: str | None = None
    opaque: str | None = None
    qop: tuple[str, ...] = ()
    stale: bool = False

    @property
    def hash_name(self) -> str | None:
        """hashlib's name of the algorithm; None for one that we do not have."""
        return _HASHES.get((self.algorithm or "MD5").lower().removesuffix(_SESSION))

    @property
    def supported(self) -> bool:
        """Whether we can answer it: a known algorithm, and a protection that we know, or none named."""
        return self.hash_name is not None and (not self.qop or not {"auth", "auth-int"}.isdisjoint(self.qop))


def parse_challenges(values: Iterable[str]) -> tuple[Challenge, ...]:
    """The Digest challenges in the values of WWW-Authenticate or Proxy-Authenticate headers, in their order.

    Each value is the whole of one header, several challenges in it or one; those of other schemes are left out.
    Raises BadChallenge.
    """
    return tuple(challenge for value in values for challenge in _parse(value))


def choose(challenges: Iterable[Challenge]) -> Challenge | None:
    """The first one that we can answer: the server lists them in its order of preference (RFC 8760 §2.4)."""
    return next((challenge for challenge in challenges if challenge.supported), None)


def answer(
    challenge: Challenge,
    *,
    user: str,
    password: str,
    method: str,
    uri: str,
    body: bytes = b"",
    nonce_count: int = 1,
    cnonce: str | None = None,
) -> str:
    """The value of the Authorization or Proxy-Authorization header (RFC 7616 §3.4).

    The protection is ``auth`` where it is offered, ``auth-int`` where only that is. Raises BadChallenge for a
    challenge that is not ``supported``, and ValueError where this host's OpenSSL has no such hash.
    """
    if challenge.hash_name is None or not challenge.supported:
        raise BadChallenge(f"algorithm {challenge.algorithm}, qop {','.join(challenge.qop)}")
    digest = _hasher(challenge.hash_name)
    qop = "auth" if "auth" in challenge.qop else "auth-int" if challenge.qop else None
    cnonce = cnonce or secrets.token_hex(16)
    secret = digest(f"{user}:{challenge.realm}:{password}")
    if (challenge.algorithm or "").lower().endswith(_SESSION):
        secret = digest(f"{secret}:{challenge.nonce}:{cnonce}")
    asked = f"{method}:{uri}"
    if qop == "auth-int":
        asked += f":{digest(body)}"
    counted = f"{nonce_count:08x}:{cnonce}:{qop}:" if qop else ""
    parts = [
        f"username={_quoted(user)}",
        f"realm={_quoted(challenge.realm)}",
        f"nonce={_quoted(challenge.nonce)}",
        f"uri={_quoted(uri)}",
        f'response="{digest(f"{secret}:{challenge.nonce}:{counted}{digest(asked)}")}"',
    ]
    if challenge.algorithm is not None:
        parts.append(f"algorithm={challenge.algorithm}")
    if challenge.opaque is not None:
        parts.append(f"opaque={_quoted(challenge.opaque)}")
    if qop:
        parts += [f"qop={qop}", f"nc={nonce_count:08x}"]
    if qop or (challenge.algorithm or "").lower().endswith(_SESSION):
        parts.append(f'cnonce="{cnonce}"')
    return f"Digest {', '.join(parts)}"


def _hasher(name: str) -> Callable[[str | bytes], str]:
    def digest(text: str | bytes) -> str:
        octets = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
        return hashlib.new(name, octets, usedforsecurity=False).hexdigest()

    return digest


def _parse(value: str) -> list[Challenge]:
    if len(value) > LONGEST:
        raise BadChallenge(f"a challenge of {len(value)} characters")
    challenges = []
    at = 0
    while at < len(value) and value[at:].strip(" \t\r\n,"):
        scheme = _SCHEME.match(value, at)
        if scheme is None:
            raise BadChallenge(f"no challenge but {value[at:]!r:.80}")
        parameters: dict[str, str] = {}
        at = scheme.end()
        while (pair := _PARAMETER.match(value, at)) is not None:
            at = pair.end()
            text = pair[3] if pair[2] is None else _ESCAPED.sub(r"\1", pair[2])
            parameters.setdefault(pair[1].lower(), text)
        if scheme[1].lower() == "digest":
            challenges.append(_challenge(parameters))
    return challenges


def _challenge(parameters: dict[str, str]) -> Challenge:
    if not parameters.get("nonce") or "realm" not in parameters:
        raise BadChallenge("a Digest challenge without realm or nonce")
    algorithm = parameters.get("algorithm")
    if algorithm is not None and not re.fullmatch(r"[A-Za-z0-9-]{1,32}", algorithm):
        raise BadChallenge(f"an algorithm of {algorithm!r:.80}")
    offered = (one.strip().lower() for one in parameters.get("qop", "").split(","))
    if any(not text.isprintable() for text in parameters.values()):
        raise BadChallenge("a control character")
    return Challenge(
        realm=parameters["realm"],
        nonce=parameters["nonce"],
        algorithm=algorithm,
        opaque=parameters.get("opaque"),
        qop=tuple(one for one in offered if one),
        stale=parameters.get("stale", "").lower() == "true",
    )


def _quoted(text: str) -> str:
    return '"' + _TO_ESCAPE.sub(r"\\\1", text) + '"'
