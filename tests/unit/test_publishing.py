"""The portal's side of the wire: headers, order, positions and traces; and submissions read from files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import LeaderNotAvailableError, OutOfOrderSequenceNumber, TopicAuthorizationFailedError
from opentelemetry import trace

from cli.publishing import (
    WINDOW,
    FileProblem,
    Message,
    Portal,
    UnreadableFiles,
    headers_of,
    read_files,
    topic_of,
)
from shared.contracts.catalogue import EventType
from shared.contracts.submissions import EnvelopeSubmitted
from shared.contracts.topics import submission_key
from shared.messaging.access import KafkaAccess
from shared.messaging.clock import BusinessClock
from shared.messaging.consume.envelope import read
from shared.telemetry import context_of

AT = datetime(2026, 2, 25, 2, tzinfo=UTC)
TRACEPARENT = f"00-{'a' * 32}-{'b' * 16}-01"
ENVELOPE = {"submission_id": "NS-1", "year": 2026, "amount": 5_000_000}


def message(number: int = 1, **changes: Any) -> Message:
    """An envelope's message."""
    body = json.dumps(ENVELOPE | {"submission_id": f"NS-{number}"}).encode()
    return Message(
        **{"province": "44", "key": "44", "type": EventType.ENVELOPE_SUBMITTED.value, "body": body} | changes
    )


@dataclass
class Record:
    """A record as the fake broker keeps it."""

    topic: str
    value: bytes | None
    key: bytes | None
    headers: Sequence[tuple[str, bytes]]
    offset: int
    partition: int = 1
    timestamp: int = 0

    def header(self, name: str) -> str:
        return dict(self.headers)[name].decode()


class FakeProducer:
    """Stands in for aiokafka's: keeps what is sent and confirms it later."""

    log: list[Record]
    options: dict[str, Any]

    def __init__(self, **options: Any) -> None:
        type(self).options = options
        type(self).log = []
        self.client = SimpleNamespace(cluster=SimpleNamespace(partitions_for_topic=lambda topic: {0}))

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def send(
        self, topic: str, value: bytes, key: bytes, partition: None, timestamp: None, headers: list[tuple[str, bytes]]
    ) -> asyncio.Future[Record]:
        record = Record(topic, value, key, headers, offset=len(self.log))
        self.log.append(record)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Record] = loop.create_future()
        loop.call_soon(future.set_result, record)
        return future


@pytest.fixture(autouse=True)
def _fake_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.messaging.send.producer.AIOKafkaProducer", FakeProducer)


# --------------------------------------------------------------------------------------------------- messages


def test_intake_reads_what_the_portal_writes() -> None:
    sent = message()
    record = Record(topic_of(sent), sent.body, b"44", headers_of(sent, AT, TRACEPARENT), offset=7)
    received = read(record, received_at=AT, trusted=False)
    assert received.data == EnvelopeSubmitted(submission_id="NS-1", year=2026, amount=5_000_000)
    assert (received.source, received.subject, received.traceparent) == ("/portal/44", "44", TRACEPARENT)
    assert record.header("ce_time") == "2026-02-25T02:00:00Z"


def test_the_same_bytes_have_the_same_event_id_and_others_another() -> None:
    ids = [dict(headers_of(message(number), AT, TRACEPARENT))["ce_id"] for number in (1, 1, 2)]
    assert ids[0] == ids[1] != ids[2]


def test_a_message_may_spoil_its_headers() -> None:
    spoilt = message(headers={"ce_id": None, "ce_type": b"\xff", "more": b"1"})
    headers = dict(headers_of(spoilt, AT, TRACEPARENT))
    assert "ce_id" not in headers
    assert (headers["ce_type"], headers["more"]) == (b"\xff", b"1")


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"centre_id": "C-1", "commune_code": "00004"}, "C-1"),
        ({"unit_code": "00004"}, "00004"),
        ({"unit_code": 4}, "44"),
        ({"year": 2026}, "44"),
    ],
)
def test_the_key_is_what_a_submission_speaks_of(data: dict[str, Any], key: str) -> None:
    assert submission_key(data, "44") == key


# ------------------------------------------------------------------------------------------------- publishing


