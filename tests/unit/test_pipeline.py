"""The pipeline over a database in memory: what one record does never harms its neighbours, and nothing counts twice."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, SamplingResult
from pydantic import TypeAdapter

from shared.contracts.catalogue import EXAMPLES, EventType
from shared.contracts.facts import EnvelopeAccepted
from shared.contracts.submissions import EnvelopeSubmitted
from shared.messaging.clock import BusinessClock
from shared.messaging.consume import pipeline
from shared.messaging.consume.brake import Brake
from shared.messaging.consume.pipeline import Pipeline, Progress
from shared.messaging.decide.asking import Ask, Consumer, Outcome, Request
from shared.messaging.decide.documents import Collection, Document, Ref, content_of
from shared.messaging.messages import Outgoing, Reason, Received, Unreadable, derived_id
from shared.messaging.send.outbox import LARGEST_BODY
from shared.mongo import LoggedOut, Unavailable
from shared.mongo.port import CommitUnknown, Transient
from shared.telemetry import dropped
from tests.fakes.memory import Fault, MemoryMongo
from tests.unit.delivery_samples import AT, TRACE, Stored, head, record

IN, OUT = "intake.accepted", "budgets"
LIMIT = 3
TOTALS: Collection[Document] = Collection("totals", TypeAdapter(dict[str, Any]))
POINTERS: Collection[Document] = Collection("pointers", TypeAdapter(dict[str, Any]))
ANSWERS: Collection[Document] = Collection("answers", TypeAdapter(dict[str, Any]))


def fact(submission_id: str = "good", province: str = "04") -> EnvelopeAccepted:
    """A fact; what the handler below does with it depends on its submission id."""
    return EnvelopeAccepted(
        version=1,
        submission_id=submission_id,
        receipt_id="r",
        province=province,
        received_at=AT,
        year=2026,
        amount=75_000_000,
    )


def stored(
    offset: int, what: str = "good", *, province: str = "04", partition: int = 0, id: str | None = None, **more: str
) -> Stored:
    """A record of such a fact; its event id is its partition and offset unless given."""
    headers = head(EventType.ENVELOPE_ACCEPTED, id or f"{partition}/{offset}", **more)
    body = fact(what, province).model_dump_json().encode()
    return record(body, headers, topic=IN, partition=partition, offset=offset, key=province)


def total(province: str) -> Ref[Document]:
    """How many facts of a province were counted."""
    return TOTALS.ref(province)


async def _count(received: Received[EnvelopeAccepted], ask: Ask) -> Outcome:
    data = received.data
    if data.submission_id == "fails before it asks":
        raise LookupError("no such thing")
    before = await ask.one(total(data.province))
    after = {"n": (before["n"] if before else 0) + 1, "last": received.position.offset}
    outcome = Outcome(
        puts={total(data.province): after},
        events=[Outgoing(OUT, data.province, data.province, data)],
        requests=[Request("sum", (data.province, data.year))],
    )
    match data.submission_id:
        case "poison":
            raise ZeroDivisionError("poison")
        case "asks for a range":
            await ask.all(TOTALS, {})
        case "forgets to ask":
            outcome.puts[total("99")] = {}
        case "unwritable":
            outcome.puts[total(data.province)] = {"n": after["n"], "unwritable": True}
        case "too large to publish":
            outcome.events.append(Outgoing(OUT, "x", "x", fact("x" * LARGEST_BODY)))
        case "traced elsewhere":
            outcome.events = [Outgoing(OUT, "x", "x", data, parent=ELSEWHERE)]
    return outcome


ELSEWHERE = "00-11111111111111111111111111111111-2222222222222222-01"
CONSUMER = Consumer("test", (IN,), {EventType.ENVELOPE_ACCEPTED: _count})


class Bench:
    """A pipeline, its database, and its brake."""

    def __init__(self, consumer: Consumer = CONSUMER, mongo: MemoryMongo | None = None) -> None:
        self.mongo = mongo or MemoryMongo()
        self.mongo.unwritable = lambda collection, document: document.get("unwritable", False)
        self.brake = Brake(LIMIT)
        self.pipeline = Pipeline("test", consumer, self.mongo, clock=BusinessClock(), brake=self.brake)

    async def process(self, *records: Stored) -> Progress:
        return await self.pipeline.process(records)

    def counted(self, province: str = "04") -> int:
        """How many facts of a province were counted."""
        row = self.mongo.rows("totals").get(province)
        return row["n"] if row else 0

    def sent(self) -> list[str]:
        """The causes of what lies in the outbox."""
        return [row["_id"] for row in self.mongo.all("outbox")]

    def dead(self) -> dict[int, tuple[str, str]]:
        """Dead letters by offset: reason and detail."""
        return {row["offset"]: (row["reason"], row["detail"]) for row in self.mongo.all("dead_letters")}

    def inbox(self) -> int:
        """How many events are known."""
        return len(self.mongo.rows("inbox"))

    def database_goes(self, at_commit: int, *, applied: bool = False) -> None:
        """The connection is lost while this transaction commits, and is not there again at once."""

        async def ping() -> None:
            raise Unavailable("gone")

        self.mongo.commit_faults = {at_commit: Fault(Unavailable, applied)}
        self.mongo.ping = ping  # type: ignore[method-assign]

    def assert_finished(self, records: Sequence[Stored], progress: Progress) -> None:
        """Every record is finished, or lies at or behind its partition's next offset."""
        known = self.mongo.rows("inbox").keys()
        for each in records:
            finished = f"/langhoc/intake#{each.partition}/{each.offset}" in known
            assert finished == (each.offset < progress.next_offsets[IN, each.partition]), each


