"""What a TCP check can be told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from probes.dial import DialOptions
from probes.regex import Regex

_LABEL = re.compile(r"(?!__)[A-Za-z_][A-Za-z0-9_]*")  # https://prometheus.io/docs/concepts/data_model/


def _labels(value: object) -> object:
    """A mapping as pairs, so that options stay hashable."""
    if not isinstance(value, Mapping):
        return value
    for name in value:
        if not _LABEL.fullmatch(str(name)):
            raise ValueError(f"expected the name of a label, such as banner, not {name!r}")
    return tuple((str(name), template) for name, template in value.items())


class Turn(BaseModel):
    """One turn of a conversation: wait for a line, say one, go over to TLS, in this order; each may be left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    expect: Regex | None = None
    """Read lines until one matches."""

    labels: Annotated[tuple[tuple[str, str], ...], BeforeValidator(_labels), Field(max_length=16)] = ()
    """A mapping of labels to show of that line. ``${1}`` stands for what the first group of ``expect`` found."""

    send: str | None = None
    """Then send this and a line feed; ``${1}`` here, too."""

    starttls: bool = False
    """Then shake hands for TLS."""

    @model_validator(mode="after")
    def _does_something(self) -> Turn:
        if not (self.expect or self.send or self.starttls):
            raise ValueError("expected a turn with expect, send or starttls")
        if self.labels and self.expect is None:
            raise ValueError("expected labels only beside expect, whose line they show")
        return self


class TcpOptions(DialOptions):
    """How to connect, what to say, and how the answers are judged."""

    tls: bool = False
    """Shake hands for TLS once the connection stands."""

    query_response: Annotated[tuple[Turn, ...], Field(max_length=32)] = ()
    """What to wait for and to say, in turns."""

    @model_validator(mode="after")
    def _shakes_hands_once(self) -> TcpOptions:
        if self.tls + sum(turn.starttls for turn in self.query_response) > 1:
            raise ValueError("expected tls or starttls at most once")
        return self
