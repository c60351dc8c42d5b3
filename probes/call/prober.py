"""The call prober: does the number answer, and is there audio both ways? ``call:USER@HOST[:PORT]``"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Coroutine
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from probes.attention import Expired, attended
from probes.blame import not_asked
from probes.call.book import Book
from probes.call.caller import Caller
from probes.call.calling import CODECS, Begun, Calling, Question
from probes.call.leg import Leg
from probes.call.media import MediaSession
from probes.call.metrics import METRICS
from probes.call.ongoing import Ongoing
from probes.call.opening import Opener, SomeoneElse, invitation
from probes.call.options import CallOptions
from probes.call.record import Record
from probes.call.sdp import describe
from probes.metric import Metric
from probes.outcome import Outcome
from probes.prober import Options
from probes.resolve import Family, Resolver, Sockaddr
from probes.sip.credentials import Credentials, account_of
from probes.sip.locate import Location, Locator, Member
from probes.sip.message import NotSip
from probes.sip.request import new_token
from probes.sip.uri import SipTarget, parse_target
from probes.trace import tell

CLOSING_S = 4.0
"""Seconds that hanging up may hold up the closing of the prober. What is not over then is in the journal."""

_CONNECTING_S = 4.0
_SCHEMES = {"call": "sip", "calls": "sips"}


class CallProber:
    """Calls the first of the hosts that RFC 3263 finds behind a number, talks, and hangs up.

    A call is begun when the journal has it, and never more often than ``calls_per_hour`` allows. Whatever ends
    the probe, the call is ended: at once by the task that carries it; where the process is killed, by the next
    one that is given the same folder; and where there is none, by the session timer of a peer that has one.
    """

    schemes: ClassVar[tuple[str, ...]] = tuple(_SCHEMES)
    options: ClassVar[type[Options]] = CallOptions
    metrics: ClassVar[tuple[Metric, ...]] = METRICS

    def __init__(self, resolver: Resolver | None = None) -> None:
        self._resolver = resolver or Resolver()
        self._locator = Locator(self._resolver)
        self._opener = Opener()
        self._book = Book()
        self._ongoing: set[Ongoing] = set()
        self._ends: set[asyncio.Task[None]] = set()
        self._closed = False

    @staticmethod
    def parse(text: str) -> SipTarget:
        scheme, _, rest = text.partition(":")
        try:
            target = parse_target(f"{_SCHEMES[scheme.lower()]}:{rest}")
        except (KeyError, ValueError):
            raise ValueError(f"expected a number such as call:1000@sbc.example.net, not {text!r}") from None
        if target.user is None:
            raise ValueError(f"expected a number to call, such as call:1000@{target.domain}, not {text!r}")
        return target

    def remember_in(self, folder: Path) -> None:
        """As probes.prober.Remembering has it: calls that an earlier process left open are ended now."""
        for call_id, record in self._book.open(folder).items():
            self._keep(self._end(call_id, record))

    async def probe(self, target: SipTarget, options: CallOptions) -> Outcome:
        started_ns = time.monotonic_ns()
        try:
            if self._closed:
                raise OSError("prober was closed")
            account = account_of(target, options)
            location = await self._locate(
                options.first_hop or target, options.asked_family, options.answer_within
            )
        except OSError as error:
            return not_asked(error, started_ns)
        resolve_s = (time.monotonic_ns() - started_ns) / 1e9
        question = Question(
            target, options, location.members[0], account, started_ns, resolve_s, location.stale
        )
        return await Calling(question, self._begin, self._resolver).make()

    async def close(self) -> None:
        self._closed = True
        for stream in self._opener.streams:
            stream.abandon()
        for ongoing in self._ongoing:
            ongoing.hang_up()
        await self._hung_up()
        tasks = [*self._ends, *(ongoing.task for ongoing in self._ongoing)]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self._book.close()
        await self._locator.close()
        await self._resolver.close()

    async def _hung_up(self) -> None:
        """Wait until every call is over, but not without end."""
        waits = [one.reach(lambda one=one: one.caller.over) for one in self._ongoing]  # type: ignore[misc]
        if waits:
            await asyncio.wait([asyncio.ensure_future(one) for one in waits], timeout=CLOSING_S)

    async def _begin(self, question: Question) -> Begun:
        target, member, options = question.target, question.member, question.options
        opened = await self._opener.open(target, member, options)
        leg, session = opened.leg, None
        try:
            session = MediaSession(member.address.family, leg.local[0], dscp=options.media_dscp)
            offer = describe(
                leg.local[0],
                session.port,
                [CODECS[name] for name in options.codecs],
                session_id=int(new_token()[:12], 16),
            )
            credentials = Credentials(question.account) if question.account else None
            caller = Caller(
                invitation(target, options, member.transport, leg, offer), leg.reliable, credentials
            )
            caller.invite(time.monotonic_ns())
            record = Record(target, options, member, leg.local[1], caller.written)
            await self._enter(caller, record)
        except BaseException:
            leg.close()
            if session is not None:
                session.close()
            raise
        return Begun(opened, self._carry(caller, leg, record), session)

    async def _enter(self, caller: Caller, record: Record) -> None:
        """Note in the journal that the call is about to be made. Raises OSError where it must not be."""
        target, call_id = record.target, caller.invitation.call_id
        destination = f"{target.user}@{target.host}".lower()
        try:
            await self._book.begin(call_id, record, destination, record.options.calls_per_hour)
        except asyncio.CancelledError:
            self._keep(self._book.end(call_id))  # it may have been noted nevertheless
            raise

    def _carry(self, caller: Caller, leg: Leg, record: Record) -> Ongoing:
        where = partial(self._whereabouts, record.member, record.options.timeout / 1000)
        ongoing = Ongoing(caller, leg, record, self._book, where)
        self._ongoing.add(ongoing)
        ongoing.task.add_done_callback(lambda _: self._carried(ongoing))
        return ongoing

    def _carried(self, ongoing: Ongoing) -> None:
        """A call that broke off before it was over is ended by another way, once."""
        self._ongoing.discard(ongoing)
        if (
            ongoing.failure is not None
            and not ongoing.caller.over
            and not ongoing.resumed
            and not self._closed
        ):
            self._keep(self._end(ongoing.caller.invitation.call_id, ongoing.record))

    async def _end(self, call_id: str, record: Record) -> None:
        """End a call whose leg is no more. What fails is left to the next process."""
        target, member, options = record.target, record.member, record.options
        tell("ending a call that was left open", call_id=call_id)
        try:
            async with attended(_CONNECTING_S):
                leg = (await self._opener.open(target, member, options, record.port)).leg
        except (OSError, SomeoneElse, Expired):
            return
        try:
            account = account_of(target, options)
        except OSError:
            account = None
        ours = replace(invitation(target, options, member.transport, leg, b""), call_id=call_id)
        credentials = Credentials(account) if account else None
        try:
            caller = Caller.resumed(ours, record.invite, record.dialogs, credentials, reliable=leg.reliable)
        except NotSip:
            leg.close()
            await self._book.end(call_id)
            return
        caller.hang_up(time.monotonic_ns())
        ongoing = self._carry(caller, leg, record)
        ongoing.resumed = True

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._ends.add(task)
        task.add_done_callback(self._ends.discard)

    async def _whereabouts(self, member: Member, timeout_s: float, uri: str) -> Sockaddr | None:
        """Where a request within a call goes to over UDP (RFC 3261 §12.2.1.1, RFC 3263)."""
        try:
            hop = parse_target(uri)
            if hop.transport not in (None, "udp"):
                return None
            family: Family = "ipv6" if member.address.family == socket.AF_INET6 else "ipv4"
            location = await self._locator.locate(
                hop.host, port=hop.port, transport="udp", secure=False, family=family, timeout_s=timeout_s
            )
        except (ValueError, OSError) as error:
            tell("nowhere to send to but back", uri=uri, error=error)
            return None
        found = location.members[0]
        return found.address.sockaddr(found.port)

    async def _locate(self, hop: SipTarget, family: Family, within_ms: int) -> Location:
        """Raises Unresolved."""
        return await self._locator.locate(
            hop.host,
            port=hop.port,
            transport=hop.transport,
            secure=hop.secure,
            family=family,
            timeout_s=within_ms / 1000,
        )
