from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.house import House, lively


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = lively(tmp_path)
    yield house
    house.close()
