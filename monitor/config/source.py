"""One file of the configuration under examination: its tree, and what is wrong with it so far."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from monitor.config.document import read_document
from monitor.config.mistakes import Mistake
from monitor.config.tree import Place, Series, Step, Table, Tree, locate, written

Model = TypeVar("Model", bound=BaseModel)
Steps = tuple[Step, ...]

_NOWHERE_ELSE: Mapping[Step, Steps] = MappingProxyType({})

_SHOWN = 60
"""Characters of a wrong value that a message repeats."""


class Source:
    """Of the mistakes at one path only the first is kept: it is the cause, what follows from it is noise."""

    def __init__(self, path: Path) -> None:
        document = read_document(path)
        self.name = str(path)
        self.tree = Table() if document.root is None else document.root
        self.complete = document.complete
        self._mistakes: list[Mistake] = []
        self._mistaken: set[Steps] = set()
        for flaw in document.flaws:
            self._add(flaw.path, flaw.place, flaw.message)

    def mistakes(self) -> list[Mistake]:
        """In the order of their lines."""
        return sorted(self._mistakes, key=lambda mistake: (mistake.line or 0, mistake.column or 0))

    def mistake(self, at: Steps, message: str) -> None:
        if at not in self._mistaken:
            self._add(at, locate(self.tree, at)[1], message)

    def table(self, value: Tree | None, at: Steps) -> Table:
        """The value, if it is a mapping; else an empty one, and a mistake unless there is no value at all."""
        if isinstance(value, Table):
            return value
        if value is not None:
            self.mistake(at, f"expected a mapping of keys to values{_instead(value)}")
        return Table()

    def series(self, value: Tree | None, at: Steps) -> Series:
        """The value, if it is a list; else an empty one, and a mistake unless there is no value at all."""
        if isinstance(value, Series):
            return value
        if value is not None:
            self.mistake(at, f"expected a list{_instead(value)}")
        return Series()

    def validate(
        self,
        model: type[Model],
        value: object,
        at: Steps,
        *,
        context: object = None,
        others: Collection[str] = (),
        places: Mapping[Step, Steps] = _NOWHERE_ELSE,
    ) -> Model | None:
        """The model of a value, or None and a mistake for each thing that is wrong with it.

        ``context`` is for the model's validators. ``others`` are keys that may stand beside the model's own:
        for suggestions only. ``places`` are the steps to keys of the value that stand elsewhere in the file.
        """
        try:
            return model.model_validate(value, context=context)
        except ValidationError as error:
            for details in error.errors(include_url=False):
                steps = details["loc"]
                found = (*places.get(steps[0], steps[:1]), *steps[1:]) if steps else ()
                self._complain(model, details, (*at, *found), others)
        return None

    def _complain(
        self, model: type[BaseModel], details: ErrorDetails, steps: Steps, others: Collection[str]
    ) -> None:
        kind = details["type"]
        if kind == "extra_forbidden":
            inside = details["loc"][:-1]
            self.unknown_key(steps, _keys(model, inside).union(() if inside else others))
        elif kind == "missing":
            if self.complete:  # else it may have stood where reading had stopped
                self.mistake(steps, "expected this key: it has no default")
        else:
            known, _ = locate(self.tree, steps)  # validators add steps of their own, such as a union's branch
            self.mistake(steps[:known], _message(details))

    def unknown_key(self, at: Steps, known: Iterable[str]) -> None:
        key, keys = str(at[-1]), sorted(known)
        close = difflib.get_close_matches(key, keys, n=1)
        expected = f"did you mean {close[0]!r}?" if close else f"expected one of {', '.join(keys)}"
        self.mistake(at, f"unknown key {key!r}; {expected}")

    def _add(self, at: Steps, place: Place | None, message: str) -> None:
        line, column = place or (None, None)
        self._mistaken.add(at)
        self._mistakes.append(Mistake(self.name, line, column, written(at), message))


def _message(details: ErrorDetails) -> str:
    """What pydantic found, in the words of this program: first of all what was expected."""
    kind, message = details["type"], details["msg"]
    if kind == "value_error":
        return str(details["ctx"]["error"])
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        message = "expected a mapping of keys to values"
    elif kind in ("list_type", "tuple_type"):
        message = "expected a list"
    elif kind == "string_type":
        message = "expected text"
    message = message.partition(", unable to")[0].replace("Input should be", "expected")
    return message + _instead(details["input"])


def _instead(value: object) -> str:
    if isinstance(value, dict):
        return ", not a mapping"
    if isinstance(value, list):
        return ", not a list"
    text = repr(value)
    return f", not {text}" if len(text) <= _SHOWN else f", not {text[:_SHOWN]}..."


def _keys(model: type[BaseModel], steps: Steps) -> set[str]:
    """The keys that the model has at the steps, by the names that stand in the file."""
    for step in steps:
        inner = _models(model.model_fields[step].annotation) if step in model.model_fields else []
        if not inner:
            return set()
        model = inner[0]
    return {field.alias or name for name, field in model.model_fields.items()}


def _models(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in typing.get_args(annotation) for model in _models(part)]
