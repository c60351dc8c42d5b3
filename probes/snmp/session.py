"""Objects and tables of one agent, whatever its version, as one probe reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from probes.datagram import Line
from probes.resolve import Sockaddr
from probes.snmp.agent import NOT_ALLOWED, Agent, BadAnswer, Refused
from probes.snmp.pdu import Answer, Binding, Oid, Request
from probes.snmp.sharing import SharedGets
from probes.snmp.wire import Asker, Conversation

CELLS_AT_ONCE = 32
MOST_ROWS = 4_096
MOST_CELLS = 49_152


class TooLarge(Exception):
    """The table has more rows than we read: what stands in the others is not known."""


@dataclass(frozen=True, slots=True)
class Session:
    """What one probe asks of one agent, while its time lasts."""

    agent: Agent
    line: Line
    sockaddr: Sockaddr
    asker: Asker
    shared: SharedGets

    async def get(self, *oids: Oid) -> tuple[Binding, ...]:
        """The objects with these OIDs, in this order. Raises BadAnswer, Refused, Silent, and OSError."""
        return await self.shared.get(self.agent, self.line, self.sockaddr, self.asker, oids)

    async def walk(self, columns: Sequence[Oid]) -> Table:
        """The rows of some columns of one table. Raises what ``get`` raises, and TooLarge."""
        conversation = Conversation(self.line, self.sockaddr, [self.asker])
        table = Table()
        last = {column: column for column in columns}
        while last:
            if len(table.rows) > MOST_ROWS or table.cells > MOST_CELLS:
                raise TooLarge
            rows = max(1, CELLS_AT_ONCE // len(last))
            answer = await self.agent.ask(conversation, Request(tuple(last.values()), rows))
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
    if answer.error in NOT_ALLOWED:
        raise Refused("not allowed to read", answer.error)
    if answer.error:
        raise BadAnswer(answer.error)
    if not answer.bindings:
        raise BadAnswer("answered for no object")
    return answer.bindings
