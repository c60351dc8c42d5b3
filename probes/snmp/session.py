"""Objects and tables of one agent, whatever its version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from probes.snmp.agent import Agent, BadAnswer, Refused
from probes.snmp.pdu import Answer, Binding, Oid, Request
from probes.snmp.wire import Conversation

CELLS_AT_ONCE = 32
MOST_ROWS = 4_096
MOST_CELLS = 32_768

_NOT_ALLOWED = frozenset({"authorizationError", "noAccess"})


@dataclass(slots=True)
class Session:
    """Asks one agent within one conversation."""

    agent: Agent
    conversation: Conversation

    async def get(self, *oids: Oid) -> tuple[Binding, ...]:
        """The objects with these OIDs, in this order. Raises BadAnswer, Refused, Silent, and OSError.

        Where the agent has an error for many at once it is asked again in halves: tooBig means no more than
        that, and another error may concern one of them alone.
        """
        answer = await self.agent.ask(self.conversation, Request(oids))
        if answer.error == "noSuchName":
            return await self._without(oids, answer.error_index)
        if answer.error and len(oids) > 1:
            middle = len(oids) // 2
            return (*await self.get(*oids[:middle]), *await self.get(*oids[middle:]))
        bindings = _accepted(answer)
        if tuple(binding.oid for binding in bindings) != oids:
            raise BadAnswer("answered for another object")
        return bindings

    async def _without(self, oids: tuple[Oid, ...], index: int) -> tuple[Binding, ...]:
        """Version 1 gives all or nothing, and says which one it does not have (RFC 1157 §4.1.2)."""
        if not 1 <= index <= len(oids):
            raise BadAnswer("noSuchName")
        absent = Binding(oids[index - 1], "NoSuchInstance", "")
        rest = oids[: index - 1] + oids[index:]
        found = await self.get(*rest) if rest else ()
        return (*found[: index - 1], absent, *found[index - 1 :])

    async def walk(self, columns: Sequence[Oid]) -> Table:
        """The rows of some columns of one table. Raises what ``get`` raises."""
        table = Table()
        last = {column: column for column in columns}
        while last and not table.full:
            rows = max(1, CELLS_AT_ONCE // len(last))
            answer = await self.agent.ask(self.conversation, Request(tuple(last.values()), rows))
            if answer.error == "noSuchName":  # version 1's end of the MIB
                ended = list(last)[answer.error_index - 1 : answer.error_index] or list(last)
                for column in ended:
                    del last[column]
                continue
            _advance(table, last, _accepted(answer))
        return table


@dataclass(slots=True)
class Table:
    """Cells by row and column; a row is what stands behind the column in the OID of a cell."""

    rows: dict[Oid, dict[Oid, Binding]] = field(default_factory=dict)
    cells: int = 0

    @property
    def full(self) -> bool:
        """Whether as much was read as is read of any table."""
        return len(self.rows) >= MOST_ROWS or self.cells >= MOST_CELLS


def _advance(table: Table, last: dict[Oid, Oid], bindings: tuple[Binding, ...]) -> None:
    """Take the cells of an answer; columns that have ended are no longer in ``last``."""
    columns = list(last)
    ended: set[Oid] = set()
    for number, binding in enumerate(bindings):
        column = columns[number % len(columns)]
        if column in ended:
            continue
        if binding.missing or binding.oid[: len(column)] != column:
            ended.add(column)
            continue
        if binding.oid <= last[column]:
            raise BadAnswer("table does not advance")
        last[column] = binding.oid
        table.rows.setdefault(binding.oid[len(column) :], {})[column] = binding
        table.cells += 1
    for column in ended:
        del last[column]


def _accepted(answer: Answer) -> tuple[Binding, ...]:
    if answer.error in _NOT_ALLOWED:
        raise Refused("not allowed to read", answer.error)
    if answer.error:
        raise BadAnswer(answer.error)
    if not answer.bindings:
        raise BadAnswer("answered for no object")
    return answer.bindings
