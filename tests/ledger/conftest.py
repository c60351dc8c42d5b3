from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ledger.books import Book, new_book


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    found = new_book(tmp_path)
    yield found
    found.db.close()
