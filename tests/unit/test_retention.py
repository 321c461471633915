"""The retention policy is carried out: what was kept too long goes, its hash and the decision stay."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bson import Binary, ObjectId
from pydantic import ValidationError

from services.intake import queries
from services.intake.decisions import RECEIPTS, RELEASE, Code
from services.notifications import queries as notified
from services.notifications.decisions import ALERTS, Said
from shared.answers.dead_letters import Action
from shared.contracts.base import Status, Text
from shared.contracts.catalogue import EventType
from shared.contracts.topics import families
from shared.messaging import seals
from shared.messaging.clock import SECOND
from shared.messaging.consume.brake import Brake
from shared.messaging.consume.pipeline import Pipeline
from shared.messaging.decide.asking import Consumer, Request
from shared.messaging.decide.documents import Document
from shared.messaging.decide.sets import key_text
from shared.messaging.operate.dead_letters import DeadLetters, Order
from shared.messaging.operate.keeping import OF_EVERY_SERVICE, PAGE, Keeper, Kept
from shared.messaging.send.outbox import Relay
from shared.messaging.settings import ServiceSettings
from shared.mongo import Mongo, Unavailable
from shared.privacy import Rule, erased_text, policy_on, rules
from tests.fakes.memory import MemoryMongo
from tests.fakes.stored import store
from tests.unit.delivery_samples import AT, head, record
from tests.unit.intake_bench import Bench, Still
from tests.unit.intake_samples import commune
from tests.unit.register_samples import gap_filled
from tests.unit.test_intake_release import correct, old
from tests.unit.test_outbox import Broker

SERVICES = ("intake", "scoring", "funding", "notifications")
TODAY = date(2026, 6, 1)
NAME = "Nguyễn Thị Ánh"


def kept_by(service: str) -> tuple[Kept[Any], ...]:
    """What a service lets go of by itself."""
    return getattr(importlib.import_module(f"services.{service}.queries"), "KEPT", ())


class At(Still):
    """A clock that stands still in every respect."""

    def real(self) -> datetime:
        return self.now()


def keeper(mongo: Mongo, days: int, kept: tuple[Kept[Any], ...] = queries.KEPT) -> Keeper:
    """A service's keeper so many days after the records arrived."""
    return Keeper("test", mongo, kept, clock=At(AT + timedelta(days=days)))


# ------------------------------------------------------------------------------------------------- the policy


def test_every_rule_of_the_platform_is_carried_out_and_nothing_is_without_a_rule() -> None:
    carried_out = {one.rule for service in SERVICES for one in kept_by(service)} | {
        one.rule for one in OF_EVERY_SERVICE
    }
    asked = {name for name, rule in policy_on(TODAY).items() if rule.by == "platform" and rule.days is not None}
    assert carried_out == asked


def test_what_a_rule_is_about_lies_where_it_says() -> None:
    found = {(one.rule, f"{service}.{one.collection}") for service in SERVICES for one in kept_by(service)}
    found |= {
        (one.rule, "*.dead_letters" if "letter" in one.rule else "*." + one.collection) for one in OF_EVERY_SERVICE
    }
    assert {(rule, policy_on(TODAY)[rule].where) for rule, _ in found} == found


def test_rules_of_the_broker_say_what_the_topics_say() -> None:
    told = policy_on(TODAY)
    terms = {topic: told[rule].days for rule in ("channels", "state_topics") for topic in told[rule].where.split()}
    assert terms == {
        family.name.replace("{province}", "*").replace("{audience}", "*"): family.retention_days
        for family in families().values()
    }


def test_the_inbox_is_kept_as_long_as_the_policy_says() -> None:
    assert policy_on(TODAY)["inbox"].days == ServiceSettings.model_fields["inbox_days"].default


def test_every_rule_gives_a_reason_in_both_languages_and_a_source() -> None:
    assert [one.rule for one in rules() if not (one.reason.vi and one.reason.en and one.citation)] == []
    assert {one.rule for one in rules()} == set(policy_on(TODAY)), "each rule is in force by now"


