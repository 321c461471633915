"""What a province took back, and a centre that is suspended: before an approval, after it, in any order."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any, Literal

import pytest

from shared.contracts.facts import BudgetMoved, Withdrawn
from tests.unit.funding_bench import (
    HOA,
    LAN,
    NOW,
    TUAN,
    Bench,
    envelope,
    proposed,
    published,
    registration,
    support,
)

BUDGET = "/budgets/04/2026"


def withdrawal(
    kind: Literal["registration", "envelope", "support", "payment"], subject: str, version: int = 2, **changes: Any
) -> Withdrawn:
    facts: dict[str, Any] = {
        "version": version,
        "withdraws": version - 1,
        "submission_id": "w",
        "receipt_id": "r",
        "province": "04",
        "received_at": NOW,
        "kind": kind,
        "subject": subject,
        "reason": "gửi nhầm",
    }
    return Withdrawn(**{**facts, **changes})


def line(bench: Bench, centre_id: str, year: int = 2026) -> Any:
    return bench.document("allocations", f"{centre_id}/{year}")["allocation"]


async def said_of(bench: Bench, centre_id: str) -> str:
    (found,) = (await bench.get("/allocations", year=2026, centre_id=centre_id))["items"]
    return str(found["allocation"]["steps"][0]["what"]["vi"])


async def test_a_withdrawn_registration_takes_its_centre_out_with_the_reason(tmp_path: Path) -> None:
    bench = await proposed(tmp_path)
    await bench.tell(withdrawal("registration", "b"))
    await bench.settle()
    assert bench.document("runs", "04/2026")["centres"] == 1
    closing = line(bench, "b")
    assert (closing["amount"], closing["flags"]) == (0, ["withdrawn"])
    assert "gửi nhầm" in await said_of(bench, "b")
    await bench.tell(registration("b", version=3))
    await bench.settle()
    assert line(bench, "b")["amount"] > 0, "filed anew"


async def test_a_withdrawn_registration_gives_back_what_was_approved(tmp_path: Path) -> None:
    bench = await published(tmp_path)
    await bench.tell(withdrawal("registration", "b"))
    await bench.settle()
    (one,) = await bench.adjustments(year=2026)
    assert (one["centre_id"], one["corrected"], one["delta"]) == ("b", 0, -one["amount"])
    assert "gửi nhầm" in one["allocation"]["steps"][0]["what"]["vi"]


async def test_without_its_envelope_a_proposal_is_taken_back_and_nobody_decides_on_it(tmp_path: Path) -> None:
    bench = await proposed(tmp_path)
    for step in ("simulate", "submit"):
        await bench.done(LAN, f"{BUDGET}/{step}")
    await bench.tell(withdrawal("envelope", "04", period=2026, purpose="operating"))
    await bench.settle()
    stands = await bench.get(BUDGET)
    assert (stands["state"], stands["envelope"], stands["run"]["flags"]) == ("no_envelope", 0, ["no_envelope"])
    assert [line(bench, centre)["amount"] for centre in "ab"] == [0, 0]
    assert "rút lại tổng kinh phí" in await said_of(bench, "a")
    assert (await bench.get(f"{BUDGET}/proof"))["holds"]
    for who, step in ((LAN, "simulate"), (LAN, "submit"), (HOA, "approve")):
        assert "wrong_state" in (await bench.refused(who, f"{BUDGET}/{step}"))[1]
    await bench.tell(envelope(50_000_000, version=3))
    await bench.settle()
    assert (await bench.get(BUDGET))["state"] == "proposed"
    assert sum(line(bench, centre)["amount"] for centre in "ab") == 43_500_000 + 6_500_000


async def test_an_envelope_that_is_withdrawn_after_the_approval_leaves_amounts_and_takes_the_reserve(
    tmp_path: Path,
) -> None:
    bench = await published(tmp_path, 60_000_000)
    amounts = [line(bench, centre)["amount"] for centre in "ab"]
    await bench.tell(withdrawal("envelope", "04", period=2026, purpose="operating"))
    await bench.settle()
    (one,) = await bench.adjustments(year=2026)
    assert (one["centre_id"], one["amount"], one["corrected"]) == (None, 60_000_000, sum(amounts))
    assert "rút lại" in one["reason"]["vi"]
    await bench.tell(envelope(60_000_000, version=3))
    await bench.settle()
    (one,) = await bench.adjustments(year=2026)
    assert one["state"] == "void"


async def test_support_that_is_withdrawn_is_not_on_record_any_more(tmp_path: Path) -> None:
    bench = await proposed(tmp_path)
    await bench.tell(withdrawal("support", "a", period=2025, purpose="operating"))
    await bench.settle()
    assert line(bench, "a")["last_year"] is None
    assert line(bench, "b")["last_year"] == 20_000_000


async def test_a_withdrawn_payment_of_equipment_leaves_it_owed(tmp_path: Path) -> None:
    bench = await proposed(tmp_path, 100_000_000)
    paid = support("n", 30_000_000, year=2026).model_copy(update={"purpose": "equipment"})
    await bench.tell(registration("n", opened_on="2026-02-01"), paid)
    await bench.settle()
    assert bench.document("runs", "04/2026")["equipment"] == 0
    await bench.tell(withdrawal("support", "n", period=2026, purpose="equipment"))
    await bench.settle()
    assert bench.document("runs", "04/2026")["equipment"] == 30_000_000


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_a_withdrawal_may_come_before_what_it_takes_back(tmp_path: Path, order: tuple[int, ...]) -> None:
    bench = await proposed(tmp_path)
    facts = [registration("c"), withdrawal("registration", "c"), registration("c", version=3, name="Trung tâm C")]
    for nth in order:
        await bench.tell(facts[nth])
        await bench.settle()
    assert line(bench, "c")["name"] == "Trung tâm C"
    assert bench.document("runs", "04/2026")["centres"] == 3


async def test_a_suspended_centre_takes_no_part_until_it_works_again(tmp_path: Path) -> None:
    bench = await proposed(tmp_path)
    act = {
        "suspended_on": "2026-03-01",
        "act": "suspended",
        "decision_number": "05/QĐ-UBND",
        "decided_on": "2026-02-20",
        "decided_by": "Chủ tịch UBND xã",
    }
    await bench.tell(registration("b", version=2, **act))
    await bench.settle()
    said = await said_of(bench, "b")
    assert line(bench, "b")["amount"] == 0
    assert all(each in said for each in ("01/03/2026", "quyết định tạm dừng 05/QĐ-UBND", "Chủ tịch UBND xã"))
    await bench.tell(registration("b", version=3, **act, resumed_on="2026-12-31"))
    await bench.settle()
    assert line(bench, "b")["amount"] > 0, "it works on the last day of the budget year"
    await bench.tell(registration("b", version=4, **act, resumed_on="2027-01-01"))
    await bench.settle()
    assert line(bench, "b")["amount"] == 0


async def test_a_suspension_after_the_approval_is_a_proposal_to_adjust_that_names_the_decision(tmp_path: Path) -> None:
    bench = await published(tmp_path)
    await bench.tell(registration("b", version=2, suspended_on="2026-06-01", decision_number="05/QĐ-UBND"))
    await bench.settle()
    (one,) = await bench.adjustments(year=2026)
    assert (one["centre_id"], one["corrected"]) == ("b", 0)
    assert "05/QĐ-UBND" in one["allocation"]["steps"][0]["what"]["vi"]


async def test_every_move_of_a_budget_is_told(tmp_path: Path) -> None:
    bench = await proposed(tmp_path)
    for who, step in ((LAN, "simulate"), (LAN, "submit")):
        await bench.done(who, f"{BUDGET}/{step}", why="trình")
    await bench.tell(envelope(44_000_000, version=2))
    await bench.settle()
    for who, step in ((LAN, "simulate"), (LAN, "submit"), (HOA, "approve"), (TUAN, "publish")):
        await bench.done(who, f"{BUDGET}/{step}")
    await bench.refused(HOA, f"{BUDGET}/approve")
    await bench.tell(support("a", 30_000_000, version=2))
    await bench.settle()
    (one,) = await bench.adjustments(year=2026)
    for who, step in ((LAN, "submit"), (HOA, "approve")):
        await bench.done(who, f"/adjustments/{one['adjustment_id']}/{step}")
    told = bench.events(BudgetMoved)
    assert [(move.action, move.state) for move in told] == [
        ("simulate", "simulated"),
        ("submit", "submitted"),
        ("propose", "proposed"),
        ("simulate", "simulated"),
        ("submit", "submitted"),
        ("approve", "approved"),
        ("publish", "published"),
        ("adjust", "adjusted"),
    ]
    assert (told[1].by, told[1].why, told[1].run_version, told[2].run_version) == ("local:lan", "trình", 1, 2)
    assert [move.version for move in told] == sorted({move.version for move in told})


async def test_equipment_of_a_centre_that_comes_after_the_approval_is_owed_the_next_year(tmp_path: Path) -> None:
    bench = await published(tmp_path, 80_000_000)
    await bench.tell(registration("n", opened_on="2026-02-01"), envelope(100_000_000, year=2027))
    await bench.settle()
    (one,) = [each for each in await bench.adjustments(year=2026) if each["centre_id"] == "n"]
    assert "còn nợ" in one["allocation"]["steps"][0]["what"]["vi"]
    assert bench.document("runs", "04/2027")["equipment"] == 30_000_000
