"""The user agent server: which request is of which call, and what belongs to none (RFC 3261 §8.2)."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from probes.call.sdp import PCMA, PCMU, NotSdp, describe, parse_sdp
from probes.echo.audio import EchoAudio
from probes.echo.callee import ALLOW, Callee, Ours, check
from probes.echo.numbers import ECHO, NUMBERS, Number
from probes.echo.transports import Connections, Datagrams, Way
from probes.sip.address import parse_address
from probes.sip.message import NotSip, Request, Response, parse_message
from probes.sip.request import new_token
from probes.sip.respond import respond
from probes.sip.validity import Refused, check_request

CALLS = 100
"""Calls at a time; one more is told to try again later."""

CLOSING_S = 2.0
"""Seconds that callers have to answer when we hang up on all of them."""

DRAWS = 16
"""Ports that the system may choose for UDP until one is free for TCP too."""

AGENT = "Ringback"
_MEDIA_DSCP = 46
_RETRY_AFTER_S = 30
_CODECS = {codec.name: codec for codec in (PCMA, PCMU)}

Key = tuple[str, str]
"""Of a call: its Call-ID, and the caller's tag."""


@dataclass(slots=True)
class _Call:
    callee: Callee
    audio: EchoAudio
    way: Way
    timer: asyncio.TimerHandle | None = None
    gone: asyncio.Event = field(default_factory=asyncio.Event)