def test_a_later_rule_takes_the_place_of_the_one_before_from_its_day_on(monkeypatch: pytest.MonkeyPatch) -> None:
    first = policy_on(TODAY)["refused_bytes"]
    later = first.model_copy(update={"effective_from": date(2027, 1, 1), "days": 30})
    monkeypatch.setattr("shared.privacy.policy.rules", lambda: (first, later))
    assert [policy_on(day)["refused_bytes"].days for day in (date(2026, 12, 31), date(2027, 1, 1))] == [90, 30]
    assert policy_on(date(2012, 12, 31)) == {}


@pytest.mark.parametrize("changes", [{"days": None}, {"then": "stays"}, {"days": 0}, {"by": "somebody"}, {"extra": 1}])
def test_a_rule_that_makes_no_sense_is_refused(changes: dict[str, Any]) -> None:
    sound = policy_on(TODAY)["refused_bytes"].model_dump(by_alias=True)
    with pytest.raises(ValidationError):
        Rule.model_validate(sound | changes)


# ------------------------------------------------------------------------------------------------- submissions


class Moving(Still):
    """A clock that shows the day that the test has come to."""

    def come_to(self, days: int) -> None:
        """So many days after the records arrived."""
        self._moment = AT + timedelta(days=days)


@pytest.fixture
def clock() -> Moving:
    return Moving(AT)


@pytest.fixture
def bench(tmp_path: Path, clock: Moving) -> Bench:
    return Bench(tmp_path, clock)


async def accepted(bench: Bench) -> str:
    return (await bench.receive(EventType.COMMUNE_SUBMITTED, commune())).receipt_id


async def rejected(bench: Bench) -> str:
    """A list of names that somebody sent by mistake."""
    raw = json.dumps({"unit_code": NAME, "learners": [NAME, "Trần Văn Bình"]}, ensure_ascii=False).encode()
    await bench.pipeline.process([record(raw, head(EventType.COMMUNE_SUBMITTED), topic="submissions.01", offset=500)])
    return bench.receipts(Status.REJECTED)[-1].receipt_id


async def conflicting(bench: Bench) -> str:
    await accepted(bench)
    other = commune(submission_id="HN-2", content={"scoring": "pass_fail", "targets": {}})
    return (await bench.receive(EventType.COMMUNE_SUBMITTED, other)).receipt_id


async def duplicate(bench: Bench) -> str:
    await accepted(bench)
    return (await bench.receive(EventType.COMMUNE_SUBMITTED, commune())).receipt_id


async def unchanged(bench: Bench) -> str:
    await accepted(bench)
    return (await bench.receive(EventType.COMMUNE_SUBMITTED, commune(submission_id="HN-3"))).receipt_id


async def held(bench: Bench) -> str:
    return (await bench.receive(EventType.COMMUNE_SUBMITTED, old())).receipt_id


Made = Callable[[Bench], Awaitable[str]]


@pytest.mark.parametrize(
    ("made", "days"),
    [(accepted, 3653), (rejected, 90), (conflicting, 90), (duplicate, 90), (unchanged, 90)],
)
async def test_bytes_stay_to_the_last_day_of_their_rule_and_then_their_hash_is_left(
    bench: Bench, made: Made, days: int
) -> None:
    receipt_id = await made(bench)
    before = RECEIPTS.read(bench.mongo.rows("receipts")[receipt_id])
    assert before.raw is not None

    await keeper(bench.mongo, days).round()
    assert RECEIPTS.read(bench.mongo.rows("receipts")[receipt_id]).raw == before.raw

    await keeper(bench.mongo, days + 1).round()
    after = RECEIPTS.read(bench.mongo.rows("receipts")[receipt_id])
    assert (after.raw, after.receipt, after.status) == (
        None,
        before.receipt if days < 731 else after.receipt,
        before.status,
    )
    assert after.erased is not None
    assert (after.erased.sha256, after.erased.size) == (hashlib.sha256(before.raw).hexdigest(), len(before.raw))
    assert after.erased.by == "retention"


async def test_what_is_held_stays_and_is_decided_after_ten_years(bench: Bench) -> None:
    receipt_id = await held(bench)
    await keeper(bench.mongo, 4000).round()
    kept = RECEIPTS.read(bench.mongo.rows("receipts")[receipt_id])
    assert kept.raw is not None
    assert kept.waits


async def test_what_was_held_and_is_decided_keeps_the_bytes_of_its_second_receipt_only(bench: Bench) -> None:
    receipt_id = await held(bench)
    answer = RECEIPTS.read(bench.mongo.rows("receipts")[receipt_id])
    await store(bench.mongo, {RECEIPTS.ref(receipt_id): replace(answer, released="another")})
    await keeper(bench.mongo, 91).round()
    assert bench.mongo.rows("receipts")[receipt_id]["raw"] is None


