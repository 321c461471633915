"""What if, and support beside results over the years: views that write nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.funding.domain.simulation import Side, compare, gini
from services.funding.domain.sustainability import History, Year, views
from shared.contracts.facts import Allocation
from shared.rulebook import RulebookError
from shared.rulebook.overlays import load_layers
from shared.rulebook.source import DATA
from shared.rulebook.sustainability import SustainabilityPolicy, sustainability_policy

POLICY = sustainability_policy(date(2026, 1, 1))


def line(centre_id: str, amount: int) -> Allocation:
    """A line of which only the amount matters here."""
    return Allocation(
        centre_id=centre_id,
        name=f"TTHTCĐ {centre_id}",
        commune_code="01273",
        amount=amount,
        floor=0,
        lower=0,
        upper=None,
        last_year=None,
        performance_factor="1",
        equity_factor="1",
        size_factor="1",
        weight="1",
        grade="kha",
        assessment="scored",
        result_version=1,
        binds="none",
        exact=str(amount),
    )


def side(**amounts: int) -> Side:
    """An allocation that gives these amounts and keeps 5 đồng."""
    lines = [line(name, amount) for name, amount in amounts.items()]
    return Side(sum(amounts.values()) + 5, sum(amounts.values()) + 5, 5, "performance", lines)


def test_winners_losers_and_areas_of_a_comparison_add_up() -> None:
    found = compare(
        side(a=100, b=200, c=300, d=50),
        side(a=150, b=200, c=200, e=70),
        {"a": "region_1", "b": "region_1", "c": "other", "d": "other", "e": "region_3"},
    )
    assert [(one.centre_id, one.before, one.after, one.delta, one.outcome) for one in found.changes] == [
        ("a", 100, 150, 50, "gains"),
        ("b", 200, 200, 0, "same"),
        ("c", 300, 200, -100, "loses"),
        ("d", 50, None, -50, "loses"),
        ("e", None, 70, 70, "gains"),
    ]
    assert (found.winners, found.losers, found.unchanged) == (2, 2, 1)
    by_area = {
        area: (total.centres, total.before, total.after, total.delta) for area, total in found.by_area_class.items()
    }
    assert by_area == {"other": (2, 350, 200, -150), "region_1": (2, 300, 350, 50), "region_3": (1, 0, 70, 70)}


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        ([], Fraction(0)),
        ([0, 0], Fraction(0)),
        ([7], Fraction(0)),
        ([5, 5, 5], Fraction(0)),
        ([0, 10], Fraction(1, 2)),  # of two, one has everything: (n − 1)/n
        ([0, 0, 0, 8], Fraction(3, 4)),
        ([1, 2, 3], Fraction(2, 9)),  # 2·(1·1 + 2·2 + 3·3)/(3·6) − 4/3
    ],
)
def test_gini_of_cases_worked_out_by_hand(amounts: list[int], expected: Fraction) -> None:
    assert gini(amounts) == expected


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=40), st.integers(1, 1000), st.randoms())
def test_gini_knows_neither_order_nor_currency(amounts: list[int], factor: int, random: Any) -> None:
    shuffled = amounts[:]
    random.shuffle(shuffled)
    assert gini(amounts) == gini(shuffled) == gini(amount * factor for amount in amounts)
    assert 0 <= gini(amounts) < 1
    assert gini(amounts) == (
        Fraction(sum(abs(x - y) for x in amounts for y in amounts), 2 * len(amounts) * sum(amounts))
        if sum(amounts)
        else 0
    ), "the definition by pairs"


def history(centre_id: str, *years: tuple[int, int | None, str | None, str | None]) -> History:
    """A centre of Region I with its years: (year, support, points, grade)."""
    told = [Year(year, support, Decimal(total) if total else None, grade) for year, support, total, grade in years]
    return History(centre_id, f"TTHTCĐ {centre_id}", "region_1", told)


def _findings(histories: Sequence[History]) -> dict[str, str]:
    return {view.centre_id: view.finding for view in views(histories, POLICY)}


def test_effective_with_little_and_weak_with_much_are_found() -> None:
    assert _findings(
        [
            history("good-poor", (2026, 20, "90", "tot")),
            history("good-rich", (2026, 40, "85", "tot")),
            history("weak-rich", (2026, 50, "40", "yeu")),
            history("weak-poor", (2026, 25, "45", "yeu")),
            history("median", (2026, 30, "70", "kha")),
            history("silent", (2026, 10, None, None)),
            history("gone", (2025, 99, "95", "tot")),
        ]
    ) == {
        "good-poor": "effective_under_supported",
        "good-rich": "balanced",
        "weak-rich": "weak_over_supported",
        "weak-poor": "balanced",
        "median": "balanced",
        "silent": "unknown",
        "gone": "unknown",
    }


def test_only_the_same_area_class_is_compared() -> None:
    rich = History("r", "r", "region_3", [Year(2026, 100, Decimal(90), "tot")])
    poor = history("p", (2026, 10, "90", "tot"))
    assert {view.centre_id: (view.finding, view.median) for view in views([rich, poor], POLICY)} == {
        "r": ("balanced", Fraction(100)),
        "p": ("balanced", Fraction(10)),
    }


def test_trends_compare_the_last_known_with_the_first() -> None:
    (view,) = views([history("a", (2026, 30, "70", "kha"), (2024, 20, "80", "tot"), (2025, None, None, None))], POLICY)
    assert [year.year for year in view.years] == [2024, 2025, 2026]
    assert (view.support_trend, view.score_trend) == ("rising", "falling")
    (single,) = views([history("a", (2026, 30, "70", "kha"))], POLICY)
    assert (single.support_trend, single.score_trend) == ("unknown", "unknown")


def test_a_grade_cannot_be_effective_and_weak(tmp_path: Any) -> None:
    text = (DATA / "sustainability_policy.yaml").read_text(encoding="utf-8")
    file = tmp_path / "sustainability_policy.yaml"
    file.write_text(text.replace("[trung_binh, yeu]", "[kha, yeu]"), encoding="utf-8")
    with pytest.raises(RulebookError, match=r"kha cannot be effective and weak; .* keep each grade in one list"):
        load_layers((tmp_path,), file.name, SustainabilityPolicy)
