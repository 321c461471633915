"""Whatever lies on a province's channel has one receipt, which says what is wrong with it and where."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared.contracts.facts import Receipt
from shared.texts import is_visible, neutral
from tests.hostile.inputs import Input, each
from tests.hostile.records import CHANNEL, Sent, of_json, of_kafka, of_name
from tests.unit.delivery_samples import Stored
from tests.unit.intake_bench import Bench


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all: what is costly in a bench is its key."""
    return tmp_path_factory.mktemp("hostile")


async def received(sent: Sent, folder: Path) -> tuple[Receipt, Bench]:
    intake = Bench(folder)
    record = Stored(CHANNEL, 0, 0, sent.value, sent.headers, sent.key)
    await intake.pipeline.process([record])
    assert intake.mongo.all("dead_letters") == []
    (receipt,) = intake.receipts()
    return receipt, intake


async def answered(sent: Sent, folder: Path) -> None:
    receipt, intake = await received(sent, folder)
    assert sent.faults(receipt) == ""
    assert [event["receipt_id"] for event in intake.events(f"receipts.{receipt.province}")] == [receipt.receipt_id]
    for problem in receipt.problems:
        for text in (problem.message, problem.expected, problem.mend):
            assert is_visible(text.vi)
            assert (neutral(text.vi), neutral(text.en)) == (text.vi, text.en), "a refusal repeats nothing as it came"
        assert neutral(problem.field) == problem.field


@each("json")
async def test_json(given: Input, folder: Path) -> None:
    await answered(of_json(given), folder)


@each("kafka")
async def test_bytes_and_headers(given: Input, folder: Path) -> None:
    await answered(of_kafka(given), folder)


@each("names")
async def test_names(given: Input, folder: Path) -> None:
    sent = of_name(given)
    receipt, intake = await received(sent, folder)
    assert sent.faults(receipt) == ""
    if sent.comes == "taken":
        (fact,) = intake.events("intake.accepted")
        assert fact["name"] == given.get("kept", json.loads(given["text"]))
    elif given["comes"].startswith("U+"):
        (problem,) = receipt.problems
        assert given["comes"] in problem.message.vi
        assert given["comes"] in problem.mend.en
