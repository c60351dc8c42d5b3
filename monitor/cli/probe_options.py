"""``-o KEY=VALUE`` on the command line, as the options of a prober."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import click
from pydantic import ValidationError

from probes.prober import Options, Prober


def options_of(prober: type[Prober[Any, Any]], pairs: Iterable[str], timeout: str | None) -> Options:
    """Raises click.BadParameter that says which key is wrong, and what was expected."""
    given = tree(pairs)
    if timeout is not None:
        given["timeout"] = timeout
    try:
        return prober.options.model_validate(given)
    except ValidationError as error:
        mistakes = error.errors(include_url=False)
        raise click.BadParameter(
            "; ".join(_complaint(prober, details) for details in mistakes),
            param_hint="--timeout" if mistakes[0]["loc"][:1] == ("timeout",) else "-o",
        ) from None


def tree(pairs: Iterable[str]) -> dict[str, Any]:
    """``status=2xx status=401 headers.Via=x`` → ``{"status": ["2xx", "401"], "headers": {"Via": "x"}}``"""
    found: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not (key and equals):
            raise click.BadParameter(f"expected KEY=VALUE, not {pair!r}", param_hint="-o")
        value = _value(text)
        outer, dot, inner = key.partition(".")
        if dot:
            mapping = found.setdefault(outer, {})
            if not isinstance(mapping, dict):
                raise click.BadParameter(f"{outer} is a mapping and a value", param_hint="-o")
            mapping[inner] = value
        elif key in found:
            earlier = found[key]
            found[key] = [*earlier, value] if isinstance(earlier, list) else [earlier, value]
        else:
            found[key] = value
    return found


def _value(text: str) -> object:
    """A JSON list or mapping as what it is, everything else as the text that it is."""
    if text[:1] in ("[", "{"):
        try:
            return json.loads(text)
        except ValueError:
            pass  # a pattern such as [0-9]+
    return text


def _complaint(prober: type[Prober[Any, Any]], details: Any) -> str:
    place = details["loc"]
    key = ".".join(str(part) for part in place)
    if details["type"] == "extra_forbidden":
        known = f"; expected one of {', '.join(sorted(prober.options.model_fields))}"
        return f"{key}: unknown{known if len(place) == 1 else ''}"
    error = details.get("ctx", {}).get("error")
    return f"{key}: {error or details['msg']}" if key else str(error or details["msg"])
