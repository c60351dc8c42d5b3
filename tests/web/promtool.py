"""Prometheus' own judgement."""

from __future__ import annotations

import subprocess

from tests.peers import peer


def lint(metrics: str) -> str:
    """What ``promtool check metrics`` finds to say."""
    argv = [peer("promtool"), "check", "metrics"]
    done = subprocess.run(argv, input=metrics, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr
