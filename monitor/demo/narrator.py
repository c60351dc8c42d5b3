"""How the demo speaks: numbered steps and what is seen; on a terminal also what it is waiting for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from rich.console import Console
from rich.status import Status


class Narrator:
    """Writes to standard output; plain lines where that is no terminal."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        self._steps = 0

    def title(self, text: str) -> None:
        self._console.print(f"[bold]{text}[/bold]", soft_wrap=True)

    def step(self, text: str) -> None:
        """The next numbered step."""
        self._steps += 1
        self._console.print(f"\n[bold cyan]{self._steps}.[/bold cyan] {text}", soft_wrap=True)

    def say(self, text: str) -> None:
        self._console.print(f"   {text}", soft_wrap=True)

    def seen(self, text: str) -> None:
        """Something that changed just now."""
        self._console.print(f"   [yellow]>[/yellow] {text}", soft_wrap=True)

    def quote(self, output: str) -> None:
        """What a program printed, as it is."""
        for line in output.rstrip().splitlines():
            self._console.print(f"   {line}", markup=False, soft_wrap=True)

    @contextlib.contextmanager
    def waiting(self, text: str) -> Iterator[Status]:
        """Shows on a terminal that something is under way; the status can be updated."""
        with self._console.status(text) as status:
            yield status
