"""The whole life of a budget, over HTTP on the database fake: people, corrections, journal, events."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from services.funding import recompute
from services.funding.decisions import Command, act, recomputed
from services.funding.decisions.journal import Granted
from services.funding.domain import Person
from shared.contracts.base import canonical, content_hash
from shared.contracts.facts import BudgetApproved, BudgetProposed, BudgetRunApproved
from shared.messaging.decide.engine import answer
from shared.messaging.decide.reader import Reader
from shared.mongo import Unavailable
from tests.unit.funding_bench import (
    AN,
    HOA,
    KIM,
    LAN,
    MINH,
    NOW,
    OTHER,
    TUAN,
    Bench,
    StandingClock,
    approved,
    envelope,
    proposed,
    published,
    registration,
    score,
    support,
)

BUDGET = "/budgets/04/2026"
WRITTEN_BEFORE = Path(__file__).parent.parent / "golden" / "snapshot-of-an-older-release.json"
"""As the release before typed documents answered for the budget of `approved`."""


async def test_from_the_envelope_to_the_publication(tmp_path: Path) -> None:
    bench = await proposed(tmp_path)
    assert (await bench.get(BUDGET))["state"] == "proposed"
    states = []
    for who, step in ((LAN, "simulate"), (LAN, "submit"), (HOA, "approve"), (AN, "publish")):
        states.append((await bench.done(who, f"{BUDGET}/{step}"))["state"])
    assert states == ["simulated", "submitted", "approved", "published"]


async def test_g1_every_action_says_who_when_why_before_and_after(tmp_path: Path) -> None:
    bench = await proposed(tmp_path)
    await bench.done(LAN, f"{BUDGET}/simulate", why="xem thử")
    history = (await bench.done(MINH, f"{BUDGET}/submit", why="trình Sở Tài chính"))["history"]
    last = history[-1]
    assert [entry["number"] for entry in history] == [1, 2]
    assert (last["who"], last["role"], last["action"], last["why"]) == (
        "local:minh",
        "province",
        "submit",
        "trình Sở Tài chính",
    )
    assert (last["before"]["state"], last["after"]["state"]) == ("simulated", "submitted")
    assert last["result"] == "done"
    assert last["at"].endswith("Z")


async def test_who_may_not_see_a_province_learns_nothing_of_its_budget_and_leaves_nothing_in_it(tmp_path: Path) -> None:
    """What is there is answered like what is not, to the letter; sixty such orders once filled a budget's history."""
    bench = await proposed(tmp_path)
    before = await bench.get(BUDGET)
    stale: dict[str, Any] = {"version": 99, "hash": "guessed"}
    for step in ("simulate", "submit", "approve"):
        there, absent = [await bench.order(OTHER, f"/budgets/04/{year}/{step}", **stale) for year in (2026, 2031)]
        assert there.status_code == absent.status_code == 404
        assert there.text == absent.text.replace("2031", "2026")
    assert await bench.get(BUDGET) == before


async def test_g1_a_refused_action_is_recorded_as_well(tmp_path: Path) -> None:
    bench = await proposed(tmp_path)
    assert await bench.refused(KIM, f"{BUDGET}/simulate") == (403, ["role_not_allowed"])
    assert await bench.refused(LAN, f"{BUDGET}/submit", why=" ") == (422, ["reason_missing", "wrong_state"])
    shown = await bench.get(BUDGET)
    assert (shown["state"], shown["history"]) == ("proposed", [])
    kept = (await bench.get(f"{BUDGET}/refusals"))["items"]
    told = [(each["who"], each["count"], entry["action"], entry["result"]) for each in kept for entry in each["latest"]]
    assert told == [
        ("local:kim", 1, "simulate", "role_not_allowed"),
        ("local:lan", 1, "submit", "reason_missing"),
    ]
    assert all(entry["before"] == entry["after"] for each in kept for entry in each["latest"])


