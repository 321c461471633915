"""After the approval: corrections become adjustments, two people decide, the journal and the next year follow."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.contracts.facts import (
    AdjustmentProposed,
    BudgetAdjusted,
    BudgetApproved,
    BudgetProposed,
    BudgetRunApproved,
)
from shared.contracts.journal import JournalEntry, verify
from shared.rulebook import funding_policy
from tests.unit.funding_bench import (
    AN,
    HOA,
    LAN,
    MINH,
    OTHER,
    TUAN,
    Bench,
    approved,
    envelope,
    published,
    registration,
    score,
    support,
)

BUDGET = "/budgets/04/2026"
B1 = "/adjustments/04/2026/b/1"


async def only(bench: Bench, **query: Any) -> Any:
    """The one adjustment there is."""
    (found,) = await bench.adjustments(year=2026, **query)
    return found


async def improved(tmp_path: Path, amount: int = 60_000_000) -> Bench:
    """A published budget, and a correction of b's registration: its area's minimum is 25 million instead of 20."""
    bench = await published(tmp_path, amount)
    await bench.tell(registration("b", version=2, area_class="region_2"))
    await bench.settle()
    return bench


async def adjusted(tmp_path: Path) -> Bench:
    """The same, and the adjustment approved."""
    bench = await improved(tmp_path)
    await bench.done(LAN, f"{B1}/submit")
    await bench.done(HOA, f"{B1}/approve")
    await bench.settle()
    return bench


async def assert_adds_up(bench: Bench, envelope: int = 60_000_000) -> None:
    """The journal is whole, ends at the newest published mark, and is the envelope and the decisions."""
    verified = await bench.get("/journal/04/2026/verify")
    shown = await bench.get(BUDGET)
    assert verified["whole"]
    assert (verified["total"], shown["envelope"]) == (envelope, envelope)
    assert verified["reserve"] == shown["reserve"]
    assert verified["head"] == shown["journals"]["operating"]
    decisions = await bench.get(f"{BUDGET}/decisions")
    assert verified["centres"] == {line["centre_id"]: line["amount"] for line in decisions}
    carried = {line["centre_id"]: line["carried_total"] for line in decisions if line["carried_total"]}
    assert {key: amount for key, amount in verified["carried"].items() if amount} == carried


async def test_a_correction_after_the_approval_changes_nothing_by_itself(tmp_path: Path) -> None:
    bench = await published(tmp_path, 60_000_000)
    before, told = bench.contents(), len(bench.events(BudgetProposed))
    await bench.tell(
        registration("b", version=2, area_class="region_2"),
        score("a", "yeu", version=2),
        support("a", 24_000_000, version=2),
        envelope(70_000_000, version=2),
    )
    await bench.settle()
    assert bench.contents() == before
    assert len(bench.events(BudgetProposed)) == told
    assert bench.events(BudgetAdjusted) == []
    assert {each.centre_id for each in bench.events(AdjustmentProposed)} == {"a", "b", None}


async def test_what_changed_is_proposed_with_its_delta_and_reason(tmp_path: Path) -> None:
    bench = await improved(tmp_path)
    found = await only(bench)
    assert found["adjustment_id"] == "04/2026/b/1"
    assert (found["state"], found["version"], found["centre_id"]) == ("proposed", 1, "b")
    assert found["corrected"] == found["amount"] + found["delta"] + found["carried"]
    assert (found["amount"], found["corrected"], found["carried"]) == (25_000_000, 31_250_000, 0)
    assert "registration" in found["reason"]["en"]
    assert found["allocation"]["amount"] == 31_250_000
    assert "after approval" in found["allocation"]["steps"][-2]["what"]["en"]
    (event,) = bench.events(AdjustmentProposed)
    line = {name: value for name, value in found["allocation"].items() if name != "steps"}
    assert event.model_dump(mode="json") == found | {"allocation": line}
    entry = (await bench.get(BUDGET))["history"][-1]
    assert (entry["who"], entry["action"], entry["subject"]) == ("langhoc", "propose_adjustment", "04/2026/b/1")


async def test_computing_again_proposes_nothing_twice(tmp_path: Path) -> None:
    bench = await improved(tmp_path)
    await bench.tell(registration("b", version=3, area_class="region_2"))
    await bench.settle()
    assert (await only(bench))["version"] == 1
    assert len(bench.events(AdjustmentProposed)) == 1


async def test_an_adjustment_is_submitted_by_one_and_approved_by_another(tmp_path: Path) -> None:
    bench = await improved(tmp_path)
    assert await bench.refused(HOA, f"{B1}/approve") == (409, ["wrong_state"])
    assert (await bench.order(OTHER, f"{B1}/submit")).status_code == 404
    await bench.done(HOA, f"{B1}/submit")
    assert await bench.refused(HOA, f"{B1}/approve") == (403, ["same_person"])
    assert await bench.refused(HOA, f"{B1}/refuse") == (403, ["same_person"])
    assert await bench.refused(MINH, f"{B1}/approve") == (403, ["role_not_allowed"])
    assert await bench.refused(AN, f"{B1}/approve", why="") == (403, ["role_not_allowed", "reason_missing"])
    assert (await bench.done(TUAN, f"{B1}/approve"))["state"] == "approved"
    results = [entry["result"] for entry in (await bench.get(BUDGET))["history"] if entry["subject"] == "04/2026/b/1"]
    assert results == ["done"] * 3, "proposed, submitted, approved"
    kept = (await bench.get(f"{BUDGET}/refusals"))["items"]
    assert {each["who"]: [entry["result"] for entry in each["latest"]] for each in kept} == {
        "local:an": ["role_not_allowed"],
        "local:hoa": ["wrong_state", "same_person", "same_person"],
        "local:minh": ["role_not_allowed"],
    }


async def test_an_approved_adjustment_is_booked_told_and_adds_up(tmp_path: Path) -> None:
    bench = await adjusted(tmp_path)
    (fact,) = bench.events(BudgetAdjusted)
    assert (fact.version, fact.previous_amount, fact.amount, fact.delta) == (2, 25_000_000, 31_250_000, 6_250_000)
    assert (fact.reserve, fact.carried, fact.submitted_by, fact.decided_by) == (3_750_000, 0, "local:lan", "local:hoa")
    assert (await bench.get(BUDGET))["state"] == "adjusted"
    entries = (await bench.get("/journal/04/2026"))["entries"]
    assert [(entry["kind"], entry["centre_id"], entry["amount"]) for entry in entries[3:]] == [
        ("adjustment", "b", 6_250_000),
        ("reserve", None, -6_250_000),
    ]
    assert fact.entry == 4
    assert (fact.journal.number, fact.journal.hash) == (5, entries[-1]["hash"])
    await assert_adds_up(bench)


async def test_f5_a_second_decision_is_a_version_of_the_first(tmp_path: Path) -> None:
    """Whoever pays by `(centre, year, purpose)` and the newest version pays what was decided, once."""
    bench = await adjusted(tmp_path)
    paid: dict[tuple[str, int, str], tuple[int, int]] = {}
    for fact in [*bench.events(BudgetApproved), *bench.events(BudgetAdjusted)]:
        key = (fact.centre_id, fact.year, fact.purpose)
        assert fact.version == paid.get(key, (0, 0))[0] + 1
        assert fact.delta == fact.amount - paid.get(key, (0, 0))[1]
        paid[key] = (fact.version, fact.amount)
    assert paid == {("a", 2026, "operating"): (1, 25_000_000), ("b", 2026, "operating"): (2, 31_250_000)}
    assert sorted(row["_id"] for row in bench.mongo.all("decisions")) == ["a/2026/operating", "b/2026/operating"]
    assert await bench.refused(HOA, f"{BUDGET}/approve") == (409, ["wrong_state"])


async def test_an_adjustment_waits_for_the_publication(tmp_path: Path) -> None:
    bench = await approved(tmp_path, 60_000_000)
    await bench.tell(registration("b", version=2, area_class="region_2"))
    await bench.settle()
    await bench.done(LAN, f"{B1}/submit")
    assert await bench.refused(HOA, f"{B1}/approve") == (409, ["wrong_state"])
    await bench.done(TUAN, f"{BUDGET}/publish")
    assert (await bench.done(HOA, f"{B1}/approve"))["state"] == "approved"
    await assert_adds_up(bench)


async def test_a_further_correction_replaces_what_is_open(tmp_path: Path) -> None:
    bench = await improved(tmp_path)
    old = await bench.done(LAN, f"{B1}/submit")
    await bench.tell(support("b", 28_000_000, version=2))
    await bench.settle()
    found = await only(bench)
    assert (found["adjustment_id"], found["state"], found["version"]) == ("04/2026/b/1", "proposed", 3)
    assert found["hash"] != old["hash"]
    stale = {"version": old["version"], "hash": old["hash"]}
    assert await bench.refused(HOA, f"{B1}/approve", **stale) == (409, ["wrong_state", "moved_on"])


async def test_a_hand_in_a_replaced_adjustment_counts_too(tmp_path: Path) -> None:
    bench = await improved(tmp_path)
    await bench.done(HOA, f"{B1}/submit")
    await bench.tell(support("b", 28_000_000, version=2))
    await bench.settle()
    await bench.done(LAN, f"{B1}/submit")
    assert await bench.refused(HOA, f"{B1}/approve") == (403, ["same_person"])
    await bench.done(TUAN, f"{B1}/approve")
    (fact,) = bench.events(BudgetAdjusted)
    assert fact.submitted_by == "local:lan"


async def test_a_correction_taken_back_makes_the_proposal_void(tmp_path: Path) -> None:
    bench = await improved(tmp_path)
    await bench.tell(registration("b", version=3))
    await bench.settle()
    assert (await only(bench))["state"] == "void"
    assert await bench.refused(LAN, f"{B1}/submit") == (409, ["wrong_state"])
    await bench.tell(registration("b", version=4, area_class="region_2"))
    await bench.settle()
    found = await bench.adjustments(year=2026, state="proposed")
    assert [each["adjustment_id"] for each in found] == ["04/2026/b/2"]


async def test_what_was_refused_is_not_proposed_again_but_a_new_correction_is(tmp_path: Path) -> None:
    bench = await improved(tmp_path)
    await bench.done(LAN, f"{B1}/submit")
    await bench.done(HOA, f"{B1}/refuse", why="không đủ căn cứ")
    await bench.tell(registration("b", version=3, area_class="region_2", name="Tên khác"))
    await bench.settle()
    assert (await only(bench))["state"] == "refused"
    await bench.tell(support("b", 28_000_000, version=2))
    await bench.settle()
    assert [each["state"] for each in await bench.adjustments(year=2026)] == ["refused", "proposed"]


async def test_what_people_decide_on_an_adjustment_is_computed_on_and_what_they_only_prepare_is_not(
    tmp_path: Path,
) -> None:
    bench = await improved(tmp_path)
    await bench.done(LAN, f"{B1}/submit")
    assert bench.requested() == set()
    await bench.done(HOA, f"{B1}/refuse")
    assert bench.requested() == {("04", 2026)}
    await bench.settle()
    await bench.tell(support("b", 28_000_000, version=2))
    await bench.settle()
    await bench.done(LAN, "/adjustments/04/2026/b/2/submit")
    await bench.done(HOA, "/adjustments/04/2026/b/2/approve")
    assert bench.requested() == {("04", 2026), ("04", None)}


async def test_what_the_reserve_cannot_pay_is_carried_and_settled_by_the_next_year(tmp_path: Path) -> None:
    bench = await improved(tmp_path, 43_500_000)
    found = await only(bench)
    assert (found["delta"], found["carried"]) == (0, found["corrected"] - found["amount"])
    await bench.done(LAN, f"{B1}/submit")
    await bench.done(HOA, f"{B1}/approve")
    await bench.settle()
    owed = found["carried"]
    assert owed > 0
    await assert_adds_up(bench, 43_500_000)

    await bench.tell(envelope(80_000_000, year=2027), score("a", "tot", period=2026), score("b", "yeu", period=2026))
    await bench.settle()
    for who, step in ((LAN, "simulate"), (LAN, "submit"), (HOA, "approve"), (TUAN, "publish")):
        await bench.done(who, f"/budgets/04/2027/{step}")
    settled = {fact.centre_id: fact.settled for fact in bench.events(BudgetApproved) if fact.year == 2027}
    assert settled == {"a": 0, "b": owed}
    verified = await bench.get("/journal/04/2027/verify")
    assert (verified["whole"], verified["total"], verified["settled"]) == (True, 80_000_000, {"b": owed})


async def test_a_smaller_claim_returns_to_the_reserve(tmp_path: Path) -> None:
    """By the approved λ of 2 million: 20 + 0.5 × 2 million instead of 20 + 1.25 × 2 million."""
    bench = await published(tmp_path, 43_500_000)
    await bench.tell(score("a", "yeu", version=2))
    await bench.settle()
    found = await only(bench)
    assert (found["amount"], found["corrected"], found["delta"]) == (22_500_000, 21_000_000, -1_500_000)
    assert "result" in found["reason"]["en"]
    await bench.done(LAN, "/adjustments/04/2026/a/1/submit")
    await bench.done(HOA, "/adjustments/04/2026/a/1/approve")
    assert (await bench.get(BUDGET))["reserve"] == 1_500_000
    await assert_adds_up(bench, 43_500_000)


async def test_a_centre_registered_late_gets_its_first_decision_by_an_adjustment(tmp_path: Path) -> None:
    bench = await published(tmp_path, 80_000_000)
    await bench.tell(registration("c"))
    await bench.settle()
    assert ((await only(bench))["amount"], (await only(bench))["corrected"]) == (0, 20_000_000)
    await bench.done(LAN, "/adjustments/04/2026/c/1/submit")
    await bench.done(HOA, "/adjustments/04/2026/c/1/approve")
    (fact,) = bench.events(BudgetAdjusted)
    assert (fact.centre_id, fact.version, fact.previous_amount, fact.amount) == ("c", 1, None, 20_000_000)
    await assert_adds_up(bench, 80_000_000)


async def test_a_centre_that_should_not_have_taken_part_loses_its_claim(tmp_path: Path) -> None:
    bench = await published(tmp_path, 60_000_000)
    await bench.tell(registration("b", version=2, opened_on="2027-05-01"))
    await bench.settle()
    found = await only(bench)
    assert (found["amount"], found["corrected"], found["delta"]) == (25_000_000, 0, -25_000_000)
    assert found["allocation"]["flags"] == ["withdrawn"]


async def test_a_corrected_envelope_moves_the_reserve_alone(tmp_path: Path) -> None:
    bench = await published(tmp_path, 60_000_000)
    await bench.tell(envelope(65_000_000, version=2))
    await bench.settle()
    found = await only(bench)
    assert (found["adjustment_id"], found["centre_id"]) == ("04/2026/_reserve/1", None)
    assert (found["amount"], found["corrected"], found["delta"]) == (60_000_000, 65_000_000, 5_000_000)
    await bench.done(LAN, "/adjustments/04/2026/_reserve/1/submit")
    done = await bench.done(HOA, "/adjustments/04/2026/_reserve/1/approve")
    assert done["journal"]["number"] == 4
    assert (await bench.get(BUDGET))["reserve"] == 15_000_000
    await bench.settle()
    await assert_adds_up(bench, 65_000_000)
    assert [each["state"] for each in await bench.adjustments(year=2026)] == ["approved"]


async def test_an_envelope_cut_below_what_is_decided_is_refused_with_what_to_do(tmp_path: Path) -> None:
    bench = await published(tmp_path, 60_000_000)
    await bench.tell(envelope(45_000_000, version=2))
    await bench.settle()
    await bench.done(LAN, "/adjustments/04/2026/_reserve/1/submit")
    assert await bench.refused(HOA, "/adjustments/04/2026/_reserve/1/approve") == (409, ["reserve_too_small"])
    await assert_adds_up(bench)


async def test_two_adjustments_do_not_spend_the_same_reserve(tmp_path: Path) -> None:
    """The second one is proposed anew against what the first has left; until then it is refused."""
    bench = await published(tmp_path, 60_000_000)
    await bench.tell(*(registration(each, version=2, area_class="region_2") for each in "ab"))
    await bench.settle()
    for centre in "ab":
        await bench.done(LAN, f"/adjustments/04/2026/{centre}/1/submit")
    await bench.done(HOA, "/adjustments/04/2026/a/1/approve")
    assert await bench.refused(HOA, f"{B1}/approve") == (409, ["reserve_too_small"])
    await bench.settle()
    found = await bench.get(B1)
    assert (found["state"], found["delta"], found["carried"]) == ("proposed", 0, 6_250_000)
    await assert_adds_up(bench)


async def test_an_approved_adjustment_is_taken_back_by_entries_that_name_its_entries(tmp_path: Path) -> None:
    bench = await adjusted(tmp_path)
    asked = await bench.done(LAN, f"{B1}/reverse", why="nhập nhầm đăng ký")
    assert (asked["adjustment_id"], asked["state"], asked["reverses"]) == ("04/2026/b/2", "submitted", "04/2026/b/1")
    assert (asked["amount"], asked["corrected"]) == (31_250_000, 25_000_000)
    await bench.settle()
    assert await bench.refused(LAN, "/adjustments/04/2026/b/2/approve") == (403, ["same_person", "role_not_allowed"])
    await bench.done(HOA, "/adjustments/04/2026/b/2/approve")
    await bench.settle()
    entries = [JournalEntry.model_validate(entry) for entry in (await bench.get("/journal/04/2026"))["entries"]]
    assert [(entry.kind, entry.reverses) for entry in entries[5:]] == [("reversal", 4), ("reversal", 5)]
    assert verify(entries, bench.events(BudgetAdjusted)[-1].journal) == []
    assert [fact.amount for fact in bench.events(BudgetAdjusted)] == [31_250_000, 25_000_000]
    await assert_adds_up(bench)
    states = [each["state"] for each in await bench.adjustments(year=2026)]
    assert states == ["approved", "approved"], "what people took back is not proposed to them again"
    assert await bench.refused(LAN, f"{B1}/reverse") == (409, ["not_reversible"])


async def test_the_decided_amount_is_next_years_last_year(tmp_path: Path) -> None:
    bench = await adjusted(tmp_path)
    await bench.tell(envelope(70_000_000, year=2027))
    await bench.settle()
    lines = {line.allocation.centre_id: line.allocation for line in bench.events(BudgetProposed) if line.year == 2027}
    assert {key: line.last_year for key, line in lines.items()} == {"a": 25_000_000, "b": 31_250_000}


async def test_an_approval_moves_the_next_years_proposal_by_itself(tmp_path: Path) -> None:
    bench = await approved(tmp_path, 60_000_000)
    await bench.tell(envelope(70_000_000, year=2027))
    await bench.settle()
    assert bench.document("allocations", "a/2027")["allocation"]["last_year"] == 25_000_000


async def test_a_stated_support_that_differs_from_the_decided_one_is_flagged(tmp_path: Path) -> None:
    bench = await published(tmp_path, 60_000_000)
    await bench.tell(
        envelope(70_000_000, year=2027), support("a", 24_000_000, year=2026), support("b", 25_000_000, year=2026)
    )
    await bench.settle()
    a, b = (bench.document("allocations", f"{centre}/2027")["allocation"] for centre in "ab")
    assert (a["last_year"], "last_year_differs" in a["flags"]) == (24_000_000, True)
    assert (b["last_year"], "last_year_differs" in b["flags"]) == (25_000_000, False)
    assert "last_year_differs" in bench.document("runs", "04/2027")["flags"]


@pytest.mark.parametrize("tamper", ["amount", "cut"])
async def test_a_tampered_journal_is_detected_by_the_service_and_by_the_event(tmp_path: Path, tamper: str) -> None:
    bench = await adjusted(tmp_path)
    mark = bench.events(BudgetAdjusted)[-1].journal
    rows = bench.mongo.rows("journal")
    if tamper == "amount":
        rows["04/2026/operating/0000002"]["amount"] = 1
    else:
        del rows["04/2026/operating/0000005"]
    verified = await bench.get("/journal/04/2026/verify")
    assert not verified["whole"]
    entries = [JournalEntry.model_validate(entry) for entry in (await bench.get("/journal/04/2026"))["entries"]]
    assert verify(entries, mark)


async def test_a_policy_that_runs_again_proposes_every_centres_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the policy says `rerun`, one correction moves all; each move is still decided on by people."""
    policy = funding_policy(date(2026, 1, 1))
    again = policy.after_approval.model_copy(update={"use": "rerun"})
    changed = policy.model_copy(update={"after_approval": again})
    monkeypatch.setattr("services.funding.decisions.proposal.calculating.funding_policy", lambda *_: changed)
    bench = await published(tmp_path, 43_500_000)
    before = bench.contents()
    await bench.tell(score("b", "tot", version=2))
    await bench.settle()
    assert bench.contents() == before
    moves = {each["centre_id"]: each["delta"] for each in await bench.adjustments(year=2026)}
    assert moves == {"a": -750_000, "b": 750_000}
    for centre in "ba":
        await bench.done(LAN, f"/adjustments/04/2026/{centre}/1/submit")
    assert await bench.refused(HOA, f"{B1}/approve") == (409, ["reserve_too_small"])
    for centre in "ab":
        await bench.done(HOA, f"/adjustments/04/2026/{centre}/1/approve")
        await bench.settle()
        await assert_adds_up(bench, 43_500_000)
    decisions = await bench.get(f"{BUDGET}/decisions")
    assert [line["amount"] for line in decisions] == [21_750_000, 21_750_000]

    await bench.tell(envelope(44_500_000, version=2))
    await bench.settle()
    await bench.done(LAN, "/adjustments/04/2026/_reserve/1/submit")
    await bench.done(HOA, "/adjustments/04/2026/_reserve/1/approve")
    await bench.settle()
    waiting = await bench.adjustments(year=2026, state="proposed")
    assert {each["centre_id"]: each["delta"] for each in waiting} == {"a": 500_000, "b": 500_000}


