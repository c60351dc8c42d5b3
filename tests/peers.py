"""Where the real peer programs are that tests talk to."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

_WHERE = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/sbin"])


def peer(program: str) -> str:
    """The path of the program. Without it the test is skipped, or fails where RINGBACK_REQUIRE_PEERS is set."""
    path = shutil.which(program, path=_WHERE)
    if path is not None:
        return path
    if os.environ.get("RINGBACK_REQUIRE_PEERS"):
        pytest.fail(f"{program} is required here and is not installed")
    pytest.skip(f"{program} is not installed")


def peer_folder(name: str, variable: str) -> Path:
    """The folder of a peer that no package brings, named by the environment. Without it as with ``peer``."""
    folder = os.environ.get(variable)
    if folder:
        return Path(folder).resolve(strict=True)
    if os.environ.get("RINGBACK_REQUIRE_PEERS"):
        pytest.fail(f"{name} is required here, and {variable} does not name its folder")
    pytest.skip(f"{name} is not installed: {variable} does not name its folder")
