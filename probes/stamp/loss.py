"""Which direction lost what, by the numbers that a stateful reflector gives its packets (RFC 8762 §4.3.1).

Packets are known by their index in the burst, from 0. The one with index i has the number i + FIRST, as if those
before FIRST had been lost: so a reflector that only copies our numbers can be told from one that counts for
itself, also where nothing was lost.

A number of the reflector that is missing among those that we have belongs to a packet that it sent: the way back
lost it. What else is missing never came to be reflected: the way there lost it. After the last answer there is
nothing to compare with, nor before the first one of a reflector that goes on counting from an earlier burst.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

FIRST = 1
"""The number of the first packet of a burst."""

_NUMBERS = 1 << 32

Seen = tuple[int, int]
"""The index of a packet of ours, and the reflector's number for its answer."""


@dataclass(frozen=True, slots=True)
class Losses:
    """Of ``sent`` packets ``lost`` came to no answer. ``stateful`` None: there was none at all."""

    sent: int
    lost: int
    forward: int = 0
    backward: int = 0
    stateful: bool | None = None

    @property
    def unattributed(self) -> int:
        """Lost in a direction that cannot be known."""
        return self.lost - self.forward - self.backward


@dataclass(frozen=True, slots=True)
class Disorder:
    """Answers that came again, or after one to a later packet. Directions are None of a stateless reflector."""

    duplicates: int
    reordered: int
    forward_duplicates: int | None = None
    backward_duplicates: int | None = None
    forward_reordered: int | None = None
    backward_reordered: int | None = None


def is_stateful(seen: Iterable[Seen]) -> bool:
    """Whether the reflector counts for itself."""
    return any(number != index + FIRST for index, number in seen)


def losses(sent: int, closing: int, seen: Sequence[Seen]) -> Losses:
    """Of a burst of ``sent`` packets, and ``closing`` ones after them that only show what became of the last.

    Where the reflector's numbers fit no such burst (somebody else shares its count, it was started anew, it
    makes them up), all that was lost is unattributed.
    """
    lost = sent - len({index for index, _ in seen if index < sent})
    if not seen:
        return Losses(sent, lost)
    stateful = is_stateful(seen)
    forward, backward = _attributed(sent, closing, seen) if stateful and lost else (0, 0)
    return Losses(sent, lost, min(lost, forward), min(lost, backward), stateful)


def _attributed(sent: int, closing: int, seen: Sequence[Seen]) -> tuple[int, int]:
    """How many of the packets that count were surely lost there, and back."""
    answered = {index for index, _ in seen}
    numbers = _unwrapped([number for _, number in seen])
    owners = dict(zip(numbers, (index for index, _ in seen), strict=True))
    if any(owners[number] != index for number, (index, _) in zip(numbers, seen, strict=True)):
        return 0, 0  # one number for two packets
    first, last, start = min(answered), max(answered), min(numbers)
    if 0 <= start <= first:  # the count began with this burst
        first, start = 0, 0
    back = max(numbers) - start + 1 - len(owners)
    if back > sent + closing - first - len(answered):
        return 0, 0  # more answers than there were packets
    there = max(0, last - first + 1 - len(answered) - back)
    closing_lost = sum(index not in answered for index in range(sent, last))
    return max(0, there - closing_lost), max(0, back - closing_lost)


def disorder(seen: Sequence[Seen]) -> Disorder:
    """Of the answers in the order of their arrival. Reordered is what RFC 4737 §3 calls so: each packet that
    comes after one that was sent later."""
    first: dict[int, int] = {}
    for index, number in seen:
        first.setdefault(index, number)
    duplicates, reordered = len(seen) - len(first), _late(first)
    if not is_stateful(seen):
        return Disorder(duplicates, reordered)
    numbers = _unwrapped(list(first.values()))
    arrived_there = [index for _, index in sorted(zip(numbers, first, strict=True))]
    return Disorder(
        duplicates,
        reordered,
        forward_duplicates=len(set(seen)) - len(first),
        backward_duplicates=len(seen) - len(set(seen)),
        forward_reordered=_late(arrived_there),
        backward_reordered=_late(numbers),
    )


def _late(places: Iterable[int]) -> int:
    late, latest = 0, -_NUMBERS
    for place in places:
        late += place < latest
        latest = max(latest, place)
    return late


def _unwrapped(numbers: Sequence[int]) -> list[int]:
    """Numbers of 32 bits on a line: each within half the range of the first."""
    start, half = numbers[0], _NUMBERS // 2
    return [start + (number - start + half) % _NUMBERS - half for number in numbers]
