"""History that the ministry takes in: judged like everything else, written as one, bound by no closing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.intake.api import history as history_api
from shared.contracts.base import Status
from shared.contracts.catalogue import EventType
from shared.contracts.submissions import Submission
from shared.rulebook import closing
from tests.unit.intake_bench import Bench, Still
from tests.unit.intake_samples import commune, registration
from tests.unit.register_samples import gap_filled

AT = closing("commune", 2025).at + timedelta(days=30)
CENTRE = {
    "submission_id": "HN-C1", "centre_id": "C-1", "period": 2025, "rubric": "clc_2553_2013",
    "content": {"scoring": "points", "points": {name: {"points": "15", "evidence": ["BC"]} for name in ("N1", "N2")}},
}  # fmt: skip


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, Still(AT))


def one(type_: str, data: Submission | dict[str, Any], province: str = "01") -> dict[str, Any]:
    """A submission as an order holds it."""
    return {
        "type": type_,
        "province": province,
        "data": data if isinstance(data, dict) else data.model_dump(mode="json"),
    }


def order(*submissions: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An order of history."""
    body = {"order_id": "LS-1", "why": "hồ sơ giấy", "decision_number": "12/QĐ", "submissions": list(submissions)}
    return body | changes


COMMUNE = one(EventType.COMMUNE_SUBMITTED, commune())


async def take_in(bench: Bench, body: dict[str, Any], status: int = 200, **query: Any) -> dict[str, Any]:
    """Give the order as the ministry's operator does."""
    async with bench.http() as http:
        answer = await http.post("/history", json=body, params=query)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_each_submission_is_judged_after_those_before_it_and_gets_its_receipt(bench: Bench) -> None:
    body = order(
        one(EventType.CENTRE_REGISTERED, registration()),
        one(EventType.CENTRE_SUBMITTED, CENTRE),
        COMMUNE,
        one(EventType.COMMUNE_SUBMITTED, commune(submission_id="X-1"), "04"),
    )
    answer = await take_in(bench, body)
    assert [receipt["status"] for receipt in answer["receipts"]] == [
        "accepted", "accepted_late", "accepted_late", "rejected",
    ]  # fmt: skip
    assert [problem["code"] for problem in answer["receipts"][3]["problems"]] == ["not_entitled"]
    assert {receipt["channel"] for receipt in answer["receipts"]} == {
        "history/LS-1.01/0@0", "history/LS-1.01/0@1", "history/LS-1.01/0@2", "history/LS-1.04/0@3",
    }  # fmt: skip
    assert answer["receipts"] == bench.events("receipts.01") + bench.events("receipts.04")
    under = {"kind": "history", "id": "LS-1", "decision_number": "12/QĐ"}
    assert [fact["under"] for fact in bench.events("intake.accepted")] == [under] * 3
    assert answer["order"]["provinces"] == ["01", "04"]
    assert answer["order"]["receipts"] == [receipt["receipt_id"] for receipt in answer["receipts"]]


async def test_the_same_order_again_is_answered_the_same_and_another_under_its_id_refused(bench: Bench) -> None:
    first = await take_in(bench, order(COMMUNE))
    again = await take_in(bench, order(COMMUNE))
    assert again == first | {"repeated": True}
    bench.mongo.rows("commands").clear()  # however long ago it was
    assert await take_in(bench, order(COMMUNE)) == again
    assert len(bench.receipts()) == 1
    for changes in ({"why": "khác"}, {"submissions": [COMMUNE, COMMUNE]}):
        refused = await take_in(bench, order(COMMUNE) | changes, 422)
        assert [problem["code"] for problem in refused["problems"]] == ["order_id_reused"]


async def test_a_dry_run_tells_all_and_writes_nothing(bench: Bench) -> None:
    told = await take_in(bench, order(COMMUNE), dry_run=True)
    assert (told["dry_run"], told["receipts"][0]["status"]) == (True, "accepted_late")
    assert bench.receipts() == []
    assert bench.mongo.rows("histories") == {}
    assert (await take_in(bench, order(COMMUNE)))["receipts"] == told["receipts"]


async def test_every_fault_is_named_by_its_place_and_nothing_is_done(bench: Bench) -> None:
    broken = COMMUNE | {"data": COMMUNE["data"] | {"period": "hai nghìn", "unit_code": 4}}
    body = order(
        COMMUNE, broken, one("langhoc.commune.scored.v1", {}), one(EventType.COMMUNE_SUBMITTED, commune(), "99")
    )
    refused = await take_in(bench, body, 422)
    assert [(problem["code"], problem["field"]) for problem in refused["problems"]] == [
        ("wrong_type", "/submissions/1/data/unit_code"),
        ("wrong_type", "/submissions/1/data/period"),
        ("history_type_unknown", "/submissions/2/type"),
        ("province_without_channel", "/submissions/3/province"),
    ]
    assert bench.receipts() == []
    nothing = await take_in(bench, order(), 422)
    assert [problem["field"] for problem in nothing["problems"]] == ["/submissions"]


async def test_an_order_is_bounded_and_says_how_to_split(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_api, "MOST_SUBMISSIONS", 2)
    (problem,) = (await take_in(bench, order(COMMUNE, COMMUNE, COMMUNE), 422))["problems"]
    assert problem["code"] == "history_too_long"
    assert "Split" in problem["mend"]["en"]
    long = COMMUNE | {"data": COMMUNE["data"] | {"unit_name": "x" * 300_000}}
    (problem,) = (await take_in(bench, order(long), 422))["problems"]
    assert (problem["code"], problem["field"]) == ("history_too_large", "/submissions/0/data")


async def test_history_does_not_overwrite_what_stands(bench: Bench) -> None:
    await take_in(bench, order(COMMUNE))
    other = commune(submission_id="HN-2", content={"scoring": "pass_fail", "targets": {}})
    (receipt,) = (await take_in(bench, order(one(EventType.COMMUNE_SUBMITTED, other), order_id="LS-2")))["receipts"]
    assert (receipt["status"], [problem["code"] for problem in receipt["problems"]]) == (
        "conflict",
        ["already_accepted"],
    )


async def test_held_history_is_released_under_its_order(bench: Bench) -> None:
    content = {"scoring": "points", "points": {}}
    old = commune(unit_code="00999", period=2022, rubric="lc_commune_44_2014", content=content)
    (held,) = (await take_in(bench, order(one(EventType.COMMUNE_SUBMITTED, old))))["receipts"]
    assert held["status"] == "held"
    await bench.settle()
    async with bench.http() as http:
        await http.post("/register/corrections", json=gap_filled().model_dump(mode="json"))
    await bench.settle()
    (receipt,) = bench.receipts(Status.ACCEPTED_LATE)
    assert receipt.under is not None
    assert (receipt.under.id, receipt.channel) == ("LS-1", held["channel"])


async def test_only_the_ministry_takes_history_in_and_each_sees_its_own(bench: Bench) -> None:
    await take_in(bench, order(COMMUNE))
    async with bench.http("province", "01") as own, bench.http("province", "04") as other:
        assert (await own.post("/history", json=order(COMMUNE))).status_code == 403
        assert [len((await who.get("/history")).json()["items"]) for who in (own, other)] == [1, 0]
        assert (await other.get("/history", params={"province": "01"})).status_code == 403