async def test_whoever_is_refused_again_and_again_makes_nothing_grow(tmp_path: Path) -> None:
    """Sixty refused orders once grew a budget from 32 to 295 kB."""
    bench = await proposed(tmp_path)
    before = (await bench.http(LAN).get(BUDGET)).text
    sizes = []
    for number in range(60):
        accepts = [f"C-{place}" for place in range(300)]
        answer = await bench.order(KIM, f"{BUDGET}/submit", key=f"k-{number}", why="x" * 2_000, accepts=accepts)
        assert answer.status_code == 403
        sizes.append(len(str(bench.mongo.all("refusals"))))
    assert (await bench.http(LAN).get(BUDGET)).text == before
    assert bench.mongo.all("actions") == []
    assert max(sizes) <= sizes[9] + 100, "after ten it grows no more"
    (kept,) = (await bench.get(f"{BUDGET}/refusals"))["items"]
    assert (kept["who"], kept["count"]) == ("local:kim", 60)
    assert [entry["number"] for entry in kept["latest"]] == list(range(51, 61))
    again = await bench.order(KIM, f"{BUDGET}/submit", key="k-59", why="x" * 2_000, accepts=accepts)
    assert (again.status_code, again.json()["code"]) == (403, "role_not_allowed"), "answered as the first time"
    again = await bench.order(KIM, f"{BUDGET}/submit", key="k-0", why="x" * 2_000, accepts=accepts)
    assert (again.status_code, again.json()["code"]) == (409, "refusal_not_kept")


async def test_refused_orders_come_page_by_page(tmp_path: Path) -> None:
    bench = await proposed(tmp_path)
    for who in (KIM, AN, MINH):
        await bench.order(who, f"{BUDGET}/approve")
    first = await bench.get(f"{BUDGET}/refusals", limit=2)
    rest = await bench.get(f"{BUDGET}/refusals", limit=2, after=first["next"])
    assert [each["who"] for page in (first, rest) for each in page["items"]] == ["local:an", "local:kim", "local:minh"]
    assert rest["next"] is None
    assert (await bench.http(OTHER).get(f"{BUDGET}/refusals")).status_code == 404


async def test_whoever_submitted_does_not_approve(tmp_path: Path) -> None:
    bench = await proposed(tmp_path)
    await bench.done(HOA, f"{BUDGET}/simulate")
    await bench.done(TUAN, f"{BUDGET}/submit")
    for one in (HOA, TUAN):
        assert await bench.refused(one, f"{BUDGET}/approve") == (403, ["same_person"])
    assert (await bench.get(BUDGET))["state"] == "submitted"
    assert bench.mongo.all("journal") == []


async def test_a_returned_budget_is_simulated_and_submitted_again(tmp_path: Path) -> None:
    bench = await proposed(tmp_path)
    steps = [(LAN, "simulate"), (LAN, "submit"), (HOA, "return"), (LAN, "simulate"), (LAN, "submit")]
    steps += [(LAN, "withdraw"), (LAN, "simulate"), (LAN, "submit"), (HOA, "approve")]
    states = [(await bench.done(who, f"{BUDGET}/{step}"))["state"] for who, step in steps]
    assert states[2] == "returned"
    assert states[5] == "withdrawn"
    assert states[-1] == "approved"


async def test_a_budget_that_does_not_exist_is_not_found(tmp_path: Path) -> None:
    bench = await proposed(tmp_path)
    answer = await bench.order(LAN, "/budgets/04/2030/submit", version=1, hash="x")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    answer = await bench.order(LAN, "/adjustments/04/2026/a/1/submit", version=1, hash="x")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_repeated_order_has_one_effect_and_one_answer(tmp_path: Path) -> None:
    bench = await proposed(tmp_path)
    shown = await bench.get(BUDGET)
    named = {"version": shown["version"], "hash": shown["hash"]}
    first = await bench.order(LAN, f"{BUDGET}/simulate", key="k-1", **named)
    again = await bench.order(LAN, f"{BUDGET}/simulate", key="k-1", **named)
    assert first.json() == again.json()
    assert len(first.json()["history"]) == 1
    other = await bench.order(LAN, f"{BUDGET}/submit", key="k-1", **named)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    someone = await bench.order(MINH, f"{BUDGET}/submit", key="k-1", **named)
    assert someone.status_code == 200

    refused = [await bench.order(LAN, f"{BUDGET}/submit", key="k-2", **named) for _ in range(2)]
    assert refused[0].status_code == 409
    assert refused[0].json() == refused[1].json()


