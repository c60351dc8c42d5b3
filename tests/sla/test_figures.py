"""Numbers as they are written: truncated, and never so that they hide a breach."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sla.figures import decimal, duration, percentage, plain_ratio, written

ratios = st.fractions(0, 1)
guarantees = st.decimals("0.5", "1", places=6).filter(lambda value: value > 0)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(1), "1"),
        (Fraction(0), "0"),
        (Fraction(2_674_800_000, 2_682_000_000), "0.99731543"),
        (Fraction(999_999_999, 1_000_000_000), "0.99999999"),
        (Fraction(999, 1000), "0.999"),
        (Fraction(3, 2), "1.5"),
        (Fraction(100), "100"),
        (Fraction(1, 10**9), "0"),
    ],
)
def test_a_decimal_is_truncated_at_eight_places_without_trailing_zeros(value: Fraction, text: str) -> None:
    assert decimal(value) == text


@given(st.fractions(0, 1000))
def test_a_decimal_is_never_above_its_value_and_at_most_a_last_digit_below(value: Fraction) -> None:
    assert 0 <= value - Fraction(decimal(value)) < Fraction(1, 10**8)


@pytest.mark.parametrize("text", ["0.9990", "0.30", "1.00", "100.00", "0.000000001"])
def test_what_was_agreed_keeps_its_digits(text: str) -> None:
    assert written(Decimal(text)) == text


def test_an_agreed_ratio_reads_as_a_percentage_with_its_digits() -> None:
    assert plain_ratio(Decimal("0.9990")) == "99.90 %"
    assert plain_ratio(Decimal("1.50")) == "150 %"


@pytest.mark.parametrize(
    ("ratio", "guarantee", "text"),
    [
        ("0.99949999", "0.9995", "99.9499 %"),
        ("0.9995", "0.9995", "99.9500 %"),
        ("0.99999999999", None, "99.9999 %"),
        ("1", None, "100.0000 %"),
        ("0.9999998999", "0.9999999", "99.99998 %"),
        ("0", "0.9995", "0.0000 %"),
        ("0.0512345", "0.9995", "5.1234 %"),
    ],
)
def test_a_percentage_is_truncated_with_the_digits_of_the_guarantee_at_least(
    ratio: str, guarantee: str | None, text: str
) -> None:
    assert percentage(Fraction(ratio), guarantee and Decimal(guarantee)) == text  # type: ignore[arg-type]


@given(ratios, guarantees)
def test_a_printed_percentage_is_below_the_guarantee_exactly_when_there_is_a_breach(
    ratio: Fraction, guarantee: Decimal
) -> None:
    printed = Fraction(percentage(ratio, guarantee).removesuffix(" %")) / 100
    assert (printed < Fraction(guarantee)) == (ratio < Fraction(guarantee))


@pytest.mark.parametrize("seconds", [1_339.201, 1_340, 1_400, 1_473])
def test_a_breach_that_two_decimals_would_hide_is_printed_as_one(seconds: float) -> None:
    """A month of 31 days at 99.95 % allows 1,339.2 s."""
    month_ms = 31 * 24 * 3_600_000
    ratio = 1 - Fraction(round(seconds * 1000), month_ms)
    assert f"{float(ratio):.2%}" == "99.95%"
    assert percentage(ratio, Decimal("0.9995")).startswith("99.94")


@given(ratios.filter(lambda ratio: ratio < 1))
def test_only_all_of_the_time_is_printed_as_a_hundred(ratio: Fraction) -> None:
    assert not percentage(ratio).startswith("100")


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0 s"),
        (1, "1 ms"),
        (999, "999 ms"),
        (1_000, "1 s"),
        (850, "850 ms"),
        (3_250, "3.250 s"),
        (63_000, "1 min 03 s"),
        (4_323_250, "1 h 12 min 03.250 s"),
        (7_200_000, "2 h 00 min 00 s"),
        (183_600_001, "2 d 03 h 00 min 00.001 s"),
        (-90_000, "-1 min 30 s"),
    ],
)
def test_a_duration_is_written_for_people_to_the_millisecond(milliseconds: int, text: str) -> None:
    assert duration(milliseconds) == text


_UNITS_MS = {"d": 86_400_000, "h": 3_600_000, "min": 60_000, "s": 1_000, "ms": 1}


@given(st.integers(-(10**11), 10**11) | st.integers(-100_000, 100_000))
def test_a_duration_can_be_read_back_to_the_millisecond(milliseconds: int) -> None:
    text = duration(milliseconds)
    parts = re.findall(r"([0-9.]+) (d|h|min|s|ms)", text)
    read = sum(Decimal(number) * _UNITS_MS[unit] for number, unit in parts)
    assert (-read if text.startswith("-") else read) == milliseconds
    larger_than = [_UNITS_MS[unit] for _, unit in parts]
    assert larger_than == sorted(larger_than, reverse=True)
    for (number, _), above, unit in zip(parts[1:], larger_than, larger_than[1:], strict=False):
        assert Decimal(number) * unit < above, "no part reaches the unit before it"
