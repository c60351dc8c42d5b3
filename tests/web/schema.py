"""As much of JSON Schema 2020-12 as openapi.json uses. A keyword that is not known here is a KeyError."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from functools import reduce
from typing import Any

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def mistakes(document: dict[str, Any], schema: dict[str, Any], value: Any, at: str = "$") -> Iterator[str]:
    """Where and how the value is not as the schema says. ``document`` holds what is referred to."""
    for keyword, said in schema.items():
        if keyword == "$ref":
            target = reduce(lambda part, step: part[step], said.removeprefix("#/").split("/"), document)
            yield from mistakes(document, target, value, at)
        elif keyword == "oneOf":
            if sum(not list(mistakes(document, one, value, at)) for one in said) != 1:
                yield f"{at}: not one of the alternatives"
        elif keyword == "items":
            for index, item in enumerate(value if isinstance(value, list) else ()):
                yield from mistakes(document, said, item, f"{at}[{index}]")
        elif keyword == "properties":
            for name in said.keys() & (value if isinstance(value, dict) else {}).keys():
                yield from mistakes(document, said[name], value[name], f"{at}.{name}")
        elif keyword not in ("description", "default") and not _CHECKS[keyword](said, value, schema):
            yield f"{at}: {value!r:.60} against {keyword} {said!r:.60}"


def _is_type(said: str | list[str], value: Any) -> bool:
    names = [said] if isinstance(said, str) else said
    return any(
        isinstance(value, _TYPES[name]) and isinstance(value, bool) == (name == "boolean") for name in names
    )


def _is_instant(value: str) -> bool:
    return datetime.fromisoformat(value).tzinfo is not None


_CHECKS: dict[str, Any] = {
    "type": lambda said, value, _: _is_type(said, value),
    "enum": lambda said, value, _: value in said,
    "pattern": lambda said, value, _: not isinstance(value, str) or re.search(said, value),
    "format": lambda said, value, _: said == "date-time" and (value is None or _is_instant(value)),
    "required": lambda said, value, _: not isinstance(value, dict) or set(said) <= value.keys(),
    "additionalProperties": lambda said, value, schema: (
        said or not isinstance(value, dict) or value.keys() <= schema["properties"].keys()
    ),
}