async def test_an_order_without_an_id_is_refused_and_one_in_the_body_counts(tmp_path: Path) -> None:
    bench = await proposed(tmp_path)
    shown = await bench.get(BUDGET)
    body = {"why": "xem", "version": shown["version"], "hash": shown["hash"]}
    bare = await bench.http(LAN).post(f"{BUDGET}/simulate", json=body)
    assert (bare.status_code, bare.json()["code"]) == (422, "idempotency_key_missing")
    named = await bench.http(LAN).post(f"{BUDGET}/simulate", json={**body, "id": "b-1"})
    assert named.status_code == 200


async def test_a_correction_before_the_approval_puts_a_submitted_budget_back(tmp_path: Path) -> None:
    bench = await proposed(tmp_path)
    await bench.done(LAN, f"{BUDGET}/simulate")
    before = await bench.done(LAN, f"{BUDGET}/submit")
    await bench.tell(score("b", "kha", version=2))
    await bench.settle()
    after = await bench.get(BUDGET)
    assert (after["state"], after["version"], after["submitted_by"]) == ("proposed", 2, None)
    entry = after["history"][-1]
    assert (entry["who"], entry["role"], entry["action"]) == ("langhoc", "system", "propose")
    assert "Số liệu đầu vào" in entry["why"]
    assert (entry["before"]["state"], entry["after"]["state"]) == ("submitted", "proposed")
    stale = {"version": before["version"], "hash": before["hash"]}
    assert await bench.refused(HOA, f"{BUDGET}/approve", **stale) == (409, ["wrong_state", "moved_on"])


async def test_a_correction_that_is_not_computed_yet_is_not_approved_over(tmp_path: Path) -> None:
    bench = await proposed(tmp_path)
    await bench.done(LAN, f"{BUDGET}/simulate")
    await bench.done(LAN, f"{BUDGET}/submit")
    await bench.tell(score("b", "kha", version=2))
    assert await bench.refused(HOA, f"{BUDGET}/approve") == (409, ["inputs_changed"])
    assert bench.mongo.all("decisions") == []


@pytest.mark.parametrize("first", ["approval", "recalculation"])
async def test_an_approval_and_a_recalculation_at_the_same_moment(tmp_path: Path, first: str) -> None:
    """Whoever commits first, the other decides anew: never a decision on one version under the lines of another."""
    bench = await proposed(tmp_path)
    await bench.done(LAN, f"{BUDGET}/simulate")
    await bench.done(LAN, f"{BUDGET}/submit")
    answers = []

    async def approve() -> None:
        answers.append(await bench.order(HOA, f"{BUDGET}/approve"))

    async def correct() -> None:
        await bench.tell(score("b", "kha", version=2))
        await bench.settle()

    if first == "approval":
        await bench.tell(score("b", "kha", version=2))
        await bench.recalculator.round()  # a result asks for every year that is known
        before = bench.contents()
        bench.mongo.meanwhile.append(approve)  # just before the recalculation begins to write
        await bench.recalculator.round()
        # What the approval rests on had changed already, so it was refused, and the recalculation came through.
        assert answers[0].json()["code"] == "inputs_changed"
        await bench.settle()
        assert bench.contents() != before
    else:
        bench.mongo.meanwhile.append(correct)
        await approve()
        assert answers[0].json()["code"] == "wrong_state"
    shown = await bench.get(BUDGET)
    assert (shown["state"], shown["version"]) == ("proposed", 2)
    assert bench.mongo.all("decisions") == []


# ------------------------------------------------------------------------------------------------- approval


