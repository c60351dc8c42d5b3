"""The examples in docs/commands.md, run as they stand there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from monitor.cli import COMMANDS, main
from tests.agent.real import REPOSITORY

PAGE = (REPOSITORY / "docs" / "commands.md").read_text()
FILE = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", re.DOTALL)
CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)


def examples() -> list[tuple[list[str], str]]:
    """The commands in the page's order, each with the output that it shows."""
    found = []
    for block in CONSOLE.findall(PAGE):
        for example in block.removeprefix("$ ").split("\n$ "):
            line, _, output = example.partition("\n")
            found.append((shlex.split(line), output))
    return found


def test_every_example_works_and_prints_what_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in FILE.findall(PAGE):
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RINGBACK_CONFIG", str(tmp_path / "ringback.yml"))
    for words, output in examples():
        assert words[0] == "ringback"
        result = CliRunner().invoke(main, words[1:])
        assert result.exit_code == 0, f"{shlex.join(words)}\n{result.output}"
        if output:
            assert result.output.strip() == output.strip()


def test_the_page_has_every_command() -> None:
    for command in COMMANDS:
        assert re.search(rf"`{command.name}\b", PAGE), command.name


def test_every_command_can_be_asked_for_help() -> None:
    for command in COMMANDS:
        result = CliRunner().invoke(main, [command.name, "--help"])
        assert result.exit_code == 0, result.output
        assert result.output.startswith(f"Usage: main {command.name}")
