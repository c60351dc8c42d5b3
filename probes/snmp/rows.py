"""Finding the row of a table by its name, once, and knowing it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from probes.resolve import Sockaddr
from probes.snmp.pdu import Binding, Oid
from probes.snmp.session import Session

MOST = 8_192


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row was found: its index, and the column that holds its name."""

    index: Oid
    column: Oid


class Places:
    """Where rows were found, the last MOST that were looked for.

    Each reading holds the name with the rest of the row, so that an index that moved (a reboot, another card) is
    noticed and looked for again, and never judged.
    """

    def __init__(self) -> None:
        self._places: dict[tuple[Sockaddr, Oid, str], Place] = {}

    async def read(
        self, session: Session, labels: tuple[Oid, ...], name: str, columns: Sequence[Oid], *others: Oid
    ) -> tuple[Binding, ...] | None:
        """The cells of the row with this name in one of the columns ``labels``, in the order of ``columns``, and the
        ``others`` behind them. None where there is no such row. Raises what a session raises.
        """
        key = session.sockaddr, labels[0], name
        known = self._places.get(key)
        if known is not None and (found := await _at(session, known, name, columns, others)):
            return found
        place = await _find(session, labels, name)
        if place is None:
            self._places.pop(key, None)
            return None
        self._places[key] = place
        if len(self._places) > MOST:
            del self._places[next(iter(self._places))]
        return await _at(session, place, name, columns, others)


async def _at(
    session: Session, place: Place, name: str, columns: Sequence[Oid], others: tuple[Oid, ...]
) -> tuple[Binding, ...] | None:
    """What stands there; None if it no longer has this name."""
    cells = (*((*column, *place.index) for column in columns), *others)
    label, *bindings = await session.get((*place.column, *place.index), *cells)
    return tuple(bindings) if str(label.value) == name else None


async def _find(session: Session, labels: tuple[Oid, ...], name: str) -> Place | None:
    for column in labels:
        table = await session.walk([column])
        for index, cells in table.rows.items():
            if str(cells[column].value) == name:
                return Place(index, column)
    return None
