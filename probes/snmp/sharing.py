"""Many probes of one agent, one request: objects that are asked for at nearly the same time are asked for together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass

from probes.datagram import Line, Unsent
from probes.resolve import Sockaddr
from probes.snmp.agent import NOT_ALLOWED, Agent, BadAnswer, Refused
from probes.snmp.pdu import Answer, Binding, Oid, Request
from probes.snmp.wire import Asker, Conversation, Silent
from probes.trace import tell

GATHER_S = 0.01
"""Seconds for which a request waits for others to the same agent."""

MOST_OBJECTS = 32
"""Objects of one request: their values fit into one datagram of any agent."""

ALONE_NS = 600 * 1_000_000_000
"""Nanoseconds for which an agent that left a shared request unanswered is asked by each probe alone: one object
of which it is silent must not silence the others for long."""

Bindings = tuple[Binding, ...]


@dataclass(slots=True, eq=False)
class _Part:
    """What one asker wants of a request."""

    oids: tuple[Oid, ...]
    result: asyncio.Future[Bindings]

    def fail(self, error: Exception) -> None:
        if not self.result.done():
            self.result.set_exception(error)


class SharedGets:
    """The requests under way, and those that still wait for others."""

    def __init__(self) -> None:
        self._gathering: dict[tuple[Agent, Line], _Gathering] = {}
        self._under_way: dict[asyncio.Task[None], _Gathering] = {}

    async def get(
        self, agent: Agent, line: Line, sockaddr: Sockaddr, asker: Asker, oids: tuple[Oid, ...]
    ) -> Bindings:
        """The objects with these OIDs, in this order; missing ones as such.

        Raises BadAnswer and Refused for the first of them that the agent has an error for; Silent when the time
        of this asker is over; Unsent and Unreachable.
        """
        if agent.alone_until_ns > time.monotonic_ns():
            gathering = self._begin(_Gathering(agent, line, sockaddr), 0)
        else:
            gathering = self._room(agent, line, sockaddr, oids)
        return await gathering.add(asker, oids)

    def close(self) -> None:
        """Everybody who waits for an answer gets Unsent."""
        for task, gathering in self._under_way.items():
            gathering.fail(Unsent("prober was closed"))
            task.cancel()

    def _room(self, agent: Agent, line: Line, sockaddr: Sockaddr, oids: tuple[Oid, ...]) -> _Gathering:
        """A request that has not left yet, and has room for these objects."""
        gathering = self._gathering.get((agent, line))
        if gathering is None or not gathering.has_room(oids):
            gathering = self._begin(_Gathering(agent, line, sockaddr), GATHER_S)
            self._gathering[agent, line] = gathering
        return gathering

    def _begin(self, gathering: _Gathering, wait_s: float) -> _Gathering:
        task = asyncio.create_task(self._ask(gathering, wait_s))
        self._under_way[task] = gathering
        task.add_done_callback(self._under_way.pop)
        return gathering

    async def _ask(self, gathering: _Gathering, wait_s: float) -> None:
        await asyncio.sleep(wait_s)
        place = gathering.agent, gathering.line
        if self._gathering.get(place) is gathering:
            del self._gathering[place]
        await gathering.ask()


class _Gathering:
    """One request, and who waits for its answer."""

    def __init__(self, agent: Agent, line: Line, sockaddr: Sockaddr) -> None:
        self.agent = agent
        self.line = line
        self._conversation = Conversation(line, sockaddr, [], self._let_go)
        self._oids: dict[Oid, None] = {}
        self._parts: dict[Asker, _Part] = {}
        self._found: dict[Oid, Binding | BadAnswer | Refused] = {}
        self._shared = False

    def has_room(self, oids: Iterable[Oid]) -> bool:
        return len(self._oids.keys() | set(oids)) <= MOST_OBJECTS

    def add(self, asker: Asker, oids: tuple[Oid, ...]) -> asyncio.Future[Bindings]:
        part = self._parts[asker] = _Part(oids, asyncio.get_running_loop().create_future())
        self._oids.update(dict.fromkeys(oids))
        return part.result

    def fail(self, error: Exception) -> None:
        """Nobody who still waits gets an answer."""
        for part in self._parts.values():
            part.fail(error)

    async def ask(self) -> None:
        """Hand everybody what the agent says of their objects, or the error for which it says nothing."""
        waiting = {asker: part for asker, part in self._parts.items() if not part.result.cancelled()}
        self._parts, self._shared = waiting, len(waiting) > 1
        self._conversation.askers.extend(waiting)
        if self._shared:
            tell("asked together", probes=len(waiting), objects=len(self._oids))
        try:
            await self._fetch(tuple(dict.fromkeys(oid for part in waiting.values() for oid in part.oids)))
        except Silent as silence:
            self._note_silence()
            self.fail(silence)
        except Exception as error:
            self.fail(error)

    async def _fetch(self, oids: tuple[Oid, ...]) -> None:
        """Ask for these objects. Where the agent has an error for all of them they are asked for in halves: tooBig
        means no more than that, and another error may concern one of them alone."""
        if not oids or not self._conversation.askers:
            return
        answer = await self.agent.ask(self._conversation, Request(oids))
        culprit = answer.error_index - 1
        if answer.error and answer.error != "tooBig" and 0 <= culprit < len(oids):
            self._found[oids[culprit]] = _fault(oids[culprit], answer.error)
            self._deliver()
            await self._fetch(oids[:culprit] + oids[culprit + 1 :])
        elif _answers(answer, oids):
            self._found.update(zip(oids, answer.bindings, strict=True))
            self._deliver()
        elif len(oids) > 1 and answer.error not in NOT_ALLOWED:
            middle = len(oids) // 2
            await self._fetch(oids[:middle])
            await self._fetch(oids[middle:])
        else:
            self._found.update((oid, _refusal(answer)) for oid in oids)
            self._deliver()

    def _deliver(self) -> None:
        """Let those go who have all that they asked for."""
        for asker in tuple(self._conversation.askers):
            part = self._parts[asker]
            if all(oid in self._found for oid in part.oids):
                self._conversation.askers.remove(asker)
                self._finish(part)

    def _finish(self, part: _Part) -> None:
        found = [self._found[oid] for oid in part.oids]
        faults = [one for one in found if isinstance(one, Exception)]
        if faults:
            part.fail(faults[0])
        elif not part.result.done():
            part.result.set_result(tuple(one for one in found if isinstance(one, Binding)))

    def _let_go(self, asker: Asker) -> None:
        self._note_silence()
        self._parts[asker].fail(Silent(None))

    def _note_silence(self) -> None:
        if self._shared:
            self.agent.alone_until_ns = time.monotonic_ns() + ALONE_NS


def _answers(answer: Answer, oids: tuple[Oid, ...]) -> bool:
    return not answer.error and tuple(binding.oid for binding in answer.bindings) == oids


def _fault(oid: Oid, error: str) -> Binding | BadAnswer | Refused:
    """What an error says of the one object that it is about. Version 1 has one for a missing object (RFC 1157
    §4.1.2), and then gives none of the others."""
    if error == "noSuchName":
        return Binding(oid, "NoSuchInstance", "")
    return Refused("not allowed to read", error) if error in NOT_ALLOWED else BadAnswer(error)


def _refusal(answer: Answer) -> BadAnswer | Refused:
    if answer.error in NOT_ALLOWED:
        return Refused("not allowed to read", answer.error)
    if answer.error:
        return BadAnswer(answer.error)
    return BadAnswer("answered for another object" if answer.bindings else "answered for no object")