async def held_and_refused(bench: Bench, clock: Moving) -> str:
    """A submission that is found wrong once its code is known, after 400 days; returns its second receipt."""
    await bench.receive(EventType.COMMUNE_SUBMITTED, old(), province="04")  # which may not speak for it
    await bench.settle()
    clock.come_to(400)
    await correct(bench, gap_filled())
    await bench.settle()
    (second,) = bench.receipts(Status.REJECTED)
    assert second.received_at == AT
    return second.receipt_id


async def read_late(bench: Bench, clock: Moving) -> str:
    """A submission that lay in its channel for 400 days before it was refused."""
    clock.come_to(400)
    return await rejected(bench)


def of_before(row: Document, decided_at: datetime) -> Document:
    """The document as a release wrote it that did not note when it was decided."""
    former = {name: value for name, value in row.items() if name != "decided_at"}
    stamp = int(decided_at.timestamp()) * SECOND
    return former | seals.sealed("receipts", row["_id"], former) | {"_stamp": stamp}


@pytest.mark.parametrize("made", [held_and_refused, read_late])
async def test_the_term_of_what_is_refused_late_begins_when_it_is_refused(
    bench: Bench, clock: Moving, made: Callable[[Bench, Moving], Awaitable[str]]
) -> None:
    receipt_id = await made(bench, clock)
    rows = bench.mongo.rows("receipts")
    for days in (400, 401, 490):
        await keeper(bench.mongo, days).round()
        assert all(row["raw"] is not None for row in rows.values()), days
    await keeper(bench.mongo, 491).round()
    assert {id for id, row in rows.items() if row["raw"] is None} == set(rows), "the first receipt of what was held too"
    before = bench.receipt(receipt_id)
    await keeper(bench.mongo, 400 + 731).round()
    assert bench.receipt(receipt_id) == before
    await keeper(bench.mongo, 400 + 732).round()
    assert bench.receipt(receipt_id) != before


async def test_what_a_release_before_refused_late_keeps_its_bytes_for_its_term_too(bench: Bench, clock: Moving) -> None:
    """It did not note when; the stamp of what was held and decided is of that moment."""
    await held_and_refused(bench, clock)
    early = await rejected(bench)
    rows = bench.mongo.rows("receipts")
    for id, row in rows.items():
        rows[id] = of_before(row, AT if id == early else AT + timedelta(days=400))
    await keeper(bench.mongo, 401).round()
    assert {id for id, row in rows.items() if row["raw"] is None} == {early}
    await keeper(bench.mongo, 490).round()
    assert {id for id, row in rows.items() if row["raw"] is None} == {early}
    await keeper(bench.mongo, 491).round()
    assert {id for id, row in rows.items() if row["raw"] is None} == set(rows)


async def test_words_of_a_refusal_go_after_two_years_and_their_codes_stay(bench: Bench) -> None:
    receipt_id = await rejected(bench)
    before = bench.receipt(receipt_id)
    assert NAME in str(before.problems)

    await keeper(bench.mongo, 731).round()
    assert bench.receipt(receipt_id) == before
    await keeper(bench.mongo, 732).round()

    after = bench.receipt(receipt_id)
    assert NAME not in str(bench.mongo.rows("receipts")[receipt_id])
    assert [one.code for one in after.problems] == [one.code for one in before.problems]
    assert {one.field for one in after.problems} == {""}
    assert after.model_copy(update={"problems": before.problems}) == before


async def test_a_round_repeated_lets_go_of_nothing_more_and_touches_nothing(bench: Bench) -> None:
    await rejected(bench)
    await conflicting(bench)
    first = await keeper(bench.mongo, 4000).round()
    rows = bench.mongo.all("receipts")
    second = await keeper(bench.mongo, 4001).round()
    assert first["refused_bytes"] == 2
    assert set(second.values()) == {0}
    assert bench.mongo.all("receipts") == rows


async def test_what_comes_again_after_its_bytes_went_is_recognised(bench: Bench) -> None:
    await accepted(bench)
    await keeper(bench.mongo, 4000).round()
    assert (await bench.receive(EventType.COMMUNE_SUBMITTED, commune())).status is Status.DUPLICATE