async def test_an_approval_decides_on_every_line_and_books_the_whole_envelope(tmp_path: Path) -> None:
    bench = await approved(tmp_path, 60_000_000)
    verified = await bench.get("/journal/04/2026/verify")
    assert verified["whole"]
    assert verified["centres"] == {"a": 25_000_000, "b": 25_000_000}
    assert (verified["reserve"], verified["total"]) == (10_000_000, 60_000_000)
    journal = await bench.get("/journal/04/2026")
    assert [(entry["kind"], entry["centre_id"], entry["amount"]) for entry in journal["entries"]] == [
        ("approval", "a", 25_000_000),
        ("approval", "b", 25_000_000),
        ("reserve", None, 10_000_000),
    ]
    assert {(entry["who"], entry["why"]) for entry in journal["entries"]} == {("local:hoa", "đã kiểm tra")}
    decisions = await bench.get(f"{BUDGET}/decisions")
    assert [(line["centre_id"], line["amount"], line["version"], line["entry"]) for line in decisions] == [
        ("a", 25_000_000, 1, 1),
        ("b", 25_000_000, 1, 2),
    ]
    assert {line["journal"]["hash"] for line in decisions} == {journal["head"]["hash"]}
    assert bench.events(BudgetApproved) == []


async def test_f7_a_publication_is_reconciled_item_by_item(tmp_path: Path) -> None:
    bench = await published(tmp_path, 60_000_000)
    lines, (run,) = bench.events(BudgetApproved), bench.events(BudgetRunApproved)
    head = (await bench.get("/journal/04/2026"))["head"]
    assert len(lines) == run.centres == 2
    assert run.hash == content_hash([[line.centre_id, line.amount, line.settled] for line in lines])
    assert run.allocated + run.carried + run.reserve == run.envelope == 60_000_000
    assert {line.run_version for line in lines} == {run.version}
    assert {line.snapshot for line in lines} == {run.snapshot}
    assert {line.journal.hash for line in lines} == {run.journal.hash} == {head["hash"]}
    assert (run.submitted_by, run.approved_by, run.published_by) == ("local:lan", "local:hoa", "local:tuan")


@pytest.mark.parametrize(
    "tamper",
    [
        lambda bench: bench.mongo.rows("decisions").pop("a/2026/operating"),
        lambda bench: bench.mongo.rows("decisions")["a/2026/operating"].update(amount=26_000_000),
        lambda bench: bench.mongo.rows("decisions")["a/2026/operating"].update(run_version=7),
        lambda bench: bench.mongo.rows("decisions")["a/2026/operating"]["journal"].update(number=7),
    ],
    ids=["a line is missing", "an amount differs", "of another run", "booked elsewhere"],
)
async def test_f7_nothing_is_published_where_one_line_does_not_fit(tmp_path: Path, tamper: object) -> None:
    bench = await approved(tmp_path)
    tamper(bench)  # type: ignore[operator]
    bench.mongo.seal()
    life = bench.document("budgets", "04/2026")
    answer = await bench.order(TUAN, f"{BUDGET}/publish", version=life["version"], hash=life["hash"])
    assert (answer.status_code, answer.json()["code"]) in ((409, "not_complete"), (500, "document_altered"))
    assert bench.events(BudgetApproved) == bench.events(BudgetRunApproved) == []
    assert bench.document("budgets", "04/2026")["state"] == "approved"


async def test_f4_a_centre_that_moves_after_the_approval_is_not_counted_again(tmp_path: Path) -> None:
    bench = await approved(tmp_path)
    await bench.tell(envelope(60_000_000, province="08"), registration("c", "08"))
    await bench.tell(registration("b", "08", version=2))
    await bench.settle()
    assert {line.allocation.centre_id for line in bench.events(BudgetProposed) if line.province == "08"} == {"c"}
    assert bench.document("allocations", "b/2026")["province"] == "04"
    assert await bench.adjustments(year=2026) == []
    for who, step in ((OTHER, "simulate"), (OTHER, "submit"), (HOA, "approve")):
        await bench.done(who, f"/budgets/08/2026/{step}")
    owners = {row["centre_id"]: row["province"] for row in bench.mongo.all("decisions")}
    assert owners == {"a": "04", "b": "04", "c": "08"}


