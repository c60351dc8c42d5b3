"""A claim pack: all the necessary details of a problem as plain data, as canonical JSON, with its schema.

Instants are ISO 8601 in the contract's time zone, durations whole milliseconds, amounts and ratios decimal
strings: a program can check every number without a float.
"""

from __future__ import annotations

from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,  # pydantic takes typing's own from Python 3.12 on only
)

from pydantic import Field, TypeAdapter, with_config
from typing_extensions import TypedDict

from monitor.ledger import signed_document

FORMAT: Literal["ringback-claim-pack/1"] = "ringback-claim-pack/1"
SCHEMA_ID = "claim-pack.schema.json"

_ZONED = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?[+-]\d\d:\d\d(:\d\d)?$"

Instant = Annotated[str, Field(pattern=_ZONED, description="ISO 8601 with offset")]
DecimalText = Annotated[str, Field(pattern=r"^-?\d+(\.\d+)?$")]
MonthText = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", description="ISO 4217")]
Milliseconds = Annotated[int, Field(ge=0)]

_closed = with_config(extra="forbid")
_Window = TypedDict("_Window", {"from": Instant, "to": Instant})


@_closed
class Credit(TypedDict):
    """What a breach owes."""

    currency: Currency
    fee: DecimalText
    rate_per_hour: DecimalText
    hours: DecimalText
    uncapped: DecimalText
    cap: DecimalText | None
    amount: DecimalText


class Figures(_Window):
    """The month as it was frozen, as `ringback report --json` prints it. Ratios are truncated at 8 places."""

    service: str
    plan: str | None
    total_ms: Milliseconds
    down_ms: Milliseconds
    degraded_ms: Milliseconds
    excluded_ms: Milliseconds
    unknown_ms: Milliseconds
    outages: Milliseconds
    blips: Milliseconds
    coverage: DecimalText
    availability: DecimalText | None
    guarantee: DecimalText | None
    allowed_down_ms: Milliseconds | None
    breach: bool
    complete: bool
    credit: Credit | None


@_closed
class Terms(TypedDict):
    """What was agreed when the month was frozen; null: nothing."""

    provider: str
    plan: str | None
    plan_name: str
    guarantee: DecimalText | None
    rate_per_hour: DecimalText | None
    cap: DecimalText | None
    hours: Literal["prorata", "started", "whole"] | None
    degraded: Literal["up", "down"] | None
    excluded_time: Literal["available", "removed"] | None
    unknown_time: Literal["available", "removed"] | None
    fee: DecimalText | None
    currency: Currency | None


@_closed
class Probe(TypedDict):
    """What was asked and seen at the edge of an outage; ``detail`` is all that the prober noted."""

    sent: Instant
    verdict: str
    reason: str
    round_trip_us: Milliseconds | None
    detail: Any


@_closed
class Evidence(TypedDict):
    """A change of a check, the probe host that saw it, and its probes."""

    check: str
    vantage: str
    at: Instant
    state: str
    reason: str
    probes: list[Probe]


@_closed
class Outage(TypedDict):
    """An outage, whole, with its error bounds; null: nobody saw it.

    ``counted_ms``: of its time what is in ``down_ms`` of the month; null where that cannot be told outage by
    outage, as with a stretch of unknown time within one.
    """

    last_good: Instant | None
    first_bad: Instant
    last_bad: Instant | None
    first_good: Instant | None
    down_ms: Milliseconds
    least_ms: Milliseconds | None
    most_ms: Milliseconds | None
    counted_ms: Milliseconds | None
    reason: str
    source: str
    evidence: list[Evidence]


class Exclusion(_Window):
    """A stretch that does not count against the provider."""

    uid: str
    exclusion: str
    scope: str
    subject: str
    reason: str
    author: str
    entered: Instant


@_closed
class Incident(TypedDict):
    """A problem that was reported to the provider; ``reference``: the ticket's."""

    uid: str
    title: str
    reference: str
    reported: Instant
    acknowledged: Instant | None
    intervention: Instant | None
    resolved: Instant | None


@_closed
class Step(TypedDict):
    """A line of the calculation."""

    what: str
    how: str
    result: str


@_closed
class Amended(TypedDict):
    """The claim that this one replaces; its amount is replaced, not added to."""

    uid: str
    amount: DecimalText | None


@_closed
class Service(TypedDict):
    id: str
    name: str


@_closed
class Claim(TypedDict):
    """What is claimed for a service, and all that it follows from."""

    uid: str
    kind: Literal["availability", "response"]
    clock: Literal["mrt", "tti", "ttr"] | None
    state: str
    state_since: Instant
    reference: Annotated[str, Field(description="the provider's, of the claim; '' where none was given")]
    service: Service
    month: MonthText
    timezone: Annotated[str, Field(description="IANA name")]
    revision: Annotated[int, Field(ge=1)] | None
    frozen: Instant | None
    revision_reason: str | None
    terms: Terms
    figures: Figures | None
    outages: list[Outage]
    exclusions: list[Exclusion]
    incidents: list[Incident]
    calculation: list[Step]
    amount: Annotated[DecimalText | None, Field(description="null: to be agreed")]
    currency: Currency | None
    amends: Amended | None
    difference: DecimalText | None
    drafted: Instant
    send_before: Instant | None


@_closed
class Total(TypedDict):
    currency: Currency
    amount: DecimalText


@_closed
class Signature(TypedDict):
    """Over all the rest, by the key of the probe host; `ringback verify` checks it."""

    algorithm: Literal["Ed25519"]
    signer: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="the public key")]
    value: Annotated[str, Field(description="base64")]


@_closed
class Pack(TypedDict):
    """One claim, or all that a customer has in a month. ``as_of``: the latest thing that was recorded of them."""

    format: Literal["ringback-claim-pack/1"]
    customer: str
    month: MonthText
    as_of: Instant
    claims: Annotated[list[Claim], Field(min_length=1)]
    totals: Annotated[
        list[Total], Field(description="amounts of the claims, by currency; those to be agreed are not in it")
    ]
    signature: NotRequired[Signature]


def schema() -> dict[str, Any]:
    """JSON Schema of a pack, draft 2020-12."""
    found = TypeAdapter(Pack).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, **found}


def canonical(pack: Pack) -> bytes:
    """Keys in order, no blanks, UTF-8, one newline at the end: the same pack is the same bytes."""
    return signed_document.canonical(pack) + b"\n"
