"""Changes of the ledger that people ask for, by command or through the running agent.

A request is checked against the configuration first, and becomes a task for the writing connection: whoever
may write runs it in one transaction. The result of a task is what the command prints, fit for JSON.
"""

from __future__ import annotations

import io
import sqlite3
import uuid
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from monitor.config.values import Configuration
from monitor.ledger.errors import LedgerError
from monitor.ledger.revising import revise_excluded, revise_windows
from monitor.store import exclusions
from monitor.store.exclusions import Exclusion, Withdrawal, parse_reason
from monitor.store.history import import_history
from monitor.store.history_file import parse_history

Result = dict[str, Any]
Task = Callable[[sqlite3.Connection], Result]

Reason = Annotated[str, AfterValidator(parse_reason)]
Author = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(parse_reason)]
Instant = Annotated[int, Field(strict=True, ge=0, lt=1 << 48)]
"""Milliseconds of UTC."""


class Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


AnyRequest = TypeVar("AnyRequest", bound=Request)


class Exclude(Request):
    """Enter an exclusion ``[from_ms, to_ms)`` for a service, a tag or all (subject '')."""

    scope: Literal["service", "tag", "all"]
    subject: str
    exclusion_class: Literal["maintenance", "force_majeure", "third_party", "customer"]
    from_ms: Instant
    to_ms: Instant
    reason: Reason
    author: Author

    @model_validator(mode="after")
    def _goes_forward(self) -> Exclude:
        if self.from_ms >= self.to_ms:
            raise ValueError("expected an exclusion that begins before it ends")
        return self


class Withdraw(Request):
    """Withdraw the exclusion whose uid begins with ``uid``."""

    uid: Annotated[str, Field(min_length=1, max_length=64)]
    reason: Reason
    author: Author


def checked(kind: type[AnyRequest], fields: object) -> AnyRequest:
    """The request that the fields state. Raises LedgerError with everything that is wrong with them."""
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise LedgerError("\n".join(map(_told, error.errors(include_url=False)))) from None


def _told(details: ErrorDetails) -> str:
    place = ".".join(map(str, details["loc"]))
    message = details["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message


def importing(configuration: Configuration, content: bytes, source: str, now_ms: int) -> Task:
    """Bring a history in (monitor.store.history_file). Raises HistoryErrors, the task as well."""
    zones = {service.id: service.zone for service in configuration.services}
    history = parse_history(io.BytesIO(content), zones, now_ms)

    def task(db: sqlite3.Connection) -> Result:
        imported = import_history(db, history, source, zones, now_ms)
        reason = f"history imported from {source}"
        revised = revise_windows(db, imported.touched, now_ms, reason)
        return {
            "spans": imported.spans,
            "exclusions": imported.exclusions,
            "known": imported.known,
            "revised": [one.as_json() for one in revised],
        }

    return task


def excluding(configuration: Configuration, request: Exclude, now_ms: int) -> Task:
    """Enter an exclusion. Raises LedgerError where the configuration has no such service or tag."""
    _check_subject(configuration, request)
    exclusion = Exclusion(
        str(uuid.uuid4()),
        request.scope,
        request.subject,
        request.exclusion_class,
        request.from_ms,
        request.to_ms,
        request.reason,
        request.author,
        now_ms,
    )

    def task(db: sqlite3.Connection) -> Result:
        exclusions.add(db, exclusion)
        reason = f"exclusion {exclusion.uid} entered by {request.author}: {request.reason}"
        revised = revise_excluded(db, exclusion, now_ms, reason)
        return {"uid": exclusion.uid, "revised": [one.as_json() for one in revised]}

    return task


def withdrawing(request: Withdraw, now_ms: int) -> Task:
    """Withdraw an exclusion. The task raises StoreError where none is named or it is withdrawn already."""

    def task(db: sqlite3.Connection) -> Result:
        withdrawal = Withdrawal(request.reason, request.author, now_ms)
        exclusion = exclusions.withdraw(db, request.uid, withdrawal)
        reason = f"exclusion {exclusion.uid} withdrawn by {request.author}: {request.reason}"
        revised = revise_excluded(db, exclusion, now_ms, reason)
        return {"uid": exclusion.uid, "revised": [one.as_json() for one in revised]}

    return task


def _check_subject(configuration: Configuration, request: Exclude) -> None:
    known = {
        "service": {service.id for service in configuration.services},
        "tag": {tag for service in configuration.services for tag in service.tags},
        "all": {""},
    }[request.scope]
    if request.subject not in known:
        raise LedgerError(f"expected a {request.scope} of the configuration, not {request.subject!r:.80}")
