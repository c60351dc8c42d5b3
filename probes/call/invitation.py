"""The INVITE of a call, and what refers to it: its CANCEL, and the ACK of a refusal."""

from __future__ import annotations

from dataclasses import dataclass

from probes.call.dialog import MAX_FORWARDS, Headers
from probes.sip.message import Request, Response
from probes.sip.request import written

SESSION_S = 90
"""Seconds after which a peer with session timers ends a call that nobody refreshes: the least that there is
(RFC 4028 §5). No call of ours lasts long enough to need a refresh."""

ALLOWED = "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO"


@dataclass(frozen=True, slots=True)
class Invitation:
    """Who calls whom, from where, and with what offer (SDP)."""

    uri: str
    to_uri: str
    from_uri: str
    contact: str
    transport: str
    sent_by: str
    agent: str
    max_forwards: int
    headers: tuple[tuple[str, str], ...]
    offer: bytes
    call_id: str
    tag: str

    def via(self, branch: str) -> str:
        return f"SIP/2.0/{self.transport.upper()} {self.sent_by};branch={branch};rport"

    def invite(self, branch: str, cseq: int, credentials: Headers, session_s: int) -> bytes:
        """RFC 3261 §13.2.1. The peer may end the call after ``session_s`` seconds without a refresh of ours."""
        return written(
            "INVITE",
            self.uri,
            [
                ("Via", self.via(branch)),
                ("Max-Forwards", str(self.max_forwards)),
                ("From", f"<{self.from_uri}>;tag={self.tag}"),
                ("To", f"<{self.to_uri}>"),
                ("Call-ID", self.call_id),
                ("CSeq", f"{cseq} INVITE"),
                ("Contact", f"<{self.contact}>"),
                *self.headers,
                ("Allow", ALLOWED),
                ("Supported", "timer"),
                ("Session-Expires", f"{session_s};refresher=uac"),
                ("Min-SE", str(SESSION_S)),
                ("User-Agent", self.agent),
                *credentials,
                ("Accept", "application/sdp"),
                ("Content-Type", "application/sdp"),
            ],
            self.offer,
        )


def cancel(invite: Request) -> bytes:
    """RFC 3261 §9.1: of the INVITE's transaction, and so with its Via."""
    return _of_transaction(invite, "CANCEL", invite.get("to") or "")


def acknowledgement(invite: Request, refusal: Response) -> bytes:
    """The ACK of a final response that is none of success (§17.1.1.3)."""
    return _of_transaction(invite, "ACK", refusal.get("to") or invite.get("to") or "")


def _of_transaction(invite: Request, method: str, to: str) -> bytes:
    number = (invite.get("cseq") or "").partition(" ")[0]
    return written(
        method,
        invite.uri,
        [
            ("Via", invite.get("via") or ""),
            ("Max-Forwards", MAX_FORWARDS),
            *(("Route", route) for route in invite.headers.get("route", ())),
            ("From", invite.get("from") or ""),
            ("To", to),
            ("Call-ID", invite.get("call-id") or ""),
            ("CSeq", f"{number} {method}"),
        ],
    )