async def test_what_is_owed_to_a_centre_that_closed_is_paid_all_the_same(tmp_path: Path) -> None:
    bench = await improved(tmp_path, 43_500_000)
    owed = (await only(bench))["carried"]
    await bench.done(LAN, f"{B1}/submit")
    await bench.done(HOA, f"{B1}/approve")
    await bench.tell(registration("b", version=3, area_class="region_2", closed_on="2027-01-01"))
    await bench.tell(envelope(80_000_000, year=2027), score("a", "tot", period=2026))
    await bench.settle()
    for who, step in ((LAN, "simulate"), (LAN, "submit"), (HOA, "approve"), (TUAN, "publish")):
        await bench.done(who, f"/budgets/04/2027/{step}")
    facts = {fact.centre_id: fact for fact in bench.events(BudgetApproved) if fact.year == 2027}
    assert (facts["b"].amount, facts["b"].settled, facts["b"].allocation.flags) == (0, owed, ["withdrawn"])
    (run,) = [run for run in bench.events(BudgetRunApproved) if run.year == 2027]
    assert (run.centres, run.carried, run.allocated + run.carried + run.reserve) == (2, owed, 80_000_000)


async def approve_year(bench: Bench, year: int) -> None:
    """An envelope of 80 million for a later year, through to its publication."""
    await bench.tell(envelope(80_000_000, year=year))
    await bench.settle()
    for who, step in ((LAN, "simulate"), (LAN, "submit"), (HOA, "approve"), (TUAN, "publish")):
        await bench.done(who, f"/budgets/04/{year}/{step}")
    await bench.settle()