@pytest.fixture
def bench() -> Bench:
    return Bench()


# ------------------------------------------------------------------------------------------------- the plain way


async def test_a_batch_is_one_transaction_with_everything_in_it(bench: Bench) -> None:
    progress = await bench.process(*(stored(offset) for offset in range(5)))

    assert bench.mongo.commits == 1
    assert (bench.counted(), bench.inbox(), len(bench.sent())) == (5, 5, 5)
    assert progress == Progress({(IN, 0): 5}, set(), written=True)
    assert bench.sent()[0] == derived_id("/langhoc/intake#0/0", 0), "a repeat raises the same event id again"
    row = bench.mongo.all("outbox")[0]
    assert (row["topic"], row["key"]) == (OUT, "04")
    assert row["headers"]["ce_source"] == "/langhoc/test"


async def test_offsets_are_counted_by_partition(bench: Bench) -> None:
    progress = await bench.process(stored(7, partition=1), stored(3), stored(8, partition=1))
    assert progress.next_offsets == {(IN, 0): 4, (IN, 1): 9}


async def test_a_burst_asks_once_for_each_recalculation(bench: Bench) -> None:
    await bench.process(*(stored(offset, province=f"0{offset % 2}") for offset in range(10)))
    requests = [(row["set"], row["key"]) for row in bench.mongo.all("recalculations")]
    assert sorted(requests) == [("sum", '["00", 2026]'), ("sum", '["01", 2026]')]


async def test_a_known_type_without_a_route_is_passed_over(bench: Bench) -> None:
    body = (EXAMPLES / f"{EventType.SUPPORT_ACCEPTED}.json").read_text()
    unrouted = record(
        json.dumps(json.loads(body)["data"]).encode(), head(EventType.SUPPORT_ACCEPTED), topic=IN, offset=5
    )

    progress = await bench.process(unrouted)

    assert progress == Progress({(IN, 0): 6}, set(), written=False)
    assert bench.mongo.commits == 0


# ------------------------------------------------------------------------------------------------- duplicates


async def test_a_duplicate_within_a_batch_and_across_batches_counts_once(bench: Bench) -> None:
    await bench.process(stored(0, id="a"), stored(1, id="a"), stored(2, id="b"))
    progress = await bench.process(stored(3, id="b"), stored(4, id="c"), stored(5, id="a"))

    assert (bench.counted(), bench.inbox(), len(bench.sent())) == (3, 3, 3)
    assert progress.next_offsets == {(IN, 0): 6}, "a duplicate's offset is finished"


