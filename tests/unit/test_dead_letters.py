"""Dead letters in the hands of people: one effect at most, every action on record, nothing forgotten."""

from __future__ import annotations

import ast
import asyncio
import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId

from shared.answers.dead_letters import Action, Refusal, State
from shared.contracts.catalogue import EventType
from shared.messaging.consume.pipeline import Replay
from shared.messaging.decide.asking import Ask, Consumer, Outcome
from shared.messaging.decide.documents import content_of
from shared.messaging.messages import Reason, Received, Unreadable, derived_id
from shared.messaging.operate.dead_letters import Order, Refused
from shared.mongo import Permanent, Unavailable
from shared.mongo.port import CommitUnknown
from shared.refusals import catalogue
from tests.fakes.memory import Fault
from tests.probe import POISON, Bench, Probe
from tests.unit.delivery_samples import record

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.assert_kept()


def replay(letter_id: str, who: str = "an", why: str = "") -> Order:
    return Order(Action.REPLAY, letter_id, who, "ministry", why)


def discard(letter_id: str, why: str = "not ours", who: str = "an") -> Order:
    return Order(Action.DISCARD, letter_id, who, "ministry", why)


# ------------------------------------------------------------------------------------------------- replay


async def test_what_was_mended_is_handled_as_if_it_had_just_been_read(bench: Bench) -> None:
    (letter_id,) = await bench.bury(bench.probe.record(7, POISON))
    bench.probe.mended = True

    after, result = await bench.letters.replay(replay(letter_id, why="fix 12 is out"))

    assert (after["state"], after["attempts"], result.verdict, result.reason) == (State.REPLAYED, 2, "handled", None)
    now = bench.letter(letter_id)
    assert now == after | {"closed_at": now["closed_at"]}
    assert bench.effects() == (1, 1, 1)
    (row,) = bench.mongo.all("outbox")
    assert row["_id"] == derived_id("/langhoc/intake#7", 0), "the id that it would have had at once"
    assert len(bench.mongo.rows("inbox")) == 1
    assert await bench.letters.open() == 0


async def test_a_redelivery_of_its_record_is_absorbed_before_and_after(bench: Bench) -> None:
    (letter_id,) = await bench.bury(bench.probe.record(7, POISON))
    bench.probe.mended = True
    await bench.bury(bench.probe.record(7, POISON))
    assert bench.effects() == (None, 0, 0)

    await bench.letters.replay(replay(letter_id))
    await bench.bury(bench.probe.record(7, POISON), bench.probe.record(8, POISON, id="7"))

    assert bench.effects() == (1, 1, 1)
    assert len(bench.mongo.rows("dead_letters")) == 1


async def test_one_that_fails_again_stays_open_and_counts_the_attempt(bench: Bench) -> None:
    (letter_id,) = await bench.bury(bench.probe.record(7, POISON))
    first = bench.letter(letter_id)

    for attempt in (2, 3):
        after, result = await bench.letters.replay(replay(letter_id))
        assert (after["state"], after["attempts"], after["reason"]) == (State.OPEN, attempt, Reason.HANDLER_FAILED)
        assert (result.verdict, result.reason) == ("failed", Reason.HANDLER_FAILED)
        assert "ZeroDivisionError: division by [zero]" in result.detail

    now = bench.letter(letter_id)
    untouched = first.keys() - {"attempts", "detail"}
    assert {name: now[name] for name in untouched} == {name: first[name] for name in untouched}
    assert len(bench.mongo.rows("dead_letters")) == 1, "no dead letter of a dead letter"
    assert bench.effects() == (None, 0, 0)
    assert await bench.letters.open() == 1


async def test_an_old_event_replayed_after_a_newer_one_changes_nothing(bench: Bench) -> None:
    await bench.bury(bench.probe.record(1, POISON, version=1), bench.probe.record(2, version=2))
    bench.probe.mended = True
    before = bench.effects()
    (letter_id,) = await bench.bury()

    after, result = await bench.letters.replay(replay(letter_id))

    assert (after["state"], result.verdict) == (State.REPLAYED, "stale")
    assert bench.effects() == before == (2, 1, 1)