def settled(bench: Bench, year: int) -> dict[str, int]:
    """What was paid in a year of what earlier ones had carried over."""
    return {fact.centre_id: fact.settled for fact in bench.events(BudgetApproved) if fact.year == year and fact.settled}


async def test_a_debt_that_arises_after_the_next_approval_waits_for_the_year_after(tmp_path: Path) -> None:
    bench = await improved(tmp_path, 43_500_000)
    owed = (await only(bench))["carried"]
    await approve_year(bench, 2027)
    await bench.done(LAN, f"{B1}/submit")
    await bench.done(HOA, f"{B1}/approve")
    await bench.settle()
    await approve_year(bench, 2028)
    await approve_year(bench, 2029)
    assert [settled(bench, year) for year in (2027, 2028, 2029)] == [{}, {"b": owed}, {}]


async def test_a_cut_after_the_debt_was_paid_comes_back_once(tmp_path: Path) -> None:
    bench = await improved(tmp_path, 43_500_000)
    owed = (await only(bench))["carried"]
    await bench.done(LAN, f"{B1}/submit")
    await bench.done(HOA, f"{B1}/approve")
    await approve_year(bench, 2027)
    assert settled(bench, 2027) == {"b": owed}
    assert [each["state"] for each in await bench.adjustments(year=2026)] == ["approved"]

    await bench.tell(registration("b", version=3))
    await bench.settle()
    found = await bench.get("/adjustments/04/2026/b/2")
    assert (found["delta"], found["carried"]) == (-owed, 0)
    await bench.done(LAN, "/adjustments/04/2026/b/2/submit")
    await bench.done(HOA, "/adjustments/04/2026/b/2/approve")
    await bench.settle()
    await assert_adds_up(bench, 43_500_000)
    assert (await bench.get(BUDGET))["reserve"] == owed
    await approve_year(bench, 2028)
    assert settled(bench, 2028) == {}


