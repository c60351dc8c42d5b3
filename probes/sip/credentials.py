"""Answers to the challenges of one conversation: each is answered once, and once more where it was stale."""

from __future__ import annotations

from dataclasses import dataclass, field

from probes.secret import read_secret
from probes.sip.digest import BadChallenge, Challenge, answer, choose, parse_challenges
from probes.sip.message import Response
from probes.sip.options import UserAgentOptions
from probes.sip.uri import SipTarget

_ANSWERED_IN = {
    401: ("www-authenticate", "Authorization"),
    407: ("proxy-authenticate", "Proxy-Authorization"),
}


@dataclass(frozen=True, slots=True)
class Account:
    """Whom to be. ``realm``: the only one to whose challenges the password is an answer; None: any."""

    user: str
    password: str = field(repr=False)
    realm: str | None = None


def account_of(target: SipTarget, options: UserAgentOptions) -> Account | None:
    """Who answers challenges, if anybody. Raises OSError for a password that is not there."""
    if options.password_file is None:
        return None
    user = options.auth_user or options.user or target.user
    if user is None:
        raise OSError("no user for the password")
    return Account(user, read_secret(options.password_file, "password"), options.realm)


class Credentials:
    """What one account answers to the servers and proxies on the way of one conversation (RFC 3261 §22)."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._challenges: dict[str, Challenge] = {}
        self._counts: dict[str, int] = {}
        self._refusals: dict[str, int] = {}

    def begin(self) -> None:
        """The next request is another one: its challenges may be answered again."""
        self._refusals.clear()

    @property
    def given(self) -> bool:
        """Whether there is a challenge that our requests carry an answer to."""
        return bool(self._challenges)

    def take(self, response: Response) -> bool:
        """Whether the response is a challenge that the next request can answer.

        It is none where it refuses what we answered already, unless only the nonce was stale; and where no
        challenge can be read, is of our realm, or has an algorithm that we know.
        """
        if response.status not in _ANSWERED_IN:
            return False
        name, header = _ANSWERED_IN[response.status]
        try:
            challenges = parse_challenges(response.headers.get(name, ()))
        except BadChallenge:
            return False
        challenge = choose(one for one in challenges if self._account.realm in (None, one.realm))
        if challenge is None:
            return False
        refusals = self._refusals.get(header, 0)
        if refusals >= (2 if challenge.stale else 1):
            return False
        self._refusals[header] = refusals + 1
        self._challenges[header], self._counts[header] = challenge, 0
        return True

    def headers(self, method: str, uri: str, body: bytes = b"") -> str:
        """The lines that a request carries. Raises OSError where this host lacks the hash that is asked for."""
        lines = []
        for header, challenge in self._challenges.items():
            self._counts[header] += 1
            try:
                value = answer(
                    challenge,
                    user=self._account.user,
                    password=self._account.password,
                    method=method,
                    uri=uri,
                    body=body,
                    nonce_count=self._counts[header],
                )
            except ValueError as error:
                raise OSError(f"no {challenge.hash_name} on this host") from error
            lines.append(f"{header}: {value}\r\n")
        return "".join(lines)
