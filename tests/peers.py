"""Where the real peer programs are that tests talk to."""

from __future__ import annotations

import os
import shutil

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