async def test_many_pages_are_worked_off_in_one_round(bench: Bench) -> None:
    receipt_id = await rejected(bench)
    answer = RECEIPTS.read(bench.mongo.rows("receipts")[receipt_id])
    await store(bench.mongo, {RECEIPTS.ref(f"r{number:05}"): answer for number in range(2 * PAGE + 3)})
    assert (await keeper(bench.mongo, 91).round())["refused_bytes"] == 2 * PAGE + 4
    assert [row for row in bench.mongo.all("receipts") if row["raw"] is not None] == []


async def test_what_somebody_decides_meanwhile_is_not_written_over(bench: Bench) -> None:
    ids = [await conflicting(bench), await rejected(bench)]

    async def decided_elsewhere() -> None:
        answer = RECEIPTS.read(bench.mongo.rows("receipts")[ids[0]])
        await store(bench.mongo, {RECEIPTS.ref(ids[0]): replace(answer, traceparent="moved")})

    bench.mongo.meanwhile = [decided_elsewhere]
    assert (await keeper(bench.mongo, 91).round())["refused_bytes"] == 2
    rows = bench.mongo.rows("receipts")
    assert [rows[id]["raw"] for id in ids] == [None, None]
    assert rows[ids[0]]["traceparent"] == "moved"


async def test_an_alert_that_is_raised_again_meanwhile_keeps_its_words() -> None:
    mongo = MemoryMongo()
    await store(mongo, {ALERTS.ref(id): said(cleared_at=AT) for id in "ab"})

    async def raised_again() -> None:
        await store(mongo, {ALERTS.ref("a"): said()})

    mongo.meanwhile = [raised_again]
    assert (await keeper(mongo, 733, notified.KEPT).round())["past_alert_words"] == 1
    assert [ALERTS.read(mongo.rows("alerts")[id]).text.vi for id in "ab"] == [NAME, erased_text().vi]


async def test_a_document_that_cannot_be_read_holds_up_no_other_and_ends_nothing(bench: Bench) -> None:
    """One that a newer release wrote, one that nobody wrote, one that can never be written: each stays as it is."""
    ids = [await conflicting(bench), await rejected(bench)]
    good = bench.mongo.rows("receipts")[ids[0]]
    await store(bench.mongo, {RECEIPTS.ref("unwritable"): RECEIPTS.read(good)})
    strange = {
        "newer": {**good, "_id": "newer", "_schema": 99},
        "none": {**good, "_id": "none", "receipt": {"status": "?"}},
        "unwritable": bench.mongo.rows("receipts")["unwritable"],
    }
    bench.mongo.rows("receipts").update(strange)
    bench.mongo.unwritable = lambda collection, document: document.get("_id") == "unwritable"

    assert (await keeper(bench.mongo, 91).round())["refused_bytes"] == 2

    rows = bench.mongo.rows("receipts")
    assert [rows[id]["raw"] for id in ids] == [None, None]
    assert {id: rows[id] for id in strange} == strange


async def test_a_database_that_is_away_is_waited_for(bench: Bench) -> None:
    await rejected(bench)
    one = keeper(bench.mongo, 91)
    bench.mongo.down = Unavailable
    with pytest.raises(Unavailable):
        await one.round()
    bench.mongo.down = None
    assert (await one.round())["refused_bytes"] == 1


async def test_two_processes_at_once_do_it_once(bench: Bench) -> None:
    await rejected(bench)
    one, other = keeper(bench.mongo, 91), keeper(bench.mongo, 91)
    await one._leases.create(["retention"])
    await one._leases.acquire(["retention"])
    assert set((await other.round()).values()) == {0}
    await one._leases.release()
    assert (await other.round())["refused_bytes"] == 1


async def test_the_business_clock_counts_not_the_day_of_the_machine(bench: Bench) -> None:
    """A simulation that is a year ahead lets go of what is a year old in it."""
    await rejected(bench)
    assert (await keeper(bench.mongo, 365).round())["refused_bytes"] == 1


