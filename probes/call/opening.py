"""From a member to a leg with a caller on it: the socket or connection, and the INVITE's particulars."""

from __future__ import annotations

import ssl
from typing import NamedTuple

from probes.call.invitation import Invitation
from probes.call.leg import DatagramLeg, Leg, StreamLeg
from probes.call.options import CallOptions
from probes.sip.connecting import Phases, connect, is_someone_else, secure
from probes.sip.locate import Member
from probes.sip.request import Identity, new_token
from probes.sip.uri import SipTarget
from probes.stream import Stream
from probes.tls import Contexts


class SomeoneElse(Exception):
    """The certificate is trusted, and another domain's. ``shown``: what to note of the peer."""

    def __init__(self, shown: dict[str, object]) -> None:
        super().__init__()
        self.shown = shown


class Opened(NamedTuple):
    """``phases``: seconds that it took; ``shown``: what TLS told of the peer."""

    leg: Leg
    phases: Phases = ()
    shown: dict[str, object] = {}  # noqa: RUF012 - never written to


class Opener:
    """Opens legs. ``streams`` are those that are not handed out yet; who closes the prober abandons them."""

    def __init__(self) -> None:
        self.streams: set[Stream] = set()
        self._contexts = Contexts(ssl.SSLContext)

    async def open(self, target: SipTarget, member: Member, options: CallOptions, port: int = 0) -> Opened:
        """Over UDP from ``port``, if it is free. Raises OSError, ``ssl.SSLError``, SomeoneElse; who calls bounds
        the time."""
        if member.transport == "udp":
            return Opened(DatagramLeg(member, options, port))
        stream = Stream(member.address, source=options.source_address, dscp=options.dscp)
        self.streams.add(stream)
        try:
            phases = await connect(stream, member)
            shown: dict[str, object] = {}
            if member.transport == "tls":
                hands, shown = await secure(stream, target, options, self._contexts)
                phases += hands
                if is_someone_else(stream, target, options):
                    raise SomeoneElse(shown)
        except BaseException:
            stream.close()
            raise
        finally:
            self.streams.discard(stream)
        return Opened(StreamLeg(stream), phases, shown)


def invitation(target: SipTarget, options: CallOptions, transport: str, leg: Leg, offer: bytes) -> Invitation:
    """Who calls whom, as the options say."""
    style = options.style
    us = Identity(*leg.local, style.account or style.user, style.agent)
    ours = target.record(style.account) if style.account else us.record
    token = new_token().decode()
    return Invitation(
        uri=target.uri,
        to_uri=style.to_uri or target.record(target.user),
        from_uri=style.from_uri or ours,
        contact=style.contact_uri or us.contact(us.user, transport, sips=target.scheme == "sips"),
        transport=transport,
        sent_by=us.sent_by,
        agent=us.agent,
        max_forwards=style.max_forwards,
        headers=style.headers,
        offer=offer,
        call_id=f"{token}@{us.host}",
        tag=new_token().decode()[:12],
    )