async def test_a_debt_follows_the_centre_to_its_new_province(tmp_path: Path) -> None:
    bench = await improved(tmp_path, 43_500_000)
    owed = (await only(bench))["carried"]
    await bench.done(LAN, f"{B1}/submit")
    await bench.done(HOA, f"{B1}/approve")
    await bench.tell(registration("b", "08", version=3, area_class="region_2"))
    await approve_year(bench, 2027)
    await bench.tell(envelope(80_000_000, year=2027, province="08"))
    await bench.settle()
    for who, step in ((OTHER, "simulate"), (OTHER, "submit"), (HOA, "approve"), (TUAN, "publish")):
        await bench.done(who, f"/budgets/08/2027/{step}")
    facts = [fact for fact in bench.events(BudgetApproved) if (fact.centre_id, fact.year) == ("b", 2027)]
    assert [(fact.province, fact.settled) for fact in facts] == [("08", owed)]
    assert facts[0].amount > 0


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_comes_in_and_whatever_is_decided_it_adds_up(tmp_path: Path, seed: int) -> None:
    """A year of corrections and decisions in random order: journal, decisions, reserve and events never part ways."""
    dice = random.Random(seed)
    bench = await published(tmp_path, 52_000_000)
    version, amount = 10, 52_000_000
    for _ in range(60):
        version += 1
        centre = dice.choice("abc")
        match dice.randrange(10):
            case 0:
                area = dice.choice(["region_1", "region_2", "other"])
                await bench.tell(registration(centre, version=version, area_class=area))
            case 1:
                await bench.tell(score(centre, dice.choice(["tot", "kha", "yeu"]), version=version))
            case 2:
                await bench.tell(support(centre, dice.randrange(15, 40) * 1_000_000, version=version))
            case 3:
                amount += dice.randrange(-3, 6) * 1_000_000
                await bench.tell(envelope(amount, version=version))
            case _:
                await decide_something(bench, dice)
        if dice.randrange(4):
            await bench.settle()
        await assert_adds_up(bench, (await bench.get(BUDGET))["envelope"])
    versions: dict[str, int] = {}
    for fact in [*bench.events(BudgetApproved), *bench.events(BudgetAdjusted)]:
        assert fact.version == versions.get(fact.centre_id, 0) + 1
        versions[fact.centre_id] = fact.version
    assert sum(versions.values()) > 3