async def test_a_batch_of_duplicates_writes_nothing(bench: Bench) -> None:
    await bench.process(stored(0), stored(1))
    progress = await bench.process(stored(0), stored(1))
    assert bench.mongo.commits == 1
    assert progress == Progress({(IN, 0): 2}, set(), written=False)


async def test_another_delivery_of_the_same_event_that_was_faster_is_found_by_the_database(bench: Bench) -> None:
    other = Bench(mongo=bench.mongo)

    async def faster() -> None:
        await other.process(stored(1, id="b"))

    bench.mongo.meanwhile = [faster]
    progress = await bench.process(stored(0, id="a"), stored(1, id="b"))

    assert (bench.counted(), bench.inbox(), len(bench.sent())) == (2, 2, 2)
    assert progress.next_offsets == {(IN, 0): 2}


# ------------------------------------------------------------------------------------------------- bad records


@pytest.mark.parametrize(
    ("what", "detail"),
    [
        ("poison", "ZeroDivisionError: poison"),
        ("fails before it asks", "LookupError: no such thing"),
        ("asks for a range", "UndeclaredRead: a record asks by identity only"),
        ("forgets to ask", "KeyError: \"Ref(collection='totals', id='99') was put or held without having been read\""),
        ("too large to publish", "ValueError: event for budgets has"),
    ],
)
async def test_a_failing_handler_leaves_a_dead_letter_and_nothing_else(bench: Bench, what: str, detail: str) -> None:
    progress = await bench.process(stored(0), stored(1, what), stored(2))

    assert progress.next_offsets == {(IN, 0): 3}
    assert (bench.counted(), bench.inbox(), len(bench.sent())) == (2, 3, 2)
    ((offset, (reason, said)),) = bench.dead().items()
    assert (offset, reason) == (1, Reason.HANDLER_FAILED)
    assert detail in said
    assert bench.mongo.rows("totals").keys() == {"04"}


async def test_what_a_document_tells_is_loaded_too_also_after_a_record_before_it_changed_it(bench: Bench) -> None:
    """The second record of the batch needs what the first one's write names, not what the database said before."""
    pointer = POINTERS.ref("current")

    async def follow(received: Received[EnvelopeAccepted], ask: Ask) -> Outcome:
        document = await ask.one(pointer)
        refs = [total(document["to"])] if document else []
        seen = {ref.id: found for ref, found in zip(refs, await ask.many(refs), strict=True)}
        return Outcome(puts={pointer: {"to": received.data.province, "seen": seen}})

    await bench.mongo.insert("totals", [{"_id": "01", "_rev": 1, "count": 7}, {"_id": "04", "_rev": 1, "count": 9}])
    await bench.mongo.insert("pointers", [{"_id": "current", "_rev": 1, "to": "01"}])
    bench.mongo.seal()
    consumer = Consumer("test", (IN,), {EventType.ENVELOPE_ACCEPTED: follow})
    pipeline = Pipeline("test", consumer, bench.mongo, clock=BusinessClock(), brake=Brake(LIMIT))
    await pipeline.process([stored(0, province="04"), stored(1, province="05")])
    kept = bench.mongo.rows("pointers")["current"]
    assert (kept["to"], kept["seen"]) == ("05", {"04": {"count": 9}})
    assert not bench.mongo.rows("dead_letters")


async def test_a_failure_between_two_questions_is_that_records_own(bench: Bench) -> None:
    async def count(received: Received[EnvelopeAccepted], ask: Ask) -> Outcome:
        await ask.one(total(received.data.province))
        if received.data.province == "05":
            raise LookupError("no such thing")
        return await _count(received, ask)

    consumer = Consumer("test", (IN,), {EventType.ENVELOPE_ACCEPTED: count})
    pipeline = Pipeline("test", consumer, bench.mongo, clock=BusinessClock(), brake=Brake(LIMIT))
    await pipeline.process([stored(0, province="05"), stored(1, province="04")])
    (letter,) = bench.mongo.rows("dead_letters").values()
    assert (letter["offset"], letter["reason"]) == (0, "handler_failed")
    assert "no such thing" in letter["detail"]
    assert bench.mongo.rows("totals").keys() == {"04"}