async def test_messages_keep_their_order_and_each_gets_its_position() -> None:
    messages = [message(number) for number in range(WINDOW + 3)]
    told: list[int] = []
    async with Portal(KafkaAccess("one:1,two:2")) as portal:
        sent = await portal.publish(iter(messages), told.append)
    assert [record.value for record in FakeProducer.log] == [one.body for one in messages]
    assert [one.message for one in sent] == messages
    assert str(sent[5].position) == "submissions.44/1@5"
    assert told == [WINDOW, WINDOW + 3]


async def test_the_producer_is_durable_and_idempotent() -> None:
    async with Portal(KafkaAccess("one:1,two:2")):
        pass
    options = FakeProducer.options
    assert options["bootstrap_servers"] == ["one:1", "two:2"]
    assert options["acks"] == "all"
    assert options["enable_idempotence"]


class Failing(FakeProducer):
    """Producers of which the first gives up the third record; what a client gives up leaves a gap."""

    lives = 0
    error: Exception

    def __init__(self, **options: Any) -> None:
        kept = self.log if self.lives else []
        super().__init__(**options)
        type(self).log = kept
        type(self).lives += 1
        self.sent = 0

    async def send(self, *record: Any) -> asyncio.Future[Record]:
        self.sent += 1
        if self.lives > 1 or self.sent < 3:
            return await super().send(*record)
        future: asyncio.Future[Record] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_exception, self.error)
        self.error = OutOfOrderSequenceNumber()
        return future


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> type[Failing]:
    """A broker that goes away and comes back."""
    found = type("Once", (Failing,), {})
    monkeypatch.setattr("shared.messaging.send.producer.AIOKafkaProducer", found)
    monkeypatch.setattr("cli.publishing.PAUSE_SECONDS", 0.0)
    return found


async def test_a_broker_that_was_away_costs_a_portal_a_new_producer_and_nothing_else(failing: type[Failing]) -> None:
    failing.error = LeaderNotAvailableError()
    messages = [message(number) for number in range(10)]
    async with Portal(KafkaAccess("one:1")) as portal:
        sent = await portal.publish(messages)
    assert failing.lives == 2
    assert [one.message for one in sent] == messages
    assert [record.value for record in failing.log] == [one.body for one in messages], "each once, in order"


async def test_what_a_repeat_does_not_mend_is_told_at_once(failing: type[Failing]) -> None:
    failing.error = TopicAuthorizationFailedError("submissions.44")
    async with Portal(KafkaAccess("one:1")) as portal:
        with pytest.raises(TopicAuthorizationFailedError):
            await portal.publish([message(number) for number in range(10)])
    assert failing.lives == 1


async def test_a_broker_that_stays_away_is_given_up(failing: type[Failing], monkeypatch: pytest.MonkeyPatch) -> None:
    failing.error = LeaderNotAvailableError()
    monkeypatch.setattr("cli.publishing.PATIENCE_SECONDS", -1.0)
    async with Portal(KafkaAccess("one:1")) as portal:
        with pytest.raises(LeaderNotAvailableError):
            await portal.publish([message(number) for number in range(10)])


def context_sampled(traceparent: str) -> bool:
    """Whether the services will record what hangs under this."""
    return trace.get_current_span(context_of(traceparent)).get_span_context().trace_flags.sampled


async def test_only_chosen_messages_are_sampled_but_all_have_a_trace() -> None:
    async with Portal(KafkaAccess("one:1")) as portal:
        sent = await portal.publish([message(1), message(2)], sampled=lambda one: one.body == message(2).body)
    silent, recorded = (record.header("traceparent") for record in FakeProducer.log)
    assert not context_sampled(silent)
    assert context_sampled(recorded)
    assert sent[0].trace_id is None
    assert sent[1].trace_id == recorded.split("-")[1] != silent.split("-")[1]


async def test_a_portal_tells_the_simulated_time() -> None:
    async with Portal(KafkaAccess("one:1"), clock=BusinessClock(offset_seconds=-86_400 * 365)) as portal:
        await portal.publish([message()])
    told = datetime.fromisoformat(FakeProducer.log[0].header("ce_time"))
    assert 364 <= (datetime.now(UTC) - told).days <= 366


# ------------------------------------------------------------------------------------------------------ files