async def decide_something(bench: Bench, dice: random.Random) -> None:
    """Officers do the next two things to an adjustment, open or approved; a refusal is an answer too."""
    steps = {"proposed": ["submit"], "submitted": ["approve", "approve", "refuse"], "approved": ["reverse"]}
    for _ in range(2):
        known = [each for each in await bench.adjustments(year=2026) if each["state"] in steps]
        waiting = [each for each in known if each["state"] == "submitted"] or known
        if waiting:
            one = dice.choice(waiting)
            step = dice.choice(steps[one["state"]])
            who = HOA if step in ("approve", "refuse") else LAN
            answer = await bench.order(who, f"/adjustments/{one['adjustment_id']}/{step}")
            assert answer.status_code in (200, 409), answer.text


# ------------------------------------------------------------------------------------------------- what time changes


async def approved_before_the_deadline(state: Path, *facts: Any) -> Bench:
    """Centre a has its result, b has none yet; approved on 4 March 2026."""
    bench = await Bench(state).ready()
    bench.clock.moment = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
    await bench.tell(
        envelope(49_000_000),
        *(registration(centre) for centre in "ab"),
        support("a", 20_000_000),
        support("b", 30_000_000),
        score("a", "kha"),
        *facts,
    )
    await bench.settle()
    await bench.done(LAN, f"{BUDGET}/simulate")
    await bench.done(LAN, f"{BUDGET}/submit")
    for who, step in ((HOA, "approve"), (TUAN, "publish")):
        await bench.done(who, f"{BUDGET}/{step}")
    await bench.settle()
    return bench


