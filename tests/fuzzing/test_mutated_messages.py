"""A few thousand of what ``python -m tests.fuzzing`` does with a million."""

from __future__ import annotations

import pytest

from tests.fuzzing.__main__ import survive
from tests.fuzzing.parsers import PARSERS, Parser


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)
def test_a_mutated_message_is_read_or_refused_and_nothing_else(parser: Parser) -> None:
    assert survive(parser, 5_000, seed=4475) > 0


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)
def test_some_messages_to_begin_from_are_well_formed(parser: Parser) -> None:
    def read(seed: bytes) -> bool:
        try:
            parser.read(seed)
        except parser.errors:
            return False
        return True

    assert any(map(read, parser.seeds))
