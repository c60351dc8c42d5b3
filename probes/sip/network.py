"""How a member is reached: over UDP through shared sockets, over TCP and TLS by a connection each."""

from __future__ import annotations

import ssl
import time
from collections.abc import Coroutine
from typing import Any

from probes.attention import Expired, attended, silence
from probes.blame import failed, not_asked
from probes.datagram import Unsent, silent
from probes.outcome import Outcome, Verdict
from probes.sip.connecting import SOMEONE_ELSE, Phases, connect, is_someone_else, secure
from probes.sip.conversation import Conversation, Question, Script
from probes.sip.exchange import Connection, Datagrams, Silent
from probes.sip.message import NotSip
from probes.sip.request import Identity
from probes.sip.sockets import Lines, Way
from probes.stream import Stream
from probes.tls import Contexts, handshake_failed
from probes.trace import tell
from probes.unreachable import Unreachable


class Network:
    """The sockets, connections and TLS contexts of a prober. Made inside a running loop."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._contexts = Contexts(ssl.SSLContext)
        self._streams: set[Stream] = set()
        self._closed = False

    def converse(self, question: Question, script: Script) -> Coroutine[Any, Any, Outcome]:
        """The outcome of a script in a conversation of its own; of none, where it did not come to one."""
        over = self._over_udp if question.member.transport == "udp" else self._over_stream
        return over(question, script)

    def close(self) -> None:
        """Conversations under way end as NOT_ASKED."""
        self._closed = True
        self._lines.close()
        for stream in self._streams:
            stream.abandon()

    async def _over_udp(self, question: Question, script: Script) -> Outcome:
        talk: Conversation | None = None
        try:
            talk = self._by_datagrams(question)
            return await script(talk)
        except Unreachable as error:
            tell("ICMP error", reason=error.reason, **error.detail)
            outcome = error.outcome(_first_sent_ns(question, talk), question.detail)
        except Silent:
            outcome = _silent(question, talk)
        except OSError as error:
            outcome = not_asked(error, _first_sent_ns(question, talk), question.detail)
        return _settled(outcome, talk)

    def _by_datagrams(self, question: Question) -> Conversation:
        """Raises OSError where this host lacks a socket or a way."""
        member, options = question.member, question.options
        family = member.address.family
        line = self._lines.of(Way(family, options.source_address, options.source_port or 0, options.dscp))
        channel = Datagrams(line, member.address.sockaddr(member.port), question.deadline_ns)
        identity = Identity(self._local_host(question), line.port)
        return Conversation(question, channel, identity, (("resolve", question.resolve_s),), question.detail)

    def _local_host(self, question: Question) -> str:
        chosen = question.options.source_address
        return chosen.partition("%")[0] if chosen else self._lines.source(question.member.address)

    async def _over_stream(self, question: Question, script: Script) -> Outcome:
        began_ns, detail = time.monotonic_ns(), question.detail
        try:
            stream = self._stream(question)
        except OSError as error:
            return not_asked(error, began_ns, detail)
        talk: Conversation | None = None
        try:
            async with attended((question.deadline_ns - began_ns) / 1e9) as deadline:
                phases = await self._connected(stream, question, detail)
                if is_someone_else(stream, question.target, question.options):
                    return Outcome(Verdict.BAD, began_ns, SOMEONE_ELSE, None, phases, detail)
                talk = Conversation(question, Connection(stream), Identity(*stream.local), phases, detail)
                return await script(talk)
        except Expired:
            outcome = silence(deadline, began_ns, detail, resolve_s=question.resolve_s)
        except ssl.SSLError as error:
            outcome = handshake_failed(error, question.options, began_ns, detail)
        except NotSip as error:
            outcome = Outcome(Verdict.BAD, began_ns, "not SIP", detail={**detail, "error": str(error)})
        except OSError as error:
            member = question.member
            outcome = failed(error, began_ns, member.address.sockaddr(member.port), detail)
        finally:
            self._streams.discard(stream)
            stream.close()
        tell("failed", reason=outcome.reason)
        return _settled(outcome, talk)

    def _stream(self, question: Question) -> Stream:
        """Raises OSError where this host lacks a socket or the source address."""
        if self._closed:
            raise Unsent("prober was closed")
        options = question.options
        stream = Stream(question.member.address, source=options.source_address, dscp=options.dscp)
        self._streams.add(stream)
        return stream

    async def _connected(self, stream: Stream, question: Question, detail: dict[str, object]) -> Phases:
        """Connect, and shake hands where TLS is asked for; how long it took. Raises OSError."""
        phases = (("resolve", question.resolve_s), *await connect(stream, question.member))
        if question.member.transport != "tls":
            return phases
        hands, shown = await secure(stream, question.target, question.options, self._contexts)
        detail |= shown
        return (*phases, *hands)


def _settled(failure: Outcome, talk: Conversation | None) -> Outcome:
    """What a conversation that failed comes to: what was certain before, unless the fault is our own."""
    if talk is None or talk.so_far is None or failure.verdict is Verdict.NOT_ASKED:
        return failure
    return talk.so_far


def _first_sent_ns(question: Question, talk: Conversation | None) -> int:
    """When the question left that was not answered; of none, when the probe began."""
    asked = talk.asked if talk is not None else None
    return asked.sent_ns[0] if asked and asked.sent_ns else question.started_ns


def _silent(question: Question, talk: Conversation | None) -> Outcome:
    asked = talk.asked if talk is not None else None
    assert asked is not None
    tell("nothing final in time")
    detail = question.detail | {"retransmissions": len(asked.sent_ns) - 1}
    if asked.provisional:
        detail["provisional"] = asked.provisional
    return silent(question.options.timeout, asked.sent_ns[0], detail, resolve_s=question.resolve_s)
