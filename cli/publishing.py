"""Publishing on the provinces' channels as a provincial portal does: CloudEvents in binary mode, one trace each.

async with Portal(KafkaAccess("localhost:9092")) as portal:
    for sent in await portal.publish(read_files([Path("communes.jsonl")], "01")):
        print(sent.position)
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiokafka.errors import KafkaError, ProducerClosed
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.zipkin.json import ZipkinExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from opentelemetry.trace import SpanKind, format_trace_id

from shared.contracts.base import Status, Text
from shared.contracts.catalogue import CONTRACTS
from shared.contracts.topics import submission_key, topic_names
from shared.messaging.access import KafkaAccess
from shared.messaging.clock import BusinessClock
from shared.messaging.consume.envelope import place_id, suspected_encoding
from shared.messaging.messages import Position, derived_id
from shared.messaging.send.producer import REFUSALS, LastingProducer, build_producer
from shared.outside import OutOfBounds, read_json
from shared.refusals.validation import json_fault
from shared.registry import REORGANISATION, registry
from shared.telemetry import traceparent_of
from shared.telemetry.traces import QUEUE_SPANS
from shared.texts import stranger

SERVICE = "langhoc-portal"
WINDOW = 500
"""Records on their way at once; progress is told after each window."""
PATIENCE_SECONDS = 120.0
"""How long a broker may be away before publishing is given up."""
PAUSE_SECONDS = 1.0
LINES = (".jsonl", ".ndjson")
"""Files with one JSON value per line."""
SUBMISSIONS = tuple(contract.value for contract in CONTRACTS.values() if contract.family == "submissions")
_VISIBLE = re.compile(r"[^ \t\r\n]")


@dataclass(frozen=True, slots=True)
class Message:
    """One record for the channel of a province."""

    province: str
    key: str
    """Unit, centre or province code: what has the same key stays in order."""
    type: str
    """The `ce_type`."""
    body: bytes
    headers: Mapping[str, bytes | None] = field(default_factory=dict)
    """Headers beside or instead of the usual ones; `None` leaves a usual one out."""
    expected: Status | None = None
    """What must become of it, where that is known beforehand (generated messages)."""
    note: str = ""
    """What a generated message is meant to show; for a refusal the code of the problem that its receipt names."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that the broker has confirmed."""

    message: Message
    position: Position
    """Where it lies; its text is the `channel` of the receipt."""
    appended: int
    """When the broker appended it, in milliseconds."""
    trace_id: str | None
    """Hexadecimal, for messages whose trace is recorded."""

    @property
    def receipt_id(self) -> str:
        """Id of the receipt that answers it."""
        return derived_id(place_id(self.position, self.appended, self.message.body), 0)


def topic_of(message: Message) -> str:
    """The channel of the message's province."""
    return topic_names("submissions", [message.province])[0]


def headers_of(message: Message, time: datetime, traceparent: str) -> list[tuple[str, bytes]]:
    """The record's headers. The same bytes get the same `ce_id` again: to repeat a message is harmless.

    A key that is no clean text is not repeated as subject: what is wrong with it is told of its field then.
    """
    usual = {
        "ce_specversion": "1.0",
        "ce_id": hashlib.sha256(message.type.encode() + b"\0" + message.body).hexdigest()[:32],
        "ce_source": f"/portal/{message.province}",
        "ce_type": message.type,
        **({"ce_subject": message.key} if stranger(message.key) is None else {}),
        "ce_time": time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "content-type": "application/json",
        "traceparent": traceparent,
    }
    headers = {name: value.encode() for name, value in usual.items()} | dict(message.headers)
    return [(name, value) for name, value in headers.items() if value is not None]