@pytest.mark.parametrize(
    ("value", "headers", "reason"),
    [
        (b"{", {}, Reason.BAD_JSON),
        (b"{}", {}, Reason.INVALID_BODY),
        (b"{}", {"traceparent": b"\xff"}, Reason.BAD_HEADER),
        (b"{}", {"ce_type": b""}, Reason.MISSING_HEADER),
        (b"{}", {"ce_type": b"unheard.of.v1"}, Reason.UNKNOWN_TYPE),
        (b"\xff", {}, Reason.NOT_UTF8),
    ],
)
async def test_what_cannot_be_read_is_no_better_for_being_read_again(
    bench: Bench, value: bytes, headers: dict[str, bytes], reason: Reason
) -> None:
    bad = bench.probe.record(7, more=headers)
    bad.value = value
    (letter_id,) = await bench.bury(bad)
    assert bench.letter(letter_id)["reason"] == reason

    after, result = await bench.letters.replay(replay(letter_id))

    assert (after["state"], after["attempts"], result.reason) == (State.OPEN, 2, reason)


async def test_a_result_that_cannot_be_written_stays_a_dead_letter(bench: Bench) -> None:
    (letter_id,) = await bench.bury(bench.probe.record(7, "unwritable"))
    assert bench.letter(letter_id)["reason"] == Reason.UNWRITABLE

    after, result = await bench.letters.replay(replay(letter_id))
    assert (after["state"], after["attempts"], result.reason) == (State.OPEN, 2, Reason.UNWRITABLE)
    assert bench.effects() == (None, 0, 0)

    bench.mongo.unwritable = lambda collection, document: False
    after, result = await bench.letters.replay(replay(letter_id))
    assert (after["state"], after["attempts"], result.verdict) == (State.REPLAYED, 3, "handled")


async def test_a_submission_that_we_failed_on_is_replayed_under_its_place_in_the_log() -> None:
    """Outside senders' ids are not trusted: the record's place and bytes are its identity, also later."""
    probe = Probe(outside=True)

    async def refuse(received: Received[Unreadable], ask: Ask) -> Outcome:
        return Outcome(verdict="refused")

    bench = Bench(consumer=Consumer("probe", (probe.topic,), probe.consumer.routes, refuse))
    (letter_id,) = await bench.bury(probe.record(7, POISON))
    probe.mended = True

    _, result = await bench.letters.replay(replay(letter_id))

    assert result.verdict == "handled"
    (known,) = bench.mongo.all("inbox")
    assert known["_id"].startswith("intake.accepted/0@7T")
    assert [row["_id"] for row in bench.mongo.all("outbox")] == [derived_id(known["_id"], 0)]


async def test_business_time_is_the_time_of_the_record_not_of_the_replay() -> None:
    times = []

    async def handle(received: Received[Any], ask: Ask) -> Outcome:
        times.append((received.received_at, received.position, received.raw))
        if len(times) == 1:
            raise LookupError
        return Outcome()

    bench = Bench(consumer=Consumer("probe", ("intake.accepted",), {EventType.ENVELOPE_ACCEPTED: handle}))
    late = bench.probe.record(7)
    late.timestamp += 123
    (letter_id,) = await bench.bury(late)

    await bench.letters.replay(replay(letter_id))

    assert times[0] == times[1]


async def test_the_brake_neither_stops_a_replay_nor_is_moved_by_it(bench: Bench) -> None:
    """A topic that is stopped by our fault is where replays are needed; and trying ten letters must not stop one."""
    first, second = await bench.bury(bench.probe.record(1, POISON), bench.probe.record(2, POISON, version=2))
    assert bench.brake.topics() == {"intake.accepted"}
    for bench.probe.mended, expected in ((False, "failed"), (True, "handled")):
        _, result = await bench.letters.replay(replay(first))
        assert result.verdict == expected
    assert bench.brake.topics() == {"intake.accepted"}
    bench.brake.succeeded("intake.accepted", "04")

    bench.probe.mended = False
    for _ in range(3):
        await bench.letters.replay(replay(second))
    assert not bench.brake.topics()


# ------------------------------------------------------------------------------------------------- the inbox


async def test_an_event_that_came_again_after_its_inbox_entry_expired_is_absorbed(bench: Bench) -> None:
    """Row 26 of the platform failures: its second delivery was handled, so the letter is history."""
    (letter_id,) = await bench.bury(bench.probe.record(7, POISON))
    bench.probe.mended = True
    bench.mongo.rows("inbox").clear()
    await asyncio.sleep(0.002)  # the database's clock has milliseconds
    await bench.bury(bench.probe.record(9, POISON, id="7"))
    before = bench.effects()

    after, result = await bench.letters.replay(replay(letter_id))

    assert (after["state"], result.verdict, result.events) == (State.REPLAYED, "absorbed", ())
    assert bench.effects() == before == (1, 1, 1)


