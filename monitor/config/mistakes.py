"""What is wrong with a configuration, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake. Line and column count from 1; a mistake of the file as a whole has neither and no path."""

    file: str
    line: int | None
    column: int | None
    path: str
    """Where in the document, such as ``services[3].checks[0].interval``."""
    message: str
    """What was expected."""

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return ": ".join(part for part in (place, self.path, self.message) if part)


class ConfigurationErrors(Exception):
    """Everything that is wrong with a configuration, in the order of the files and their lines."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__(mistakes)
        self.mistakes = tuple(mistakes)

    def __str__(self) -> str:
        return "\n".join(str(mistake) for mistake in self.mistakes)