async def test_what_one_record_asks_for_is_no_licence_for_another(bench: Bench) -> None:
    """A question that is forgotten fails always, not only when no neighbour happens to load the document."""
    await bench.process(stored(0, province="99"), stored(1, "forgets to ask"))
    assert bench.dead().keys() == {1}
    assert [content_of(row) for row in bench.mongo.all("totals")] == [{"n": 1, "last": 0}]


@pytest.mark.parametrize(
    ("value", "headers", "reason"),
    [
        (b"{", head(EventType.ENVELOPE_ACCEPTED), Reason.BAD_JSON),
        (b"{", head(EventType.RECEIPT_ISSUED, traceparent="\udcff"), Reason.BAD_HEADER),
        (b"{}", head(EventType.ENVELOPE_ACCEPTED, traceparent="\udcff"), Reason.BAD_HEADER),
        (b"{}", head("unheard.of.v1"), Reason.UNKNOWN_TYPE),
        (b"{}", head(EventType.ENVELOPE_ACCEPTED), Reason.INVALID_BODY),
        (None, {}, Reason.MISSING_HEADER),
    ],
)
async def test_an_unreadable_record_is_kept_whole_and_its_neighbours_pass(
    bench: Bench, value: bytes | None, headers: dict[str, str], reason: Reason
) -> None:
    raw = {name: text.encode("utf-8", "surrogateescape") for name, text in headers.items()}
    await bench.process(stored(0), record(value, raw, topic=IN, partition=2, offset=1, key="k"), stored(2))

    assert bench.counted() == 2
    (letter,) = bench.mongo.all("dead_letters")
    assert (letter["reason"], letter["topic"], letter["partition"], letter["offset"]) == (reason, IN, 2, 1)
    assert (letter["value"], letter["key"], letter["consumer"]) == (value, b"k", "test")
    assert letter["headers"] == [[name, value] for name, value in raw.items()]
    assert letter["appended_at"] == AT
    assert not bench.brake.topics(), "a record that cannot be read is no fault of our code"


async def test_a_body_that_no_route_wants_need_not_be_readable(bench: Bench) -> None:
    """Its head says that it is another service's; whoever listens to it keeps what is wrong with it."""
    unread = record(b"{", head(EventType.RECEIPT_ISSUED), topic=IN, offset=1)
    progress = await bench.process(stored(0), unread, stored(2))
    assert bench.counted() == 2
    assert not bench.mongo.all("dead_letters")
    assert progress.next_offsets == {(IN, 0): 3}


async def test_a_record_of_an_outside_sender_is_answered_instead() -> None:
    async def refuse(received: Received[Unreadable], ask: Ask) -> Outcome:
        answer = ANSWERS.ref(received.event_id)
        await ask.one(answer)
        return Outcome(verdict=f"refused {received.data.reason}", puts={answer: {}})

    async def take(received: Received[EnvelopeSubmitted], ask: Ask) -> Outcome:
        before = await ask.one(total("04"))
        return Outcome(puts={total("04"): {"n": (before["n"] if before else 0) + 1}})

    def sent(offset: int) -> Stored:
        return record(submission, head(EventType.ENVELOPE_SUBMITTED, "theirs"), topic=IN, offset=offset)

    submission = EnvelopeSubmitted(submission_id="s", year=2026, amount=75_000_000).model_dump_json().encode()
    bench = Bench(Consumer("test", (IN,), {EventType.ENVELOPE_SUBMITTED: take}, refuse))
    await bench.process(
        sent(0),
        record(b"{", {}, topic=IN, offset=1),
        record(fact().model_dump_json().encode(), head(EventType.ENVELOPE_ACCEPTED), topic=IN, offset=2),
        sent(3),
        sent(3),
    )
    assert not bench.dead()
    assert len(bench.mongo.rows("answers")) == 2
    assert bench.counted() == 2, "the id that an outside sender gives does not make two records one, the place does"


# ------------------------------------------------------------------------------------------------- brake


