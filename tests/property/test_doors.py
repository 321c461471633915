"""Whatever is sent, of whichever kind: its receipt says the same, through whichever door it came."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cli.publishing import Message, structured
from deploy.local.identity import ensure_signing_key
from shared.answers.submissions import Judged
from shared.cloudevents import BATCH, JSON, STRUCTURED
from shared.contracts.topics import submission_key
from tests.unit.delivery_samples import AT, record
from tests.unit.intake_bench import Bench
from tests.unit.test_door import EXAMPLE_FILES, Now

ODD: st.SearchStrategy[Any] = st.sampled_from(
    (None, True, 0, -1, 1.5, "", "x", "00004", "\u202e", [], {}, ["x"], 10**40, "75.000.000")
)


@st.composite
def sent(draw: st.DrawFn) -> tuple[str, bytes]:
    """A type, and an example of it that is whole, or has some fields more, less or otherwise."""
    type_ = draw(st.sampled_from(sorted(EXAMPLE_FILES)))
    data: dict[str, Any] = dict(EXAMPLE_FILES[type_]["data"])
    for name in draw(st.lists(st.sampled_from([*sorted(data), "beside"]), max_size=3, unique=True)):
        if draw(st.booleans()):
            data.pop(name, None)
        else:
            data[name] = draw(ODD)
    return type_, json.dumps(data, ensure_ascii=draw(st.booleans())).encode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("keys")
    ensure_signing_key(made)
    return made


@settings(max_examples=10)  # each of them is nine requests over six databases
@given(sent())
@example(("langhoc.centre.registered.v1", b'{"centre_id": "\\u202e"}'))  # whose subject is no text either
async def test_one_content_has_one_receipt(folder: Path, one: tuple[str, bytes]) -> None:
    type_, body = one
    attributes = {"specversion": "1.0", "id": "e", "source": "/portal/04", "type": type_}
    event = json.dumps(attributes).encode()[:-1] + b', "data": ' + body + b"}"
    by_hand = structured(Message("04", submission_key(json.loads(body), "04"), type_, body), AT)
    ways = (
        ("/v1/submissions", body, {"Content-Type": JSON, **{f"ce-{name}": said for name, said in attributes.items()}}),
        ("/v1/submissions", event, {"Content-Type": STRUCTURED}),
        ("/v1/batches", b"[" + event + b"]", {"Content-Type": BATCH}),
        ("/v1/batches", b"[" + by_hand + b"]", {"Content-Type": BATCH}),
    )
    key = submission_key(json.loads(body), "04")

    async def on_kafka(value: bytes, headers: dict[str, str]) -> Judged:
        bench = Bench(folder, Now())
        await bench.pipeline.process([record(value, headers, topic="submissions.04", key=key)])
        (receipt,) = bench.receipts()
        return Judged.of(receipt)

    judged = await on_kafka(body, {f"ce_{name}": said for name, said in attributes.items()})
    assert await on_kafka(event, {"content-type": STRUCTURED}) == judged
    for path, content, said in ways:
        bench = Bench(folder, Now())
        async with bench.http("province", "04") as client:
            rehearsed = await client.post(f"{path}?dry_run=true", content=content, headers=said)
            await client.post(path, content=content, headers=said)
        (found,) = bench.receipts()
        assert Judged.of(found) == judged
        filed = rehearsed.json()
        filed = filed["items"][0] if "items" in filed else filed.get("filed", filed)
        assert filed["verdict"] == judged.model_dump(mode="json")
