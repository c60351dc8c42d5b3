"""Money is exact, and rounded half up to its currency's minor unit."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sla.money import Money, rounded


def test_money_is_read_as_it_is_written() -> None:
    assert Money.parse("100.00 EUR") == Money(Decimal("100.00"), "EUR")
    assert str(Money.parse("100.00 EUR")) == "100.00 EUR"
    assert str(Money.parse("7500 JPY")) == "7500 JPY"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "100",
        "EUR 100",
        "100.00 eur",
        "-1 EUR",
        "1,000.00 EUR",
        "1e3 EUR",
        "NaN EUR",
        "1 EURO",
        "١ EUR",
        100,
    ],
)
def test_what_is_no_money_is_refused_with_what_was_expected(text: object) -> None:
    with pytest.raises(ValueError, match="expected an amount and a currency such as"):
        Money.parse(text)


def test_a_currency_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a currency of ISO 4217 such as EUR, not 'XQX'"):
        Money.parse("1.00 XQX")


@pytest.mark.parametrize(
    ("exact", "currency", "amount"),
    [
        ("1.005", "EUR", "1.01"),
        ("1.004999999999999999999", "EUR", "1.00"),
        ("1.015", "CHF", "1.02"),
        ("0.5", "JPY", "1"),
        ("0.4999", "JPY", "0"),
        ("1.0005", "KWD", "1.001"),
        ("1.00005", "CLF", "1.0001"),
        ("0", "EUR", "0.00"),
        ("60", "EUR", "60.00"),
    ],
)
def test_half_a_minor_unit_goes_up(exact: str, currency: str, amount: str) -> None:
    found = rounded(Fraction(exact), currency)
    assert str(found) == f"{amount} {currency}"


thousandths = st.integers(0, 10**9).map(lambda count: Fraction(count, 2000))


@given(st.fractions(0, 10**9) | thousandths, st.sampled_from(["JPY", "EUR", "KWD", "CLF"]))
def test_rounding_is_off_by_at_most_half_a_minor_unit_and_half_goes_up(
    exact: Fraction, currency: str
) -> None:
    found = rounded(exact, currency)
    half = Fraction(1, 2 * 10**found.digits)
    assert -half <= exact - Fraction(found.amount) < half
    assert -found.amount.as_tuple().exponent == found.digits  # type: ignore[operator]
