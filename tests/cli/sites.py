"""A place with a configuration, and the command run there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from monitor.cli import main
from tests.ledger.books import OUTAGE, SERVICES, line

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Site:
    path: Path

    @property
    def config(self) -> Path:
        return self.path / "ringback.yml"

    @property
    def database(self) -> Path:
        return self.path / "ringback.db"

    def configure(self, services: str = SERVICES) -> None:
        agent = f"agent: {{name: lux, state_dir: '{self.path}'}}"
        self.config.write_text(f"{agent}\nplans: [plans/mixvoip.yml]\n{services}")

    def history(self, lines: Sequence[str] | None = None) -> Path:
        """A history file; by default the October of INTERFACES."""
        file = self.path / "history.jsonl"
        file.write_text("\n".join(lines if lines is not None else [line(*span) for span in OUTAGE]))
        return file

    def run(self, *arguments: object, stdin: str | None = None) -> Result:
        words = ["--config", str(self.config), *map(str, arguments)]
        return CliRunner().invoke(main, words, input=stdin, prog_name="ringback")

    def json(self, *arguments: object) -> Any:
        result = self.run(*arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def process(self, *arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
        """The command in a process of its own."""
        words = [sys.executable, "-m", "monitor", "--config", str(self.config), *map(str, arguments)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            words,
            cwd=self.path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
            **options,
        )
