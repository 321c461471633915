"""A replay does not reorder, and nobody tries the same record for ever."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from deploy.local.identity import ensure_signing_key
from services.intake import decisions as intake
from shared.answers.dead_letters import Action, Refusal, State
from shared.contracts.base import Status
from shared.contracts.catalogue import EventType
from shared.contracts.facts import Receipt
from shared.contracts.submissions import CommuneSubmitted
from shared.messaging.clock import BusinessClock
from shared.messaging.consume.brake import Brake
from shared.messaging.consume.pipeline import Pipeline
from shared.messaging.decide.asking import Ask, Consumer, Outcome
from shared.messaging.decide.documents import Collection, Document
from shared.messaging.messages import Received
from shared.messaging.operate.dead_letters import DeadLetters, Order, Refused
from shared.messaging.send.outbox import Relay
from tests.probe import POISON, Bench, Unreachable
from tests.unit.delivery_samples import AT, Stored, head, record
from tests.unit.intake_bench import Bench as Intake
from tests.unit.intake_samples import commune
from tests.unit.test_dead_letters_http import Terminal, serve
from tests.unit.wire import answered_by

TOPIC = "receipts.04"
SEEN: Collection[Document] = Collection("seen", TypeAdapter(dict[str, Any]))


def order(letter_id: str, why: str = "", *, beyond_cap: bool = False) -> Order:
    return Order(Action.REPLAY, letter_id, "an", "ministry", why, beyond_cap)


class Ordered(Bench):
    """A service of occurrences, broken until it is mended, that remembers in which order they had their effects."""

    def __init__(self) -> None:
        self.handled: list[str] = []
        self.broken = True

        async def handle(received: Received[Receipt], ask: Ask) -> Outcome:
            ref = SEEN.ref(received.data.receipt_id)
            await ask.one(ref)
            if self.broken:
                raise ZeroDivisionError
            self.handled.append(received.data.receipt_id)
            return Outcome({ref: {}})

        super().__init__(Consumer("ordered", (TOPIC,), {EventType.RECEIPT_ISSUED: handle}))
        self.brake.limit = 99


def occurrence(offset: int, key: str | None = "00004", *, partition: int = 0, later: timedelta | None = None) -> Stored:
    """A receipt."""
    receipt = Receipt(
        receipt_id=f"{partition}@{offset}", status=Status.ACCEPTED, province="04", received_at=AT, channel="c",
        body_hash="", version=1,
    )  # fmt: skip
    stored = record(
        receipt.model_dump_json().encode(), head(EventType.RECEIPT_ISSUED, f"{partition}/{offset}/{later}"),
        topic=TOPIC, partition=partition, offset=offset, key=key,
    )  # fmt: skip
    stored.timestamp += round((later or timedelta()).total_seconds() * 1000)
    return stored


@pytest.fixture
def bench() -> Ordered:
    return Ordered()


async def refused(bench: Bench, given: Order) -> Refused:
    with pytest.raises(Refused) as found:
        await bench.letters.replay(given)
    return found.value


# ------------------------------------------------------------------------------------------------- order


async def test_an_occurrence_waits_for_the_older_letters_of_its_key(bench: Ordered) -> None:
    ids = await bench.bury(*(occurrence(offset) for offset in range(3)))
    bench.broken = False

    for younger in ids[1:]:
        why = await refused(bench, order(younger))
        assert (why.refusal, why.first) == (Refusal.OLDER, ids[0])
    for each in ids:
        await bench.letters.replay(order(each))

    assert bench.handled == ["0@0", "0@1", "0@2"]
    assert bench.entries()[0] == ("an", "replay", "refused: older_first"), "on record too"


async def test_one_that_fails_again_holds_up_its_key_and_nothing_else(bench: Ordered) -> None:
    first, second, other_key, other_partition, keyless = await bench.bury(
        occurrence(0), occurrence(1), occurrence(2, "00007"), occurrence(1, partition=1), occurrence(3, None)
    )
    await bench.letters.replay(order(first))
    bench.broken = False
    assert (await refused(bench, order(second))).first == first
    for each in (other_key, other_partition, keyless):
        _, replayed = await bench.letters.replay(order(each))
        assert replayed.verdict == "handled"


async def test_a_discarded_letter_is_waited_for_no_longer(bench: Ordered) -> None:
    first, second = await bench.bury(occurrence(0), occurrence(1))
    bench.broken = False
    await bench.letters.discard(Order(Action.DISCARD, first, "an", "ministry", "sent again"))
    _, replayed = await bench.letters.replay(order(second))
    assert replayed.verdict == "handled"


async def test_in_a_topic_made_anew_the_offset_does_not_say_which_is_older(bench: Ordered) -> None:
    old, new = await bench.bury(occurrence(9), occurrence(2, later=timedelta(days=1)))
    bench.broken = False
    assert (await refused(bench, order(new))).first == old
    await bench.letters.replay(order(old))
    await bench.letters.replay(order(new))
    assert bench.handled == ["0@9", "0@2"]


async def test_a_state_fact_need_not_wait_its_version_decides() -> None:
    bench = Bench()
    _, newer = await bench.bury(bench.probe.record(1, POISON, version=1), bench.probe.record(2, POISON, version=2))
    bench.probe.mended = True
    _, replayed = await bench.letters.replay(order(newer))
    assert replayed.verdict == "handled"
    older = next(str(row["_id"]) for row in bench.mongo.all("dead_letters") if row["state"] == "open")
    _, replayed = await bench.letters.replay(order(older))
    assert replayed.verdict == "stale"
    assert bench.effects()[0] == 2


async def test_a_rehearsal_tells_what_stands_in_the_way(bench: Ordered) -> None:
    first, second = await bench.bury(occurrence(0), occurrence(1))
    bench.broken = False
    after, told = await bench.letters.rehearse(second)
    assert (after["state"], told.verdict) == (State.REPLAYED, "handled")
    hindrance = await bench.letters.hindrance(second)
    assert hindrance is not None
    assert (hindrance.refusal, hindrance.first) == (Refusal.OLDER, first)
    assert await bench.letters.hindrance(first) is None


# ------------------------------------------------------------------------------------------------- the cap


async def test_after_so_many_tries_only_an_explicit_order_with_a_reason_goes_on() -> None:
    bench = Bench()
    relay = Relay(bench.mongo, Unreachable())
    bench.letters = DeadLetters(bench.mongo, bench.pipeline, relay, clock=BusinessClock(), attempts=3)
    (letter_id,) = await bench.bury(bench.probe.record(7, POISON))
    for _ in range(2):
        await bench.letters.replay(order(letter_id))
    bench.probe.mended = True

    assert (await refused(bench, order(letter_id))).refusal is Refusal.EXHAUSTED
    assert (await refused(bench, order(letter_id, beyond_cap=True))).refusal is Refusal.NO_REASON
    assert (bench.letter(letter_id)["attempts"], bench.effects()) == (3, (None, 0, 0))
    _, told = await bench.letters.rehearse(letter_id)
    assert told.verdict == "handled", "to look is always allowed"

    after, replayed = await bench.letters.replay(order(letter_id, "fix 12 is out at last", beyond_cap=True))
    assert (after["state"], after["attempts"], replayed.verdict) == (State.REPLAYED, 4, "handled")
    assert [row["beyond_cap"] for row in await bench.letters.actions(letter_id)] == [False] * 3 + [True] * 2


async def test_beyond_the_cap_the_order_still_holds(bench: Ordered) -> None:
    first, second = await bench.bury(occurrence(0), occurrence(1))
    assert (await refused(bench, order(second, "now", beyond_cap=True))).first == first


# ------------------------------------------------------------------------------------------------- HTTP and command


async def test_refusals_name_what_is_to_be_done_first(bench: Ordered, tmp_path: Path) -> None:
    ensure_signing_key(tmp_path)
    first, second = await bench.bury(occurrence(0), occurrence(1))
    bench.broken = False
    async with serve(bench, tmp_path) as http:
        answer = await http.post(f"/dead-letters/{second}/replay", json={})
        dry = (await http.post(f"/dead-letters/{second}/replay", json={"dry_run": True})).json()
    assert (answer.status_code, answer.json()["code"]) == (409, "older_first")
    for language in ("vi", "en"):
        assert first in answer.json()["message"][language]
        assert first in answer.json()["mend"][language]
    assert (dry["verdict"], dry["hindrance"], dry["first"]) == ("handled", "older_first", first)
    assert bench.handled.count("0@1") == 1, "the rehearsal alone"


async def test_many_are_replayed_in_the_order_in_which_they_lay(
    bench: Ordered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_signing_key(tmp_path)
    ids = await bench.bury(*(occurrence(offset) for offset in (8, 9, 10, 11)))
    answered_by(monkeypatch, ordered=serve(bench, tmp_path))
    terminal = Terminal()
    bench.broken = False

    replayed = await terminal.json("replay", ids[2], ids[0], ids[1])
    assert [row["id"] for row in replayed] == ids[:3]
    assert bench.handled == ["0@8", "0@9", "0@10"]
    assert [row["id"] for row in await terminal.json("replay", "--all")] == [ids[3]]


# ------------------------------------------------------------------------------------------------- intake


class BrokenIntake(Intake):
    """Intake, whose program fails on chosen records until it is mended."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.broken: set[str] = set()
        whole = intake.routes[EventType.COMMUNE_SUBMITTED]

        async def decide(received: Received[Any], ask: Ask) -> Outcome:
            if received.data.submission_id in self.broken:
                raise ZeroDivisionError
            return await whole(received, ask)

        consumer = Consumer("intake", ("submissions.01",), {EventType.COMMUNE_SUBMITTED: decide}, intake.refusals)
        self.pipeline = Pipeline("intake", consumer, self.mongo, clock=BusinessClock(), brake=Brake(99))
        self.letters = DeadLetters(self.mongo, self.pipeline, self.relay, clock=BusinessClock())


