"""CloudEvents 1.0 on Kafka: attributes as `ce_*` headers, the JSON body as value (binary mode). From outside also whole
events as value (structured mode), which are read as the same in binary mode.

Reading never raises: whatever lies in a record becomes `Received` or `Unreadable`. The CloudEvents SDK cannot promise
that (it raises on the first bad header), so these few lines are ours; a contract test reads our records with the SDK.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from pydantic import BaseModel, ValidationError

from shared.cloudevents import ATTRIBUTE, BATCH, CONTENT_TYPE, STRUCTURED, contradictions, media_of, read_event
from shared.contracts.base import Problem
from shared.contracts.catalogue import CONTRACTS
from shared.contracts.former import FORMER, Former
from shared.contracts.topics import largest_record
from shared.messaging.consume.attributes import NO_JSON, attribute_problems, is_json
from shared.messaging.consume.batches import SAMPLE_BYTES, damage_of
from shared.messaging.messages import Cut, Position, Reason, Received, Unreadable
from shared.outside import OutOfBounds, read_json
from shared.refusals import problem
from shared.texts import stranger
from shared.wording import EN

OUTSIDE = "submissions"
"""The family of what comes from outside: a sender's event of ours is of no type that there is."""
REQUIRED = ("ce_specversion", "ce_id", "ce_source", "ce_type")
_PLACE_ID = re.compile(r"(?P<place>.+/\d+@\d+)T(?P<appended>-?\d+)(?P<hash>#[0-9a-f]{16})")
USUAL_HEADERS, HEADER_BYTES = 64, 32
"""What each header beyond the usual number counts besides its text: three million empty ones are not nothing."""
TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class Record(Protocol):
    """The part of a Kafka record that is read here."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


def position_of(record: Record) -> Position:
    """Where the record lies."""
    return Position(record.topic, record.partition, record.offset)


def outside_id(record: Record) -> str:
    """Inbox id for a record whose sender is outside our trust: its place in the log, and what lies there since when."""
    return place_id(position_of(record), record.timestamp, record.value)


def place_id(position: Position, appended: int, value: bytes | None) -> str:
    """The same, for who knows where it put what; a submission's receipt has the id `derived_id(place_id(…), 0)`.

    `appended`: the broker's append time in milliseconds. A topic that is deleted and made anew counts its offsets from
    0 again; only the time tells the same bytes at the same place apart.
    """
    return f"{position}T{appended}#{hashlib.sha256(value or b'').hexdigest()[:16]}"


def former_id(event_id: str) -> tuple[str, int] | None:
    """The id that such a record had before its append time was part of it, and that time; `None` for other events."""
    found = _PLACE_ID.fullmatch(event_id)
    return (found["place"] + found["hash"], int(found["appended"])) if found else None


def read(
    record: Record,
    *,
    received_at: datetime,
    trusted: bool,
    clock_offset: int = 0,
    decided_at: datetime | None = None,
    routed: Container[str] | None = None,
) -> Received[BaseModel] | Received[Unreadable] | Received[None]:
    """Read one record; total: returns for every possible input.

    Args:
        record: what lies in Kafka.
        received_at: business time of its reception.
        trusted: whether `ce_source` and `ce_id` identify the event (our own services) or only its place does; what
            comes from outside is read within `shared.contracts.bounds`.
        clock_offset: seconds by which `received_at` is shifted.
        decided_at: business time at which it is decided on.
        routed: the types whose bodies are of use; the body of a trusted event of another one stays unread, its `data`
            `None`. By default all are of use.
    """
    cut = _cut(record)
    headers, bad_header = _headers(record.headers, trusted=trusted) if cut is None else ({}, None)
    value = record.value or b""
    traceparent = headers.get("traceparent")

    former = FORMER.get(headers.get("ce_type", "")) if trusted else None

    def received(data: Any) -> Received[Any]:
        source, own_id = headers.get("ce_source", ""), headers.get("ce_id", "")
        version = headers.get("ce_version", "")
        return Received(
            data=data,
            event_id=f"{source}#{own_id}" if trusted and source and own_id else outside_id(record),
            type=former.now.value if former else headers.get("ce_type", ""),
            source=source,
            subject=headers.get("ce_subject", ""),
            version=int(version) if version.isascii() and version.isdigit() and len(version) < 10 else None,
            received_at=received_at,
            position=position_of(record),
            raw=value[: SAMPLE_BYTES if cut else None],
            traceparent=traceparent if traceparent and TRACEPARENT.fullmatch(traceparent) else None,
            clock_offset=clock_offset,
            decided_at=decided_at,
            key=(record.key or b"").decode("utf-8", "replace"),
        )

    if cut is not None:
        return received(cut)
    wrong: Sequence[Problem] = ()
    opened = None if trusted else _opened(record, headers)
    if isinstance(opened, Unreadable):
        return received(opened)
    if opened is not None:
        headers, bad_header = _headers(opened.headers, trusted=trusted)
        value, wrong = opened.value, opened.problems
    event_type = headers.get("ce_type")
    wrong = () if trusted else (*wrong, *attribute_problems(headers))
    told = _told(wrong)
    if any(one.code == NO_JSON for one in wrong):
        return received(Unreadable(Reason.BAD_HEADER, "content-type", event_type, None, told))
    contract = former.now if former else CONTRACTS.get(event_type or "")
    refused: tuple[Reason, str] | None = None
    if bad_header:
        refused, told = (Reason.BAD_HEADER, _shown(bad_header, trusted)), ()
    elif absent := [_shown(name, trusted) for name in REQUIRED if not headers.get(name)]:
        refused = Reason.MISSING_HEADER, ", ".join(absent)
    elif contract is None or not (trusted or contract.family == OUTSIDE):
        refused = Reason.UNKNOWN_TYPE, event_type or ""
    elif trusted and routed is not None and contract.value not in routed:
        return received(None)
    elif trusted and not former:
        with suppress(ValidationError):  # what is wrong with it is found below, with all that can be told of it
            return received(contract.model.model_validate_json(value))
    body, fault = _json(value, read_json if not trusted else json.loads)
    if refused or contract is None:
        reason, detail = refused or (Reason.UNKNOWN_TYPE, "")
        return received(Unreadable(reason, detail, event_type, body, told))
    if fault:
        return received(Unreadable(fault.reason, fault.detail, event_type, body, (*told, *fault.errors)))
    try:
        said = _lifted(former, body) if former else value
        data = contract.model.model_validate_json(said) if trusted else contract.claim.of_sender(said)
    except ValidationError as error:
        found = tuple(error.errors(include_url=False, include_context=True, include_input=True))
        detail = f"{error.error_count()} problem(s)"
        return received(Unreadable(Reason.INVALID_BODY, detail, event_type, body, (*told, *found)))
    if told:
        return received(Unreadable(Reason.BAD_HEADER, ", ".join(one.code for one in wrong), event_type, body, told))
    return received(data)


def _lifted(former: Former, body: Any) -> str:
    """A former body as one of today; what was never one stays as it is, for today's contract to say what is wrong."""
    try:
        return json.dumps(former.lift(body))
    except (AttributeError, KeyError, TypeError, ValueError):
        return json.dumps(body)


