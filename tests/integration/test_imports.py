"""An import on real servers: the same part from several hands at once, a kill between two parts. Each record is taken
once, and the amount that rests on it says so in another service."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from cli.importing import Import, Record, in_order
from deploy.local.identity import issue_token
from shared.contracts.imports import HistorySigning
from shared.contracts.orders import HistoricSubmission
from tests.platform import ServiceProcesses
from tests.unit.intake_samples import registration

pytestmark = pytest.mark.integration
SERVICES = ("intake", "scoring", "funding")
CENTRES = [f"NHAP-{number}" for number in range(60)]


def records() -> list[Record]:
    """Of province 01: centres, what each had last year, and the envelope of the next."""
    found = [
        ("langhoc.envelope.submitted.v1", {"submission_id": "E", "year": 2026, "amount": 9_000_000_000}),
        *(
            (
                "langhoc.centre.registered.v1",
                registration(submission_id=f"R-{centre}", centre_id=centre).model_dump(mode="json"),
            )
            for centre in CENTRES
        ),
        *(
            (
                "langhoc.support.submitted.v1",
                {"submission_id": f"S-{centre}", "centre_id": centre, "year": 2025, "amount": 40_000_000},
            )
            for centre in CENTRES
        ),
    ]
    read = [HistoricSubmission(type=type_, province="01", data=data) for type_, data in found]
    return in_order(Record(one, "file", f"record {place}") for place, one in enumerate(read, start=1))[0]


def posted(processes: ServiceProcesses, who: str, path: str, body: Any) -> dict[str, Any]:
    """What an operator is answered; a conflict of two at once is theirs to repeat."""
    token = issue_token(processes.folder, who, "ministry")
    url = f"{processes.url('intake')}/history/imports{path}"
    answer = httpx.post(url, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=60)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_each_record_of_an_import_is_taken_once_whoever_hands_it_in_and_the_amount_names_it(
    undisturbed: ServiceProcesses,
) -> None:
    processes = undisturbed
    processes.start(*SERVICES)
    whole = Import.of(records())
    assert len(whole.parts) == 2
    order = HistorySigning(
        digest=whole.digest, parts=[*whole.hashes], tally=[*whole.tally], why="Năm đầu", decision_number="12/QĐ"
    )
    bodies = [{"submissions": [one.model_dump(mode="json") for one in part]} for part in whole.parts]

    def hand_in(who: str, number: int) -> dict[str, Any]:
        return posted(processes, who, f"/{order.import_id}/parts/{number}", bodies[number - 1])

    def both(number: int) -> list[dict[str, Any]]:
        with ThreadPoolExecutor(4) as hands:
            return list(hands.map(lambda who: hand_in(who, number), ("minh", "binh", "minh", "binh")))

    assert posted(processes, "minh", "", order.model_dump(mode="json"))["taken"] == []
    first = await asyncio.to_thread(both, 1)
    processes.kill("intake")
    processes.start("intake")
    assert posted(processes, "binh", "", order.model_dump(mode="json"))["taken"] == [1], "it goes on where it stopped"
    second = await asyncio.to_thread(both, 2)
    for answers in (first, second):
        assert [answer["receipts"] for answer in answers] == [answers[0]["receipts"]] * 4
        assert sorted(answer["repeated"] for answer in answers) == [False, True, True, True]
    said = [receipt["status"] for answers in (first, second) for receipt in answers[0]["receipts"]]
    assert said == ["accepted"] * (2 * len(CENTRES) + 1)
    intake = processes.database("intake")
    assert intake["receipts"].count_documents({}) == len(said)

    await asyncio.to_thread(processes.wait_settled, *SERVICES)
    lines = list(processes.database("funding")["allocations"].find())
    named = {one["import_id"] for line in lines for one in line["allocation"]["basis"]["imported"]}
    assert (len(lines), named) == (len(CENTRES), {order.import_id})