async def test_a_record_that_is_read_under_another_id_now_makes_no_second_of_that_event() -> None:
    """Say its `ce_id` could not be read then, and the program has learned to: somebody else's delivery was handled."""
    bench = Bench()
    await bench.bury(bench.probe.record(7, POISON, version=1), bench.probe.record(8, version=2, id="8"))
    (row,) = bench.mongo.rows("dead_letters").values()
    row["headers"] = [[name, b"8" if name == "ce_id" else value] for name, value in row["headers"]]
    before = bench.effects()

    after, result = await bench.letters.replay(replay(str(row["_id"])))

    assert (after["state"], result.verdict) == (State.REPLAYED, "absorbed")
    assert bench.effects() == before


async def test_a_replay_after_its_inbox_entry_expired_makes_a_new_one(bench: Bench) -> None:
    (letter_id,) = await bench.bury(bench.probe.record(7, POISON))
    bench.probe.mended = True
    bench.mongo.rows("inbox").clear()

    _, result = await bench.letters.replay(replay(letter_id))
    await bench.bury(bench.probe.record(7, POISON))

    assert result.verdict == "handled"
    assert bench.effects() == (1, 1, 1)


async def test_a_delivery_in_the_same_moment_is_found_by_the_database(bench: Bench) -> None:
    """The entry had expired; while the replay decides, the event comes again."""
    (letter_id,) = await bench.bury(bench.probe.record(7, POISON))
    bench.probe.mended = True
    bench.mongo.rows("inbox").clear()
    await asyncio.sleep(0.002)

    async def faster() -> None:
        await bench.bury(bench.probe.record(9, POISON, id="7"))

    bench.mongo.meanwhile = [faster]
    after, result = await bench.letters.replay(replay(letter_id))

    assert (after["state"], result.verdict) == (State.REPLAYED, "absorbed")
    assert bench.effects() == (1, 1, 1)


# ------------------------------------------------------------------------------------------------- two at once


async def test_two_operators_at_the_same_moment_have_one_effect(bench: Bench) -> None:
    (letter_id,) = await bench.bury(bench.probe.record(7, POISON))
    bench.probe.mended = True

    async def colleague() -> None:
        await bench.letters.replay(replay(letter_id, "binh"))

    bench.mongo.meanwhile = [colleague]
    with pytest.raises(Refused) as refused:
        await bench.letters.replay(replay(letter_id, "an"))

    assert refused.value.refusal is Refusal.CHANGED
    assert bench.effects() == (1, 1, 1)
    assert bench.letter(letter_id)["attempts"] == 2
    assert bench.entries() == [("binh", "replay", "handled"), ("an", "replay", "refused: changed_meanwhile")]


async def test_a_failed_replay_of_a_colleague_is_noticed_too(bench: Bench) -> None:
    """The letter is still open then; only the count of attempts tells."""
    (letter_id,) = await bench.bury(bench.probe.record(7, POISON))

    async def colleague() -> None:
        await bench.letters.replay(replay(letter_id, "binh"))

    bench.mongo.meanwhile = [colleague]
    with pytest.raises(Refused):
        await bench.letters.discard(discard(letter_id))

    assert (bench.letter(letter_id)["state"], bench.letter(letter_id)["attempts"]) == (State.OPEN, 2)


async def test_many_at_once_have_one_effect(bench: Bench) -> None:
    (letter_id,) = await bench.bury(bench.probe.record(7, POISON))
    bench.probe.mended = True
    orders = [bench.letters.replay(replay(letter_id, f"operator {n}")) for n in range(8)]

    outcomes = await asyncio.gather(*orders, return_exceptions=True)

    assert sum(isinstance(outcome, tuple) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Refused) for outcome in outcomes) == 7
    assert bench.effects() == (1, 1, 1)
    assert len(bench.entries()) == 8, "each of them is on record"


async def test_a_state_that_moves_during_the_replay_is_decided_on_again(bench: Bench) -> None:
    await bench.bury(bench.probe.record(1, POISON, version=1))
    (letter_id,) = await bench.bury()
    bench.probe.mended = True

    async def newer() -> None:
        await bench.bury(bench.probe.record(2, version=2))

    bench.mongo.meanwhile = [newer]
    _, result = await bench.letters.replay(replay(letter_id))

    assert result.verdict == "stale"
    assert bench.effects() == (2, 1, 1)


