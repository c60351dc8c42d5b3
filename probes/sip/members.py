"""From the outcomes of all members behind a name to the one of the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from probes.outcome import Outcome, Verdict
from probes.sip.locate import Member

_PARTLY = {"degraded": Verdict.DEGRADED, "good": Verdict.GOOD, "bad": Verdict.BAD}


class Listed(NamedTuple):
    """Members for whoever watches the probe."""

    members: Sequence[Member]

    def __str__(self) -> str:
        return ", ".join(f"{one.name} {one.address} {one.port}/{one.transport}" for one in self.members)


Asked = tuple[Member, Outcome]


def first_addresses(members: Sequence[Member]) -> tuple[Member, ...]:
    """Of each host, port and transport the first address."""
    first: dict[tuple[str, int, str], Member] = {}
    for member in members:
        first.setdefault((member.name, member.port, member.transport), member)
    return tuple(first.values())


def together(asked: Sequence[Asked], partly_up: str) -> Outcome:
    """The outcome of a target with these members, in the order of RFC 3263.

    All bad: bad. Some bad: "partly up", which is what ``partly_up`` says. Else the worst. A member that could
    not be asked is not judged. The rest is that of the member that decided, or of the first one that answers;
    ``sent_ns`` is when the last of those that were judged was asked: not before that are all of them known.
    """
    judged = [one for one in asked if one[1].verdict is not Verdict.NOT_ASKED]
    if not judged:
        return _with_members(asked[0][1], asked)
    bad = [outcome for _, outcome in judged if outcome.verdict is Verdict.BAD]
    alive = [outcome for _, outcome in judged if outcome.verdict is not Verdict.BAD]
    if bad and alive:
        outcome = replace(alive[0], verdict=_PARTLY[partly_up], reason="partly up")
    else:
        outcome = max((outcome for _, outcome in judged), key=lambda one: one.verdict)
    return _with_members(replace(outcome, sent_ns=max(one.sent_ns for _, one in judged)), asked)


def _with_members(outcome: Outcome, asked: Sequence[Asked]) -> Outcome:
    detail = {**outcome.detail, "members": [_described(*one) for one in asked]}
    ends = [str(one.detail["chain_expires"]) for _, one in asked if "chain_expires" in one.detail]
    if ends:
        detail["chain_expires"] = min(ends)
    return replace(outcome, detail=detail)


def _described(member: Member, outcome: Outcome) -> dict[str, object]:
    described: dict[str, object] = {
        "name": member.name,
        "address": str(member.address),
        "port": member.port,
        "transport": member.transport,
        "verdict": outcome.verdict.word,
        "reason": outcome.reason,
    }
    if outcome.round_trip_s is not None:
        described["round_trip_ms"] = round(outcome.round_trip_s * 1000, 3)
    return described