def entry(number: int = 1) -> dict[str, Any]:
    """A submission as it stands in a file."""
    return {"type": EventType.ENVELOPE_SUBMITTED.value, "data": ENVELOPE | {"submission_id": f"NS-{number}"}}


def write(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def problems_of(*paths: Path) -> list[FileProblem]:
    """All problems that reading reports."""
    with pytest.raises(UnreadableFiles) as caught:
        read_files(paths, "44")
    return caught.value.problems


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("one.json", json.dumps(entry(), indent=2)),
        ("list.json", json.dumps([entry()])),
        ("lines.jsonl", f"\n{json.dumps(entry())}\r\n\n"),
        ("lines.ndjson", json.dumps(entry())),
        ("bom.json", "\ufeff" + json.dumps(entry())),
    ],
)
def test_submissions_are_read_from_json_and_from_json_lines(tmp_path: Path, name: str, text: str) -> None:
    (found,) = read_files([write(tmp_path, name, text)], "44")
    assert json.loads(found.body) == ENVELOPE
    assert (found.province, found.key, found.type) == ("44", "44", EventType.ENVELOPE_SUBMITTED)
    assert found.expected is None


def test_files_and_their_entries_keep_their_order(tmp_path: Path) -> None:
    first = write(tmp_path, "b.json", json.dumps([entry(1), entry(2)]))
    second = write(tmp_path, "a.jsonl", json.dumps(entry(3)))
    found = read_files([first, second], "44")
    assert [json.loads(one.body)["submission_id"] for one in found] == ["NS-1", "NS-2", "NS-3"]


def test_an_empty_list_holds_nothing_and_is_no_error(tmp_path: Path) -> None:
    assert read_files([write(tmp_path, "none.json", "[ ]")], "44") == []


def test_text_and_numbers_arrive_as_they_were_written(tmp_path: Path) -> None:
    text = (
        '{"type": "langhoc.commune.submitted.v1", "data": {"unit_code": "00004", "name": "Hội Khuyến học", "p": 7.5}}'
    )
    (found,) = read_files([write(tmp_path, "one.json", text)], "01")
    assert found.body.decode() == '{"unit_code": "00004", "name": "Hội Khuyến học", "p": 7.5}'
    assert found.key == "00004"


def test_all_problems_of_all_files_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    lines = write(
        tmp_path,
        "lines.jsonl",
        "\n".join(
            [
                json.dumps(entry()),
                "{not json",
                '{"type": "langhoc.envelope.submitted.v1"}',
                '{"type": "langhoc.envelope.submitted.v2", "data": {}}',
                '{"type": "langhoc.envelope.submitted.v1", "data": []}',
                '"text"',
                '{"type": "langhoc.envelope.submitted.v1", "data": {"amount": NaN}}',
                '{"type": "langhoc.envelope.submitted.v1", "data": {"name": "\\ud800"}}',
            ]
        ),
    )
    found = problems_of(lines, tmp_path / "absent.json")
    assert [(Path(one.file).name, one.line) for one in found] == [
        *(("lines.jsonl", line) for line in range(2, 9)),
        ("absent.json", 1),
    ]
    assert all(text for one in found for text in (one.what.vi, one.what.en, one.mend.vi, one.mend.en))
    assert "langhoc.envelope.submitted.v1" in found[2].mend.en


def test_a_problem_inside_a_list_has_its_own_line(tmp_path: Path) -> None:
    text = f'[\n  {json.dumps(entry())} ,\n  {{"type": "no.such.type", "data": {{}}}},\n\n  7\n]'
    assert [one.line for one in problems_of(write(tmp_path, "list.json", text))] == [3, 5]


def test_broken_json_is_found_on_its_line(tmp_path: Path) -> None:
    (found,) = problems_of(write(tmp_path, "broken.json", '[\n{"type": 1},\n{"type" 2}\n]'))
    assert found.line == 3
    assert "JSON" in found.what.vi
    assert str(found).startswith(f"{found.file}:3: ")


def test_a_wrong_encoding_is_named(tmp_path: Path) -> None:
    (found,) = problems_of(write(tmp_path, "old.json", json.dumps(entry()), "utf-16"))
    assert "UTF-16" in found.what.en


def test_a_province_without_a_channel_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'45'"):
        read_files([], "45")