async def test_f4_a_centre_that_moves_just_before_is_decided_on_once(tmp_path: Path) -> None:
    """Both provinces have it in their proposals; the second approval is refused until its proposal leaves it out."""
    bench = await proposed(tmp_path)
    await bench.tell(envelope(60_000_000, province="08"), registration("b", "08", version=2))
    await bench.settle()
    for who, step in ((OTHER, "simulate"), (OTHER, "submit"), (HOA, "approve")):
        await bench.done(who, f"/budgets/08/2026/{step}")
    await bench.tell(registration("b", "04", version=3))
    await bench.settle()
    for who, step in ((LAN, "simulate"), (LAN, "submit"), (HOA, "approve")):
        await bench.done(who, f"{BUDGET}/{step}")
    assert {row["centre_id"]: row["province"] for row in bench.mongo.all("decisions")} == {"a": "04", "b": "08"}


async def test_f5_what_is_decided_is_not_approved_a_second_time(tmp_path: Path) -> None:
    """Even where the budget's own state was lost: what was decided says that there was one."""
    bench = await approved(tmp_path)
    life = bench.document("budgets", "04/2026")
    del bench.mongo.rows("budgets")["04/2026"]
    before = bench.contents()
    for who, step in ((LAN, "simulate"), (LAN, "submit"), (HOA, "approve")):
        answer = await bench.order(who, f"{BUDGET}/{step}", version=life["version"], hash=life["hash"])
        assert (answer.status_code, answer.json()["code"]) == (500, "document_altered")
        assert "budgets/04/2026" in answer.text
    assert bench.contents() == before


async def test_the_proof_of_a_province_holds_and_shows_where_it_does_not(tmp_path: Path) -> None:
    bench = await approved(tmp_path, 60_000_000)
    proof = await bench.get(f"{BUDGET}/proof")
    assert proof["holds"]
    figures = {each["what"]["en"]: each["figure"] for each in proof["statements"]}
    assert (figures["Envelope of the province"], figures["Reserve"]) == (60_000_000, 10_000_000)
    bench.mongo.rows("allocations")["a/2026"]["allocation"]["amount"] -= 1
    bench.mongo.seal()
    assert not (await bench.get(f"{BUDGET}/proof"))["holds"]


# ------------------------------------------------------------------------------------------------- snapshots


