"""The caller of one call, without sockets and with time as a value.

It goes by RFC 3261 §13, §14, §15 and §17.1.1 with RFC 6026: what began with an INVITE ends in the ACK of a refusal,
in CANCEL, or in BYE, and every branch of a forked call is hung up on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from probes.call.dialog import Dialog, Headers
from probes.call.invitation import ALLOWED, SESSION_S, Invitation, acknowledgement, cancel
from probes.call.repeating import PATIENCE_NS, Packet, Repeated
from probes.resolve import Sockaddr
from probes.sip.address import parse_address
from probes.sip.credentials import Credentials
from probes.sip.message import NotSip, Request, Response, cseq, parse_message, top_via
from probes.sip.request import COOKIE, new_token
from probes.sip.respond import respond

MOST_BRANCHES = 8
"""Dialogs that one INVITE may lead to by forking; those beyond it are left to their own timers."""

_LONGEST_SESSION_S = 1_800
_SECONDS = re.compile(r"[0-9]{1,6}")


@dataclass(slots=True)
class Branch:
    """A dialog that an answer made. ``ended_by``: "us" or "peer", once it has ended."""

    dialog: Dialog
    ack: Packet
    ended_by: str = ""


@dataclass(slots=True)
class Course:
    """What happened, and when, in nanoseconds; None: not (yet).

    ``asked_ns`` is when the INVITE was sent (again) to which the answers belong; ``heard_ns`` when any response
    to it came, ``rung_ns`` one of 101 to 199, ``answered_ns`` the 2xx; ``hung_up_ns`` when the first side said
    that it is over, ``closed_ns`` when our BYE was answered.
    """

    asked_ns: int = 0
    challenged_ns: int | None = None
    heard_ns: int | None = None
    rung_ns: int | None = None
    answered_ns: int | None = None
    hung_up_ns: int | None = None
    closed_ns: int | None = None
    retransmissions: int = 0
    provisional: int = 0
    """The last provisional status."""

    final: Response | None = None
    final_ns: int | None = None
    ended_by: str = ""
    bye_status: int | None = None
    early: bytes = b""
    """The body of the last provisional response that had one."""


@dataclass(slots=True)
class Caller:
    """Takes messages and the time, gives messages to send. ``credentials``: answers to challenges, if any."""

    invitation: Invitation
    reliable: bool
    credentials: Credentials | None = None
    course: Course = field(default_factory=Course)
    outgoing: list[Packet] = field(default_factory=list)
    branches: dict[str | None, Branch] = field(default_factory=dict)
    hanging_up: bool = False
    request: Request | None = None
    """Our last INVITE."""

    written: bytes = b""
    """The same, as it was sent."""

    _repeated: list[Repeated] = field(default_factory=list)
    _branch: str = ""
    _cseq: int = 0
    _session_s: int = SESSION_S
    _authorization: Headers = field(default_factory=list)
    _acknowledged: dict[str, Packet] = field(default_factory=dict)
    _given_up: bool = False

    @classmethod
    def resumed(
        cls,
        invitation: Invitation,
        invite: bytes,
        dialogs: Iterable[Dialog],
        credentials: Credentials | None,
        *,
        reliable: bool,
    ) -> Caller:
        """The caller of a call that an earlier process began and did not end. Raises NotSip."""
        caller = cls(invitation, reliable, credentials)
        caller._take_invite(invite)
        assert caller.request is not None
        caller._branch = top_via(caller.request).branch
        # a BYE of that process may have gone out, and numbers have to rise
        caller._cseq = cseq(caller.request)[0] + MOST_BRANCHES + 1
        caller.course.heard_ns = 0  # whether anything came is not known: CANCEL is sent at once
        caller.branches = {one.remote_tag: Branch(one, Packet(b"")) for one in dialogs}
        return caller

    @property
    def dialog(self) -> Branch | None:
        """The call, once it is answered."""
        return next(iter(self.branches.values()), None)

    @property
    def over(self) -> bool:
        """Whether nothing is left that the peer might hold to be a call."""
        if self.branches:
            waiting = any(one.method == "BYE" for one in self._repeated)
            return not waiting and all(branch.ended_by for branch in self.branches.values())
        return self._given_up or self.course.final is not None or self.request is None

    @property
    def lingers_until_ns(self) -> int:
        """Up to when answers may come again that want their ACK again."""
        final_ns = self.course.final_ns
        return 0 if self.reliable or final_ns is None else final_ns + PATIENCE_NS

    @property
    def due_ns(self) -> int | None:
        """When ``tick`` has something to do."""
        return min((due for one in self._repeated if (due := one.due_ns) is not None), default=None)

    # What we do

    def invite(self, now_ns: int) -> None:
        """Call, or call again with what was asked for."""
        self._cseq += 1
        self._branch = _new_branch()
        invitation, credentials = self.invitation, self.credentials
        if credentials is not None and self._cseq == 1:
            credentials.begin()
        if credentials is not None and credentials.given:
            self._authorization = _lines(credentials.headers("INVITE", invitation.uri, invitation.offer))
        data = invitation.invite(self._branch, self._cseq, self._authorization, self._session_s)
        self._take_invite(data)
        if self.course.asked_ns:
            self.course.challenged_ns = self.course.challenged_ns or self.course.asked_ns
        self.course.asked_ns, self.course.heard_ns, self.course.retransmissions = now_ns, None, 0
        self._begin(Packet(data), self._branch, "INVITE", now_ns)

    def hang_up(self, now_ns: int) -> None:
        """End the call, in the way that its state allows. Repeated, it does nothing more."""
        if self.hanging_up:
            return
        self.hanging_up = True
        self._note_end("us", now_ns)
        for branch in self.branches.values():
            if not branch.ended_by:
                self._leave(branch, now_ns)
        if not self.branches and self.course.final is None and self.request is not None:
            if self.course.heard_ns is not None:
                self._cancel(now_ns)
            elif (asked := self._of("INVITE", self._branch)) is not None:
                asked.last_wait(now_ns)  # a CANCEL has to wait for an answer first (§9.1)

    def tick(self, now_ns: int) -> None:
        """Send again what is due, and give up what is past its time."""
        for one in list(self._repeated):
            if one.ends_ns is not None and now_ns >= one.ends_ns:
                self._repeated.remove(one)
                self._given_up |= one.method == "INVITE"
            elif one.next_ns is not None and now_ns >= one.next_ns:
                self.outgoing.append(one.again(now_ns))
                if one.method == "INVITE":
                    self.course.retransmissions += 1

    # What comes

    def take(self, message: Request | Response, source: Sockaddr | None, now_ns: int) -> None:
        """A message from the peer. Raises NotSip where it is none of this call."""
        if (message.get("call-id") or "") != self.invitation.call_id:
            raise NotSip("another call")
        if isinstance(message, Request):
            self._take_request(message, source, now_ns)
            return
        branch, (_, method) = top_via(message).branch, cseq(message)
        if method == "INVITE" and branch == self._branch:
            self._take_answer(message, now_ns)
        elif (asked := self._of(method, branch)) is not None:
            self._take_other_answer(asked, message, now_ns)
        elif method == "INVITE" and message.status >= 300 and branch in self._acknowledged:
            self.outgoing.append(self._acknowledged[branch])  # it was lost

    def _take_answer(self, response: Response, now_ns: int) -> None:
        course, status = self.course, response.status
        asked = self._of("INVITE", self._branch)
        if course.heard_ns is None:
            course.heard_ns = now_ns
        if status < 200:
            self._proceed(response, asked, now_ns)
            return
        if asked is not None:
            self._repeated.remove(asked)
        if status < 300:
            self._answered(response, now_ns)
            return
        assert self.request is not None
        ack = self._acknowledged[self._branch] = Packet(acknowledgement(self.request, response))
        self.outgoing.append(ack)
        if course.final is None and not self._tries_again(response, now_ns):
            course.final, course.final_ns = response, now_ns

    def _proceed(self, response: Response, asked: Repeated | None, now_ns: int) -> None:
        course = self.course
        if course.final is not None:
            return
        course.provisional = response.status
        if asked is not None and not self.hanging_up:
            asked.proceeding()
        if response.status > 100:
            course.rung_ns = course.rung_ns or now_ns
            course.early = response.body or course.early
        if self.hanging_up and self._of("CANCEL", self._branch) is None:
            self._cancel(now_ns)

    def _tries_again(self, response: Response, now_ns: int) -> bool:
        """Whether the refusal was one that another INVITE can meet: a challenge, or too brief a session."""
        if self.hanging_up:
            return False
        if response.status == 422:
            least = _SECONDS.match(response.get("min-se") or "")
            if least is None or not self._session_s < int(least[0]) <= _LONGEST_SESSION_S:
                return False
            self._session_s = int(least[0])
        elif self.credentials is None or not self.credentials.take(response):
            return False
        self.invite(now_ns)
        return True

    def _answered(self, response: Response, now_ns: int) -> None:
        tag = parse_address(response.get("to") or "").tag
        known = self.branches.get(tag)
        if known is not None:
            self.outgoing.append(known.ack)  # it was lost
            return
        if len(self.branches) >= MOST_BRANCHES:
            return
        assert self.request is not None
        dialog = Dialog.of(self.request, response)
        via = self.invitation.via(_new_branch())
        ack = Packet(dialog.request("ACK", via, self._cseq, self._authorization), dialog.hop)
        branch = self.branches[tag] = Branch(dialog, ack)
        self.outgoing.append(ack)
        if len(self.branches) == 1 and self.course.final is None:
            self.course.final, self.course.final_ns = response, now_ns
            self.course.answered_ns = now_ns
            if not self.hanging_up:
                return
        self._leave(branch, now_ns)  # too late, or another phone that answered

    def _take_other_answer(self, asked: Repeated, response: Response, now_ns: int) -> None:
        """To a BYE or a CANCEL."""
        if response.status < 200:
            asked.proceeding()
            return
        self._repeated.remove(asked)
        if asked.method == "CANCEL":
            return  # the INVITE's own answer is still to come
        branch = self._branch_of(response)
        if branch is not None and self.credentials is not None and self.credentials.take(response):
            self._say_goodbye(branch, now_ns)
            return
        if branch is self.dialog:
            self.course.bye_status, self.course.closed_ns = response.status, now_ns

    def _take_request(self, request: Request, source: Sockaddr | None, now_ns: int) -> None:
        branch = self._branch_of(request)
        if request.method == "ACK":
            return
        if branch is None:
            status = 481
        elif request.method == "BYE":
            status = 200
            branch.ended_by = branch.ended_by or "peer"
            if branch is self.dialog:
                self._note_end("peer", now_ns)
        else:
            status = _ANSWERS.get(request.method, 405)
            if request.body and request.method == "UPDATE":
                status = 488
        told: list[tuple[str, str]] = [("Allow", ALLOWED)] if status == 405 else []
        if request.method == "UPDATE" and (expires := request.get("session-expires")):
            told.append(("Session-Expires", expires))
        self.outgoing.append(
            Packet(respond(request, status, source=source and source[:2], headers=told), to=source)
        )

    # How it is done

    def _take_invite(self, data: bytes) -> None:
        message = parse_message(data)
        if not isinstance(message, Request):
            raise NotSip("no request")
        self.written, self.request = data, message

    def _begin(self, packet: Packet, branch: str, method: str, now_ns: int) -> None:
        self._repeated.append(Repeated.begin(packet, branch, method, now_ns, reliable=self.reliable))
        self.outgoing.append(packet)

    def _cancel(self, now_ns: int) -> None:
        assert self.request is not None
        invite = self._of("INVITE", self._branch)
        if invite is None:
            invite = Repeated(Packet(b""), self._branch, "INVITE", None, None)
            self._repeated.append(invite)
        invite.last_wait(now_ns)
        self._begin(Packet(cancel(self.request)), self._branch, "CANCEL", now_ns)

    def _leave(self, branch: Branch, now_ns: int) -> None:
        branch.ended_by = "us"
        if self.credentials is not None:
            self.credentials.begin()
        self._say_goodbye(branch, now_ns)

    def _say_goodbye(self, branch: Branch, now_ns: int) -> None:
        self._cseq += 1
        name, dialog = _new_branch(), branch.dialog
        headers = [("User-Agent", self.invitation.agent)]
        if self.credentials is not None and self.credentials.given:
            headers += _lines(self.credentials.headers("BYE", dialog.target))
        data = dialog.request("BYE", self.invitation.via(name), self._cseq, headers)
        self._begin(Packet(data, dialog.hop), name, "BYE", now_ns)

    def _note_end(self, by: str, now_ns: int) -> None:
        if not self.course.ended_by:
            self.course.ended_by, self.course.hung_up_ns = by, now_ns

    def _of(self, method: str, branch: str) -> Repeated | None:
        return next((one for one in self._repeated if (one.method, one.branch) == (method, branch)), None)

    def _branch_of(self, message: Request | Response) -> Branch | None:
        """The dialog that a message is of, by the peer's tag: in From of its requests, in To of its answers."""
        value = message.get("from" if isinstance(message, Request) else "to")
        return self.branches.get(parse_address(value or "").tag)


_ANSWERS = {"OPTIONS": 200, "INFO": 200, "UPDATE": 200, "INVITE": 488, "CANCEL": 481}
"""What requests within the call are answered with. A re-INVITE is refused, which leaves all as it is (§14.2)."""


def _new_branch() -> str:
    return (COOKIE + new_token()).decode()


def _lines(text: str) -> Headers:
    pairs = (line.partition(": ") for line in text.splitlines())
    return [(name, value) for name, _, value in pairs]
