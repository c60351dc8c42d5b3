"""One call from its first message to its outcome."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from probes.attention import Deadline, Expired, attended, silence
from probes.blame import failed
from probes.call.journal import Spent
from probes.call.judgement import Call, judged, unanswered
from probes.call.media import MediaReport, MediaSession
from probes.call.ongoing import Ongoing
from probes.call.opening import Opened, SomeoneElse
from probes.call.options import CLOSING_MS, CallOptions
from probes.call.sdp import PCMA, PCMU, Codec, Media, NotSdp, parse_sdp
from probes.outcome import Outcome, Verdict
from probes.resolve import Family, Resolver, Unresolved
from probes.sip.connecting import SOMEONE_ELSE
from probes.sip.credentials import Account
from probes.sip.locate import Member
from probes.sip.message import NotSip
from probes.sip.uri import SipTarget
from probes.tls import handshake_failed
from probes.trace import tell
from probes.unreachable import Unreachable

CODECS = {"PCMA": PCMA, "PCMU": PCMU}

_CANNOT_HEAR = ("sendonly", "inactive")


class Question(NamedTuple):
    """Who is to be called, and as whom. ``started_ns``: when the probe began, in ``time.monotonic_ns()``;
    ``resolve_s``: seconds until the member was known. ``stale``: it may be no longer the one."""

    target: SipTarget
    options: CallOptions
    member: Member
    account: Account | None
    started_ns: int
    resolve_s: float
    stale: bool

    @property
    def detail(self) -> dict[str, object]:
        asked: dict[str, object] = {"address": str(self.member.address)}
        return asked | {"address_stale": True} if self.stale else asked


class Begun(NamedTuple):
    """A call of which the INVITE is on its way, and the ports for its media."""

    opened: Opened
    ongoing: Ongoing
    session: MediaSession


@dataclass(slots=True)
class Calling:
    """Makes one call. ``begin`` starts it; it raises as Opener.open does, and OSError where it must not be made."""

    question: Question
    begin: Callable[[Question], Awaitable[Begun]]
    resolver: Resolver
    _begun: Begun | None = None
    _agreed: Codec | None = None
    _detail: dict[str, object] = field(default_factory=dict)

    async def make(self) -> Outcome:
        """Never raises, but when it is cancelled; the call is hung up on all the same."""
        question, options = self.question, self.question.options
        self._detail = question.detail
        waited_s = (time.monotonic_ns() - question.started_ns) / 1e9
        try:
            async with attended(options.answer_within / 1000 - waited_s) as deadline:
                begun = self._begun = await self.begin(question)
                self._detail |= begun.opened.shown
                await self._answered(begun)
            await self._talk(begun)
            await self._close(begun)
        except Expired:
            return await self._unanswered(deadline)
        except SomeoneElse as error:
            detail = self._detail | error.shown
            return Outcome(Verdict.BAD, question.started_ns, SOMEONE_ELSE, detail=detail)
        except ssl.SSLError as error:
            return handshake_failed(error, options, question.started_ns, self._detail)
        except OSError as error:
            return self._failed(error)
        finally:
            if self._begun is not None:
                self._begun.ongoing.hang_up()
                self._begun.session.close()
        return self._outcome(begun)

    async def _answered(self, begun: Begun) -> None:
        """Wait for the final answer, or for the ringing that is enough; media may come before it."""
        course, only_ringing = begun.ongoing.caller.course, self.question.options.until == "ringing"
        heard = b""
        while course.final is None and not begun.ongoing.task.done():
            if only_ringing and course.rung_ns is not None:
                return
            if course.early != heard:
                heard = course.early
                await self._play(begun, heard)
            before = (course.early, course.rung_ns)
            await begun.ongoing.reach(
                lambda before=before: course.final is not None or (course.early, course.rung_ns) != before  # type: ignore[misc]
            )

    async def _talk(self, begun: Begun) -> None:
        course, options = begun.ongoing.caller.course, self.question.options
        if course.answered_ns is None or course.final is None or options.until == "ringing":
            return
        await self._play(begun, course.final.body)
        if options.audio != "ignored" and self._agreed is None:
            return
        left_s = options.duration / 1000 - (time.monotonic_ns() - course.answered_ns) / 1e9
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, left_s)):
                await begun.ongoing.reach(lambda: bool(course.ended_by))

    async def _close(self, begun: Begun) -> None:
        """Hang up, and wait for the other side to take note."""
        begun.ongoing.hang_up()
        begun.session.stop()
        with contextlib.suppress(Expired):
            async with attended(CLOSING_MS / 1000):
                await begun.ongoing.reach(lambda: begun.ongoing.caller.over)

    async def _play(self, begun: Begun, body: bytes) -> None:
        """Begin to send to where a description of the peer's says."""
        offered = {CODECS[name].name for name in self.question.options.codecs}
        try:
            media = parse_sdp(body)
        except NotSdp as error:
            tell("no session description", error=error)
            return
        codec = next((one for one in media.codecs if one.name in offered), None) if media else None
        if media is None or codec is None:
            tell("no codec agreed")
            return
        family: Family = "ipv6" if ":" in begun.ongoing.local[0] else "ipv4"
        try:
            places = [
                (await self.resolver.resolve(host, family, timeout_s=1.0)).addresses[0].sockaddr(port)
                for host, port in ((media.host, media.port), (media.rtcp_host, media.rtcp_port))
            ]
        except Unresolved as error:
            tell("nowhere to send audio to", error=error)
            return
        self._agreed = codec
        tell("audio", codec=codec.name, to=places[0])
        begun.session.play(codec, places[0], places[1], send=_hears(media))

    async def _unanswered(self, deadline: Deadline) -> Outcome:
        question, begun = self.question, self._begun
        if begun is None:
            return silence(deadline, question.started_ns, self._detail, resolve_s=question.resolve_s)
        course = begun.ongoing.caller.course
        await self._close(begun)
        quiet = silence(deadline, course.asked_ns, self._detail, resolve_s=question.resolve_s)
        return unanswered(self._call(begun), quiet)

    def _failed(self, error: OSError | NotSip) -> Outcome:
        question, detail = self.question, self._detail
        sent_ns = self._begun.ongoing.caller.course.asked_ns if self._begun else question.started_ns
        if isinstance(error, Spent):
            detail = detail | {"wait_s": round(error.wait_s)}
            return Outcome(Verdict.NOT_ASKED, sent_ns, str(error), detail=detail)
        if isinstance(error, Unreachable):
            return error.outcome(sent_ns, detail)
        if isinstance(error, NotSip):
            return Outcome(Verdict.BAD, sent_ns, "not SIP", detail={**detail, "error": str(error)})
        member = question.member
        return failed(error, sent_ns, member.address.sockaddr(member.port), detail)

    def _outcome(self, begun: Begun) -> Outcome:
        if begun.ongoing.failure is not None:
            return self._failed(begun.ongoing.failure)
        return judged(self._call(begun))

    def _call(self, begun: Begun) -> Call:
        return Call(
            begun.ongoing.caller.course,
            self.question.options,
            (("resolve", self.question.resolve_s), *begun.opened.phases),
            self._detail,
            agreed=self._agreed is not None,
            media=self._media(begun),
            first_ns=begun.session.first_ns,
        )

    def _media(self, begun: Begun) -> MediaReport | None:
        """Of the talk itself: what comes before the answer is often from somewhere else on the way."""
        course = begun.ongoing.caller.course
        if course.answered_ns is None or self._agreed is None:
            return None
        return begun.session.report(course.answered_ns, course.hung_up_ns or time.monotonic_ns())


def _hears(media: Media) -> bool:
    """Whether the peer wants our audio: it may have put us on hold, in one way (RFC 3264 §8.4) or the older."""
    return media.direction not in _CANNOT_HEAR and media.host not in ("0.0.0.0", "::")  # noqa: S104
