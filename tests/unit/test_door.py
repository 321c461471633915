"""The door over HTTP: the same judge as on Kafka, one record for one request, and an answer that says what is known."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.intake import claims
from services.intake.api import submissions
from shared.answers.submissions import Judged
from shared.cloudevents import BATCH, STRUCTURED
from shared.contracts.base import Status
from shared.contracts.catalogue import CONTRACTS, EXAMPLES
from shared.contracts.people import Role
from shared.contracts.topics import largest_record
from shared.messaging.access import KafkaAccess
from shared.messaging.send.handing import MARK, Handed, KafkaHand, NotWritten, PerhapsWritten
from shared.privacy import policy_on
from shared.web.callers import Caller
from shared.web.cloudevents import MOST_EVENTS
from shared.web.problems import ApiProblem
from tests.unit.delivery_samples import AT, record
from tests.unit.intake_bench import Bench, Still
from tests.unit.intake_samples import commune

TYPE = "langhoc.envelope.submitted.v1"
BODY = b'{"submission_id": "E-1", "year": 2026, "amount": 5000000}'
ATTRIBUTES = {"specversion": "1.0", "id": "e-1", "source": "/portal/01", "type": TYPE}
BINARY = {"Content-Type": "application/json", **{f"ce-{name}": value for name, value in ATTRIBUTES.items()}}


class Now(Still):
    """The time of the records that the tests append."""

    def __init__(self) -> None:
        super().__init__(AT)

    def appended(self, milliseconds: int) -> datetime:
        return datetime.fromtimestamp(milliseconds / 1_000, UTC)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(submissions, "WAIT_SECONDS", 0.0)
    return Bench(tmp_path, Now())


def structured(body: bytes = BODY, **attributes: Any) -> bytes:
    """A structured event with these very bytes as data."""
    return json.dumps(ATTRIBUTES | attributes).encode()[:-1] + b', "data": ' + body + b"}"


async def post(bench: Bench, content: bytes, path: str = "/v1/submissions", **headers: str) -> httpx.Response:
    """Hand something in for Hà Nội."""
    async with bench.http("province", "01") as client:
        return await client.post(path, content=content, headers={**BINARY, **_named(headers)})


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


# -------------------------------------------------------------------------------------------------- one record


async def test_what_is_handed_in_lies_on_the_channel_as_it_was_sent_and_is_answered_by_its_receipt(
    bench: Bench,
) -> None:
    answer = await post(bench, BODY)
    (record,) = bench.hand.log
    assert (record.topic, record.key, record.value) == ("submissions.01", b"01", BODY)
    assert dict(record.headers).items() >= {f"ce_{name}": value.encode() for name, value in ATTRIBUTES.items()}.items()
    (receipt,) = bench.receipts()
    assert (answer.status_code, receipt.status) == (201, Status.ACCEPTED)
    assert answer.headers["Location"] == f"/receipts/{receipt.receipt_id}"
    assert answer.json()["receipt"] == receipt.model_dump(mode="json")
    assert receipt.channel == f"submissions.01/{record.partition}@{record.offset}"


@pytest.mark.parametrize(
    ("before", "content", "status", "said"),
    [
        ([], BODY, 201, Status.ACCEPTED),
        ([BODY], BODY, 200, Status.DUPLICATE),
        ([BODY], BODY.replace(b"E-1", b"E-2"), 200, Status.UNCHANGED),
        ([BODY], BODY.replace(b"E-1", b"E-2").replace(b"5000000", b"6000000"), 409, Status.CONFLICT),
        ([], b'{"submission_id": "E-1", "year": "x", "amount": -1}', 422, Status.REJECTED),
        ([], b"{no json", 422, Status.REJECTED),
        ([], b'{"submission_id": "E-1", "year": 2026, "year": 2026, "amount": 1}', 422, Status.REJECTED),
        ([], b"[" * 100_000, 422, Status.REJECTED),
        ([], b"", 422, Status.REJECTED),
        ([], BODY.decode().encode("utf-16"), 422, Status.REJECTED),
    ],
)
async def test_the_code_of_the_answer_says_what_the_receipt_says(
    bench: Bench, before: list[bytes], content: bytes, status: int, said: Status
) -> None:
    for each in before:
        await post(bench, each)
    answer = await post(bench, content)
    receipt = bench.receipts()[-1]
    assert (answer.status_code, receipt.status) == (status, said)
    if status < 400:
        assert answer.json()["status"] == said
        return
    told = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert told["problems"] == [one.model_dump() for one in receipt.problems]
    assert told["filed"]["receipt_id"] == receipt.receipt_id


async def test_what_is_held_is_taken_and_waits(bench: Bench) -> None:
    body = (
        commune(
            unit_code="00999", period=2022, rubric="lc_commune_44_2014", content={"scoring": "points", "points": {}}
        )
        .model_dump_json()
        .encode()
    )
    answer = await post(bench, body, ce_type="langhoc.commune.submitted.v1")
    assert [answer.status_code, answer.json().get("status")] == [202, "held"], answer.text


async def test_what_is_not_judged_in_time_is_written_and_its_receipt_will_be_where_the_answer_says(
    bench: Bench,
) -> None:
    bench.hand.judge = None
    answer = await post(bench, BODY)
    assert (answer.status_code, answer.json()["status"]) == (202, None)
    assert answer.headers["Retry-After"]
    await bench.pipeline.process(bench.hand.log)
    async with bench.http("province", "01") as client:
        assert (await client.get(answer.headers["Location"])).json()["status"] == "accepted"


async def test_a_record_that_no_channel_takes_is_refused_before_it_is_written(bench: Bench) -> None:
    answer = await post(bench, b'"' + b"x" * largest_record("submissions.01") + b'"')
    assert (answer.status_code, answer.json()["code"], bench.hand.log) == (413, "record_too_large", [])


# ----------------------------------------------------------------------------------------------------- who may


async def test_the_province_is_the_senders_and_never_the_bodys(bench: Bench) -> None:
    async with bench.http("province", "04") as client:
        answer = await client.post("/v1/submissions", content=BODY, headers=BINARY)
        other = await client.post("/v1/submissions?province=01", content=BODY, headers=BINARY)
    assert (answer.status_code, other.status_code, other.json()["code"]) == (201, 403, "other_province")
    assert [record.topic for record in bench.hand.log] == ["submissions.04"]


@pytest.mark.parametrize("role", ["ministry", "finance", "auditor"])
async def test_nobody_hands_in_who_acts_for_no_province(bench: Bench, role: Any) -> None:
    async with bench.http(role) as client:
        for path in ("/v1/submissions", "/v1/batches", "/v1/submissions?dry_run=true"):
            answer = await client.post(path, content=BODY, headers=BINARY)
            assert (answer.status_code, answer.json()["code"]) == (403, "role_not_allowed")
    assert bench.hand.log == []


def test_a_province_that_is_no_more_has_no_channel() -> None:
    with pytest.raises(ApiProblem) as refused:
        submissions._own(Caller("p-ba", Role.PROVINCE, "02"), None)
    assert (refused.value.status, refused.value.problems[0].code) == (403, "no_channel")


# ----------------------------------------------------------------------------------------------------- dry run


async def test_a_dry_run_says_what_would_become_of_it_and_writes_nothing(bench: Bench) -> None:
    before = {name: dict(rows) for name, rows in bench.mongo.collections.items() if rows}
    good = await post(bench, BODY, "/v1/submissions?dry_run=true", Idempotency_Key="k")
    bad = await post(bench, BODY.replace(b"5000000", b"-1"), "/v1/submissions?dry_run=true")
    assert {name: dict(rows) for name, rows in bench.mongo.collections.items() if rows} == before
    assert bench.hand.log == []
    assert (good.status_code, bad.status_code) == (200, 422)
    told = good.json()
    assert (told["dry_run"], told["status"], told["receipt_id"], told["receipt"]) == (True, "accepted", None, None)
    assert bad.json()["filed"]["dry_run"] is True
    real = (await post(bench, BODY)).json()["receipt"]
    assert {name: real[name] for name in told["verdict"]} == told["verdict"]


async def test_in_the_dry_run_of_a_batch_a_later_one_is_judged_on_what_an_earlier_one_would_do(bench: Bench) -> None:
    second = BODY.replace(b"E-1", b"E-2").replace(b"5000000", b"7000000")
    batch = b"[" + structured() + b"," + structured(second) + b"," + structured() + b"]"
    rehearsed = await post(bench, batch, "/v1/batches?dry_run=true", Content_Type=BATCH)
    done = await post(bench, batch, "/v1/batches", Content_Type=BATCH)
    assert [one["status"] for one in rehearsed.json()["items"]] == ["accepted", "conflict", "duplicate"]
    assert [one["status"] for one in done.json()["items"]] == ["accepted", "conflict", "duplicate"]
    assert (rehearsed.json()["dry_run"], rehearsed.json()["counts"]) == (True, done.json()["counts"])


# ------------------------------------------------------------------------------------------------ keys, repeats


async def test_the_same_request_under_a_key_is_written_once_and_answered_alike(bench: Bench) -> None:
    first = await post(bench, BODY, Idempotency_Key="k-1")
    again = await post(bench, BODY, Idempotency_Key="k-1")
    assert len(bench.hand.log) == len(bench.receipts()) == 1
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    async with bench.http("province", "01", account="binh") as client:
        other = await client.post("/v1/submissions", content=BODY, headers={**BINARY, "Idempotency-Key": "k-1"})
    assert other.json()["status"] == "duplicate", "a key is its sender's own"
    assert "k-1" not in str(bench.mongo.rows(claims.CLAIMS)), "of a key the hash is kept"


async def test_another_request_under_the_same_key_is_refused(bench: Bench) -> None:
    await post(bench, BODY, Idempotency_Key="k-1")
    for content, headers in ((BODY + b" ", {}), (BODY, {"ce-type": "langhoc.support.submitted.v1"})):
        answer = await post(bench, content, Idempotency_Key="k-1", **headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "key_reused")
    assert len(bench.hand.log) == 1


async def test_a_request_that_is_in_hand_is_not_begun_twice_and_is_taken_over_when_its_time_is_over(
    bench: Bench,
) -> None:
    """As after a crash between the record and the note of its place: the record is found on the channel."""
    now = [AT]
    bench.mongo.now = lambda: now[0]
    first = await post(bench, BODY, Idempotency_Key="k-1")
    (row,) = bench.mongo.rows(claims.CLAIMS).values()
    row["receipts"] = None
    busy = await post(bench, BODY, Idempotency_Key="k-1")
    assert (busy.status_code, busy.json()["code"]) == (409, "key_in_hand")
    now[0] += claims.IN_HAND + timedelta(seconds=1)
    again = await post(bench, BODY, Idempotency_Key="k-1")
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert len(bench.hand.log) == 1


async def test_of_a_batch_that_was_cut_off_only_the_rest_is_written(bench: Bench) -> None:
    batch = b"[" + structured() + b"," + structured(BODY.replace(b"E-1", b"E-2")) + b"]"
    whole = await post(bench, batch, "/v1/batches", Content_Type=BATCH, Idempotency_Key="k")
    (row,) = bench.mongo.rows(claims.CLAIMS).values()
    bench.mongo.rows(claims.CLAIMS)[row["_id"]] = row | {"receipts": None, "until": row["at"]}
    del bench.hand.log[1]
    again = await post(bench, batch, "/v1/batches", Content_Type=BATCH, Idempotency_Key="k")
    marks = [dict(record.headers)[MARK].decode().rpartition("/")[2] for record in bench.hand.log]
    assert marks == ["0", "1"]
    assert again.json()["items"][0] == whole.json()["items"][0]
    assert len(again.json()["items"]) == 2


@pytest.mark.parametrize("key", [None, "k-1"])
async def test_when_no_broker_answers_nothing_is_written_and_a_repeat_is_taken_at_once(
    bench: Bench, key: str | None
) -> None:
    given = {"Idempotency_Key": key} if key else {}
    bench.hand.failing.append(NotWritten("away"))
    answer = await post(bench, BODY, **given)
    assert (answer.status_code, answer.json()["code"]) == (503, "not_written")
    assert answer.headers["Retry-After"]
    assert (await post(bench, BODY, **given)).status_code == 201
    assert len(bench.hand.log) == 1


async def test_what_was_perhaps_written_is_found_by_its_key_and_harmless_without(bench: Bench) -> None:
    bench.hand.lost.append(PerhapsWritten("no confirmation"))
    answer = await post(bench, BODY, Idempotency_Key="k-1")
    assert (answer.status_code, answer.json()["code"]) == (503, "perhaps_written")
    again = await post(bench, BODY, Idempotency_Key="k-1")
    assert (again.status_code, again.json()["status"], len(bench.hand.log)) == (201, "accepted", 1)
    assert (await post(bench, BODY)).json()["status"] == "duplicate"


def test_a_key_is_known_for_as_long_as_the_policy_says() -> None:
    assert policy_on(AT.date())["request_keys"].days == claims.DAYS


# ------------------------------------------------------------------------------------------------- CloudEvents


@pytest.mark.parametrize(
    ("content", "headers", "status", "codes"),
    [
        (BODY, {"Content-Type": "text/csv"}, 415, "media_type"),
        (BODY, {"Content-Type": "application/json; charset=utf-16"}, 415, "media_type"),
        (BODY, {"Content-Encoding": "gzip"}, 415, "body_encoded"),
        (b"{", {"Content-Type": STRUCTURED}, 422, ["no_json"]),
        (b"\xff", {"Content-Type": STRUCTURED}, 422, ["no_json"]),
        (b"[]", {"Content-Type": STRUCTURED}, 422, ["event_no_object"]),
        (structured() + b"x", {"Content-Type": STRUCTURED}, 422, ["no_json"]),
        (b'{"data": ' + b"[" * 200_000, {"Content-Type": STRUCTURED}, 422, ["too_deep"]),
        (structured(data_base64="e30="), {"Content-Type": STRUCTURED}, 422, ["event_data_twice"]),
        (b'{"data_base64": "%"}', {"Content-Type": STRUCTURED}, 422, ["event_base64"]),
        (
            b'{"type": "a", "type": "b", "Data": {}, "x": []}',
            {"Content-Type": STRUCTURED},
            422,
            ["key_twice", "event_attribute", "event_attribute", "attribute_contradicts"],
        ),
        (structured(), {"Content-Type": STRUCTURED, "ce-source": "/portal/02"}, 422, ["attribute_contradicts"]),
    ],
)
async def test_what_is_no_event_is_refused_with_everything_that_is_wrong_and_nothing_is_written(
    bench: Bench, content: bytes, headers: dict[str, str], status: int, codes: Any
) -> None:
    answer = await post(bench, content, **headers)
    told = answer.json()
    assert answer.status_code == status
    assert (told["code"] if isinstance(codes, str) else [one["code"] for one in told["problems"]]) == codes
    assert bench.hand.log == []


async def test_attributes_are_decoded_as_the_binding_says(bench: Bench) -> None:
    await post(bench, BODY, ce_subject='"Euro %E2%82%AC \\"x\\""', ce_source="/portal/01%20b")
    headers = dict(bench.hand.log[0].headers)
    assert (headers["ce_subject"].decode(), headers["ce_source"]) == ('Euro € "x"', b"/portal/01 b")


async def test_the_data_of_a_structured_event_are_the_bytes_that_stand_there(bench: Bench) -> None:
    odd = b'{ "submission_id":"E-1",\n "year": 2026, "amount": 5000000.000000000000000000001 , "year": 1e5}'
    await post(bench, structured(odd, count=3, yes=True, none=None), Content_Type=STRUCTURED)
    (record,) = bench.hand.log
    assert record.value == odd
    assert (
        dict(record.headers).items()
        >= {"ce_count": b"3", "ce_yes": b"true", "content-type": b"application/json"}.items()
    )
    assert "ce_none" not in dict(record.headers)
    packed = json.dumps(ATTRIBUTES | {"data_base64": base64.b64encode(BODY).decode()}).encode()
    assert (await post(bench, packed, Content_Type=STRUCTURED)).status_code == 201


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"[]", 422, "batch_empty"),
        (b" [ ] ", 422, "batch_empty"),
        (b"{}", 422, "event_unreadable"),
        (b"[1]", 422, "event_unreadable"),
        (b"[{},]", 422, "event_unreadable"),
        (b"[" + b",".join([b"{}"] * (MOST_EVENTS + 1)) + b"]", 413, "batch_too_long"),
    ],
)
async def test_a_batch_is_taken_whole_or_not_at_all(bench: Bench, content: bytes, status: int, code: str) -> None:
    answer = await post(bench, content, "/v1/batches", Content_Type=BATCH)
    assert (answer.status_code, answer.json()["code"], bench.hand.log) == (status, code, [])


async def test_each_of_a_batch_is_answered_by_itself_and_the_counts_add_up(bench: Bench) -> None:
    batch = b"[" + structured() + b" ,\n" + structured(b'{"x": 1e999999999}') + b", " + b"{}" + b"]"
    answer = await post(bench, batch, "/v1/batches", Content_Type=BATCH)
    told = answer.json()
    assert (answer.status_code, told["counts"]) == (200, {"accepted": 1, "rejected": 2})
    assert [one["receipt"]["channel"] for one in told["items"]] == [
        f"submissions.01/{record.partition}@{record.offset}" for record in bench.hand.log
    ]
    bench.hand.judge = None
    late = await post(bench, batch, "/v1/batches", Content_Type=BATCH)
    assert (late.status_code, late.json()["counts"]) == (202, {"unanswered": 3})


# ------------------------------------------------------------------------------------------------- one judge


EXAMPLE_FILES = {
    type_: json.loads((EXAMPLES / f"{type_}.json").read_text(encoding="utf-8"))
    for type_, contract in CONTRACTS.items()
    if contract.family == "submissions"
}


@pytest.mark.parametrize("type_", EXAMPLE_FILES)
async def test_a_published_example_has_the_same_receipt_at_every_door(type_: str, tmp_path: Path) -> None:
    example = EXAMPLE_FILES[type_]
    body = json.dumps(example["data"], ensure_ascii=False).encode()
    attributes = {
        name.removeprefix("ce_"): value for name, value in example["headers"].items() if name.startswith("ce_")
    }
    binary = {"Content-Type": "application/json", **{f"ce-{name}": value for name, value in attributes.items()}}
    one = json.dumps(attributes).encode()[:-1] + b', "data": ' + body + b"}"
    sent = {
        "binary": ("/v1/submissions", body, binary),
        "structured": ("/v1/submissions", one, {"Content-Type": STRUCTURED}),
        "batch": ("/v1/batches", b"[" + one + b"]", {"Content-Type": BATCH}),
    }
    said: dict[str, Any] = {}
    for door, (where, content, headers) in sent.items():
        bench = Bench(tmp_path, Now())
        async with bench.http("province", "04") as client:
            await client.post(where, content=content, headers=headers)
        (receipt,) = bench.receipts()
        said[door] = Judged.of(receipt)
    for door, value, headers in (("kafka", body, example["headers"]), ("event", one, {"content-type": STRUCTURED})):
        bench = Bench(tmp_path, Now())
        await bench.pipeline.process([record(value, headers, topic=example["topic"], key=example["key"])])
        (receipt,) = bench.receipts()
        said[door] = Judged.of(receipt)
    assert all(each == said["kafka"] for each in said.values()), said


@pytest.mark.parametrize("structured_first", [True, False])
async def test_the_same_content_is_known_again_in_whichever_mode_it_comes(bench: Bench, structured_first: bool) -> None:
    binary = record(BODY, {f"ce_{name}": said for name, said in ATTRIBUTES.items()}, topic="submissions.01", key="01")
    whole = record(structured(), {"content-type": STRUCTURED}, topic="submissions.01", key="01", offset=1)
    records = [whole, binary] if structured_first else [binary, whole]
    for one in records:
        await bench.pipeline.process([one])
    first, again = bench.receipts()
    assert (first.status, again.status) == (Status.ACCEPTED, Status.DUPLICATE)
    assert again.original is not None
    assert (again.original.receipt_id, again.body_hash) == (first.receipt_id, first.body_hash)


async def test_without_a_broker_the_way_in_says_that_nothing_was_written() -> None:
    hand = KafkaHand(KafkaAccess("127.0.0.1:1"), "test")
    for _ in range(2):
        with pytest.raises(NotWritten):
            await hand.write([Handed("submissions.01", b"01", BODY, [])])
    await hand.stop()
