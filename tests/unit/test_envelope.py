"""Reading and writing the envelope. Reading is total: whatever lies in a record, it returns."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.problems import of_unreadable
from shared.cloudevents import BATCH, STRUCTURED
from shared.contracts.bounds import MOST
from shared.contracts.catalogue import CONTRACTS, EventType
from shared.contracts.facts import EnvelopeAccepted
from shared.contracts.former import FORMER
from shared.contracts.topics import largest_record
from shared.messaging.clock import BusinessClock
from shared.messaging.consume import envelope
from shared.messaging.consume.batches import SAMPLE_BYTES, Damage
from shared.messaging.consume.burying import Buried, dead_letter, without_bytes
from shared.messaging.messages import Cut, Position, Reason, Received, Unreadable
from shared.messaging.send import events
from tests.unit.delivery_samples import AT, TRACE, Stored, head, record

FACT = EnvelopeAccepted(
    version=3, submission_id="s-1", receipt_id="r-1", province="04", received_at=AT, year=2026, amount=75_000_000
)
BODY = FACT.model_dump_json().encode()
HEAD = head(EventType.ENVELOPE_ACCEPTED)


def read(record: Stored, *, trusted: bool = True) -> Received[Any]:
    """Read a record as it arrives now."""
    return envelope.read(record, received_at=AT, trusted=trusted)


def reason(record: Stored) -> Reason:
    """Why a record could not be read."""
    data = read(record).data
    assert isinstance(data, Unreadable)
    return data.reason


def test_what_was_written_is_read() -> None:
    headers = events.headers_for(
        event_id="e-1", source="/langhoc/intake", subject="04", data=FACT, time=AT, traceparent=TRACE
    )
    received = read(record(events.body_of(FACT), headers, partition=2, offset=7))

    assert received == Received(
        data=FACT,
        event_id="/langhoc/intake#e-1",
        type="langhoc.envelope.accepted.v1",
        source="/langhoc/intake",
        subject="04",
        version=3,
        received_at=AT,
        position=Position("intake.accepted", 2, 7),
        raw=events.body_of(FACT),
        traceparent=TRACE,
        key="",
    )


def test_the_time_of_an_event_is_utc_whatever_zone_it_was_given_in() -> None:
    hanoi = AT.astimezone(timezone(timedelta(hours=7)))
    headers = events.headers_for(event_id="e", source="s", subject="x", data=FACT, time=hanoi, traceparent=None)
    assert headers["ce_time"] == "2026-01-10T02:30:00Z"
    assert datetime.fromisoformat(headers["ce_time"]) == hanoi
    assert "traceparent" not in headers


@pytest.mark.parametrize(
    ("value", "headers", "expected"),
    [
        (BODY, HEAD | {"traceparent": b"\xff\xfe"}, Reason.BAD_HEADER),
        (BODY, HEAD | {"anything": b"\x80"}, Reason.BAD_HEADER),
        (BODY, {}, Reason.MISSING_HEADER),
        (BODY, HEAD | {"ce_id": ""}, Reason.MISSING_HEADER),
        (BODY, HEAD | {"ce_type": "langhoc.envelope.accepted.v2"}, Reason.UNKNOWN_TYPE),
        (b"{", HEAD, Reason.BAD_JSON),
        (b"", HEAD, Reason.BAD_JSON),
        (None, HEAD, Reason.BAD_JSON),
        (b"[" * 100_000, HEAD, Reason.BAD_JSON),
        ('{"a": "Hà Nội"}'.encode("utf-16"), HEAD, Reason.NOT_UTF8),
        (b"\xc3\x28", HEAD, Reason.NOT_UTF8),
        (b"[]", HEAD, Reason.INVALID_BODY),
        (b"null", HEAD, Reason.INVALID_BODY),
        (b'{"version": 1e999}', HEAD, Reason.INVALID_BODY),
        (b'{"province": "\\ud800"}', HEAD, Reason.INVALID_BODY),
    ],
)
def test_what_cannot_be_read_says_why(value: bytes | None, headers: dict[str, str | bytes], expected: Reason) -> None:
    assert reason(record(value, headers)) is expected


def test_every_problem_of_a_body_is_found_at_once() -> None:
    data = read(record(b'{"version": 0, "amount": -1}', HEAD)).data
    assert isinstance(data, Unreadable)
    assert {error["loc"][0] for error in data.errors} >= {"version", "amount", "submission_id", "province", "year"}
    assert data.body == {"version": 0, "amount": -1}


@pytest.mark.parametrize(
    ("letters", "encoding"),
    [
        ("Hà Nội".encode("utf-16"), "UTF-16"),
        ("\u0110\u01b0\u01a1\u0300ng".encode("cp1258"), "windows-1258"),
        (b"H\xb5 N", "TCVN3 / VNI"),
        (b"\x8a\xff", "unknown"),
    ],
)
def test_the_suspected_encoding_is_named(letters: bytes, encoding: str) -> None:
    assert envelope.suspected_encoding(letters) == encoding


def test_only_a_trusted_sender_names_its_event_by_itself() -> None:
    lie = record(BODY, HEAD, topic="submissions.04", partition=1, offset=9)
    assert read(lie).event_id == "/langhoc/intake#e-1"
    outside = read(lie, trusted=False).event_id
    assert outside.startswith("submissions.04/1@9T")
    lie.value = b"other bytes at the same place"
    assert read(lie, trusted=False).event_id != outside


@pytest.mark.parametrize("absent", ["ce_source", "ce_id"])
@pytest.mark.parametrize("blank", [True, False])
def test_a_record_without_an_identity_is_known_by_its_place(absent: str, blank: bool) -> None:
    """Else two of them would be the same event, and the second would be dropped as a duplicate."""
    headers = HEAD | {absent: ""} if blank else {name: text for name, text in HEAD.items() if name != absent}
    ids = {read(record(BODY, headers, offset=offset)).event_id for offset in range(2)}
    assert len(ids) == 2
    assert all(id.startswith("intake.accepted/0@") for id in ids)


@pytest.mark.parametrize(
    "traceparent",
    ["", "00-zz", TRACE + "\n", TRACE.upper(), "01" + TRACE[2:], "x" * 10_000],
)
def test_a_broken_traceparent_is_no_reason_to_refuse(traceparent: str) -> None:
    received = read(record(BODY, HEAD | {"traceparent": traceparent}))
    assert received.data == FACT
    assert received.traceparent is None


@pytest.mark.parametrize("version", ["", "-1", "1.5", "٣", "9" * 20, "1\n"])
def test_a_version_header_that_is_no_number_does_not_count(version: str) -> None:
    assert read(record(BODY, HEAD | {"ce_version": version})).version is None


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
).map(lambda value: json.dumps(value).encode())
ANY_HEADERS = st.lists(
    st.tuples(
        st.sampled_from([*HEAD, "ce_subject", "ce_version", "traceparent", "content-type"]) | st.text(),
        st.sampled_from([b"1.0", b"", *(type_.encode() for type_ in [*CONTRACTS, *FORMER])]) | st.binary() | st.none(),
    ),
    max_size=12,
)


@given(value=st.none() | st.binary() | ANY_JSON, headers=ANY_HEADERS, whole=st.booleans(), trusted=st.booleans())
def test_reading_is_total(value: bytes | None, headers: list[tuple[str, bytes]], whole: bool, trusted: bool) -> None:
    """No bytes and no headers make it raise, and every record has an id, a place and its raw bytes."""
    good = [(name, text.encode()) for name, text in HEAD.items()] if whole else []

    received = read(Stored("t", 0, 5, value, [*headers, *good]), trusted=trusted)

    assert received.event_id
    assert received.position == Position("t", 0, 5)
    assert received.raw == (value or b"")
    assert isinstance(received.data, Unreadable | EnvelopeAccepted) or not whole


@pytest.mark.parametrize("former", FORMER)
@given(value=ANY_JSON)
def test_what_was_never_of_a_former_type_is_refused_as_what_replaced_it(former: str, value: bytes) -> None:
    headers = [(name, text.encode()) for name, text in {**HEAD, "ce_type": former}.items()]
    received = read(Stored("t", 0, 5, value, headers), trusted=True)
    assert isinstance(received.data, Unreadable)
    assert (received.type, received.data.reason) == (FORMER[former].now.value, Reason.INVALID_BODY)


@given(value=st.binary() | ANY_JSON | st.integers(0, len(BODY)).map(lambda end: BODY[:end]) | st.just(BODY))
def test_a_body_is_parsed_once_and_said_to_be_what_both_readers_find(value: bytes) -> None:
    """What `json` cannot read is not read either, so that what is wrong with it can always be told."""
    try:
        expected = EnvelopeAccepted.model_validate(json.loads(value.decode()))
    except (ValueError, RecursionError):
        assert isinstance(read(record(value, HEAD)).data, Unreadable)
    else:
        assert read(record(value, HEAD)).data == expected


@pytest.mark.parametrize("body", [BODY, b"{", b"\xff", b"{}", None])
def test_a_body_that_nobody_routes_is_not_read(body: bytes | None) -> None:
    received = envelope.read(record(body, HEAD), received_at=AT, trusted=True, routed={EventType.RECEIPT_ISSUED})
    assert (received.data, received.type, received.raw) == (None, EventType.ENVELOPE_ACCEPTED, body or b"")
    assert received.event_id == "/langhoc/intake#e-1"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (HEAD | {"x": b"\xff"}, Reason.BAD_HEADER),
        (HEAD | {"ce_id": ""}, Reason.MISSING_HEADER),
        (HEAD | {"ce_type": "langhoc.envelope.accepted.v2"}, Reason.UNKNOWN_TYPE),
    ],
)
def test_nobody_knows_whether_it_is_routed_unless_its_head_is_whole(
    headers: dict[str, str | bytes], expected: Reason
) -> None:
    data = envelope.read(record(BODY, headers), received_at=AT, trusted=True, routed=()).data
    assert isinstance(data, Unreadable)
    assert data.reason is expected


def test_what_comes_from_outside_is_read_whoever_routes_it() -> None:
    data = envelope.read(record(b"{", HEAD), received_at=AT, trusted=False, routed=()).data
    assert isinstance(data, Unreadable)


@given(changes=st.dictionaries(st.sampled_from(sorted(EnvelopeAccepted.model_fields)), ANY_JSON.map(json.loads)))
def test_a_body_that_is_read_can_be_written_and_read_again(changes: dict[str, object]) -> None:
    received = read(record(json.dumps(json.loads(BODY) | changes).encode(), HEAD))
    if not isinstance(received.data, Unreadable):
        assert isinstance(received.data, EnvelopeAccepted)
        assert read(record(events.body_of(received.data), HEAD)).data == received.data


# -------------------------------------------------------------------------------------- structured mode, from outside

SUBMITTED = EventType.ENVELOPE_SUBMITTED
CHANNEL = "submissions.04"
SENT = b'{"submission_id": "E-1",  "year": 2026, "amount": 5000000}'
SPELLINGS = [
    SENT.replace(b"5000000", each) for each in (b"5000000", b"5000000.0", b"5e6", b'"5000000"', b'1, "year": 1')
]


def structured(body: bytes, *, headers: Mapping[str, str | bytes] = MappingProxyType({}), **attributes: Any) -> Stored:
    """A record whose value is an event with this very text as data."""
    said = {name.removeprefix("ce_"): value for name, value in head(SUBMITTED).items()} | attributes
    event = json.dumps(said).encode()[:-1] + b', "data": ' + body + b"}"
    return record(event, {"content-type": STRUCTURED, **headers}, topic=CHANNEL)


def told(received: Received[Any]) -> Any:
    """All that a judge makes of a record, but its place."""
    data = received.data
    said = of_unreadable(data) if isinstance(data, Unreadable) else data
    return said, received.type, received.source, received.subject, received.raw, received.key, received.traceparent


def test_an_event_in_structured_mode_is_read_as_the_same_in_binary_mode() -> None:
    beside = {"traceparent": TRACE, "spring_id": "x"}
    binary = read(record(SENT, {**head(SUBMITTED, ce_subject="04"), **beside}, topic=CHANNEL), trusted=False)
    whole = read(structured(SENT, subject="04", headers=beside), trusted=False)
    assert not isinstance(whole.data, Unreadable)
    assert whole.raw == SENT, "the data, as they are written"
    assert whole == replace(binary, event_id=whole.event_id)
    assert whole.event_id == envelope.outside_id(structured(SENT, subject="04")), "the record is what lies in Kafka"


@given(body=ANY_JSON | st.sampled_from(SPELLINGS), type_=st.sampled_from(sorted(CONTRACTS)) | st.text(), time=st.text())
def test_whatever_is_in_an_event_is_judged_alike_in_both_modes(body: bytes, type_: str, time: str) -> None:
    attributes: dict[str, Any] = {"type": type_, "time": time}
    headers = {**head(type_), "ce_time": time}
    binary = record(
        body, {name: text.encode("utf-8", "surrogatepass") for name, text in headers.items()}, topic=CHANNEL
    )
    assert told(read(structured(body, **attributes), trusted=False)) == told(read(binary, trusted=False))


@given(value=st.none() | st.binary() | ANY_JSON | st.binary().map(lambda data: SENT + data), headers=ANY_HEADERS)
@pytest.mark.parametrize("mode", [STRUCTURED, BATCH])
def test_reading_an_event_is_total(mode: str, value: bytes | None, headers: list[tuple[str, bytes]]) -> None:
    """What is no event is refused in words; no header beside it changes that."""
    received = read(Stored(CHANNEL, 0, 5, value, [*headers, ("content-type", mode.encode())]), trusted=False)
    assert isinstance(received.data, Unreadable)
    assert of_unreadable(received.data)


def test_between_our_services_a_record_is_in_binary_mode() -> None:
    assert read(record(BODY, {**HEAD, "content-type": STRUCTURED})).data == FACT


def test_of_very_many_faults_the_first_are_told_and_how_many_there_are() -> None:
    event = json.dumps({f"Odd{number}": number for number in range(9_000)}).encode()
    data = read(record(event, {"content-type": STRUCTURED}, topic=CHANNEL), trusted=False).data
    assert isinstance(data, Unreadable)
    assert len(data.errors) == MOST
    assert "8,901" in data.errors[-1]["problem"].message.en


def test_a_dead_letter_keeps_an_event_as_it_lay_in_kafka_and_is_read_again_alike() -> None:
    lay = structured(SENT)
    received = read(lay, trusted=False)
    letter = dead_letter("intake", lay, received, Reason.HANDLER_FAILED, "", AT)
    again = Buried.of(letter)
    assert bytes(again.value or b"") == lay.value
    assert envelope.read(again, received_at=AT, trusted=False) == received
    assert bytes(letter["data"]) == SENT, "by which an erasure finds it"
    assert "submission_id" not in str(without_bytes(letter, AT))


# ------------------------------------------------------------------------------------------------- sizes


@pytest.mark.parametrize("where", ["value", "key", "header", "name"])
def test_a_record_is_measured_whole_and_the_limit_is_exact(where: str) -> None:
    """The broker measures it packed; here it is what it takes."""
    topic = "submissions.04"

    def sized(more: int) -> Stored:
        spare = largest_record(topic) - envelope.size_of(record(BODY, HEAD)) + more
        match where:
            case "value":
                return record(BODY + b" " * spare, HEAD, topic=topic)
            case "key":
                return record(BODY, HEAD, topic=topic, key="k" * spare)
            case "header":
                return record(BODY, {**HEAD, "x": "x" * (spare - 1)}, topic=topic)
            case _:
                return record(BODY, {**HEAD, "x" * spare: ""}, topic=topic)

    assert read(sized(0)).data == FACT
    received = read(sized(1), trusted=False)
    assert isinstance(received.data, Unreadable)
    assert received.data.reason is Reason.TOO_LARGE
    assert received.data.cut == Cut(
        largest_record(topic) + 1, hashlib.sha256(sized(1).value or b"").hexdigest(), received.position.offset
    )
    assert received.raw == (sized(1).value or b"")[:SAMPLE_BYTES]


def test_what_nobody_could_read_is_said_with_the_places_that_it_took() -> None:
    lost = record(b"beginning", {}, offset=9)
    lost.checksum = Damage(7, "codec 7", False, False, 3_000, "ab" * 32)
    received = read(lost, trusted=False)
    assert isinstance(received.data, Unreadable)
    assert (received.data.reason, received.data.cut) == (Reason.DAMAGED, Cut(3_000, "ab" * 32, 7))
    assert "offsets 7 to 9" in received.data.detail
    lost.checksum = Damage(7, "too much", True, False, 3_000, "ab" * 32)
    assert reason(lost) is Reason.TOO_LARGE


def test_millions_of_empty_headers_are_not_nothing() -> None:
    full = record(BODY, HEAD, topic="submissions.04")
    full.headers = [*full.headers, *[("", b"")] * 9_000]
    assert reason(full) is Reason.TOO_LARGE


def test_the_time_of_a_record_is_known_or_now_whatever_number_stands_there() -> None:
    clock = BusinessClock(offset_seconds=-86_400)
    for number in (2**62, -(2**62), 253_402_300_800_000, 0, -1):
        assert 1900 < clock.appended(number).year <= 9000
    assert abs(clock.appended(0) - clock.now()) < timedelta(minutes=1), "of a batch whose time cannot be believed"
