"""What a TCP check can be told."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from probes.dial import DialOptions
from probes.regex import Regex


class Turn(BaseModel):
    """One turn of a conversation: wait for a line, say one, go over to TLS, in this order; each may be left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    expect: Regex | None = None
    """Read lines until one matches."""

    send: str | None = None
    """Then send this and a line feed. ``${1}`` stands for what the first group of ``expect`` found."""

    starttls: bool = False
    """Then shake hands for TLS."""

    @model_validator(mode="after")
    def _does_something(self) -> Turn:
        if not (self.expect or self.send or self.starttls):
            raise ValueError("expected a turn with expect, send or starttls")
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

    @property
    def only_connects(self) -> bool:
        """Whether a connection is all that is asked for."""
        return not (self.tls or self.query_response)