class Portal:
    """A portal's connection to Kafka. Its part of a trace goes to Zipkin, where an endpoint is given."""

    def __init__(self, kafka: KafkaAccess, *, zipkin: str | None = None, clock: BusinessClock | None = None) -> None:
        """`zipkin`: the value of `OTEL_EXPORTER_ZIPKIN_ENDPOINT`; `clock`: for `ce_time`, which is only a claim."""
        self._kafka = kafka
        self._clock = clock or BusinessClock()
        resource = Resource.create({SERVICE_NAME: SERVICE})
        self._provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False)
        if zipkin:
            exporter = ZipkinExporter(endpoint=zipkin, timeout=5)
            self._provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=QUEUE_SPANS))
        self._recording = self._provider.get_tracer(SERVICE)
        self._silent = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False).get_tracer(SERVICE)

    async def __aenter__(self) -> Self:
        """Connect. Raises `KafkaConnectionError`."""
        self._producer = LastingProducer(partial(build_producer, self._kafka, SERVICE))
        try:
            await self._producer.start()
        except BaseException:
            await self._producer.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self._producer.stop()
        finally:
            await asyncio.to_thread(self._provider.shutdown)  # exports what is left, which blocks

    async def publish(
        self,
        messages: Iterable[Message],
        progress: Callable[[int], None] | None = None,
        sampled: Callable[[Message], bool] = lambda message: False,
    ) -> list[Sent]:
        """Publish in the given order and wait for every confirmation; returns them in the same order.

        Args:
            messages: what to send; read only as far as it is sent.
            progress: is told how many messages are confirmed so far.
            sampled: whether a message's trace is recorded, here and (following this decision) by every service.

        A broker that goes away is waited for, for `PATIENCE_SECONDS`; what it did not confirm is sent again, and may
        then lie on the channel twice, which intake answers as a repeat.

        Raises:
            KafkaError: what was confirmed before stays; to publish everything again is harmless.
        """
        sent: list[Sent] = []
        rest = iter(messages)
        while window := list(islice(rest, WINDOW)):
            sent += await self._publish(window, sampled)
            if progress:
                progress(len(sent))
        return sent

    async def _publish(self, window: list[Message], sampled: Callable[[Message], bool]) -> list[Sent]:
        spans = [self._span(message, sampled(message)) for message in window]
        records = await self._confirmed(list(zip(window, spans, strict=True)))
        sent = []
        for message, span, record in zip(window, spans, records, strict=True):
            span.set_attribute("messaging.destination.partition.id", str(record.partition))
            span.set_attribute("messaging.kafka.offset", record.offset)
            span.end()
            context = span.get_span_context()
            trace_id = format_trace_id(context.trace_id) if context.trace_flags.sampled else None
            position = Position(record.topic, record.partition, record.offset)
            sent.append(Sent(message, position, record.timestamp, trace_id))
        return sent

    async def _confirmed(self, items: list[tuple[Message, trace.Span]]) -> list[Any]:
        """Send until every one is confirmed; returns the brokers' answers in the same order."""
        records: dict[int, Any] = {}
        give_up = time.monotonic() + PATIENCE_SECONDS
        while missing := [number for number in range(len(items)) if number not in records]:
            try:
                await self._producer.renew()
                found, failure = await self._try({number: items[number] for number in missing})
            except (KafkaError, TimeoutError) as error:
                found, failure = {}, error
            records |= found
            if found:
                give_up = time.monotonic() + PATIENCE_SECONDS
            if isinstance(failure, REFUSALS) or (failure and time.monotonic() > give_up):
                raise failure if isinstance(failure, KafkaError) else KafkaError(repr(failure))
            if failure:
                await asyncio.sleep(PAUSE_SECONDS)
        return [records[number] for number in range(len(items))]

    async def _try(self, items: Mapping[int, tuple[Message, trace.Span]]) -> tuple[dict[int, Any], Exception | None]:
        """Send each once, in order; returns what was confirmed, and what went wrong with the first that was not.

        The producer sends nothing behind a failure, so what is missing is, for each key, the rest: none has overtaken.
        """
        futures: dict[int, asyncio.Future[Any]] = {}
        failures: list[Exception] = []
        try:
            for number, item in items.items():
                futures[number] = await self._send(*item)
        except KafkaError as error:
            failures.append(error)
        if futures:
            _, late = await asyncio.wait(futures.values(), timeout=PATIENCE_SECONDS)
            for future in late:
                future.cancel()
            await asyncio.sleep(0)  # the producer hears of it
        found: dict[int, Any] = {}
        for number, future in futures.items():
            missed = TimeoutError("no confirmation") if future.cancelled() else future.exception()
            if missed is None:
                found[number] = future.result()
            elif isinstance(missed, Exception):
                failures.append(missed)
        # What only suffers for another's failure is told last.
        failures.sort(key=lambda error: isinstance(error, ProducerClosed))
        return found, failures[0] if failures else None

    def _span(self, message: Message, sampled: bool) -> trace.Span:
        """The root of a trace. An unsampled one has an identity too, so that the services follow its decision."""
        topic = topic_of(message)
        tracer = self._recording if sampled else self._silent
        return tracer.start_span(
            f"publish {topic}",
            Context(),
            SpanKind.PRODUCER,
            {
                "messaging.system": "kafka",
                "messaging.operation.type": "publish",
                "messaging.destination.name": topic,
                "langhoc.subject": message.key,
            },
        )

    async def _send(self, message: Message, span: trace.Span) -> asyncio.Future[Any]:
        headers = headers_of(message, self._clock.now(), traceparent_of(span))
        future: asyncio.Future[Any] = await self._producer.send(
            topic_of(message), message.body, message.key.encode(), headers=headers
        )
        return future


