"""A call under way: the task that carries it from its first message to its last."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from probes.call.book import Book
from probes.call.caller import Caller
from probes.call.leg import Leg, Received
from probes.call.record import Record
from probes.call.repeating import Packet
from probes.resolve import Sockaddr
from probes.sip.message import NotSip
from probes.trace import tell
from probes.unreachable import Unreachable

Whereabouts = Callable[[str], Awaitable[Sockaddr | None]]
"""The address of the host that a URI names; None where that cannot be said."""


class Ongoing:
    """The task goes on after ``hang_up`` until the peer knows, and until nothing can come any more that wants an
    answer. ``failure``: why it had to stop before."""

    def __init__(
        self, caller: Caller, leg: Leg, record: Record, book: Book, whereabouts: Whereabouts
    ) -> None:
        self.caller = caller
        self.failure: OSError | NotSip | None = None
        self._leg = leg
        self.record = record
        """How far the call had come when the journal was told last."""
        self.resumed = False
        """Whether it was begun by an earlier leg or process."""
        self._book = book
        self._whereabouts = whereabouts
        self._noted: tuple[bytes, int] = (record.invite, len(record.dialogs))
        self._loop = asyncio.get_running_loop()
        self._nudge: asyncio.Future[None] = self._loop.create_future()
        self._waiting: set[asyncio.Future[None]] = set()
        self._ended = False
        self.task = asyncio.ensure_future(self._run())

    def hang_up(self) -> None:
        """End the call; see Caller.hang_up. Returns at once."""
        self.caller.hang_up(time.monotonic_ns())
        if not self._nudge.done():
            self._nudge.set_result(None)

    @property
    def local(self) -> tuple[str, int]:
        """Our address and port, as the call names them."""
        return self._leg.local

    async def reach(self, reached: Callable[[], bool]) -> None:
        """Wait until it is so, or until it never will be."""
        while not (reached() or self.task.done()):
            waiter: asyncio.Future[None] = self._loop.create_future()
            self._waiting.add(waiter)
            try:
                await waiter
            finally:
                self._waiting.discard(waiter)

    async def _run(self) -> None:
        receiving: asyncio.Task[Received] | None = None
        try:
            while True:
                await self._send_all()
                await self._note_the_end()
                self._announce()
                if self._is_done():
                    return
                receiving = receiving or asyncio.ensure_future(self._leg.receive())
                await self._pause(receiving)
                if receiving.done():
                    self._take(receiving)
                    receiving = None
                self.caller.tick(time.monotonic_ns())
        except (OSError, NotSip) as error:
            tell("the call broke off", error=error)
            self.failure = error
        finally:
            if receiving is not None:
                receiving.cancel()
            self._leg.close()
            self._loop.call_soon(self._announce)

    def _is_done(self) -> bool:
        return self.caller.over and time.monotonic_ns() >= self.caller.lingers_until_ns

    async def _pause(self, receiving: asyncio.Task[Received]) -> None:
        """Until a message is there, somebody hangs up, or a timer is due."""
        due_ns = self.caller.due_ns
        if self.caller.over:
            due_ns = min(due_ns or self.caller.lingers_until_ns, self.caller.lingers_until_ns)
        timeout_s = None if due_ns is None else max(0, due_ns - time.monotonic_ns()) / 1e9
        either: set[asyncio.Future[None] | asyncio.Task[Received]] = {receiving, self._nudge}
        await asyncio.wait(either, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if self._nudge.done():
            self._nudge = self._loop.create_future()

    def _take(self, receiving: asyncio.Task[Received]) -> None:
        try:
            received = receiving.result()
            self.caller.take(received.message, received.source, received.at_ns)
        except Unreachable as error:
            tell("ICMP error", reason=error.reason, **error.detail)
            if self.caller.course.heard_ns is None:
                raise
        except NotSip as error:
            if self._leg.reliable:
                raise
            tell("not of this call", error=error)

    async def _send_all(self) -> None:
        outgoing = self.caller.outgoing
        while outgoing:
            await (
                self._note_how_far()
            )  # before the peer learns of it: what is not noted cannot be ended later
            packet = outgoing.pop(0)
            to = packet.to
            if to is None and packet.hop is not None and not self._leg.reliable:
                to = await self._whereabouts(packet.hop)
            await self._send(packet, to)

    async def _send(self, packet: Packet, to: Sockaddr | None) -> None:
        tell("sent", to=to or "", message=packet)
        try:
            await self._leg.send(packet.data, to)
        except OSError as error:
            if self._leg.reliable or (self.caller.course.heard_ns is None and not self.caller.hanging_up):
                raise
            tell("not sent", error=error)
            with contextlib.suppress(OSError):
                await self._leg.send(packet.data, None)

    async def _note_how_far(self) -> None:
        caller = self.caller
        now = (caller.written, len(caller.branches))
        if now != self._noted:
            self._noted = now
            dialogs = tuple(branch.dialog for branch in caller.branches.values())
            self.record = replace(self.record, invite=caller.written, dialogs=dialogs)
            with contextlib.suppress(OSError):  # a full disk is no reason to leave the peer alone
                await self._book.update(caller.invitation.call_id, self.record)

    async def _note_the_end(self) -> None:
        if self.caller.over and not self._ended:
            self._ended = True
            with contextlib.suppress(OSError):
                await self._book.end(self.caller.invitation.call_id)

    def _announce(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
