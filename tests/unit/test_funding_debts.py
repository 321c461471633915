"""What one year carries over is paid once by a later one, whatever is decided in between or at the same moment."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from shared.contracts.facts import BudgetAdjusted, BudgetApproved
from tests.unit.funding_bench import (
    HOA,
    LAN,
    OTHER,
    TUAN,
    Bench,
    envelope,
    proposed,
    published,
    registration,
    score,
    support,
)

B1, B2 = "/adjustments/04/2026/b/1", "/adjustments/04/2026/b/2"


async def owing(tmp_path: Path) -> tuple[Bench, int]:
    """A published budget of 2026 without a reserve, and what it came to owe b by a correction (đồng)."""
    bench = await published(tmp_path)
    await bench.tell(registration("b", version=2, area_class="region_2"))
    await bench.settle()
    await bench.done(LAN, f"{B1}/submit")
    owed = (await bench.done(HOA, f"{B1}/approve"))["carried"]
    await bench.settle()
    assert owed > 0
    return bench, owed


async def submitted(bench: Bench, year: int, province: str = "04") -> None:
    """An envelope of 80 million, and the budget on its way to the approval."""
    await bench.tell(envelope(80_000_000, year=year, province=province))
    await bench.settle()
    for step in ("simulate", "submit"):
        await bench.done(LAN if province == "04" else OTHER, f"/budgets/{province}/{year}/{step}")


def paid(bench: Bench, centre_id: str = "b") -> int:
    """What all years pay of debts, as decided."""
    rows = bench.mongo.all("decisions")
    return sum(row["settled"] for row in rows if row["centre_id"] == centre_id)


def total(bench: Bench) -> int:
    """What b has for 2026, whichever year paid it."""
    return int(bench.document("decisions", "b/2026/operating")["amount"]) + paid(bench)


async def cut(bench: Bench) -> None:
    """The correction is taken back; the cut of what is still carried waits for its approval."""
    await bench.tell(registration("b", version=3))
    await bench.settle()
    assert (await bench.done(LAN, f"{B2}/submit"))["carried"] < 0


async def test_a_debt_that_was_paid_meanwhile_is_not_cancelled_as_well(tmp_path: Path) -> None:
    bench, owed = await owing(tmp_path)
    await cut(bench)
    await submitted(bench, 2027)
    await bench.done(HOA, "/budgets/04/2027/approve")
    assert paid(bench) == owed
    assert await bench.refused(HOA, f"{B2}/approve") == (409, ["inputs_changed"])
    await bench.settle()
    anew = await bench.get(B2)
    assert (anew["state"], anew["version"], anew["delta"], anew["carried"]) == ("proposed", 3, -owed, 0)
    await bench.done(LAN, f"{B2}/submit")
    await bench.done(HOA, f"{B2}/approve")
    assert total(bench) == 21_000_000


async def test_a_debt_is_paid_or_cancelled_at_the_same_moment_not_both(tmp_path: Path) -> None:
    bench, owed = await owing(tmp_path)
    await cut(bench)
    await submitted(bench, 2027)
    answers: list[Any] = []

    async def pay() -> None:
        answers.append(await bench.order(HOA, "/budgets/04/2027/approve"))

    bench.mongo.meanwhile.append(pay)  # just before the cut is written
    cancelled = await bench.order(HOA, f"{B2}/approve")
    assert (answers[0].status_code, cancelled.json()["code"]) == (200, "inputs_changed")
    assert paid(bench) == owed


async def test_a_year_that_is_decided_first_has_paid_the_debt(tmp_path: Path) -> None:
    bench, owed = await owing(tmp_path)
    await bench.tell(envelope(80_000_000, year=2027))
    await submitted(bench, 2028)
    await bench.done(HOA, "/budgets/04/2028/approve")
    await submitted(bench, 2027)
    await bench.done(HOA, "/budgets/04/2027/approve")
    assert bench.document("decisions", "b/2028/operating")["settled"] == owed
    assert paid(bench) == owed


async def test_two_years_decided_at_the_same_moment_pay_the_debt_once(tmp_path: Path) -> None:
    bench, owed = await owing(tmp_path)
    await submitted(bench, 2027)
    await submitted(bench, 2028)
    answers: list[Any] = []

    async def other() -> None:
        answers.append(await bench.order(HOA, "/budgets/04/2028/approve"))

    bench.mongo.meanwhile.append(other)
    first = await bench.order(HOA, "/budgets/04/2027/approve")
    assert answers[0].status_code == 200
    assert first.json()["code"] == "inputs_changed"
    assert paid(bench) == owed


async def test_what_a_later_year_paid_does_not_return_to_the_reserve_of_this_one(tmp_path: Path) -> None:
    """c never had money of 2026, so 2026 has none to take back when c turns out not to take part."""
    bench = await published(tmp_path)
    await bench.tell(registration("c"))
    await bench.settle()
    await bench.done(LAN, "/adjustments/04/2026/c/1/submit")
    owed = (await bench.done(HOA, "/adjustments/04/2026/c/1/approve"))["carried"]
    assert owed == 20_000_000
    await submitted(bench, 2027)
    await bench.done(HOA, "/budgets/04/2027/approve")
    assert paid(bench, "c") == owed
    await bench.tell(registration("c", version=2, opened_on=date(2027, 5, 1)))
    await bench.settle()
    assert [each["state"] for each in await bench.adjustments(year=2026)] == ["approved"]
    assert bench.document("decisions", "c/2026/operating")["amount"] == 0


async def test_a_cut_returns_only_what_this_year_paid_and_says_so(tmp_path: Path) -> None:
    """b has 21 million of 2026 and the debt of a later year; of 2026 no more than 21 million return."""
    bench, owed = await owing(tmp_path)
    await submitted(bench, 2027)
    await bench.done(HOA, "/budgets/04/2027/approve")
    await bench.tell(registration("b", version=3, opened_on=date(2027, 5, 1)))
    await bench.settle()
    found = await bench.get(B2)
    assert (found["delta"], found["carried"], found["corrected"]) == (-21_000_000, 0, owed)
    assert "later year" in found["allocation"]["steps"][-1]["what"]["en"]
    await bench.done(LAN, f"{B2}/submit")
    await bench.done(HOA, f"{B2}/approve")
    await bench.settle()
    (fact,) = [fact for fact in bench.events(BudgetAdjusted) if fact.version == 3]
    assert (fact.amount, fact.reserve) == (0, 21_000_000)
    assert len([each for each in await bench.adjustments(year=2026) if each["state"] == "proposed"]) == 0


async def test_an_adjustment_does_not_take_over_what_another_province_decided(tmp_path: Path) -> None:
    bench = await published(tmp_path, 80_000_000)
    await bench.tell(registration("c"))
    await bench.settle()
    await bench.done(LAN, "/adjustments/04/2026/c/1/submit")
    await bench.tell(registration("c", "08", version=2))
    await bench.mongo.insert(
        "decisions",
        [{"_id": "c/2026/operating", "_rev": 1, **bench.document("decisions", "b/2026/operating"), **C_OF_08}],
    )
    bench.mongo.seal()
    assert await bench.refused(HOA, "/adjustments/04/2026/c/1/approve") == (409, ["decided_before"])


C_OF_08 = {"_id": "c/2026/operating", "centre_id": "c", "province": "08", "amount": 0}


async def test_a_centre_that_moved_keeps_its_results_and_its_support(tmp_path: Path) -> None:
    """In the new province it stands with the grade and last year's support that it had in the old one."""
    bench = await proposed(tmp_path)
    await bench.tell(envelope(60_000_000, province="08"), registration("a", "08", version=2))
    await bench.settle()
    line = bench.document("allocations", "a/2026")
    assert line["province"] == "08"
    assert (line["allocation"]["grade"], line["allocation"]["last_year"]) == ("tot", 20_000_000)

    await bench.tell(score("a", "yeu", version=2), support("a", 24_000_000, version=2))
    await bench.settle()
    line = bench.document("allocations", "a/2026")
    assert (line["allocation"]["grade"], line["allocation"]["last_year"]) == ("yeu", 24_000_000)


@pytest.mark.parametrize("answer", ["refuse", "approve"])
async def test_an_adjustment_whose_reversal_was_refused_can_still_be_taken_back(tmp_path: Path, answer: str) -> None:
    bench, _ = await owing(tmp_path)
    await bench.done(LAN, f"{B1}/reverse")
    await bench.done(HOA, f"{B2}/refuse")
    await bench.done(LAN, f"{B1}/reverse")
    await bench.done(HOA, f"/adjustments/04/2026/b/3/{answer}")
    if answer == "approve":
        assert await bench.refused(LAN, f"{B1}/reverse") == (409, ["not_reversible"])
        assert bench.document("decisions", "b/2026/operating")["carried_total"] == 0
        assert {fact.centre_id for fact in bench.events(BudgetApproved)} == {"a", "b"}
    else:
        await bench.done(TUAN, f"{B1}/reverse")