FIRST = commune()
OTHER = commune(submission_id="HN-2")
MENDED = {"content": {"scoring": "pass_fail", "targets": {"C1.1": {"type": "boolean", "met": False}}}}
NEWER = commune(submission_id="HN-3", **MENDED)


@pytest.mark.parametrize(
    ("late", "meanwhile", "status"),
    [
        (FIRST, [NEWER], Status.CONFLICT),
        (FIRST, [OTHER], Status.UNCHANGED),
        (FIRST, [FIRST], Status.DUPLICATE),
        (commune(submission_id="HN-4", corrects_version=1, **MENDED), [FIRST], Status.ACCEPTED),
        (
            commune(submission_id="HN-4", corrects_version=1),
            [FIRST, commune(submission_id="HN-3", corrects_version=1, **MENDED)],
            Status.CONFLICT,
        ),
    ],
    ids=["newer", "same content", "sent again", "correction", "overtaken correction"],
)
async def test_a_replayed_submission_is_judged_as_if_it_had_come_late(
    tmp_path: Path, late: CommuneSubmitted, meanwhile: list[CommuneSubmitted], status: Status
) -> None:
    """What came meanwhile stands; the province is told, as in any conflict, which version it would have to correct."""
    arriving = Intake(tmp_path)
    for each in meanwhile:
        await arriving.receive(EventType.COMMUNE_SUBMITTED, each)
    expected = await arriving.receive(EventType.COMMUNE_SUBMITTED, late)

    bench = BrokenIntake(tmp_path)
    bench.broken = {late.submission_id}
    await bench.pipeline.process([bench.sent(EventType.COMMUNE_SUBMITTED, late)])
    (letter,) = bench.mongo.all("dead_letters")
    bench.broken = set()
    for each in meanwhile:
        await bench.receive(EventType.COMMUNE_SUBMITTED, each)
    known = set(bench.mongo.rows("receipts"))
    _, replayed = await bench.letters.replay(order(str(letter["_id"])))
    (new,) = set(bench.mongo.rows("receipts")) - known
    receipt = bench.receipt(new)

    assert replayed.verdict == status == expected.status
    own = {"receipt_id", "channel", "original"}
    assert receipt.model_dump(exclude=own) == expected.model_dump(exclude=own)
    (stands,), (should,) = (each.mongo.all("aggregates") for each in (bench, arriving))
    judged = ("version", "content_hash")
    assert [stands[name] for name in judged] == [should[name] for name in judged]
    assert stands["accepted"]["submission_id"] == should["accepted"]["submission_id"]