async def test_after_too_many_failures_in_a_row_the_topic_stops_instead_of_draining(bench: Bench) -> None:
    progress = await bench.process(stored(0), *(stored(offset, "poison") for offset in range(1, 10)))

    assert progress.stopped == {(IN, 0)}
    assert progress.next_offsets == {(IN, 0): 1 + LIMIT}, "the rest is left where it lies"
    assert len(bench.dead()) == LIMIT
    assert bench.brake.topics() == {IN}

    again = await bench.process(stored(4, "poison"))
    assert (again.stopped, again.next_offsets) == ({(IN, 0)}, {(IN, 0): 4})
    assert len(bench.dead()) == LIMIT

    mended = await bench.process(stored(4), stored(5))
    assert (mended.stopped, mended.next_offsets) == (set(), {(IN, 0): 6})
    assert bench.brake.topics() == set()


async def test_a_success_in_between_keeps_the_brake_open(bench: Bench) -> None:
    for start in range(0, 30, 6):
        pattern = ["poison", "good", "poison", "poison", "good", "poison"]
        progress = await bench.process(*(stored(start + n, what) for n, what in enumerate(pattern)))
        assert not progress.stopped
    assert len(bench.dead()) == 20
    assert bench.counted() == 10


async def test_a_success_of_this_batch_wipes_out_failures_of_the_last(bench: Bench) -> None:
    await bench.process(stored(0, "poison"), stored(1, "poison"))
    progress = await bench.process(stored(2), stored(3, "poison"), stored(4, "poison"))
    assert not progress.stopped
    assert len(bench.dead()) == 4


async def test_the_brake_also_counts_what_cannot_be_written(bench: Bench) -> None:
    records = [stored(offset, "unwritable", partition=offset % 2) for offset in range(10)]
    progress = await bench.process(*records)

    assert len(bench.dead()) == LIMIT
    assert progress.stopped == {(IN, 0), (IN, 1)}
    bench.assert_finished(records, progress)


async def test_a_stopped_partition_does_not_make_another_lose_its_records(bench: Bench) -> None:
    bad = [stored(offset, "unwritable", province="01") for offset in range(8)]
    good = [stored(offset, partition=1) for offset in range(8)]

    progress = await bench.process(*bad, *good)

    bench.assert_finished([*bad, *good], progress)
    assert progress.next_offsets[IN, 1] == 8


async def test_behind_the_brake_nothing_of_the_partition_is_handled_in_the_other_half_of_a_batch(bench: Bench) -> None:
    """Else it would be acknowledged, and what the brake left lying with it."""
    bad = [stored(offset, "unwritable", province="01") for offset in range(8)]
    good = [stored(offset, province="02") for offset in range(8, 16)]

    progress = await bench.process(*bad, *good)

    assert (progress.stopped, progress.next_offsets) == ({(IN, 0)}, {(IN, 0): LIMIT})
    assert bench.counted("02") == 0


async def test_one_senders_failures_do_not_stop_a_topic_that_works_for_others(bench: Bench) -> None:
    """Fifty-eight files of one province that were too large closed scoring for the nation."""
    await bench.process(stored(0, province="01"))
    bad = [stored(offset, "poison", province="79") for offset in range(1, 20)]
    progress = await bench.process(*bad)
    assert (progress.stopped, progress.next_offsets) == (set(), {(IN, 0): 20})
    assert len(bench.dead()) == 19

    progress = await bench.process(*(stored(offset, "poison", province=f"{offset}") for offset in range(20, 30)))
    assert progress.stopped == {(IN, 0)}, "when others fail too, it is us"


# ------------------------------------------------------------------------------------------------- the database


async def test_a_write_that_can_never_succeed_is_found_by_halving(bench: Bench) -> None:
    bad = {3, 11}
    progress = await bench.process(
        *(stored(n, "unwritable" if n in bad else "good", province=f"{n:02d}") for n in range(16))
    )
    assert {offset: reason for offset, (reason, _) in bench.dead().items()} == dict.fromkeys(bad, Reason.UNWRITABLE)
    assert bench.mongo.rows("totals").keys() == {f"{n:02d}" for n in range(16) if n not in bad}
    assert (bench.inbox(), len(bench.sent())) == (16, 14)
    assert progress.next_offsets == {(IN, 0): 16}


