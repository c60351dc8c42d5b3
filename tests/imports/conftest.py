from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.sites import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    found = Site(tmp_path)
    found.configure()
    return found