def size_of(record: Record) -> int:
    """Bytes of a record as it is kept: key, value and headers."""
    size = len(record.key or b"") + len(record.value or b"")
    for name, value in record.headers:
        size += len(name) if name.isascii() else len(name.encode("utf-8", "backslashreplace"))
        size += len(value or b"")
    return size + HEADER_BYTES * max(len(record.headers) - USUAL_HEADERS, 0)


def _cut(record: Record) -> Unreadable | None:
    """A record that nobody could read, or that is larger, unpacked, than its topic allows."""
    damage = damage_of(record)
    if damage is not None:
        reason = Reason.TOO_LARGE if damage.too_large else Reason.DAMAGED
        detail = f"offsets {damage.first} to {record.offset}: {damage.detail}"
        return Unreadable(reason, detail, None, None, cut=Cut(damage.size, damage.sha256, damage.first))
    size, limit = size_of(record), largest_record(record.topic)
    if size <= limit:
        return None
    cut = Cut(size, hashlib.sha256(record.value or b"").hexdigest(), record.offset)
    return Unreadable(Reason.TOO_LARGE, f"{EN(size)} bytes instead of at most {EN(limit)}", None, None, cut=cut)


class _Opened(NamedTuple):
    """A record in structured mode as binary mode has it."""

    headers: Sequence[tuple[str, bytes]]
    value: bytes
    problems: Sequence[Problem]


