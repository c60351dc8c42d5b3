from __future__ import annotations

from tests.ledger.conftest import book

__all__ = ["book"]
