"""Reading a sensor: one row by its name, all rows of a table, or objects without rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from probes.snmp.agent import BadAnswer
from probes.snmp.figures import LONGEST_NAME, Row
from probes.snmp.pdu import Binding, Oid
from probes.snmp.question import SYS_UP_TIME
from probes.snmp.rows import Places
from probes.snmp.sensor import Sensor
from probes.snmp.session import Session


@dataclass(frozen=True, slots=True)
class Read:
    """``ticks``: sysUpTime, where the sensor needs it and the agent has it."""

    rows: list[Row]
    ticks: int | None


async def read_sensor(session: Session, places: Places, sensor: Sensor, row: str | None) -> Read:
    """Raises what a session raises; BadAnswer for a row that is not there, and for a sensor without any."""
    clock = (SYS_UP_TIME,) if sensor.needs_uptime else ()
    if not sensor.label:
        columns = sensor.columns
        found = await session.get(*dict.fromkeys((*columns, *clock)))
        rows = [Row("", _present(columns, found))]
        if not rows[0].cells:
            raise BadAnswer(found[0].word)
    elif row is not None:
        columns = sensor.columns
        found = await places.read(session, sensor.label, row, columns, *clock) or ()
        if not found:
            raise BadAnswer("no such row")
        rows = [Row(row, _present(columns, found))]
    else:
        table = await session.walk(sensor.columns)
        rows = _named(sensor, table.rows)
        found = await session.get(*clock) if clock else ()
    ticks = next((one.value for one in reversed(found) if one.oid == SYS_UP_TIME), None)
    return Read(rows, ticks if isinstance(ticks, int) else None)


def _present(columns: Sequence[Oid], found: Sequence[Binding]) -> dict[Oid, Binding]:
    return {column: one for column, one in zip(columns, found, strict=False) if not one.missing}


def _named(sensor: Sensor, table: Mapping[Oid, Mapping[Oid, Binding]]) -> list[Row]:
    """The rows under names of which each comes once."""
    rows: dict[str, Row] = {}
    for index, cells in table.items():
        labels = (str(cells[column].value) for column in sensor.label if column in cells)
        dotted = ".".join(map(str, index))
        name = next((label for label in labels if label), dotted)[:LONGEST_NAME]
        if name in rows:
            name = f"{name} ({dotted})"
        rows[name] = Row(name, cells)
    return list(rows.values())
