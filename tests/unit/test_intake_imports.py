"""An import of history: nothing of it before it is signed, nothing but what was signed, each part once, none called
late, and every fact under its name."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.intake.api import imports as imports_api
from shared.contracts.base import Status
from shared.contracts.catalogue import EventType
from shared.contracts.imports import HistorySigning, Tally, digest_of, part_hash
from shared.contracts.orders import HistoricSubmission
from shared.rulebook import closing
from tests.unit.intake_bench import Bench, Still
from tests.unit.intake_samples import commune, registration
from tests.unit.register_samples import gap_filled
from tests.unit.test_intake_history import CENTRE, order, take_in

AT = closing("commune", 2025).at + timedelta(days=30)
SUPPORT = {"submission_id": "HN-S1", "centre_id": "C-1", "year": 2025, "amount": 90_000_000}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, Still(AT))


def one(type_: str, data: Any, province: str = "01") -> HistoricSubmission:
    body = data if isinstance(data, dict) else data.model_dump(mode="json")
    return HistoricSubmission(type=type_, province=province, data=body)


CENTRES = [one(EventType.CENTRE_REGISTERED, registration()), one(EventType.CENTRE_SUBMITTED, CENTRE)]
MONEY = [one(EventType.SUPPORT_SUBMITTED, SUPPORT)]


def signing(*parts: list[HistoricSubmission], why: str = "Năm đầu") -> HistorySigning:
    hashes = [part_hash(part) for part in parts]
    tally = [Tally(province="01", type="langhoc.support.submitted.v1", records=1, amount=90_000_000)]
    return HistorySigning(
        digest=digest_of(hashes, tally), parts=hashes, tally=tally, why=why, decision_number="12/QĐ-BGDĐT"
    )


async def post(bench: Bench, path: str, body: Any, status: int = 200, account: str = "an") -> dict[str, Any]:
    async with bench.http(account=account) as http:
        answer = await http.post(f"/history/imports{path}", json=body)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def records(part: list[HistoricSubmission]) -> dict[str, Any]:
    return {"submissions": [each.model_dump(mode="json") for each in part]}


async def sign(bench: Bench, order: HistorySigning) -> dict[str, Any]:
    return await post(bench, "", order.model_dump(mode="json"))


async def hand_in(
    bench: Bench, order: HistorySigning, number: int, part: list[HistoricSubmission], status: int = 200
) -> dict[str, Any]:
    return await post(bench, f"/{order.import_id}/parts/{number}", records(part), status)


def codes(refused: dict[str, Any]) -> list[str]:
    return [each["code"] for each in refused["problems"]]


async def test_each_part_is_taken_as_it_was_signed_and_every_fact_names_the_import(bench: Bench) -> None:
    order = signing(CENTRES, MONEY)
    signed = await sign(bench, order)
    assert (signed["parts"], signed["taken"], signed["signed_by"]) == (2, [], "local:an")
    first = await hand_in(bench, order, 1, CENTRES)
    assert [receipt["status"] for receipt in first["receipts"]] == ["accepted", "accepted"], "late by no deadline"
    await hand_in(bench, order, 2, MONEY)
    under = {"kind": "history", "decision_number": "12/QĐ-BGDĐT", "import_id": order.import_id}
    assert [fact["under"] for fact in bench.events("intake.accepted")] == [
        under | {"id": f"import/{order.import_id}/{number}"} for number in (1, 1, 2)
    ]
    assert {receipt.under.imported for receipt in bench.receipts() if receipt.under} == {order.import_id}
    async with bench.http() as http:
        (listed,) = (await http.get("/history/imports")).json()["items"]
        parts = (await http.get("/history")).json()["items"]
    assert (listed["taken"], listed["tally"][0]["amount"]) == ([1, 2], 90_000_000)
    assert [part["import_id"] for part in parts] == [order.import_id] * 2


async def test_nothing_is_taken_before_it_is_signed_and_nothing_else_than_was_signed(bench: Bench) -> None:
    order = signing(CENTRES, MONEY)
    assert codes(await hand_in(bench, order, 1, CENTRES, 422)) == ["not_signed"]
    await sign(bench, order)
    for number, part in ((1, MONEY), (1, CENTRES[:1]), (1, CENTRES[::-1]), (3, MONEY)):
        assert codes(await hand_in(bench, order, number, part, 422)) == ["part_differs"]
    more = one(EventType.SUPPORT_SUBMITTED, SUPPORT | {"amount": 900_000_000})
    assert codes(await hand_in(bench, order, 2, [more], 422)) == ["part_differs"]
    assert bench.receipts() == []
    await hand_in(bench, order, 1, CENTRES)
    assert len(bench.receipts()) == 2


async def test_a_digest_of_something_else_is_not_signed(bench: Bench) -> None:
    order = signing(CENTRES, MONEY).model_dump(mode="json")
    other = signing(CENTRES).digest
    assert codes(await post(bench, "", order | {"digest": other}, 422)) == ["digest_differs"]
    order["tally"][0]["amount"] += 1
    assert codes(await post(bench, "", order, 422)) == ["digest_differs"]
    assert bench.mongo.rows("imports") == {}


async def test_signed_and_taken_twice_is_signed_and_taken_once(bench: Bench) -> None:
    order = signing(MONEY, CENTRES)  # the money of a centre that nobody registered yet
    signed = await sign(bench, order)
    (refused,) = (await hand_in(bench, order, 1, MONEY))["receipts"]
    assert refused["status"] == "rejected"
    first = await hand_in(bench, order, 2, CENTRES)
    again = await hand_in(bench, order, 2, CENTRES)
    assert again == first | {"repeated": True}
    bench.mongo.rows("commands").clear()  # however long ago it was
    assert await hand_in(bench, order, 2, CENTRES) == again
    assert await sign(bench, order) == signed | {"taken": [1, 2]}
    assert len(bench.receipts()) == 3


async def test_a_revoked_import_takes_no_further_part_and_what_was_taken_stands(bench: Bench) -> None:
    order = signing(CENTRES, MONEY)
    await sign(bench, order)
    await hand_in(bench, order, 1, CENTRES)
    revoked = await post(bench, f"/{order.import_id}/revocation", {"reason": "nhầm năm"})
    ended = revoked["revoked"]
    assert (ended["reason"], ended["revoked_by"], revoked["taken"]) == ("nhầm năm", "local:an", [1])
    assert codes(await hand_in(bench, order, 2, MONEY, 422)) == ["revoked"]
    assert (await hand_in(bench, order, 1, CENTRES))["repeated"], "what was answered is answered again"
    again = await post(bench, f"/{order.import_id}/revocation", {"reason": "khác"})
    assert again["revoked"]["reason"] == "nhầm năm"
    assert (await sign(bench, order))["revoked"] is not None, "signing it again changes nothing"
    await post(bench, "/nothing/revocation", {"reason": "x"}, 404)
    withdrawal = {"submission_id": "W-1", "centre_id": "C-1", "period": 2025, "corrects_version": 1, "reason": "nhầm"}
    back = [one(EventType.CENTRE_WITHDRAWN, withdrawal)]
    undoing = signing(back, why="rút lại")
    await sign(bench, undoing)
    (receipt,) = (await hand_in(bench, undoing, 1, back))["receipts"]
    assert (receipt["status"], receipt["act"]) == ("accepted", "withdrawal")


async def test_a_trial_tells_of_each_what_the_import_would_and_writes_nothing(bench: Bench) -> None:
    broken = one(EventType.COMMUNE_SUBMITTED, commune().model_dump(mode="json") | {"period": "hai nghìn"})
    stranger = one(EventType.COMMUNE_SUBMITTED, commune(submission_id="X"), "04")
    told = await post(bench, "/trial", records([*CENTRES, broken, *MONEY, stranger]))
    assert [each["status"] for each in told["verdicts"]] == ["accepted", "accepted", "rejected", "accepted", "rejected"]
    assert [(p["code"], p["field"]) for p in told["verdicts"][2]["problems"]] == [("wrong_type", "/data/period")]
    assert [p["code"] for p in told["verdicts"][4]["problems"]] == ["not_entitled"]
    assert (bench.receipts(), bench.mongo.rows("commands")) == ([], {})


async def test_a_trial_is_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports_api, "MOST_TRIED", 1)
    assert codes(await post(bench, "/trial", records(CENTRES), 422)) == ["too_many_tried"]


async def test_held_records_are_released_under_their_import(bench: Bench) -> None:
    content = {"scoring": "points", "points": {}}
    old = commune(unit_code="00999", period=2022, rubric="lc_commune_44_2014", content=content)
    part = [one(EventType.COMMUNE_SUBMITTED, old)]
    order = signing(part)
    await sign(bench, order)
    (held,) = (await hand_in(bench, order, 1, part))["receipts"]
    assert held["status"] == "held"
    await bench.settle()
    async with bench.http() as http:
        await http.post("/register/corrections", json=gap_filled().model_dump(mode="json"))
    await bench.settle()
    (receipt,) = bench.receipts(Status.ACCEPTED)
    assert receipt.under is not None
    assert receipt.under.import_id == order.import_id


async def test_no_other_order_of_history_bears_the_name_of_a_part(bench: Bench) -> None:
    signed = signing(MONEY)
    body = order(MONEY[0].model_dump(mode="json"), order_id=f"import/{signed.import_id}/1")
    assert codes(await take_in(bench, body, 422)) == ["id_reserved"]
    own = order(CENTRES[0].model_dump(mode="json"))
    await take_in(bench, own)
    (fact,) = bench.events("intake.accepted")
    assert "import_id" not in fact["under"], "what no import holds does not say that one does"


async def test_a_sender_cannot_name_an_import(bench: Bench) -> None:
    claim = commune().model_dump(mode="json") | {"under": {"kind": "history", "id": "x", "import_id": "x"}}
    (verdict,) = (await post(bench, "/trial", records([one(EventType.COMMUNE_SUBMITTED, claim)])))["verdicts"]
    assert [p["code"] for p in verdict["problems"]] == ["field_unknown"]


async def test_only_the_ministry_signs_and_each_province_sees_what_is_its_own(bench: Bench) -> None:
    order = signing(CENTRES, MONEY)
    await sign(bench, order)
    async with bench.http("province", "01") as own, bench.http("province", "04") as other:
        for path in ("", "/trial", f"/{order.import_id}/parts/1", f"/{order.import_id}/revocation"):
            assert (await own.post(f"/history/imports{path}", json={})).status_code == 403
        assert [len((await who.get("/history/imports")).json()["items"]) for who in (own, other)] == [1, 0]