async def test_a_dead_letter_that_cannot_be_written_stops_its_partition_instead_of_being_lost(bench: Bench) -> None:
    bench.mongo.unwritable = lambda collection, document: collection == "dead_letters"
    progress = await bench.process(stored(0, "poison"), record(b"{", {}, topic=IN, offset=1), stored(0, partition=1))
    assert "dead letter itself" in str(progress.put_off[IN, 0])
    assert progress.next_offsets == {(IN, 0): 0, (IN, 1): 1}, "the other partition goes on"
    assert bench.inbox() == 1


async def test_a_transient_fault_repeats_the_transaction(bench: Bench) -> None:
    bench.mongo.commit_faults = {1: Fault(Transient), 2: Fault(Transient)}
    await bench.process(stored(0), stored(1))
    assert bench.mongo.commits == 3
    assert (bench.counted(), bench.inbox(), len(bench.sent())) == (2, 2, 2)


@pytest.mark.parametrize("applied", [True, False])
async def test_an_unknown_commit_is_asked_again_until_the_truth_is_known(bench: Bench, applied: bool) -> None:
    bench.mongo.commit_faults = {1: Fault(CommitUnknown, applied)}
    progress = await bench.process(stored(0), stored(1))
    assert (bench.counted(), bench.inbox(), len(bench.sent())) == (2, 2, 2)
    assert progress.next_offsets == {(IN, 0): 2}
    assert bench.mongo.commits == (1 if applied else 2)


async def test_when_the_database_is_gone_nothing_is_finished_and_the_repeat_is_whole(bench: Bench) -> None:
    bench.database_goes(1)
    with pytest.raises(Unavailable):
        await bench.process(stored(0), stored(1))
    assert (bench.counted(), bench.inbox()) == (0, 0)
    await bench.process(stored(0), stored(1))
    assert (bench.counted(), bench.inbox()) == (2, 2)


async def test_a_login_that_is_refused_is_no_records_trouble(bench: Bench) -> None:
    """Though another connection, on which the database was asked, is logged in still."""
    bench.mongo.commit_faults = {1: Fault(LoggedOut)}
    with pytest.raises(LoggedOut):
        await bench.process(stored(0), stored(1))
    progress = await bench.process(stored(0), stored(1))
    assert (progress.put_off, bench.dead(), bench.counted()) == ({}, {}, 2)


async def test_a_crash_after_the_commit_ends_in_duplicates(bench: Bench) -> None:
    """Row 3 of the platform failures: the answer was lost, the records come again."""
    bench.database_goes(1, applied=True)
    with pytest.raises(Unavailable):
        await bench.process(stored(0), stored(1))
    progress = await bench.process(stored(0), stored(1))
    assert (bench.counted(), bench.inbox(), len(bench.sent())) == (2, 2, 2)
    assert progress.next_offsets == {(IN, 0): 2}


@pytest.mark.parametrize("before", [None, {"_id": "04", "_rev": 1, "n": 10}])
async def test_a_document_that_moved_meanwhile_is_loaded_and_decided_on_again(
    bench: Bench, before: dict[str, Any] | None
) -> None:
    if before:
        bench.mongo.rows("totals")["04"] = before
        bench.mongo.seal()

    async def other_process() -> None:
        now = bench.mongo.rows("totals").get("04", {"_rev": 0, "n": 0})
        bench.mongo.rows("totals")["04"] = {"_id": "04", "_rev": now["_rev"] + 1, "n": now["n"] + 100}
        bench.mongo.seal()

    bench.mongo.meanwhile = [other_process, other_process]
    await bench.process(stored(0), stored(1))
    assert bench.counted() == (210 if before else 200) + 2


async def test_two_processes_that_collide_for_ever_give_up_and_finish_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "MAX_DECISIONS", 5)

    async def other_process() -> None:
        before = bench.mongo.rows("totals").get("04", {"_rev": 0})
        bench.mongo.rows("totals")["04"] = {"_id": "04", "_rev": before["_rev"] + 1, "n": 0}
        bench.mongo.seal()

    bench.mongo.meanwhile = [other_process] * 100
    progress = await bench.process(stored(0), stored(0, partition=1, province="05"))
    assert "collided" in str(progress.put_off[IN, 0])
    assert progress.next_offsets == {(IN, 0): 0, (IN, 1): 1}
    assert bench.counted("05") == 1


