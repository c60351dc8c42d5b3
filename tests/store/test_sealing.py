"""Rows into blocks, blocks into seals: nothing in them can be changed without its being seen."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from monitor.store.sealing import DIGEST, NOTHING, Seal, block, digest_of, encoded

VALUES = st.one_of(
    st.none(),
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.text(max_size=20),
    st.binary(max_size=20),
    st.floats(allow_nan=False),
)
COLUMNS = ("key", "a", "b")


@st.composite
def rows(draw: st.DrawFn) -> list[tuple[object, ...]]:
    keys = draw(st.lists(st.integers(-1000, 1000), min_size=1, max_size=12, unique=True))
    return [(key, draw(VALUES), draw(VALUES)) for key in sorted(keys)]


def same(one: object, other: object) -> bool:
    return type(one) is type(other) and repr(one) == repr(other)


@given(VALUES, VALUES)
def test_two_values_have_one_encoding_only_if_they_are_the_same(one: object, other: object) -> None:
    assert (encoded(one) == encoded(other)) == same(one, other)


def test_a_number_is_not_the_text_of_it_and_a_blob_is_not_a_text() -> None:
    assert len({encoded(value) for value in (1, "1", 1.0, b"1", None, "null", '{"blob":"31"}')}) == 7


@given(rows())
def test_rows_fit_the_block_that_they_were_sealed_in(found: list[tuple[object, ...]]) -> None:
    one = block(1, "changes", None, COLUMNS, found)
    assert one.fits(found)
    assert (one.last, one.count) == (found[-1][0], len(found))


@given(rows(), st.data())
def test_a_value_that_is_changed_is_found_and_its_row_named(
    found: list[tuple[object, ...]], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(found) - 1))
    column = data.draw(st.integers(0, 2))
    value = data.draw(VALUES)
    assume(not same(value, found[place][column]))
    changed = list(found)
    changed[place] = (*found[place][:column], value, *found[place][column + 1 :])
    one = block(1, "changes", None, COLUMNS, found)
    assert not one.fits(changed)
    assert one.first_misfit(changed) == place


@given(rows(), st.data())
def test_a_row_that_is_missing_or_was_put_in_is_found_and_its_place_named(
    found: list[tuple[object, ...]], data: st.DataObject
) -> None:
    one = block(1, "changes", None, COLUMNS, found)
    place = data.draw(st.integers(0, len(found) - 1))
    without = [*found[:place], *found[place + 1 :]]
    assert not one.fits(without)
    assert one.first_misfit(without) == place
    more = [*found[:place], (5_000, "put", "in"), *found[place:]]
    assert not one.fits(more)
    assert one.first_misfit(more) == place


def test_the_same_rows_of_another_table_or_under_other_names_do_not_fit() -> None:
    one = block(1, "changes", None, COLUMNS, [(1, "x", 2)])
    assert not replace(one, name="blips").fits([(1, "x", 2)])
    assert not replace(one, columns=("key", "b", "a")).fits([(1, "x", 2)])


@pytest.mark.parametrize("field", [one.name for one in fields(Seal) if one.name != "signature"])
def test_every_field_of_a_seal_is_in_what_is_signed(field: str) -> None:
    one = Seal(1, NOTHING, 1_000, bytes(range(32)), bytes(32), bytes(64))
    value = getattr(one, field)
    other = bytes([value[0] ^ 1]) + value[1:] if isinstance(value, bytes) else value ^ 1
    assert replace(one, **{field: other}).digest != one.digest


@given(rows(), st.data())
def test_every_bit_that_a_block_says_is_in_the_digest_of_a_seal(
    found: list[tuple[object, ...]], data: st.DataObject
) -> None:
    one = block(7, "changes", None, COLUMNS, found)
    bit = data.draw(st.integers(0, 8 * DIGEST * len(found) - 1))
    digests = bytearray(one.rows)
    digests[bit // 8] ^= 1 << bit % 8
    others = (
        replace(one, rows=bytes(digests)),
        replace(one, key=6),
        replace(one, name="Changes"),
        replace(one, after=0),
        replace(one, last=one.last ^ 1),
        replace(one, columns=("key", "a", "c")),
        replace(one, digest=bytes([one.digest[0] ^ 1]) + one.digest[1:]),
    )
    assert digest_of([one]) not in {digest_of([other]) for other in others}
    assert digest_of([one, one]) != digest_of([one])