async def test_a_deadline_that_passes_proposes_an_adjustment_of_what_was_awaited(tmp_path: Path) -> None:
    bench = await approved_before_the_deadline(tmp_path)
    assert await bench.adjustments() == []
    bench.clock.moment = datetime(2026, 4, 10, 16, 59, tzinfo=UTC)
    await bench.settle()
    assert await bench.adjustments() == []
    bench.clock.moment = datetime(2026, 4, 10, 17, 0, tzinfo=UTC)
    await bench.settle()
    (proposal,) = await bench.adjustments()
    assert (proposal["centre_id"], proposal["amount"], proposal["corrected"]) == ("b", 25_500_000, 20_000_000)
    assert proposal["delta"] == -5_500_000
    assert "đã hết hạn nộp hồ sơ đánh giá mà không có hồ sơ" in proposal["reason"]["vi"]
    assert "the deadline has passed and no file came" in proposal["reason"]["en"]
    assert proposal["allocation"]["assessment"] == "not_submitted"


async def test_a_result_that_comes_in_time_is_no_matter_of_the_deadline(tmp_path: Path) -> None:
    bench = await approved_before_the_deadline(tmp_path)
    await bench.tell(score("b", "kha"))
    bench.clock.moment = datetime(2026, 4, 11, 2, 0, tzinfo=UTC)
    await bench.settle()
    assert [(one["centre_id"], one["corrected"]) for one in await bench.adjustments()] == []


