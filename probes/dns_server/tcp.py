"""A question over a connection, with or without TLS (RFC 7766, RFC 7858)."""

from __future__ import annotations

from probes.dial import Dialer, Link
from probes.dns_server.asking import Asking, Reply
from probes.dns_server.frames import Frames, framed
from probes.dns_server.question import is_answer
from probes.outcome import Outcome, Verdict
from probes.stream import Stream
from probes.trace import tell

MOST_OTHERS = 64
"""Messages that are no answer to our question, before we hang up."""


class _NoAnswer(Exception):
    """The peer hung up, or said too much else; ``str()`` says which."""


async def ask_over_connection(dialer: Dialer, asking: Asking) -> Reply:
    """What came of a question over a connection of its own."""
    answers: list[bytes] = []

    async def talk(stream: Stream, link: Link) -> Outcome:
        link.round_trip_s = None  # that of the connection is a phase; the probe's is that of the question
        if asking.options.transport == "tls":
            await dialer.secure(stream, link)
        try:
            answers.append(await _answer(stream, link, asking))
        except _NoAnswer as error:
            return link.outcome(Verdict.BAD, str(error))
        return link.outcome(Verdict.GOOD, "answered")

    outcome = await dialer.dial(asking.server, asking.at, asking.options, talk)
    return Reply(outcome, answers[0] if answers else None)


async def _answer(stream: Stream, link: Link, asking: Asking) -> bytes:
    """The first message that answers the question. Raises _NoAnswer, and OSError."""
    question, frames, ignored = asking.question, Frames(), 0
    sent_ns = await stream.send(framed(question.wire))
    tell("sent", bytes=len(question.wire))
    while True:
        data, arrived_ns = await stream.receive()
        if not data:
            raise _NoAnswer("closed before the answer")
        frames.take(data)
        while (message := frames.next()) is not None:
            if is_answer(question, message):
                link.round_trip_s = max(0, arrived_ns - sent_ns) / 1e9
                link.phases.append(("request", link.round_trip_s))
                return message
            ignored += 1
            link.detail["ignored"] = ignored
            if ignored == MOST_OTHERS:
                raise _NoAnswer("no answer to the question")
