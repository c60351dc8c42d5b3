"""What an SNMP target asks for, and what answer is wanted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from probes.snmp.pdu import Oid

SYS_UP_TIME: Oid = (1, 3, 6, 1, 2, 1, 1, 3, 0)
IF_OPER_STATUS: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1, 8)
IF_DESCR: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1, 2)
IF_NAME: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1)

_SCALARS: dict[str, Oid] = {
    "sysUpTime": SYS_UP_TIME,
    "sysDescr": (1, 3, 6, 1, 2, 1, 1, 1, 0),
    "sysName": (1, 3, 6, 1, 2, 1, 1, 5, 0),
}
_DOTTED = re.compile(r"\.?([0-2](?:\.\d{1,10}){1,127})")
_INTERFACE = re.compile(r"ifOperStatus([./])(.+)")
_RANGE = re.compile(r"(-?\d{1,20})(?:\.\.(-?\d{1,20}))?")

OPER_STATUS = {
    1: "up",
    2: "down",
    3: "testing",
    4: "unknown",
    5: "dormant",
    6: "notPresent",
    7: "lowerLayerDown",
}
"""Values of ifOperStatus (RFC 2863)."""


@dataclass(frozen=True, slots=True)
class Question:
    """One object; where ``interface`` is given, ``oid`` is a column and the row is the interface's."""

    oid: Oid
    interface: str = ""

    @property
    def is_oper_status(self) -> bool:
        return self.oid[: len(IF_OPER_STATUS)] == IF_OPER_STATUS


def parse_question(path: str) -> Question:
    """The question in a target's path: ``sysUpTime`` (also when empty), ``sysName``, ``sysDescr``, an OID in
    digits, ``ifOperStatus.7`` or ``ifOperStatus/eth0`` (percent-encoded). Raises ValueError.
    """
    text = path.removeprefix("/").removesuffix(".0")
    if not text:
        return Question(SYS_UP_TIME)
    if text in _SCALARS:
        return Question(_SCALARS[text])
    if match := _DOTTED.fullmatch(path.removeprefix("/")):
        return Question(_oid(match[1]))
    if match := _INTERFACE.fullmatch(path.removeprefix("/")):
        if match[1] == "/":
            return Question(IF_OPER_STATUS, unquote(match[2]))
        if match[2].isascii() and match[2].isdigit() and int(match[2]) < 2**31:
            return Question((*IF_OPER_STATUS, int(match[2])))
    known = ", ".join(_SCALARS)
    raise ValueError(
        f"expected an OID in digits, {known}, ifOperStatus.INDEX or ifOperStatus/NAME, not {path!r}"
    )


def _oid(dotted: str) -> Oid:
    oid = tuple(map(int, dotted.split(".")))
    if any(number >= 2**32 for number in oid) or (oid[0] < 2 and oid[1] >= 40):
        raise ValueError(f"expected an object identifier, not {dotted!r}")
    return oid


@dataclass(frozen=True, slots=True)
class Expected:
    """The wanted value: a text, or whole numbers from ``first`` to ``last``."""

    text: str
    first: int | None = None
    last: int | None = None

    def accepts(self, value: int | str) -> bool:
        if isinstance(value, str):
            return value == self.text
        return self.first is not None and self.last is not None and self.first <= value <= self.last


def parse_expected(value: object) -> Expected:
    """``5``, ``0..80`` or a text. Raises ValueError."""
    if isinstance(value, Expected):
        return value
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"expected a number, a range such as 0..80, or a text in quotes, not {value!r}")
    text = str(value)
    match = _RANGE.fullmatch(text)
    if match is None:
        return Expected(text)
    first, last = int(match[1]), int(match[2] or match[1])
    if first > last:
        raise ValueError(f"expected a range from low to high, not {text!r}")
    return Expected(text, first, last)
