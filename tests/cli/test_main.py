"""The command as a whole: how it starts, and how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from monitor import __version__
from monitor.cli import COMMANDS, main
from tests.cli.sites import ROOT, Site


def test_help_imports_neither_configuration_nor_database() -> None:
    program = (
        "import sys; from monitor.cli import main; main(['--help'], standalone_mode=False);"
        "print([name for name in ('pydantic', 'aiohttp', 'sqlite_utils', 'rich') if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.splitlines()[-1] == "[]"


def test_the_version_is_told() -> None:
    assert __version__ in CliRunner().invoke(main, ["--version"]).stdout


@pytest.mark.parametrize("words", [["report"], ["report", "2026-13"], ["nonsense"], ["--nonsense"]])
def test_wrong_usage_ends_with_two(site: Site, words: list[str]) -> None:
    assert site.run(*words).exit_code == 2


def test_a_configuration_error_ends_with_three_and_names_every_mistake(site: Site) -> None:
    site.config.write_text("agents: {}\nservices:\n  - {id: a, plan: no/plan}\n  - {id: a}\n")
    for words in (["report", "2026-10"], ["config", "check"], ["status"]):
        result = site.run(*words)
        assert result.exit_code == 3
        assert result.stdout == ""
        assert len(result.stderr.splitlines()) == 3
        assert all(text.startswith(f"{site.config}:") for text in result.stderr.splitlines())


def test_a_missing_configuration_ends_with_three(site: Site) -> None:
    site.config.unlink()
    result = site.process("report", "2026-10")
    assert result.returncode == 3
    assert "Traceback" not in result.stderr


def test_a_missing_database_ends_with_one(site: Site) -> None:
    result = site.process("report", "2026-10")
    assert (result.returncode, result.stdout) == (1, "")
    assert "there is no database yet" in result.stderr


def test_a_file_that_is_no_database_ends_with_one(site: Site) -> None:
    site.database.write_text("not a database" * 100)
    for words in (["report", "2026-10"], ["import", "history", site.history()]):
        result = site.process(*words)
        assert result.returncode == 1
        assert "Traceback" not in result.stderr


def test_an_unknown_service_ends_with_one_and_a_suggestion(site: Site) -> None:
    result = site.run("report", "2026-10", "--service", "acme-trnk")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "did you mean 'acme-trunk'?" in result.stderr


def test_the_configuration_is_named_by_the_environment(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGBACK_CONFIG", str(site.config))
    result = CliRunner().invoke(main, ["config", "check"])
    assert result.exit_code == 0
    assert "1 services" in result.stderr


def test_the_database_can_be_another_one(site: Site, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    assert site.run("--db", other, "import", "history", site.history()).exit_code == 0
    assert (other.exists(), site.database.exists()) == (True, False)


def test_a_reader_that_goes_away_is_no_error(site: Site) -> None:
    site.run("import", "history", site.history())
    read, write = os.pipe()
    os.close(read)
    words = [sys.executable, "-m", "monitor", "--config", str(site.config), "report", "2026-10"]
    try:
        found = subprocess.run(words, cwd=ROOT, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    finally:
        os.close(write)
    assert found.stderr == ""


def test_the_samples_are_written_once_and_are_fine(site: Site) -> None:
    directory = site.path / "etc"
    assert site.run("config", "init", directory).exit_code == 0
    assert site.run("config", "check", directory / "ringback.yml").exit_code == 0
    again = site.run("config", "init", directory)
    assert again.exit_code == 1
    assert "exists already" in again.stderr


@pytest.mark.parametrize("one", COMMANDS, ids=lambda one: one.name)
def test_every_command_has_help(one: object) -> None:
    result = CliRunner().invoke(main, [one.name, "--help"])  # type: ignore[attr-defined]
    assert result.exit_code == 0, result.output
