"""What makes two deliveries the same record of an outside sender, also across a topic made anew and an upgrade."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from cli.publishing import Message, Sent
from shared.answers.dead_letters import Action
from shared.messaging.consume.envelope import outside_id
from shared.messaging.decide.asking import Ask, Consumer, Outcome
from shared.messaging.decide.documents import Collection, Document
from shared.messaging.messages import Position, Received, Unreadable, derived_id
from shared.messaging.operate.dead_letters import Order
from tests.probe import POISON, Bench, Probe
from tests.unit.delivery_samples import AT, Stored

ANSWERS: Collection[Document] = Collection("answers", TypeAdapter(dict[str, Any]))
LATER = timedelta(hours=1)


@pytest.fixture
def bench() -> Bench:
    """The probe as a service of outside senders."""
    probe = Probe(outside=True)

    async def refuse(received: Received[Unreadable], ask: Ask) -> Outcome:
        return Outcome(verdict="refused")

    async def count(received: Received[Any], ask: Ask) -> Outcome:
        outcome = await probe.consumer.routes[received.type](received, ask)
        answered = ANSWERS.ref(derived_id(received.event_id, 0))
        await ask.one(answered)
        return Outcome({**outcome.puts, answered: {}}, outcome.events, outcome.requests, outcome.verdict)

    (type_,) = probe.consumer.routes
    bench = Bench(consumer=Consumer("probe", (probe.topic,), {type_: count}, refuse))
    bench.probe = probe
    return bench


def former(record: Stored) -> str:
    """The id as the release before wrote it."""
    place, _, rest = outside_id(record).partition("T")
    return f"{place}#{rest.partition('#')[2]}"


def appended(record: Stored, at: datetime) -> Stored:
    """The record as the broker appended it at another time."""
    record.timestamp = int(at.timestamp() * 1000)
    return record


def answers(bench: Bench) -> int:
    """Records that had their effects."""
    return len(bench.mongo.rows("answers"))


async def test_the_same_bytes_at_the_same_place_of_a_topic_made_anew_are_another_record(bench: Bench) -> None:
    first, second = appended(bench.probe.record(0), AT), appended(bench.probe.record(0), AT + LATER)
    await bench.bury(first)
    await bench.bury(second)
    await bench.bury(first, second)  # delivered once more
    assert answers(bench) == 2
    assert len(bench.mongo.rows("inbox")) == 2


async def test_what_was_handled_before_the_upgrade_is_a_repeat_after_it(bench: Bench) -> None:
    record = bench.probe.record(0)
    bench.mongo.rows("inbox")[former(record)] = {"_id": former(record), "at": AT + timedelta(seconds=2)}
    await bench.bury(record)
    assert answers(bench) == 0


@pytest.mark.parametrize("skew", [timedelta(minutes=10), timedelta(minutes=-10)])
async def test_a_clock_ten_minutes_off_does_not_change_that(bench: Bench, skew: timedelta) -> None:
    record = bench.probe.record(0)
    bench.mongo.rows("inbox")[former(record)] = {"_id": former(record), "at": AT + skew}
    await bench.bury(record)
    assert answers(bench) == 0


async def test_a_topic_made_anew_after_the_upgrade_is_not_taken_for_what_was_handled_before(bench: Bench) -> None:
    record = appended(bench.probe.record(0), AT + LATER)
    bench.mongo.rows("inbox")[former(record)] = {"_id": former(record), "at": AT}
    await bench.bury(record)
    await bench.bury(record)
    assert answers(bench) == 1


async def test_a_dead_letter_of_before_the_upgrade_is_replayed_once(bench: Bench) -> None:
    record = bench.probe.record(0, POISON)
    (letter_id,) = await bench.bury(record)
    (row,) = bench.mongo.rows("dead_letters").values()
    row["event_id"] = former(record)
    (entry,) = bench.mongo.all("inbox")
    bench.mongo.rows("inbox").clear()
    bench.mongo.rows("inbox")[former(record)] = {**entry, "_id": former(record)}
    bench.probe.mended = True

    _, replayed = await bench.letters.replay(Order(Action.REPLAY, letter_id, "an", "ministry", ""))
    await bench.bury(record)

    assert replayed.verdict == "handled"
    assert answers(bench) == 1


def test_who_published_a_record_knows_its_receipt() -> None:
    record = Stored("submissions.04", 0, 3, b"{}", timestamp=int(datetime(2026, 2, 1, tzinfo=UTC).timestamp() * 1000))
    message = Message("04", "k", "t", b"{}")
    sent = Sent(message, Position("submissions.04", 0, 3), record.timestamp, None)
    assert sent.receipt_id == derived_id(outside_id(record), 0)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 1_000))
def test_a_derived_id_is_a_uuid_of_version_5(cause: str, index: int) -> None:
    """Whatever is made faster: an id that a release before has raised stays."""
    namespace = uuid.UUID("6f0d0c3e-6a3b-5b0e-9d44-0d7a3f1f6c11")
    assert derived_id(cause, index) == str(uuid.uuid5(namespace, f"{cause}|{index}"))
