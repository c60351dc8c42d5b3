"""What commands print: JSON for programs, tables for people."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Sequence

import click

RIGHT = ">"
"""Before a column's title: its cells stand to the right."""

_SPACES = str.maketrans("\n\t", "  ")

_GAP = 2
"""Spaces between columns."""

_FOLDED = 500
"""Lines of a table that are folded at most: for thousands that takes many seconds, and nobody reads them."""


def printable(text: str) -> str:
    """The text with every control character but line ends (CRLF among them) and tabs spelled out."""
    if text.isprintable():
        return text
    lines = text.replace("\r\n", "\n")
    return "".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in lines)


def print_json(data: object, *, lines: bool = False) -> None:
    """On stdout, for a program. ``lines``: as one line of JSON Lines."""
    click.echo(json.dumps(data, ensure_ascii=False, indent=None if lines else 2))


def say(message: str) -> None:
    """On stderr, beside the data."""
    click.echo(message, err=True)


def print_table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """On stdout. Where a table is wider than the terminal, cells are folded; in a pipe every row is one line."""
    from rich.cells import cell_len  # noqa: PLC0415 - not needed for JSON

    cells = [[title.removeprefix(RIGHT) for title in titles]]
    cells += [[_in_a_line(cell) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    whole = sum(widths) + _GAP * (len(widths) - 1)
    if sys.stdout.isatty() and len(cells) <= _FOLDED and whole > shutil.get_terminal_size().columns:
        _print_folded(titles, cells[1:])
        return
    right = [title.startswith(RIGHT) for title in titles]
    lines = []
    for row in cells:
        spaces = [" " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)]
        aligned = (s + c if r else c + s for c, s, r in zip(row, spaces, right, strict=True))
        lines.append((" " * _GAP).join(aligned).rstrip())
    click.secho(lines[0], bold=True)
    if body := lines[1:]:
        click.echo("\n".join(body))


def _in_a_line(cell: str) -> str:
    """A note can have two lines, and a peer can answer anything."""
    return printable(cell).translate(_SPACES)


def _print_folded(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for title in titles:
        right = title.startswith(RIGHT)
        table.add_column(title.removeprefix(RIGHT), justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))  # Text: a name may hold [brackets]
    Console(soft_wrap=False).print(table)
