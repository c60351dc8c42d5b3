"""What people ask of the ledger, by command or through the running agent.

A request is checked against the configuration first, and becomes a task for the writing connection: whoever may
write runs it in one transaction. The result of a task is what the command prints, fit for JSON; its ``revised`` are
the months that it revised (see monitor.ledger.frozen.Revision).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from monitor.config.values import Configuration
from monitor.ledger.errors import LedgerError
from monitor.store.exclusions import parse_reason

Result = dict[str, Any]
Task = Callable[[sqlite3.Connection], Result]

Reason = Annotated[str, AfterValidator(parse_reason)]
Author = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(parse_reason)]
Instant = Annotated[int, Field(strict=True, ge=0, lt=1 << 48)]
"""Milliseconds of UTC."""

Uid = Annotated[str, Field(min_length=1, max_length=64)]
"""The beginning of a record's uid, as people write it."""

Mode = Literal["apply", "careful", "rehearse"]
"""``apply``: do it. ``careful``: do it unless money moves. ``rehearse``: only say what it would do."""


class Request(BaseModel):
    """A change of the ledger; each kind adds its fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: ClassVar[str]
    """Its name, such as ``exclude``."""

    def task(self, configuration: Configuration, now_ms: int) -> Task:
        """What carries it out. Raises LedgerError where the configuration does not know what it speaks of; the
        task itself raises LedgerError and StoreError."""
        raise NotImplementedError


AnyRequest = TypeVar("AnyRequest", bound=Request)


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


def in_mode(task: Task, mode: Mode) -> Task:
    """A task that tells what it does, and under ``applied`` whether it did it, or took all of it back."""

    def guarded(db: sqlite3.Connection) -> Result:
        db.execute("SAVEPOINT asked")
        result = task(db)
        applied = mode == "apply" or (mode == "careful" and not moves_money(result))
        if not applied:
            db.execute("ROLLBACK TO asked")
        db.execute("RELEASE asked")
        return {**result, "applied": applied}

    return guarded


def moves_money(result: Result) -> bool:
    """Whether the credit of a frozen month is not what it was."""
    return any("credit" in one["difference"] for one in result.get("revised", ()))