async def test_a_pending_file_counts_until_its_period_closes(tmp_path: Path) -> None:
    incomplete = score("b", "kha").model_copy(update={"state": "incomplete", "grade": None, "total": None})
    bench = await approved_before_the_deadline(tmp_path, incomplete)
    for day in (datetime(2026, 4, 11, 2, 0, tzinfo=UTC), datetime(2026, 12, 31, 16, 59, tzinfo=UTC)):
        bench.clock.moment = day
        await bench.settle()
        assert await bench.adjustments() == []
    bench.clock.moment = datetime(2026, 12, 31, 17, 0, tzinfo=UTC)
    await bench.settle()
    (proposal,) = await bench.adjustments()
    assert proposal["corrected"] == 20_000_000
    assert "the period has closed and its file was not accepted" in proposal["reason"]["en"]


async def test_a_correction_of_its_peer_does_not_move_a_centre_without_a_base(tmp_path: Path) -> None:
    """It keeps the cap of the approved run."""
    bench = await Bench(tmp_path).ready()
    await bench.tell(
        envelope(200_000_000),
        registration("a"),
        registration("b", opened_on=date(2025, 2, 1), predecessors=["a"]),
        registration("c", area_class="other"),
        support("a", 20_000_000),
        support("c", 0),
        *(score(centre, "kha") for centre in "abc"),
    )
    await bench.settle()
    for who, step in ((LAN, "simulate"), (LAN, "submit"), (HOA, "approve"), (TUAN, "publish")):
        await bench.done(who, f"{BUDGET}/{step}")
    decided = {line.centre_id: line.amount for line in bench.events(BudgetApproved)}
    assert decided["c"] == 25_000_000
    await bench.tell(support("a", 40_000_000, version=2))
    await bench.settle()
    assert "c" not in {one["centre_id"] for one in await bench.adjustments()}


async def test_a_corrected_line_says_how_its_own_amount_stands_to_its_bounds(tmp_path: Path) -> None:
    """Two centres more, whose minima the envelope could not pay in a new run: the adjustments owe them whole."""
    bench = await published(tmp_path, 45_000_000)
    await bench.tell(*(registration(centre) for centre in "cd"), *(support(centre, 20_000_000) for centre in "cd"))
    await bench.tell(score("c", "kha"))
    await bench.settle()
    lines = {one["centre_id"]: one["allocation"] for one in await bench.adjustments(year=2026)}
    assert {key: (line["amount"], line["binds"], line["flags"]) for key, line in lines.items()} == {
        "c": (22_857_142, "none", []),
        "d": (20_000_000, "floor", []),
    }
