"""Waiting for lines and saying some: what blackbox_exporter calls query_response."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from probes.dial import Dialer, Link, not_refused
from probes.outcome import Outcome, Verdict
from probes.regex import compiled, expand, readable
from probes.stream import Stream
from probes.tcp.lines import Lines, TooMuch
from probes.tcp.options import TcpOptions, Turn
from probes.trace import tell

_SHOWN = 200
_AT_A_TIME = 100
"""Lines that are searched before the loop turns."""


class _Unexpected(Exception):
    """The peer hung up, or said too much, before it said what was expected; ``str()`` says which."""


async def converse(dialer: Dialer, options: TcpOptions, stream: Stream, link: Link) -> Outcome:
    """The outcome of all turns of a conversation over a connection that stands. Raises OSError."""
    if options.tls:
        await dialer.secure(stream, link)
    if not any(turn.expect for turn in options.query_response):
        await not_refused(stream, link)
    began_ns = time.monotonic_ns()
    speaking = _Conversation(dialer, stream, link)
    try:
        for turn in options.query_response:
            await speaking.take(turn)
    except _Unexpected as error:
        link.passed("talk", began_ns)
        return link.outcome(Verdict.BAD, str(error))
    if options.query_response:
        link.passed("talk", began_ns)
        return link.outcome(Verdict.GOOD, "answered")
    return link.outcome(Verdict.GOOD, "connected")


class _Conversation:
    def __init__(self, dialer: Dialer, stream: Stream, link: Link) -> None:
        self._dialer = dialer
        self._stream = stream
        self._link = link
        self._lines = Lines()
        self._labels: dict[str, str] = {}
        self._read = 0

    async def take(self, turn: Turn) -> None:
        """Raises _Unexpected, and OSError."""
        text = turn.send or ""
        if turn.expect is not None:
            match = await self._expect(turn.expect)
            self._show(turn.labels, match)
            text = expand(text, match)
        if text:
            tell("sending", bytes=len(text))
            self._stream.ends_politely = True
            await self._stream.send(text.encode() + b"\n")
        if turn.starttls:
            await self._dialer.secure(self._stream, self._link)
            self._lines = Lines()

    async def _expect(self, pattern: str) -> Any:
        """The match of the first line that has one."""
        tell("expecting", pattern=pattern)
        expression = compiled(pattern)
        while (line := await self._line()) is not None:
            self._read += 1
            if self._read % _AT_A_TIME == 0:
                await asyncio.sleep(0)
            text = readable(line)
            tell("line", text=text.decode())
            self._link.detail["line"] = text.decode()[:_SHOWN]
            if (match := expression.search(text)) is not None:
                return match
        self._link.detail |= {"expected": pattern[:_SHOWN], "regex_failed": True}
        raise _Unexpected("closed before the expected line")

    def _show(self, labels: tuple[tuple[str, str], ...], match: Any) -> None:
        if labels:
            self._labels |= {name: expand(text, match)[:_SHOWN] for name, text in labels}
            self._link.detail["labels"] = self._labels

    async def _line(self) -> bytes | None:
        """The next line; None after the last one."""
        try:
            while (line := self._lines.next()) is None:
                data, _ = await self._stream.receive()
                if not data:
                    return self._lines.last()
                self._lines.take(data)
        except TooMuch as error:
            self._link.detail["error"] = str(error)
            raise _Unexpected("too long an answer") from None
        return line