class EchoServer:
    """Answers OPTIONS, and calls by sending their audio back, over UDP and TCP. Made inside a running loop."""

    def __init__(self, allow: Callable[[str], bool] | None = None, *, calls: int = CALLS) -> None:
        """``allow``: whether an address gets answers; None: every one does. ``calls``: how many at a time."""
        self._loop = asyncio.get_running_loop()
        self._allow = allow
        self._most = calls
        self._calls: dict[Key, _Call] = {}
        self._datagrams = Datagrams(self._take)
        self._connections = Connections(self._take)
        self._closing = False

    async def serve(self, host: str, port: int) -> int:
        """Answer at an address of this host, or * for every one, from now on, over UDP and TCP; the port, which 0
        leaves to the system. Raises OSError where it cannot be had."""
        draws = 1 if port else DRAWS
        while True:
            draws -= 1
            taken = self._datagrams.serve(host, port)
            try:
                return await self._connections.serve(host, taken)
            except OSError as error:
                self._datagrams.close()
                if error.errno != errno.EADDRINUSE or not draws:
                    raise

    async def close(self) -> None:
        """Hang up on everybody, and answer no more."""
        self._closing = True
        for call in list(self._calls.values()):
            call.callee.hang_up(time.monotonic_ns())
            self._go_on(call)
        waits = [asyncio.ensure_future(call.gone.wait()) for call in self._calls.values()]
        if waits:
            _, late = await asyncio.wait(waits, timeout=CLOSING_S)
            for wait in late:
                wait.cancel()
        for call in list(self._calls.values()):
            self._forget(call)
        self._datagrams.close()
        await self._connections.close()

    # Messages

    def _take(self, data: bytes, way: Way) -> None:
        if self._allow is not None and not self._allow(way.source[0].partition("%")[0]):
            return
        try:
            message = parse_message(data)
            if isinstance(message, Response):
                self._take_response(message)
            else:
                self._take_request(message, way)
        except NotSip:
            return  # nothing that an answer could be made to (§18.3)

    def _take_request(self, request: Request, way: Way) -> None:
        try:
            check_request(request)
            extensions = [one for one in request.all("require") if one.strip().lower() != "timer"]
        except Refused as refusal:
            self._reply(request, refusal.status, way)
            return
        if request.method not in ("ACK", "CANCEL") and extensions:
            self._reply(request, 420, way, [("Unsupported", ", ".join(extensions))])
            return
        call = self._calls.get(_key(request))
        if call is not None and self._is_of(call, request):
            call.way = way
            call.callee.take(request, way.source, time.monotonic_ns())
            self._go_on(call)
        elif request.method == "INVITE" and not parse_address(request.get("to") or "").tag:
            self._invited(request, way)
        elif request.method == "OPTIONS" and not parse_address(request.get("to") or "").tag:
            headers = [("Accept", "application/sdp"), ("Supported", "timer")]
            self._reply(request, 200, way, headers)
        elif request.method in ("BYE", "CANCEL", "INVITE", "UPDATE", "INFO", "OPTIONS"):
            self._reply(request, 481, way)
        else:
            self._reply(request, 405, way)

    def _take_response(self, response: Response) -> None:
        """To our BYE: there the caller is in To."""
        key = (response.get("call-id") or "", parse_address(response.get("to") or "").tag or "")
        call = self._calls.get(key)
        if call is not None:
            call.callee.take_response(response)
            self._go_on(call)

    @staticmethod
    def _is_of(call: _Call, request: Request) -> bool:
        """Within the dialog, or about the INVITE that began it."""
        tag = parse_address(request.get("to") or "").tag
        return tag == call.callee.ours.tag or (tag is None and request.method in ("INVITE", "CANCEL", "ACK"))

    # Calls

    def _invited(self, request: Request, way: Way) -> None:
        if _key(request) in self._calls:
            self._reply(request, 482, way)
            return
        if self._closing or len(self._calls) >= self._most:
            self._reply(request, 503, way, [("Retry-After", str(_RETRY_AFTER_S))])
            return
        check(request)
        spoken = _spoken(request)
        if spoken is None:
            self._reply(request, 488, way)
            return
        number = NUMBERS.get(_user(request.uri), ECHO)
        try:
            call = self._begin(request, number, spoken, way)
        except OSError:
            self._reply(request, 500, way)
            return
        self._calls[_key(request)] = call
        call.callee.begin(time.monotonic_ns())
        self._go_on(call)

    def _begin(self, request: Request, number: Number, spoken: list[str], way: Way) -> _Call:
        """Raises OSError where there are no ports for audio."""
        host = way.local[0].partition("%")[0]
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        audio = EchoAudio(family, way.local[0], self._allow, _MEDIA_DSCP)
        audio.echoes = number.echoes
        at = f"[{host}]:{way.local[1]}" if ":" in host else f"{host}:{way.local[1]}"
        transport = "" if way.transport == "udp" else f";transport={way.transport}"
        ours = Ours(
            via=f"SIP/2.0/{way.transport.upper()} {at}",
            contact=f"sip:{_user(request.uri) or 'echo'}@{at}{transport}",
            agent=AGENT,
            answer=describe(
                host, audio.port, [_CODECS[name] for name in spoken], session_id=int(new_token()[:12], 16)
            ),
        )
        return _Call(Callee(request, way.source, number, ours, way.transport != "udp"), audio, way)

    def _go_on(self, call: _Call) -> None:
        """Send what is to be sent, and wait for what comes next."""
        callee = call.callee
        for data in callee.outgoing:
            call.way.send(data)
        callee.outgoing.clear()
        if callee.ended:
            call.audio.echoes = False
        if call.timer is not None:
            call.timer.cancel()
        if callee.over:
            self._forget(call)
            return
        wait_s = max(0.0, (callee.due_ns - time.monotonic_ns()) / 1e9)
        call.timer = self._loop.call_later(wait_s, self._tick, call)

    def _tick(self, call: _Call) -> None:
        call.callee.tick(time.monotonic_ns())
        self._go_on(call)

    def _forget(self, call: _Call) -> None:
        if self._calls.pop(_key(call.callee.invite), None) is not None:
            call.audio.close()
        if call.timer is not None:
            call.timer.cancel()
        call.gone.set()

    def _reply(
        self, request: Request, status: int, way: Way, headers: list[tuple[str, str]] | None = None
    ) -> None:
        if request.method == "ACK":
            return
        told = [("Allow", ALLOW), ("Server", AGENT), *(headers or ())]
        tag = new_token().decode()[:12]
        way.send(respond(request, status, source=way.source[:2], to_tag=tag, headers=told))


def _key(request: Request) -> Key:
    return request.get("call-id") or "", parse_address(request.get("from") or "").tag or ""


def _user(uri: str) -> str:
    """The number that is called, without what is said of it."""
    _, _, rest = uri.partition(":")
    user, at, _ = rest.partition("@")
    return user.partition(";")[0].partition(":")[0].lower() if at else ""


def _spoken(request: Request) -> list[str] | None:
    """The codecs that we speak as well, the caller's best first; ours, where the offer is left to us (§13.2.1)."""
    if not request.body:
        return list(_CODECS)
    with contextlib.suppress(NotSdp):
        media = parse_sdp(request.body)
        if media is not None:
            shared = [
                codec.name for codec in media.codecs if codec.name in _CODECS and codec.clock_rate == 8_000
            ]
            return list(dict.fromkeys(shared)) or None
    return None
