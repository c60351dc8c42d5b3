"""The called side of one call, without sockets and with time as a value (RFC 3261 §13.3, §14.2, §15, §17.2.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from probes.call.dialog import Dialog
from probes.call.repeating import Packet, Repeated
from probes.echo.numbers import Number
from probes.resolve import Sockaddr
from probes.sip.address import parse_address
from probes.sip.message import NotSip, Request, Response, cseq, top_via
from probes.sip.request import COOKIE, new_token
from probes.sip.respond import respond

ALLOW = "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO"
SHORTEST_SESSION_S = 90
"""RFC 4028 §5."""

LONGEST_S = 300
"""Seconds that a call may last, ringing included: a caller that is no more must not hold its place for ever."""

_SECONDS = re.compile(r"[0-9]{1,9}")
_MARGIN_S = 32
_FINAL = "final answer"
_REQUEST_TERMINATED, _TEMPORARILY_UNAVAILABLE = 487, 480


@dataclass(frozen=True, slots=True)
class Ours:
    """What the called side says of itself. ``via``: all of Via but the branch; ``answer``: SDP for the caller."""

    via: str
    contact: str
    agent: str
    answer: bytes
    tag: str = field(default_factory=lambda: new_token().decode()[:12])


@dataclass(slots=True)
class Callee:
    """Takes messages of the call and the time, gives messages to send to where the caller's last came from: it may
    sit behind a translation of addresses, of which its Contact knows nothing."""

    invite: Request
    source: Sockaddr
    number: Number
    ours: Ours
    reliable: bool
    outgoing: list[bytes] = field(default_factory=list)
    ended: bool = False
    answered_ns: int | None = None
    _begun_ns: int = 0
    _expires_ns: int = 0
    _last: bytes = b""
    _final: int | None = None
    _repeated: list[Repeated] = field(default_factory=list)

    @property
    def talks(self) -> bool:
        """Whether audio is expected."""
        return not self.ended and (self.answered_ns is not None or (self.number.early and bool(self._last)))

    @property
    def over(self) -> bool:
        """Whether nothing more is to be sent, nor answered but with 481."""
        return self.ended and not self._repeated

    @property
    def due_ns(self) -> int:
        """When ``tick`` has something to do next."""
        dues = [due for one in self._repeated if (due := one.due_ns) is not None]
        if not self.ended:
            dues.append(self._next_step_ns)
        return min(dues, default=self._begun_ns)

    # What we do

    def begin(self, now_ns: int) -> None:
        """Take the call, or refuse it."""
        self._begun_ns, self._expires_ns = now_ns, now_ns + LONGEST_S * 1_000_000_000
        session_s = _session_s(self.invite)
        if session_s is not None and session_s < SHORTEST_SESSION_S:
            self._finish(422, now_ns, [("Min-SE", str(SHORTEST_SESSION_S))])
        elif self.number.refusal is not None:
            self._finish(self.number.refusal, now_ns)
        elif self.number.early:
            self._respond(183, self.ours.answer)
        else:
            self._respond(180)

    def hang_up(self, now_ns: int) -> None:
        """End the call, in the way that its state allows. Repeated, it does nothing more."""
        if self.ended:
            return
        if self.answered_ns is None:
            self._finish(_TEMPORARILY_UNAVAILABLE, now_ns)
            return
        self.ended = True
        self._stop(_FINAL)
        branch = f"{COOKIE.decode()}{new_token().decode()}"
        bye = self._dialog().request(
            "BYE", f"{self.ours.via};branch={branch};rport", 1, [("User-Agent", self.ours.agent)]
        )
        self._repeat(bye, branch, "BYE", now_ns)

    def tick(self, now_ns: int) -> None:
        """Do what is due."""
        for one in list(self._repeated):
            if one.ends_ns is not None and now_ns >= one.ends_ns:
                self._repeated.remove(one)
                if one.method == _FINAL and not self.ended:
                    self.hang_up(now_ns)  # no ACK ever came (§13.3.1.4)
            elif one.next_ns is not None and now_ns >= one.next_ns:
                self.outgoing.append(one.again(now_ns).data)
        if self.ended or now_ns < self._next_step_ns:
            return
        if self.answered_ns is None and now_ns < self._expires_ns:
            self._answer(now_ns)
        else:
            self.hang_up(now_ns)

    # What comes

    def take(self, request: Request, source: Sockaddr, now_ns: int) -> None:
        """A request of this call. Raises NotSip where it cannot be one."""
        self.source = source
        if request.method == "INVITE":
            self._take_invite(request, now_ns)
        elif request.method == "ACK":
            self._stop(_FINAL)
        elif request.method == "CANCEL":
            self._reply(request, 200)
            if self._final is None:
                self._finish(_REQUEST_TERMINATED, now_ns)
        elif request.method == "BYE":
            self.ended = True
            self._stop(_FINAL)
            self._reply(request, 200)
        elif request.method == "UPDATE":
            self._refresh(request, now_ns)
            self._reply(request, 200, self.ours.answer if request.body else b"", self._session(request))
        else:
            self._reply(request, 200 if request.method in ("OPTIONS", "INFO") else 405)

    def take_response(self, response: Response) -> None:
        """An answer to our BYE; whatever it says, the call is over."""
        if response.status >= 200:
            branch = top_via(response).branch
            self._repeated = [one for one in self._repeated if one.branch != branch]

    def _take_invite(self, request: Request, now_ns: int) -> None:
        if top_via(request).branch == top_via(self.invite).branch:
            self.outgoing.append(self._last)  # our last answer was lost
        elif self.answered_ns is None or self.ended:
            self._reply(request, 491)
        else:
            self._refresh(request, now_ns)
            self._stop(_FINAL)
            self._accept(request, now_ns)

    # How it is done

    @property
    def _next_step_ns(self) -> int:
        """When we answer, hang up, or have had enough."""
        since_ns, wait_ms = self._begun_ns, self.number.rings_ms
        if self.answered_ns is not None:
            since_ns, wait_ms = self.answered_ns, self.number.talks_ms
        return self._expires_ns if wait_ms is None else min(self._expires_ns, since_ns + wait_ms * 1_000_000)

    def _answer(self, now_ns: int) -> None:
        self.answered_ns = now_ns
        self._final = 200
        self._refresh(self.invite, now_ns)
        self._accept(self.invite, now_ns)

    def _accept(self, request: Request, now_ns: int) -> None:
        """200 with our description, again and again until it is acknowledged, over TCP as well (§13.3.1.4)."""
        data = self._written(request, 200, self.ours.answer, self._session(request))
        if request is self.invite:
            self._last = data
        self._repeated.append(Repeated.begin(Packet(data), "", _FINAL, now_ns, reliable=False))
        self.outgoing.append(data)

    def _finish(self, status: int, now_ns: int, headers: list[tuple[str, str]] | None = None) -> None:
        self.ended, self._final = True, status
        self._last = self._written(self.invite, status, b"", headers or [])
        self._repeat(self._last, "", _FINAL, now_ns)

    def _respond(self, status: int, body: bytes = b"") -> None:
        self._last = self._written(self.invite, status, body, [])
        self.outgoing.append(self._last)

    def _reply(
        self, request: Request, status: int, body: bytes = b"", headers: list[tuple[str, str]] | None = None
    ) -> None:
        self.outgoing.append(self._written(request, status, body, headers or []))

    def _written(self, request: Request, status: int, body: bytes, headers: list[tuple[str, str]]) -> bytes:
        told = [("Contact", f"<{self.ours.contact}>")] if request.method in ("INVITE", "UPDATE") else []
        told += [("Allow", ALLOW), ("Server", self.ours.agent), *headers]
        return respond(request, status, source=self.source[:2], to_tag=self.ours.tag, headers=told, body=body)

    def _repeat(self, data: bytes, branch: str, method: str, now_ns: int) -> None:
        self._repeated.append(Repeated.begin(Packet(data), branch, method, now_ns, reliable=self.reliable))
        self.outgoing.append(data)

    def _stop(self, method: str) -> None:
        self._repeated = [one for one in self._repeated if one.method != method]

    def _refresh(self, request: Request, now_ns: int) -> None:
        """The session lasts from now on as long as the caller asks; without a timer, as long as any."""
        session_s = _session_s(request)
        if session_s is not None:
            last_s = max(session_s, SHORTEST_SESSION_S)
            last_s = min(last_s - min(_MARGIN_S, last_s // 3), LONGEST_S)  # RFC 4028 §10
            self._expires_ns = now_ns + last_s * 1_000_000_000

    def _session(self, request: Request) -> list[tuple[str, str]]:
        """What a 2xx says of the session timer (RFC 4028 §9): the caller refreshes, we hang up if it does not."""
        if _session_s(request) is None:
            return []
        seconds = (request.get("session-expires") or "").partition(";")[0].strip()
        knows = any(one.strip().lower() == "timer" for one in request.all("supported"))
        refresher = ";refresher=uac" if knows else ""
        told = [("Session-Expires", f"{seconds}{refresher}")]
        return [*told, ("Require", "timer")] if knows else told

    def _dialog(self) -> Dialog:
        """As the called side has it (§12.1.1)."""
        invite = self.invite
        contacts = invite.all("contact")
        to = invite.get("to") or ""
        return Dialog(
            call_id=invite.get("call-id") or "",
            local=to if parse_address(to).tag else f"{to};tag={self.ours.tag}",
            remote=invite.get("from") or "",
            target=parse_address(contacts[0]).uri if contacts else invite.uri,
            routes=tuple(invite.all("record-route")),
        )


def check(invite: Request) -> None:
    """Raises NotSip for an INVITE of which a dialog cannot be made."""
    cseq(invite)
    parse_address(invite.get("from") or "")
    for value in (*invite.all("contact")[:1], *invite.all("record-route")):
        parse_address(value)
    if not invite.all("contact"):
        raise NotSip("no contact header")


def _session_s(request: Request) -> int | None:
    match = _SECONDS.match(request.get("session-expires") or "")
    return int(match[0]) if match else None