# ------------------------------------------------------------------------------------------------- faults


async def test_a_crash_before_the_commit_leaves_everything_as_it_was(bench: Bench) -> None:
    (letter_id,) = await bench.bury(bench.probe.record(7, POISON))
    bench.probe.mended = True
    before = copy.deepcopy(bench.mongo.collections)
    bench.mongo.commit_faults = {bench.mongo.commits + 1: Fault(Unavailable)}

    with pytest.raises(Unavailable):
        await bench.letters.replay(replay(letter_id))

    assert {name: rows for name, rows in bench.mongo.collections.items() if rows} == {
        name: rows for name, rows in before.items() if rows
    }


async def test_a_lost_answer_makes_a_repeat_a_refusal_not_a_second_effect(bench: Bench) -> None:
    (letter_id,) = await bench.bury(bench.probe.record(7, POISON))
    bench.probe.mended = True
    bench.mongo.commit_faults = {bench.mongo.commits + 1: Fault(Unavailable, applied=True)}
    with pytest.raises(Unavailable):
        await bench.letters.replay(replay(letter_id))

    with pytest.raises(Refused) as refused:
        await bench.letters.replay(replay(letter_id))

    assert refused.value.refusal is Refusal.NOT_OPEN
    assert bench.effects() == (1, 1, 1)


@pytest.mark.parametrize("applied", [True, False])
async def test_an_unknown_commit_is_asked_again(bench: Bench, applied: bool) -> None:
    (letter_id,) = await bench.bury(bench.probe.record(7, POISON))
    bench.probe.mended = True
    bench.mongo.commit_faults = {bench.mongo.commits + 1: Fault(CommitUnknown, applied)}

    after, _ = await bench.letters.replay(replay(letter_id))

    now = bench.letter(letter_id)
    assert now == after | {"closed_at": now["closed_at"]}
    assert bench.effects() == (1, 1, 1)


async def test_without_its_entry_on_record_no_action_takes_effect(bench: Bench) -> None:
    """G1: there is no way past the record of actions."""
    (letter_id,) = await bench.bury(bench.probe.record(7, POISON))
    bench.probe.mended = True
    bench.mongo.unwritable = lambda collection, document: collection == "dead_letter_actions"

    with pytest.raises(Unavailable):
        await bench.letters.replay(replay(letter_id))
    with pytest.raises(Permanent):
        await bench.letters.discard(discard(letter_id))

    assert (bench.letter(letter_id)["state"], bench.effects()) == (State.OPEN, (None, 0, 0))


# ------------------------------------------------------------------------------------------------- dry run


def _documents(replay: Replay) -> dict[str, list[tuple[str, int | None, dict[str, Any]]]]:
    """What a replay puts, but for the stamps."""
    return {
        collection: [(put.id, put.revision, content_of(put.document)) for put in puts]
        for collection, puts in replay.writes.items()
    }


async def test_a_dry_run_tells_and_writes_nothing(bench: Bench) -> None:
    (letter_id,) = await bench.bury(bench.probe.record(7, POISON))
    before = copy.deepcopy(bench.mongo.collections)

    failed, why = await bench.letters.rehearse(letter_id)
    assert (failed["state"], failed["attempts"], why.verdict) == (State.OPEN, 2, "failed")

    bench.probe.mended = True
    after, told = await bench.letters.rehearse(letter_id)
    assert bench.mongo.collections == before
    assert bench.mongo.commits == 1

    real, done = await bench.letters.replay(replay(letter_id))
    assert after == real
    assert (told.verdict, told.requests) == (done.verdict, done.requests)
    assert _documents(told) == _documents(done)
    assert [(row["_id"], json.loads(row["value"])) for row in told.events] == [
        (row["_id"], json.loads(row["value"])) for row in done.events
    ]


# ------------------------------------------------------------------------------------------------- discard


async def test_a_discarded_letter_is_kept_and_its_record_is_never_handled(bench: Bench) -> None:
    (letter_id,) = await bench.bury(bench.probe.record(7, POISON))
    before = bench.letter(letter_id)
    bench.probe.mended = True

    await bench.letters.discard(discard(letter_id, "sent twice by mistake"))
    await bench.bury(bench.probe.record(7, POISON))

    now = bench.letter(letter_id)
    assert now == before | {"state": State.DISCARDED, "closed_at": now["closed_at"]}
    assert bench.effects() == (None, 0, 0)
    with pytest.raises(Refused):
        await bench.letters.replay(replay(letter_id))
    assert bench.effects() == (None, 0, 0)


