"""Conditions for a body in JSON: RFC 9535 paths, in linear time."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Annotated, Any

from jsonpath_rfc9535 import JSONPathEnvironment, JSONPathError, JSONPathQuery
from jsonpath_rfc9535.function_extensions import ExpressionType, FilterFunction
from pydantic import AfterValidator, BaseModel, ConfigDict

from probes.regex import Regex, matches

_QUOTED = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"")

_SHOWN = 100

Scalar = str | bool | int | float | None


class _Match(FilterFunction):
    """``match()`` of RFC 9535 §2.4.6, by RE2: the library's own is exponential in what a peer may send."""

    arg_types = [ExpressionType.VALUE, ExpressionType.VALUE]  # noqa: RUF012 (as the library has it)
    return_type = ExpressionType.LOGICAL
    form = "^(?:{})$"

    def __call__(self, text: object, pattern: object) -> bool:
        if not (isinstance(text, str) and isinstance(pattern, str)):
            return False
        try:
            return matches(self.form.format(pattern), text.encode(errors="replace"))
        except ValueError:
            return False


class _Search(_Match):
    """``search()`` of RFC 9535 §2.4.7."""

    form = "(?:{})"


_environment = JSONPathEnvironment()
_environment.function_extensions |= {"match": _Match(), "search": _Search()}


@lru_cache(maxsize=1_024)
def _query(path: str) -> JSONPathQuery:
    """Raises ValueError that says what is wrong with the path."""
    bare = _QUOTED.sub("''", path)
    if bare.count("..") > 1 or "$" in bare[1:]:
        raise ValueError(f"expected a path with one .. at most, and $ only at its start, not {path!r}")
    try:
        return _environment.compile(path)
    except JSONPathError as error:
        raise ValueError(f"expected a JSON path (RFC 9535), not {path!r}: {error}") from None


def _path(text: str) -> str:
    _query(text)
    return text


class JsonCondition(BaseModel):
    """What a path selects has to be: at least one value, and each of them as the conditions say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Annotated[str, AfterValidator(_path)]
    equals: Scalar = None
    """A string, a number, true, false or null; counts only where it is given."""

    matches: Regex | None = None
    """An expression for a string, or for the digits of a number."""

    min: float | None = None
    max: float | None = None

    @property
    def has_equals(self) -> bool:
        return "equals" in self.model_fields_set


class NotJson(ValueError):
    """A body that cannot be read as JSON; ``str()`` says why."""


def unmet(conditions: tuple[JsonCondition, ...], body: bytes) -> tuple[JsonCondition, str] | None:
    """The first condition that does not hold, and what was found instead. Raises NotJson."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)) from None
    for condition in conditions:
        try:
            found = _first_unfit(condition, document)
        except JSONPathError as error:  # more levels than the library goes down
            raise NotJson(str(error)) from None
        if found is not None:
            return condition, found
    return None


def _first_unfit(condition: JsonCondition, document: Any) -> str | None:
    selected = [node.value for node in _query(condition.path).finditer(document)]
    unfit = (value for value in selected if not _fits(condition, value))
    return next(map(_shown, unfit), None if selected else "nothing")


def _fits(condition: JsonCondition, value: object) -> bool:
    """Whether everything holds that the condition gives; "3" is no number, and true is none."""
    if condition.has_equals and not _same(condition.equals, value):
        return False
    if condition.matches is not None and not (
        _is_scalar(value) and matches(condition.matches, _text(value).encode(errors="replace"))
    ):
        return False
    if condition.min is None and condition.max is None:
        return True
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return (condition.min is None or condition.min <= value) and (
        condition.max is None or value <= condition.max
    )


def _same(wanted: Scalar, value: object) -> bool:
    return isinstance(wanted, bool) == isinstance(value, bool) and wanted == value


def _is_scalar(value: object) -> bool:
    return not isinstance(value, dict | list)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _shown(value: object) -> str:
    """Short, and without going down into what a peer has nested."""
    if isinstance(value, dict):
        return "an object"
    return "an array" if isinstance(value, list) else json.dumps(value)[:_SHOWN]