async def test_what_stands_asked_by_a_code_is_not_asked_of_bytes_that_are_gone(bench: Bench) -> None:
    receipt_id = await held(bench)
    answer = RECEIPTS.read(bench.mongo.rows("receipts")[receipt_id])
    gone = answer.without_bytes(AT, "ERASE-1")
    assert (gone.waits, gone.awaits) == (False, None)
    await store(bench.mongo, {RECEIPTS.ref(receipt_id): gone})
    row = bench.mongo.rows("receipts")[receipt_id]
    request = RELEASE.request(Code(str(answer.awaits), 2022))
    assert isinstance(request, Request)
    await bench.mongo.insert(
        "recalculations", [{"set": request.set, "key": key_text(request.key), "due": None, "at": datetime.now(UTC)}]
    )
    await bench.settle()
    assert bench.mongo.rows("receipts")[receipt_id] == row
    assert await queries.waiting(bench.mongo) == []


# ------------------------------------------------------------------------------------------------- alerts, letters


def said(**changes: Any) -> Said:
    return Said.model_validate(
        {
            "alert_id": "submission_rejected/r",
            "kind": "submission_rejected",
            "severity": "warning",
            "province": "01",
            "audience": "01",
            "subject": "00004",
            "period": 2025,
            "text": {"vi": NAME, "en": NAME},
            "action": {"vi": NAME, "en": NAME},
            "due": None,
            "cause": "e",
            "raised_at": AT,
        }
        | changes
    )


@pytest.mark.parametrize(("over", "words"), [(None, NAME), (AT, erased_text().vi)])
async def test_words_of_alerts_that_are_over_go_and_those_that_stand_stay(over: datetime | None, words: str) -> None:
    mongo = MemoryMongo()
    why = Text(vi=NAME, en=NAME) if over else None
    await store(mongo, {ALERTS.ref("a"): said(cleared_at=over, why_cleared=why)})

    await keeper(mongo, 733, notified.KEPT).round()

    after = ALERTS.read(mongo.rows("alerts")["a"])
    assert (after.text.vi, after.action.vi, after.kind, after.cleared_at) == (words, words, "submission_rejected", over)
    assert (NAME in str(mongo.rows("alerts"))) is (over is None)


@pytest.mark.parametrize(("days", "gone"), [(90, False), (91, True)])
async def test_a_dead_letter_that_lay_open_for_long_is_still_there_to_look_at_how_it_was_settled(
    days: int, gone: bool
) -> None:
    mongo, clock = MemoryMongo(), At(AT)
    pipeline = Pipeline("test", Consumer("test", (), {}), mongo, clock=clock, brake=Brake(5))
    await pipeline.process([record(NAME.encode(), {})])
    (letter,) = mongo.all("dead_letters")
    later = At(AT + timedelta(days=400))
    letters = DeadLetters(mongo, pipeline, Relay(mongo, Broker()), clock=later)
    await letters.discard(Order(Action.DISCARD, str(letter["_id"]), "an", "ministry", "gửi nhầm"))
    await Keeper("test", mongo, (), clock=At(AT + timedelta(days=400 + days))).round()
    (kept,) = mongo.all("dead_letters")
    assert (kept["value"] is None) is gone


@pytest.mark.parametrize(
    ("state", "days", "gone"),
    [
        ("open", 4000, False),
        ("waiting", 4000, False),
        ("replayed", 90, False),
        ("replayed", 91, True),
        ("discarded", 91, True),
    ],
)
async def test_bytes_of_a_dead_letter_go_when_it_is_closed_and_old(state: str, days: int, gone: bool) -> None:
    mongo = MemoryMongo()
    raw = NAME.encode()
    shape = {"state": state, "attempts": 1, "reason": "bad_json", "detail": NAME}
    letter = {
        "_id": ObjectId(),
        "topic": "scores",
        "partition": 0,
        "offset": 1,
        "key": Binary(raw),
        "value": Binary(raw),
        "headers": [["ce_subject", Binary(raw)]],
        "subject": NAME,
        "type": "t",
        "at": AT,
        "cut": None,
        **shape,
    }
    await mongo.insert("dead_letters", [letter])

    await Keeper("test", mongo, (), clock=At(AT + timedelta(days=days))).round()

    (kept,) = mongo.all("dead_letters")
    assert (NAME in str(kept)) is not gone
    assert (kept["_id"], kept["state"], kept["offset"]) == (letter["_id"], state, 1)
    assert (kept.get("erased", {}).get("sha256") == hashlib.sha256(raw).hexdigest()) is gone
