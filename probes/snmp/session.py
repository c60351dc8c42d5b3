"""Questions to one SNMP agent, answered or refused."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable

from probes.resolve import Sockaddr
from probes.snmp.exchange import Exchange
from probes.snmp.message import MISSING, Answer, Binding, Malformed, Oid, decode, get, get_bulk

ROWS_AT_ONCE = 16
MOST_ROWS = 4_096


class BadAnswer(Exception):
    """The agent answered, but not the question. ``str()`` is the reason."""


class Session:
    """Asks one agent with one community. ``last`` is the exchange under way, or the last one."""

    def __init__(self, sockaddr: Sockaddr, community: str) -> None:
        self.sockaddr = sockaddr
        self._community = community
        self.last = Exchange()

    async def get(self, *oids: Oid) -> tuple[Binding, ...]:
        """The objects with these OIDs, in this order. Raises BadAnswer, and OSError."""
        bindings = await self._ask(lambda number: get(number, self._community, oids))
        if tuple(binding.oid for binding in bindings) != oids:
            raise BadAnswer("answered for another object")
        return bindings

    async def column(self, column: Oid) -> AsyncIterator[Binding]:
        """The cells of a column, at most MOST_ROWS, in order. Raises BadAnswer, and OSError."""
        last = column
        for _ in range(MOST_ROWS // ROWS_AT_ONCE):
            for cell in await self._ask(self._rows_after(last)):
                if cell.oid[: len(column)] != column or cell.kind in MISSING:
                    return
                if cell.oid <= last:
                    raise BadAnswer("table does not advance")
                last = cell.oid
                yield cell

    def _rows_after(self, oid: Oid) -> Callable[[int], bytes]:
        return lambda number: get_bulk(number, self._community, oid, ROWS_AT_ONCE)

    async def _ask(self, question: Callable[[int], bytes]) -> tuple[Binding, ...]:
        number = secrets.randbits(30) | 1 << 30  # always four octets in BER: the mark is exact
        self.last = Exchange()
        datagram = await self.last.ask(self.sockaddr, question(number), b"\x02\x04" + number.to_bytes(4))
        answer = self._decode(datagram)
        if answer.request_id != number:
            raise BadAnswer("not SNMP")
        if answer.error:
            raise BadAnswer(answer.error)
        if not answer.bindings:
            raise BadAnswer("answered for no object")
        return answer.bindings

    def _decode(self, datagram: bytes) -> Answer:
        try:
            return decode(datagram, self._community)
        except Malformed:
            raise BadAnswer("not SNMP") from None
