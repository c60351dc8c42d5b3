"""Small configuration files for the tests."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from monitor.config.loading import load
from monitor.config.mistakes import ConfigurationErrors
from monitor.config.values import Configuration

CATALOGUE = """\
provider: example
name: Example Telecom
plans:
  gold:
    name: Gold
    guarantee: 99.90 %
    credit: {rate_per_hour: 30 %, cap: 100 %}
    fault_hours: {mon-fri: "07:00-19:00"}
    ttr: 8h
  plain:
    name: Plain
"""


def write(directory: Path, text: str | bytes, name: str = "ringback.yml") -> Path:
    path = directory / name
    path.write_bytes(text if isinstance(text, bytes) else textwrap.dedent(text).encode())
    return path


def loaded(directory: Path, text: str) -> Configuration:
    """The configuration of a text, beside which lies the catalogue ``example.yml``."""
    write(directory, CATALOGUE, "example.yml")
    return load(write(directory, text))


def mistakes(directory: Path, text: str | bytes) -> list[tuple[int | None, str, str]]:
    """(line, path, message) of each mistake in a text, beside which lies the catalogue ``example.yml``."""
    write(directory, CATALOGUE, "example.yml")
    path = write(directory, text)
    with pytest.raises(ConfigurationErrors) as caught:
        load(path)
    assert {mistake.file for mistake in caught.value.mistakes} == {str(path)}
    return [(mistake.line, mistake.path, mistake.message) for mistake in caught.value.mistakes]