# ----------------------------------------------------------------------------------------------------- files


@dataclass(frozen=True, slots=True)
class FileProblem:
    """What keeps one place of a file from being sent, and how to mend it."""

    file: str
    line: int
    what: Text
    mend: Text

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}"
        return f"{place}: {self.what.vi} {self.mend.vi}\n{place}: {self.what.en} {self.mend.en}"


class UnreadableFiles(Exception):
    """Nothing was sent: the files hold something that is no submission. Carries all problems of all files."""

    def __init__(self, problems: list[FileProblem]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


def read_files(paths: Iterable[Path], province: str | None) -> list[Message]:
    """Submissions from files, in order: JSON (one object or a list of them) or JSON lines (`.jsonl`, `.ndjson`).

    Each object is `{"type": "langhoc.commune.submitted.v1", "data": {…}}`, a structured CloudEvent, or a record like
    the published examples (`shared/contracts/examples`), which names its channel. Only what makes it a submission is
    looked at here; whether the data are right is for intake to say, in its receipt.

    Args:
        province: in whose name; `None`: that of the channel that each object names.

    Raises:
        UnreadableFiles: with every problem of every file.
        ValueError: there is no such province.
    """
    if province is not None and registry().province(province, REORGANISATION) is None:
        known = ", ".join(one.code for one in registry().provinces(REORGANISATION))
        raise ValueError(f"Không có tỉnh mang mã / there is no province with code {province!r}. Mã / codes: {known}.")
    messages: list[Message] = []
    problems: list[FileProblem] = []
    for path in paths:
        for entry in _entries(path):
            one = entry if isinstance(entry, FileProblem) else _message(path, *entry, province)
            if isinstance(one, Message):
                messages.append(one)
            else:
                problems.append(one)
    if problems:
        raise UnreadableFiles(problems)
    return messages


def _entries(path: Path) -> Iterator[tuple[int, Any] | FileProblem]:
    """Each JSON value of a file with its line, or what is wrong there."""
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig")
    except OSError as error:
        reason = error.strerror or str(error)
        what = Text(vi=f"Không đọc được tệp ({reason}).", en=f"The file cannot be read ({reason}).")
        mend = Text(vi="Kiểm tra đường dẫn và quyền đọc.", en="Check the path and the right to read it.")
        yield FileProblem(str(path), 1, what, mend)
    except UnicodeDecodeError as error:
        guess = suspected_encoding(raw)
        what = Text(vi=f"Tệp không phải UTF-8 (có thể là {guess}).", en=f"The file is not UTF-8 (perhaps {guess}).")
        mend = Text(vi="Lưu lại tệp với mã UTF-8.", en="Save the file as UTF-8.")
        yield FileProblem(str(path), raw.count(b"\n", 0, error.start) + 1, what, mend)
    else:
        if path.suffix in LINES:
            for line, content in enumerate(text.split("\n"), start=1):
                if content.strip():
                    yield from _values(path, content, line)
        else:
            yield from _values(path, text, 1)


def _values(path: Path, text: str, first_line: int) -> Iterator[tuple[int, Any] | FileProblem]:
    """One JSON value, or the elements of a list, each with its own line."""
    try:
        value = read_json(text, most=None)
    except OutOfBounds as error:
        for one in error.problems:
            what = Text(vi=f"{one.field} {one.message.vi}".strip(), en=f"{one.field} {one.message.en}".strip())
            yield FileProblem(str(path), first_line, what, one.mend)
        return
    except ValueError as error:
        detail, line = (error.msg, error.lineno) if isinstance(error, json.JSONDecodeError) else (str(error), 1)
        fault = json_fault(detail)
        what = Text(vi=f"Không phải JSON: {fault.vi}.", en=f"This is not JSON: {fault.en}.")
        mend = Text(vi="Sửa lại cho đúng cú pháp JSON.", en="Make it valid JSON.")
        yield FileProblem(str(path), first_line + line - 1, what, mend)
        return
    place, decoder = _behind_blanks(text, 0), json.JSONDecoder()
    if not isinstance(value, list):
        yield first_line + text.count("\n", 0, place), value
        return
    for _ in value:
        place = _behind_blanks(text, place + 1)  # behind the bracket or the comma as well
        element, end = decoder.raw_decode(text, place)
        yield first_line + text.count("\n", 0, place), element
        place = _behind_blanks(text, end)


def _behind_blanks(text: str, place: int) -> int:
    found = _VISIBLE.search(text, place)
    return found.start() if found else len(text)


def _message(path: Path, line: int, entry: Any, province: str | None) -> Message | FileProblem:
    mend = Text(
        vi='Mỗi hồ sơ có dạng {"type": "…", "data": {…}}.',
        en='Each submission has the form {"type": "…", "data": {…}}.',
    )
    plain = _plain(entry)
    if plain is None:
        found = ", ".join(entry) if isinstance(entry, dict) else json.dumps(entry, ensure_ascii=False)[:40]
        what = Text(
            vi=f"Cần đúng hai trường `type` và `data`, ở đây có: {found or '∅'}.",
            en=f"It needs exactly the fields `type` and `data`; here is: {found or '∅'}.",
        )
        return FileProblem(str(path), line, what, mend)
    if plain.type not in SUBMISSIONS:
        what = Text(vi=f"Không có loại hồ sơ {plain.type!r}.", en=f"There is no submission of type {plain.type!r}.")
        known = ", ".join(SUBMISSIONS)
        return FileProblem(str(path), line, what, Text(vi=f"Dùng một trong: {known}.", en=f"Use one of: {known}."))
    if not isinstance(plain.data, dict):
        what = Text(vi="`data` phải là một đối tượng JSON.", en="`data` must be a JSON object.")
        return FileProblem(str(path), line, what, mend)
    own = province or plain.province
    if own is None or plain.province not in (None, own):
        return FileProblem(str(path), line, *_whose(plain.province, province))
    body = json.dumps(plain.data, ensure_ascii=False).encode()
    key = plain.key or submission_key(plain.data, own)
    return Message(own, key, plain.type, body, plain.headers)


@dataclass(frozen=True, slots=True)
class _Plain:
    """What an object in a file says, in whichever form."""

    type: Any
    data: Any
    headers: Mapping[str, bytes | None] = field(default_factory=dict)
    key: str | None = None
    province: str | None = None
    """Of the channel that it names."""


def _plain(entry: Any) -> _Plain | None:
    if not isinstance(entry, dict):
        return None
    if entry.keys() == {"type", "data"}:
        return _Plain(entry["type"], entry["data"])
    if entry.keys() == {"type", "province", "data"}:
        return _Plain(entry["type"], entry["data"], province=str(entry["province"]))
    if entry.keys() == {"headers", "key", "topic", "data"} and _are_texts(entry["headers"]):
        family, _, province = str(entry["topic"]).rpartition(".")
        named = province if family == "submissions" else None
        headers = {name: value.encode() for name, value in entry["headers"].items() if name != "traceparent"}
        return _Plain(entry["headers"].get("ce_type"), entry["data"], headers, str(entry["key"]), named)
    attributes = {name: value for name, value in entry.items() if name not in ("data", "datacontenttype")}
    if "specversion" in entry and "data" in entry and _are_texts(attributes):
        headers = {f"ce_{name}": value.encode() for name, value in attributes.items()}
        return _Plain(entry.get("type"), entry["data"], headers)
    return None


def _are_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())


def _whose(named: str | None, province: str | None) -> tuple[Text, Text]:
    """What is wrong with the province of a submission, and how to mend it."""
    if named is None:
        return (
            Text(vi="Không rõ hồ sơ của tỉnh nào.", en="It does not say of which province it is."),
            Text(vi="Thêm --province MÃ.", en="Add --province CODE."),
        )
    return (
        Text(vi=f"Hồ sơ thuộc kênh của tỉnh {named}.", en=f"It is for the channel of province {named}."),
        Text(vi=f"Không gửi nhân danh tỉnh {province}.", en=f"Do not send it in the name of {province}."),
    )


def structured(message: Message, time: datetime) -> bytes:
    """The message as a structured CloudEvent, its data as they are."""
    headers = {name: value.decode("utf-8", "replace") for name, value in headers_of(message, time, "")}
    attributes = {name.removeprefix("ce_"): value for name, value in headers.items() if name.startswith("ce_")}
    return json.dumps(attributes, ensure_ascii=False).encode()[:-1] + b', "data": ' + message.body + b"}"