async def test_a_letter_from_before_there_were_states_is_open(bench: Bench) -> None:
    first, second = await bench.bury(bench.probe.record(1, POISON), bench.probe.record(2, POISON, version=2))
    for row in bench.mongo.rows("dead_letters").values():
        del row["state"], row["event_id"]
    bench.probe.mended = True
    assert await bench.letters.open() == 2
    shown = await bench.letters.page(state=State.OPEN, reason=None, after=None, limit=10)
    assert [str(row["_id"]) for row in shown] == [first, second]

    await bench.letters.discard(discard(first))
    after, result = await bench.letters.replay(replay(second))

    assert (after["state"], result.verdict) == (State.REPLAYED, "handled")
    assert await bench.letters.open() == 0


# ------------------------------------------------------------------------------------------------- on record


async def test_every_action_leaves_who_when_why_before_and_after(bench: Bench) -> None:
    (letter_id,) = await bench.bury(bench.probe.record(7, POISON))
    nothing_there = str(ObjectId())
    await bench.letters.replay(replay(letter_id, "an", "perhaps it was the network"))
    with pytest.raises(Refused):
        await bench.letters.discard(discard(letter_id, "", "binh"))
    await bench.letters.discard(discard(letter_id, "a test of the sender's", "binh"))
    with pytest.raises(Refused):
        await bench.letters.replay(replay(letter_id, "chi"))
    with pytest.raises(Refused):
        await bench.letters.replay(replay(nothing_there, "chi"))
    with pytest.raises(Refused):
        await bench.letters.discard(discard("no id at all", "x", "chi"))

    rows = await bench.letters.actions()
    assert [(row["who"], row["action"], row["result"], row["why"]) for row in rows] == [
        ("an", "replay", "failed", "perhaps it was the network"),
        ("binh", "discard", "refused: reason_missing", ""),
        ("binh", "discard", "discarded", "a test of the sender's"),
        ("chi", "replay", "refused: not_open", ""),
        ("chi", "replay", "refused: not_found", ""),
        ("chi", "discard", "refused: not_found", "x"),
    ]
    shapes = [
        tuple((row[side]["state"], row[side]["attempts"]) if row[side] else None for side in ("before", "after"))
        for row in rows
    ]
    open_1, open_2, discarded = ("open", 1), ("open", 2), ("discarded", 2)
    assert shapes == [
        (open_1, open_2),
        (open_2, open_2),
        (open_2, discarded),
        (discarded, discarded),
        (None, None),
        (None, None),
    ]
    assert [row["result"] for row in await bench.letters.actions(letter_id)] == [row["result"] for row in rows[:4]]
    times = [row["at"] for row in rows]
    assert times == sorted(times)


async def test_pages_are_by_state_and_reason_oldest_first(bench: Bench) -> None:
    bench.brake.limit = 99
    unreadable = record(b"{", {}, topic=bench.probe.topic, offset=9)
    ids = await bench.bury(*(bench.probe.record(n, POISON, version=n + 1) for n in range(5)), unreadable)
    await bench.letters.discard(discard(ids[1]))

    async def page(**wanted: Any) -> list[str]:
        query = {"state": State.OPEN, "reason": None, "after": None, "limit": 10} | wanted
        return [str(row["_id"]) for row in await bench.letters.page(**query)]

    assert await page() == [ids[0], *ids[2:]]
    assert await page(limit=2) == [ids[0], ids[2]]
    assert await page(after=ids[2]) == ids[3:]
    assert await page(reason=Reason.MISSING_HEADER) == [ids[5]]
    assert await page(state=State.DISCARDED) == [ids[1]]
    assert await page(state=None) == ids


def test_entries_are_inserted_and_never_changed() -> None:
    """G1: a record of actions that can be edited proves nothing."""
    methods: dict[str, set[str]] = {}
    for path in SHARED.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                names = {name.id for name in node.args if isinstance(name, ast.Name)}
                if "DEAD_LETTER_ACTIONS" in names:
                    methods.setdefault(path.name, set()).add(node.func.attr)
    assert methods == {"preparing.py": {"index"}, "dead_letters.py": {"find", "insert"}}


def test_every_reason_and_every_refusal_is_told() -> None:
    told = catalogue("dead_letters").keys()
    assert {*Reason, *Refusal} == told - {"database_unavailable"}
