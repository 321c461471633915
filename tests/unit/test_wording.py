"""How numbers, shares, money and days read in both languages."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.wording import EN, VI, plain


@pytest.mark.parametrize(
    ("number", "vietnamese", "english"),
    [
        (0, "0", "0"),
        (2_982, "2.982", "2,982"),
        (1_234_567, "1.234.567", "1,234,567"),
        (-1_500, "−1.500", "−1,500"),
        (Decimal("42.50"), "42,5", "42.5"),
        (Decimal("1E+3"), "1.000", "1,000"),
        (Fraction(5, 4), "1,25", "1.25"),
        (Fraction(100_000_000, 3), "33.333.333,333333…", "33,333,333.333333…"),
        (Fraction(-1, 3), "−0,333333…", "−0.333333…"),
        (Fraction(10_000_001, 10_000_000), "1,000000…", "1.000000…"),
    ],
)
def test_numbers(number: int | Fraction | Decimal, vietnamese: str, english: str) -> None:
    assert (VI(number), EN(number)) == (vietnamese, english)


@given(st.integers(-(10**18), 10**18))
def test_a_whole_number_is_written_whole(number: int) -> None:
    assert int(VI(number).replace(".", "").replace("−", "-")) == number
    assert VI(number).replace(".", ",") == EN(number)


@pytest.mark.parametrize(
    ("share", "vietnamese", "english"),
    [
        (Fraction(3123, 5021), "62,198 %", "62.198 %"),
        (Fraction(3, 5), "60 %", "60 %"),
        (Fraction(599_999, 1_000_000), "59,999 %", "59.999 %"),
        (Fraction(5, 4), "125 %", "125 %"),
    ],
)
def test_a_share_is_cut_and_never_rounded_up_to_a_threshold(share: Fraction, vietnamese: str, english: str) -> None:
    assert (VI.percent(share), EN.percent(share)) == (vietnamese, english)


def test_money_changes_and_days() -> None:
    assert (VI.money(1_250_000), EN.money(1_250_000)) == ("1.250.000 đồng", "1,250,000 đồng")
    assert [VI.signed(change) for change in (1_234, -1_234, 0)] == ["+1.234", "−1.234", "0"]
    assert (VI.day(date(2025, 7, 1)), EN.day(date(2025, 7, 1))) == ("01/07/2025", "2025-07-01")
    at = datetime(2026, 2, 28, 9, 5, tzinfo=UTC)
    assert (VI.moment(at), EN.moment(at)) == ("28/02/2026 09:05", "2026-02-28 09:05")


def test_data_have_numbers_of_no_language() -> None:
    assert [plain(Decimal(text)) for text in ("1200", "42.50", "0.0", "1E+3")] == ["1200", "42.5", "0", "1000"]