class _Slow(MemoryMongo):
    """A database that needs longer than a transaction may take for more than so many documents at once."""

    most = 7

    async def insert(self, collection: str, documents: Sequence[Any], session: Any = None) -> None:
        if collection == "inbox" and len(documents) > self.most:
            raise Unavailable("gave up: the transaction took too long")
        await super().insert(collection, documents, session)


async def test_a_batch_too_slow_for_one_transaction_is_halved_and_the_next_ones_begin_smaller() -> None:
    bench = Bench(mongo=_Slow())
    records = [stored(offset) for offset in range(40)]
    progress = await bench.process(*records)
    assert (progress.next_offsets, progress.put_off) == ({(IN, 0): 40}, {})
    assert (bench.inbox(), bench.counted()) == (40, 40)

    before = bench.mongo.commits
    await bench.process(*(stored(offset) for offset in range(40, 54)))
    assert bench.mongo.commits - before <= 4, "no transaction was tried that had to fail"


async def test_trouble_with_one_record_puts_off_its_partition_alone(bench: Bench) -> None:
    """A record that a fault of ours, not foreseen anywhere, brings down; the other senders do not notice."""

    known = bench.pipeline._known

    async def not_foreseen(ids: Sequence[str]) -> set[str]:
        if any(id.startswith(f"{IN}/0@3T") for id in ids):
            raise MemoryError("not foreseen")
        return await known(ids)

    bench.pipeline._known = not_foreseen  # type: ignore[method-assign]
    bad = record(b"{", {}, topic=IN, offset=3)
    others = [stored(offset, partition=1) for offset in range(20)]
    progress = await bench.process(*(stored(offset) for offset in range(3)), bad, stored(4), *others)
    assert progress.next_offsets == {(IN, 0): 3, (IN, 1): 20}
    assert isinstance(progress.put_off[IN, 0], MemoryError)


async def test_a_repeat_of_the_batch_hands_out_the_same_documents(bench: Bench) -> None:
    """A handler's new document must not change the one that it was given: a repeat would start from there."""
    await bench.process(stored(0))
    kept = copy.deepcopy(bench.mongo.collections)
    bench.database_goes(2)
    with pytest.raises(Unavailable):
        await bench.process(stored(1))
    assert bench.mongo.collections == kept


# ------------------------------------------------------------------------------------------------- spans


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    yield exporter
    provider.shutdown()


def ids(span: ReadableSpan) -> tuple[str, str]:
    """Trace id and span id in hex."""
    assert span.context is not None
    return f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}"


async def test_each_record_has_one_span_under_its_own_parent(spans: InMemorySpanExporter) -> None:
    bench = Bench()
    other = "00-ffffffffffffffffffffffffffffffff-eeeeeeeeeeeeeeee-01"
    await bench.process(stored(0, traceparent=TRACE), stored(1, traceparent=other), stored(2))

    processing = [span for span in spans.get_finished_spans() if span.name.startswith("process ")]
    assert [span.attributes["messaging.kafka.offset"] for span in processing if span.attributes] == [0, 1, 2]
    parents = [f"{span.parent.span_id:016x}" if span.parent else None for span in processing]
    assert parents == ["b7ad6b7169203331", "eeeeeeeeeeeeeeee", None]
    assert [ids(span)[0] for span in processing[:2]] == ["0af7651916cd43dd8448eb211c80319c", "f" * 32]


async def test_an_event_travels_on_under_the_span_that_published_it(spans: InMemorySpanExporter) -> None:
    bench = Bench()
    await bench.process(stored(0, traceparent=TRACE))

    by_name = {span.name: span for span in spans.get_finished_spans()}
    process, publish = by_name[f"process {EventType.ENVELOPE_ACCEPTED}"], by_name[f"publish {OUT}"]
    assert publish.parent is not None
    assert f"{publish.parent.span_id:016x}" == ids(process)[1]
    (row,) = bench.mongo.all("outbox")
    assert row["headers"]["traceparent"] == f"00-{ids(publish)[0]}-{ids(publish)[1]}-01"