async def test_d9_a_snapshot_alone_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither today's register nor today's rulebook is asked."""
    bench = await approved(tmp_path)
    await bench.tell(score("b", "tot", version=2), registration("a", version=2, population_served=100))
    await bench.settle()

    def no_rules(*_: object) -> None:
        raise AssertionError("the rulebook was asked")

    monkeypatch.setattr("services.funding.decisions.proposal.calculating.funding_norms", no_rules)
    monkeypatch.setattr("services.funding.decisions.proposal.calculating.funding_policy", no_rules)
    monkeypatch.setattr("services.funding.domain.centres.rubric", no_rules)
    checked = await bench.get(f"{BUDGET}/snapshot/verify")
    assert checked["same"]
    decisions = await bench.get(f"{BUDGET}/decisions")
    assert {line["snapshot"] for line in decisions} == {checked["hash"]}
    budget, _ = recomputed(await bench.get(f"{BUDGET}/snapshot"))
    again = [line.model_dump(mode="json") for line in budget.lines]
    given = [{name: each for name, each in one["allocation"].items() if name != "steps"} for one in decisions]
    assert canonical(again) == canonical(given), "what explains every amount too"


async def test_d9_a_snapshot_that_was_changed_is_detected(tmp_path: Path) -> None:
    bench = await approved(tmp_path)
    part = bench.mongo.rows("snapshot_parts")["04/2026/1/00001"]
    part["text"] = part["text"].replace('"population_served": 8000', '"population_served": 9000', 1)
    bench.mongo.seal()
    assert not (await bench.get(f"{BUDGET}/snapshot/verify"))["same"]


async def test_d9_the_order_in_which_inputs_came_does_not_show_in_the_snapshot(tmp_path: Path) -> None:
    inputs = []
    for folder, turned in (("one", False), ("two", True)):
        (tmp_path / folder).mkdir()
        bench = await Bench(tmp_path / folder).ready()
        facts = [envelope(43_500_000), registration("a"), registration("b"), score("a", "tot"), score("b", "yeu")]
        await bench.tell(*(reversed(facts) if turned else facts))
        await bench.settle()
        for who, step in ((LAN, "simulate"), (LAN, "submit"), (HOA, "approve")):
            await bench.done(who, f"{BUDGET}/{step}")
        snapshot = await bench.get(f"{BUDGET}/snapshot")
        inputs.append((snapshot["inputs"], snapshot["frozen"]))
    assert inputs[0] == inputs[1]


async def test_d9_one_command_computes_an_exported_snapshot_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = await approved(tmp_path, 60_000_000)
    snapshot = await bench.get(f"{BUDGET}/snapshot", KIM)
    file = tmp_path / "snapshot.json"
    file.write_text(json.dumps(snapshot), encoding="utf-8")
    assert recompute.main([str(file)]) == 0
    assert capsys.readouterr().out.splitlines()[:3] == [
        "a\t25000000\toperating",
        "b\t25000000\toperating",
        "reserve\t10000000",
    ]
    snapshot["inputs"]["scores"][0]["grade"] = "yeu"
    file.write_text(json.dumps(snapshot), encoding="utf-8")
    assert recompute.main([str(file)]) == 1
    assert "NOT the same" in capsys.readouterr().out


def test_d9_a_snapshot_that_an_older_release_wrote_is_still_the_same() -> None:
    assert recompute.main([str(WRITTEN_BEFORE)]) == 0


async def test_d9_what_a_snapshot_freezes_is_written_as_ever(tmp_path: Path) -> None:
    """Byte for byte: an auditor computes the hash again, years later, with another release."""
    bench = await approved(tmp_path)
    snapshot = await bench.get(f"{BUDGET}/snapshot")
    frozen = json.dumps([snapshot[name] for name in ("inputs", "frozen", "result")], ensure_ascii=False)
    assert (
        hashlib.sha256(frozen.encode()).hexdigest()
        == "93af61b3df480918f673ff7a3b682f64725c48409af1e0e403c3dc7214793dcf"
    )


# ------------------------------------------------------------------------------------------------- at the same moment


async def test_two_who_approve_at_the_same_moment_approve_once(tmp_path: Path) -> None:
    bench = await proposed(tmp_path)
    await bench.done(LAN, f"{BUDGET}/simulate")
    await bench.done(LAN, f"{BUDGET}/submit")
    answers = await asyncio.gather(*(bench.order(who, f"{BUDGET}/approve") for who in (HOA, TUAN)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert len(bench.mongo.all("journal")) == 3
    verified = await bench.get("/journal/04/2026/verify")
    assert verified["whole"]


async def test_a_refused_order_beside_a_recalculation_leaves_no_old_version_behind(tmp_path: Path) -> None:
    bench = await proposed(tmp_path)

    async def refused() -> None:
        assert await bench.refused(KIM, f"{BUDGET}/simulate") == (403, ["role_not_allowed"])

    await bench.tell(score("b", "kha", version=2))
    await bench.recalculator.round()  # a result asks for every year that is known
    bench.mongo.meanwhile.append(refused)
    await bench.settle()
    shown = await bench.get(BUDGET)
    assert (shown["version"], shown["run"]["version"], shown["state"]) == (2, 2, "proposed")
    assert shown["hash"] == shown["run"]["hash"]


async def test_a_database_that_is_gone_is_no_success(tmp_path: Path) -> None:
    bench = await proposed(tmp_path)
    shown = await bench.get(BUDGET)
    bench.mongo.down = Unavailable
    answer = await bench.order(LAN, f"{BUDGET}/simulate", key="k", version=shown["version"], hash=shown["hash"])
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    bench.mongo.down = None
    assert (await bench.done(LAN, f"{BUDGET}/simulate", key="k"))["state"] == "simulated"


async def test_everybody_reads_what_they_may_see(tmp_path: Path) -> None:
    bench = await published(tmp_path)
    paths = [
        BUDGET,
        f"{BUDGET}/proof",
        f"{BUDGET}/decisions",
        f"{BUDGET}/snapshot",
        f"{BUDGET}/snapshot/verify",
        "/journal/04/2026",
    ]
    for path in [*paths, "/journal/04/2026/verify"]:
        for who in (LAN, HOA, AN, KIM):
            await bench.get(path, who)
        assert (await bench.http(OTHER).get(path)).json()["code"] == "not_found"
    assert (await bench.http(OTHER).get("/adjustments", params={"province": "04"})).status_code == 403
    for path in (
        "/budgets/04/2031",
        "/budgets/04/2031/proof",
        "/budgets/04/2031/snapshot",
        "/journal/04/2031",
        "/adjustments/04/2026/x/1",
    ):
        assert (await bench.http(HOA).get(path)).json()["code"] == "not_found"


# ----------------------------------------------------------------------------------------- two purposes, one envelope


async def test_a_new_centres_equipment_is_a_decision_of_its_own_out_of_the_same_envelope(tmp_path: Path) -> None:
    bench = await proposed(tmp_path, 100_000_000)
    await bench.tell(registration("n", opened_on="2026-02-01"))
    await bench.settle()
    for who, step in ((LAN, "simulate"), (LAN, "submit"), (HOA, "approve"), (TUAN, "publish")):
        await bench.done(who, f"{BUDGET}/{step}")
    facts = {(fact.centre_id, fact.purpose): fact.amount for fact in bench.events(BudgetApproved)}
    assert facts.keys() == {("a", "operating"), ("b", "operating"), ("n", "operating"), ("n", "equipment")}
    assert facts["n", "equipment"] == 30_000_000
    runs = {run.purpose: run for run in bench.events(BudgetRunApproved)}
    assert (runs["equipment"].centres, runs["equipment"].envelope) == (1, 30_000_000)
    assert sum(run.envelope for run in runs.values()) == 100_000_000
    for purpose, run in runs.items():
        verified = await bench.get("/journal/04/2026/verify", purpose=purpose)
        assert (verified["whole"], verified["total"]) == (True, run.envelope)

    await bench.tell(envelope(100_000_000, year=2027))
    await bench.settle()
    assert bench.document("runs", "04/2027")["equipment"] == 0, "once, not every year"


async def new_centre_of_two_years(state: Path) -> Bench:
    """A new centre whose equipment stands in the proposals of 2026 and of 2027; neither is approved."""
    bench = await proposed(state, 100_000_000)
    await bench.tell(registration("n", opened_on="2026-02-01"), envelope(100_000_000, year=2027))
    await bench.settle()
    assert [bench.document("runs", f"04/{year}")["equipment"] for year in (2026, 2027)] == [30_000_000] * 2
    return bench


@pytest.mark.parametrize("years", [(2026, 2027), (2027, 2026)])
async def test_equipment_is_paid_once_whichever_year_is_approved_first(tmp_path: Path, years: Sequence[int]) -> None:
    bench = await new_centre_of_two_years(tmp_path)
    for year in years:
        for who, step in ((LAN, "simulate"), (LAN, "submit")):
            await bench.done(who, f"/budgets/04/{year}/{step}")
    first, second = (f"/budgets/04/{year}" for year in years)
    await bench.done(HOA, f"{first}/approve")
    assert await bench.refused(HOA, f"{second}/approve") == (409, ["inputs_changed"])
    await bench.settle()
    assert bench.document("runs", f"04/{years[1]}")["equipment"] == 0
    for who, step in ((LAN, "simulate"), (LAN, "submit"), (HOA, "approve")):
        await bench.done(who, f"{second}/{step}")
    paid = [row["amount"] for row in bench.mongo.all("decisions") if row["purpose"] == "equipment"]
    assert paid == [30_000_000]
    assert bench.document("granted", "n/equipment")["years"] == {str(years[0]): "04"}


async def test_approvals_of_two_years_meet_at_one_key(tmp_path: Path) -> None:
    """Whoever is slower decides again: both read and write the mark of the centre."""
    bench = await new_centre_of_two_years(tmp_path)
    marks = []
    for year in (2026, 2027):
        for who, step in ((LAN, "simulate"), (LAN, "submit")):
            await bench.done(who, f"/budgets/04/{year}/{step}")
        run = bench.document("runs", f"04/{year}")
        command = Command(
            None, "approve", f"04/{year}", Person("hoa", "finance"), "x", run["version"], run["hash"], NOW
        )
        outcome = await answer(partial(act, "04", year, command), Reader(bench.mongo), StandingClock.moment)
        assert outcome.verdict == "approve"
        marks.append({ref for ref in outcome.puts if ref.collection == "granted"})
    assert marks[0] == marks[1] == {Granted.ref("n")}


async def test_what_was_paid_elsewhere_is_not_paid_again(tmp_path: Path) -> None:
    """A payment of the year that Langhoc decided speaks of the same money; one of another year is other money."""
    bench = await new_centre_of_two_years(tmp_path)
    paid = support("n", 12_000_000, year=2026)
    await bench.tell(paid.model_copy(update={"purpose": "equipment"}))
    await bench.settle()
    assert bench.document("runs", "04/2026")["equipment"] == 18_000_000
    assert bench.document("allocations", "n/2027")["allocation"]["last_year"] is None, "it is no support of a year"
    for who, step in ((LAN, "simulate"), (LAN, "submit"), (HOA, "approve")):
        await bench.done(who, f"/budgets/04/2026/{step}")
    await bench.settle()
    assert bench.document("runs", "04/2027")["equipment"] == 0, "12 + 18"
    for version, stated, owed in ((2, 30_000_000, 0), (3, 0, 12_000_000), (4, 40_000_000, 0)):
        await bench.tell(paid.model_copy(update={"purpose": "equipment", "version": version, "amount": stated}))
        await bench.settle()
        assert bench.document("runs", "04/2027")["equipment"] == owed, stated


async def test_who_accepted_whom_is_in_the_history_the_approval_and_the_explanation(tmp_path: Path) -> None:
    bench = await Bench(tmp_path).ready()
    bench.clock.moment = datetime(2026, 3, 2, tzinfo=UTC)
    await bench.tell(envelope(45_000_000), *(registration(centre) for centre in "ab"), score("a", "tot"))
    await bench.tell(*(support(centre, 20_000_000) for centre in "ab"))
    await bench.settle()
    await bench.done(LAN, f"{BUDGET}/simulate")
    assert await bench.refused(LAN, f"{BUDGET}/submit", **await stands(bench), accepts=[]) == (409, ["not_accepted"])
    await bench.done(LAN, f"{BUDGET}/submit", **await stands(bench), accepts=["b"], why="Công văn 7")
    view = await bench.done(HOA, f"{BUDGET}/approve")
    assert (view["accepted"], view["approval"]["accepted"]) == (["b"], ["b"])
    assert [entry["accepts"] for entry in view["history"]] == [[], ["b"], []]
    told = (await bench.get("/explanations/b"))["accepted"]
    assert [(one["centre_id"], one["year"], one["by"], one["why"]) for one in told] == [
        ("b", 2026, "local:lan", "Công văn 7")
    ]
    assert (await bench.get("/explanations/a"))["accepted"] == []


async def stands(bench: Bench) -> dict[str, Any]:
    """What an order on the budget has to name."""
    found = await bench.get(BUDGET)
    return {"version": found["version"], "hash": found["hash"]}
