"""What commands print: JSON for programs, tables for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence

import click

RIGHT = ">"
"""Before a column's title: its cells stand to the right."""


def print_json(data: object, *, lines: bool = False) -> None:
    """On stdout, for a program. ``lines``: as one line of JSON Lines."""
    click.echo(json.dumps(data, ensure_ascii=False, indent=None if lines else 2))


def say(message: str) -> None:
    """On stderr, beside the data."""
    click.echo(message, err=True)


def print_table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """On stdout. In a terminal cells are folded to its width; in a pipe every row is one line."""
    from rich.console import Console  # noqa: PLC0415 - not needed for JSON
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for title in titles:
        right = title.startswith(RIGHT)
        table.add_column(title.removeprefix(RIGHT), justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))  # Text: a name may hold [brackets]
    console = Console(soft_wrap=False)
    if not sys.stdout.isatty():
        console = Console(
            width=table.__rich_measure__(console, console.options.update(max_width=10_000)).maximum
        )
    console.print(table)