def _opened(record: Record, headers: Mapping[str, str]) -> _Opened | Unreadable | None:
    """What a record from outside holds in another mode than binary; `None` of what is in binary mode."""
    content_type = headers.get(CONTENT_TYPE, "")
    if "cloudevents" not in content_type.lower():
        return None
    media, type_ = media_of(content_type), headers.get("ce_type")
    if media == BATCH:
        return Unreadable(Reason.BAD_HEADER, CONTENT_TYPE, type_, None, _told([problem("envelope.batch_in_record")]))
    if media != STRUCTURED or not is_json(content_type):
        return None  # and refused for that
    found, fault = _json(record.value or b"", read_event)
    if fault:
        return Unreadable(fault.reason, fault.detail, type_, None, fault.errors)
    event, problems = found
    if event is None:
        return Unreadable(Reason.INVALID_BODY, f"{len(problems)} problem(s)", type_, None, _told(problems))
    sent = [(name.lower(), value) for name, value in record.headers]
    attributes = [(name, value) for name, value in sent if name.startswith(ATTRIBUTE)]
    beside = [(name, value) for name, value in sent if not name.startswith(ATTRIBUTE) and name != CONTENT_TYPE]
    return _Opened([*beside, *event.headers], event.body, [*problems, *contradictions(event, attributes)])


def _shown(name: str, trusted: bool) -> str:
    """A header; to a sender outside, whose attributes may stand elsewhere, the attribute that it carries."""
    return name if trusted else name.removeprefix(ATTRIBUTE)


def _headers(given: Iterable[tuple[str, bytes | None]], *, trusted: bool) -> tuple[dict[str, str], str | None]:
    """Headers as text, and the name of the first one that is none.

    From outside an attribute of the event stands once, and is a text; other headers are nobody's concern. Names count
    whatever their case: bridges from HTTP do not keep it, and CloudEvents has no two names that differ in it alone.
    """
    if trusted:
        with suppress(UnicodeDecodeError):
            return {name: (value or b"").decode() for name, value in given}, None
    headers: dict[str, str] = {}
    bad: str | None = None
    for sent, value in given:
        name = sent if trusted or sent.islower() else sent.lower()
        try:
            text = (value or b"").decode("utf-8")
        except UnicodeDecodeError:
            bad = bad or name
            continue
        if not trusted and name.startswith(ATTRIBUTE) and (name in headers or stranger(text) is not None):
            bad = bad or name
        headers[name] = text
    return headers, bad


class _Problem(NamedTuple):
    """Why a body could not be read."""

    reason: Reason
    detail: str
    errors: tuple[Mapping[str, Any], ...] = ()


def _told(problems: Sequence[Problem]) -> tuple[Mapping[str, Any], ...]:
    return tuple({"problem": one} for one in problems)


def _json(value: bytes, parse: Callable[[str], Any]) -> tuple[Any, _Problem | None]:
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError as error:
        return None, _Problem(Reason.NOT_UTF8, f"byte {error.start}: {suspected_encoding(value)}")
    try:
        return parse(text), None
    except OutOfBounds as error:
        return error.body, _Problem(Reason.INVALID_BODY, str(error), _told(error.problems))
    except (ValueError, RecursionError) as error:
        return None, _Problem(Reason.BAD_JSON, str(error)[:200])


def suspected_encoding(value: bytes) -> str:
    """A guess, in words, at what non-UTF-8 bytes are; for the message only, never used to decode."""
    if value.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    try:
        text = value.decode("cp1258")
    except UnicodeDecodeError:
        return "unknown"
    vietnamese = sum(1 for letter in text if unicodedata.combining(letter) or letter in "ăâđêôơưĂÂĐÊÔƠƯ")
    return "windows-1258" if vietnamese else "TCVN3 / VNI"