async def test_an_event_may_hang_under_another_trace_and_links_to_its_cause(spans: InMemorySpanExporter) -> None:
    bench = Bench()
    await bench.process(stored(0, "traced elsewhere", traceparent=TRACE))

    by_name = {span.name: span for span in spans.get_finished_spans()}
    publish = by_name[f"publish {OUT}"]
    assert publish.parent is not None
    assert (ids(publish)[0], f"{publish.parent.span_id:016x}") == ("1" * 32, "2" * 16)
    assert [link.context.trace_id for link in publish.links] == [int("0af7651916cd43dd8448eb211c80319c", 16)]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the spans that were made, whether or not somebody keeps them."""
    names: list[str] = []

    class Noted(ParentBased):
        def should_sample(
            self, parent_context: Any, trace_id: int, name: str, *more: Any, **named: Any
        ) -> SamplingResult:
            names.append(name)
            return super().should_sample(parent_context, trace_id, name, *more, **named)

    monkeypatch.setattr(trace, "get_tracer", TracerProvider(sampler=Noted(ALWAYS_OFF)).get_tracer)
    return names


DROPPED = TRACE[:-2] + "00"


async def test_of_a_trace_that_its_sender_does_not_keep_no_span_is_made_and_it_is_handed_on(started: list[str]) -> None:
    bench = Bench()
    await bench.process(stored(0, traceparent=DROPPED), stored(1, "poison", traceparent=DROPPED))

    assert started == []
    assert bench.dead().keys() == {1}
    (row,) = bench.mongo.all("outbox")
    handed_on = row["headers"]["traceparent"]
    assert (handed_on[3:35], handed_on[-2:]) == (DROPPED[3:35], "00")


async def test_a_record_without_a_trace_asks_the_sampler_once_and_its_event_follows(started: list[str]) -> None:
    bench = Bench()
    await bench.process(stored(0))

    assert started == [f"process {EventType.ENVELOPE_ACCEPTED}"]
    (row,) = bench.mongo.all("outbox")
    handed_on = dropped(row["headers"]["traceparent"])
    assert handed_on is not None
    assert handed_on.get_span_context().is_valid


@pytest.mark.parametrize("flags", ["00", "01"])
async def test_an_event_under_another_trace_is_kept_where_that_one_is(
    monkeypatch: pytest.MonkeyPatch, spans: InMemorySpanExporter, flags: str
) -> None:
    monkeypatch.setitem(globals(), "ELSEWHERE", ELSEWHERE[:-2] + flags)
    bench = Bench()
    await bench.process(stored(0, "traced elsewhere", traceparent=DROPPED))

    (row,) = bench.mongo.all("outbox")
    assert (row["headers"]["traceparent"][3:35], row["headers"]["traceparent"][-2:]) == ("1" * 32, flags)
    assert len(spans.get_finished_spans()) == int(flags)


async def test_spans_tell_what_became_true_only(spans: InMemorySpanExporter) -> None:
    """A decision that was not committed is decided again; both must not be shown."""
    bench = Bench()
    bench.mongo.rows("totals")["04"] = {"_id": "04", "_rev": 1, "n": 0}
    bench.mongo.seal()

    async def moved() -> None:
        bench.mongo.rows("totals")["04"] = {"_id": "04", "_rev": 2, "n": 0}
        bench.mongo.seal()

    bench.mongo.meanwhile = [moved]
    bench.database_goes(2)

    await bench.process(stored(0), stored(1, "poison"))
    with pytest.raises(Unavailable):
        await bench.process(stored(2))

    finished = spans.get_finished_spans()
    assert sorted(span.name.split()[0] for span in finished) == ["process", "process", "publish"]
    failed = [span for span in finished if not span.status.is_ok]
    assert len(failed) == 1
    assert "ZeroDivisionError" in str(failed[0].status.description)
