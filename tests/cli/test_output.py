"""Tables for people: aligned in a pipe, folded in a terminal that is too narrow."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys
from pathlib import Path

import click
import pytest

from monitor.cli.output import RIGHT, print_table

ROOT = Path(__file__).parents[2]
TITLES = ("SERVICE", f"{RIGHT}DOWNTIME", "NOTE")


def printed(rows: list[tuple[str, str, str]], capsys: pytest.CaptureFixture[str]) -> list[str]:
    print_table(TITLES, rows)
    return capsys.readouterr().out.splitlines()


def test_columns_are_as_wide_as_they_have_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("trunk", "1 h 12 min 03.250 s", "[1]"), ("a longer name", "0 ms", "two words")]
    assert printed(rows, capsys) == [
        "SERVICE                   DOWNTIME  NOTE",
        "trunk          1 h 12 min 03.250 s  [1]",
        "a longer name                 0 ms  two words",
    ]


def test_a_letter_that_takes_two_places_has_two(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("東京", "1 ms", "x"), ("Lyon", "1 ms", "x")]
    assert printed(rows, capsys)[1:] == ["東京         1 ms  x", "Lyon         1 ms  x"]


def test_a_table_of_nothing_is_its_titles(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed([], capsys) == ["SERVICE  DOWNTIME  NOTE"]


def test_a_row_is_one_line_and_commands_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("trunk", "1 ms", "two\r\nlines \x1b[2Jand \x9b31mred")]
    assert printed(rows, capsys)[1:] == [r"trunk        1 ms  two lines \x1b[2Jand \x9b31mred"]


@pytest.mark.parametrize(("rows", "lines"), [(1, 3), (501, 502)])
def test_what_is_wider_than_the_terminal_is_folded_unless_it_is_thousands_of_lines(
    rows: int, lines: int
) -> None:
    program = (
        "from monitor.cli.output import print_table\n"
        f"print_table(('A', 'B'), [('one two three four', 'five six seven eight')] * {rows})"
    )
    shown = in_a_terminal(program, columns=30)
    assert len(shown) == lines
    assert max(map(len, shown)) <= 30 or rows > 500


def test_what_fits_the_terminal_is_not_folded() -> None:
    shown = in_a_terminal("from monitor.cli.output import print_table\nprint_table(('A',), [('b c d',)])", 30)
    assert shown == ["A", "b c d"]


def in_a_terminal(program: str, columns: int) -> list[str]:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm"}
    child = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=theirs, stdin=theirs, env=environment
    )
    os.close(theirs)
    told = b""
    with contextlib.suppress(OSError):  # so Linux tells that nobody is at the other end any more
        while read := os.read(ours, 65_536):
            told += read
    os.close(ours)
    assert child.wait(10) == 0
    return [line.rstrip() for line in click.unstyle(told.decode()).splitlines()]
