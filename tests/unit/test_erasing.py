"""An order to erase: two persons, nothing that stands, and nothing of the words is left in any service."""

from __future__ import annotations

import hashlib
import json
from itertools import permutations
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from bson import Binary

from deploy.local.identity import issue_token
from services.intake.decisions import AGGREGATES, ERASURES, RECEIPTS
from services.scoring.decisions import RESULTS
from shared.answers.privacy import Erasure
from shared.contracts.base import Status
from shared.contracts.catalogue import EventType
from shared.contracts.facts import AssessmentAccepted, SubmissionErased, Withdrawn
from shared.messaging.decide.people import PEOPLE
from shared.privacy import ERASED_LINE, found_in
from tests.fakes.stored import store
from tests.fakes.trust import local_operator
from tests.unit.delivery_samples import AT, head, record
from tests.unit.intake_bench import Bench
from tests.unit.intake_samples import commune
from tests.unit.register_samples import gap_filled
from tests.unit.scoring_bench import Bench as Scoring
from tests.unit.test_intake_release import correct, old
from tests.unit.test_intake_withdrawals import withdrawn
from tests.unit.test_notifications_pipeline import Notifications

NAME = "Nguyễn Thị Ánh"
NAMED: dict[str, Any] = {"C1.1": {"type": "boolean", "met": True, "evidence": [f"danh sách của {NAME}"]}}
WITH_NAME = {"scoring": "pass_fail", "targets": NAMED}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


class Ministry:
    """Two officers of the ministry, who order over HTTP."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    async def post(self, path: str, body: dict[str, Any], who: str = "an", **query: Any) -> httpx.Response:
        async with self._bench.http() as http:
            token = issue_token(self._bench.folder, who, "ministry")
            return await http.post(path, json=body, params=query, headers={"Authorization": f"Bearer {token}"})

    async def ask(self, *receipts: str, id: str = "X-1", who: str = "an", **query: Any) -> httpx.Response:
        return await self.post("/erasures", {"order_id": id, "receipts": receipts, "why": "gửi nhầm"}, who, **query)

    async def confirm(self, id: str = "X-1", who: str = "binh") -> httpx.Response:
        return await self.post(f"/erasures/{id}/confirm", {"why": "đã xem"}, who)

    async def erase(self, *receipts: str) -> None:
        assert (await self.ask(*receipts)).status_code == 200
        answer = await self.confirm()
        assert answer.status_code == 200, answer.text


@pytest.fixture
def ministry(bench: Bench) -> Ministry:
    return Ministry(bench)


def codes(answer: httpx.Response) -> list[str]:
    """The codes with which an order was refused."""
    assert answer.status_code == 422, answer.text
    return [one["code"] for one in answer.json()["problems"]]


def places(bench: Bench) -> list[str]:
    """Where the name is still to be found in intake's database; not in what is on its way to Kafka."""
    return [
        f"{collection}/{row['_id']}: {place}"
        for collection, rows in bench.mongo.collections.items()
        for row in rows.values()
        for place in found_in(row, NAME)
        if collection != "outbox"
    ]


async def rejected(bench: Bench) -> str:
    raw = json.dumps({"unit_code": NAME, NAME: [NAME]}).encode()  # its letters as escapes
    await bench.pipeline.process([record(raw, head(EventType.COMMUNE_SUBMITTED), topic="submissions.01", offset=500)])
    (one,) = bench.receipts(Status.REJECTED)
    return one.receipt_id


async def corrected(bench: Bench) -> str:
    first = await bench.receive(EventType.COMMUNE_SUBMITTED, commune(content=WITH_NAME))
    await bench.receive(EventType.COMMUNE_SUBMITTED, commune(submission_id="HN-2", corrects_version=1))
    return first.receipt_id


async def taken_back(bench: Bench) -> str:
    await bench.receive(EventType.COMMUNE_SUBMITTED, commune())
    named = commune(submission_id="HN-2", content=WITH_NAME, corrects_version=1, reason=f"thay {NAME}")
    second = await bench.receive(EventType.COMMUNE_SUBMITTED, named)
    await bench.receive(EventType.COMMUNE_WITHDRAWN, withdrawn(2))
    return second.receipt_id


async def conflicting(bench: Bench) -> str:
    await bench.receive(EventType.COMMUNE_SUBMITTED, commune())
    return (
        await bench.receive(EventType.COMMUNE_SUBMITTED, commune(submission_id="HN-2", content=WITH_NAME))
    ).receipt_id


async def held(bench: Bench) -> str:
    named = {"scoring": "points", "points": {"TC1": {"points": "1", "evidence": [NAME]}}}
    return (await bench.receive(EventType.COMMUNE_SUBMITTED, old(content=named))).receipt_id


@pytest.mark.parametrize("made", [rejected, corrected, taken_back, conflicting, held])
async def test_nothing_of_the_words_is_left_but_the_hash_and_the_decision(
    bench: Bench, ministry: Ministry, made: Any
) -> None:
    receipt_id = await made(bench)
    before = RECEIPTS.read(bench.mongo.rows("receipts")[receipt_id])
    assert before.raw is not None
    assert places(bench)

    await ministry.erase(receipt_id)

    assert places(bench) == []
    after = RECEIPTS.read(bench.mongo.rows("receipts")[receipt_id])
    assert after.erased is not None
    assert after.erased.sha256 == hashlib.sha256(before.raw).hexdigest()
    assert after.erased.by == "X-1"
    stays = {"problems", "warnings"}
    assert after.receipt.model_dump(exclude=stays) == before.receipt.model_dump(exclude=stays)
    assert [one.code for one in after.receipt.problems] == [one.code for one in before.receipt.problems]
    told = SubmissionErased.model_validate(bench.events("intake.accepted")[-1])
    assert (told.receipt_id, told.sha256, told.order_id) == (receipt_id, after.erased.sha256, "X-1")


async def test_a_history_that_an_older_release_kept_elsewhere_loses_its_words_too(
    bench: Bench, ministry: Ministry
) -> None:
    first = await bench.receive(EventType.COMMUNE_SUBMITTED, commune())
    ids = [first.receipt_id]
    for version in (1, 2, 3):
        content = {"scoring": "pass_fail", "targets": {"C1.1": {"type": "boolean", "met": version % 2 == 0}}}
        told = {"corrects_version": version, "reason": f"thay {NAME}", "content": content}
        named = commune(submission_id=f"HN-{version}a", **told)
        ids.append((await bench.receive(EventType.COMMUNE_SUBMITTED, named)).receipt_id)
    await bench.receive(EventType.COMMUNE_WITHDRAWN, withdrawn(4))
    (row,) = bench.mongo.rows("aggregates").values()
    lines = bench.mongo.all("versions")
    row["history"] = [{n: said for n, said in line.items() if n[0] != "_" and n != "aggregate"} for line in lines]
    bench.mongo.rows("versions").clear()
    bench.mongo.seal()
    assert places(bench)

    await ministry.erase(*ids[:3])
    await ministry.ask(ids[3], id="X-2")
    assert (await ministry.confirm("X-2")).status_code == 200

    assert places(bench) == []
    async with bench.http() as http:
        (told,) = (await http.get(f"/subjects/{first.subject}")).json()
    assert [line["version"] for line in told["history"]] == [1, 2, 3, 4, 5]
    assert [line["reason"] == ERASED_LINE for line in told["history"]] == [False, True, True, True, False]


async def test_the_counts_add_up_as_before(bench: Bench, ministry: Ministry) -> None:
    ids = [await held(bench), await rejected(bench)]
    async with bench.http() as http:
        before = (await http.get("/tally")).json()
        await ministry.erase(*ids)
        assert (await http.get("/tally")).json() == before
        assert (await http.get("/held")).json()["items"] == [], "it waits for nothing any more"


# ------------------------------------------------------------------------------------------------- what stands


async def test_what_stands_is_refused_until_it_is_replaced(bench: Bench, ministry: Ministry) -> None:
    first = await bench.receive(EventType.COMMUNE_SUBMITTED, commune(content=WITH_NAME))
    assert codes(await ministry.ask(first.receipt_id)) == ["stands"]

    await bench.receive(EventType.COMMUNE_SUBMITTED, commune(submission_id="HN-2", corrects_version=1))
    await ministry.erase(first.receipt_id)
    assert places(bench) == []


async def test_a_copy_of_what_stands_may_go(bench: Bench, ministry: Ministry) -> None:
    first = await bench.receive(EventType.COMMUNE_SUBMITTED, commune())
    again = await bench.receive(EventType.COMMUNE_SUBMITTED, commune())
    await ministry.erase(again.receipt_id)
    assert RECEIPTS.read(bench.mongo.rows("receipts")[first.receipt_id]).raw is not None


async def sent_thrice(bench: Bench) -> list[str]:
    """The same refused bytes three times: each is received, and refused, by itself."""
    raw = json.dumps({"unit_code": NAME}).encode()
    for offset in (500, 501, 502):
        row = record(raw, head(EventType.COMMUNE_SUBMITTED), topic="submissions.01", offset=offset)
        await bench.pipeline.process([row])
    return [receipt.receipt_id for receipt in bench.receipts(Status.REJECTED)]


async def held_and_repeated(bench: Bench) -> list[str]:
    """What was held, sent again meanwhile, and refused when the register knew its code: three receipts."""
    named = {"scoring": "points", "points": {"TC1": {"points": "1", "evidence": [NAME]}}}
    for _ in range(2):
        await bench.receive(EventType.COMMUNE_SUBMITTED, old(content=named), province="04")
    await correct(bench, gap_filled())
    await bench.settle()
    assert [receipt.status.value for receipt in bench.receipts()] == ["held", "duplicate", "rejected"]
    return [receipt.receipt_id for receipt in bench.receipts()]


async def replaced_and_repeated(bench: Bench) -> list[str]:
    """What was accepted, sent again, and corrected."""
    for _ in range(2):
        await bench.receive(EventType.COMMUNE_SUBMITTED, commune(content=WITH_NAME))
    ids = [receipt.receipt_id for receipt in bench.receipts()]
    await bench.receive(EventType.COMMUNE_SUBMITTED, commune(submission_id="HN-2", corrects_version=1))
    return ids


@pytest.mark.parametrize("made", [sent_thrice, held_and_repeated, replaced_and_repeated])
@pytest.mark.parametrize("named", [0, -1])
async def test_every_receipt_of_the_same_content_goes_whichever_is_named(
    bench: Bench, ministry: Ministry, made: Any, named: int
) -> None:
    ids = await made(bench)
    others = sorted({*ids} - {ids[named]})
    asked = await ministry.ask(ids[named])
    assert (asked.json()["order"]["also"], asked.json()["order"]["standing"]) == (others, [])
    done = await ministry.confirm()
    assert (done.json()["also"], done.json()["more"]) == (others, 0)
    assert places(bench) == []
    told = [SubmissionErased.model_validate(each) for each in bench.events("intake.accepted") if "erased_at" in each]
    assert {each.receipt_id for each in told} == set(ids), "whoever keeps words of any of them hears it"


async def test_a_repeat_that_comes_before_the_confirmation_goes_too(bench: Bench, ministry: Ministry) -> None:
    ids = await replaced_and_repeated(bench)
    assert (await ministry.ask(*ids)).json()["order"]["also"] == []
    again = await bench.receive(EventType.COMMUNE_SUBMITTED, commune(content=WITH_NAME))
    assert (await ministry.confirm()).json()["also"] == [again.receipt_id]
    assert places(bench) == []


async def test_of_the_same_content_what_stands_stays_and_is_named(bench: Bench, ministry: Ministry) -> None:
    first, again, third = [await bench.receive(EventType.COMMUNE_SUBMITTED, commune(content=WITH_NAME)) for _ in "123"]
    order = (await ministry.ask(again.receipt_id)).json()["order"]
    assert (order["also"], order["standing"]) == ([third.receipt_id], [first.receipt_id])
    assert (await ministry.confirm()).status_code == 200
    kept = {id: row["raw"] is not None for id, row in bench.mongo.rows("receipts").items()}
    assert kept == {first.receipt_id: True, again.receipt_id: False, third.receipt_id: False}


async def test_what_only_has_the_same_id_is_another_content(bench: Bench, ministry: Ministry) -> None:
    """A sender mends what was refused and sends it again under its id."""
    wrong = await bench.receive(EventType.COMMUNE_SUBMITTED, commune(unit_code="99999", content=WITH_NAME))
    mended = await bench.receive(EventType.COMMUNE_SUBMITTED, commune())
    assert (wrong.submission_id, mended.status) == (mended.submission_id, Status.ACCEPTED)
    assert (await ministry.ask(wrong.receipt_id)).json()["order"]["also"] == []


async def test_of_very_many_copies_the_first_go_and_the_others_are_counted(
    bench: Bench, ministry: Ministry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.intake.decisions.erasing.MOST_COPIES", 1)
    ids = await sent_thrice(bench)
    order = (await ministry.ask(ids[0])).json()["order"]
    assert (len(order["also"]), order["more"]) == (1, 1)
    assert (await ministry.confirm()).status_code == 200
    (left,) = [id for id, row in bench.mongo.rows("receipts").items() if row["raw"] is not None]
    assert (await ministry.ask(left, id="X-2")).status_code == 200
    assert (await ministry.confirm("X-2")).status_code == 200
    assert places(bench) == []


async def test_dead_letters_with_the_same_bytes_are_named(bench: Bench, ministry: Ministry) -> None:
    receipt_id = await rejected(bench)
    raw = bench.mongo.rows("receipts")[receipt_id]["raw"]
    letters: list[dict[str, Any]] = [
        {"value": Binary(raw), "state": "open"},
        {"value": Binary(b'{"data": ' + raw + b"}"), "data": Binary(raw)},
        {"value": Binary(b"{}")},
        {"value": None, "erased": {}},
    ]
    await bench.mongo.insert("dead_letters", letters)
    same = sorted(str(row["_id"]) for row in bench.mongo.all("dead_letters") if raw in (row["value"], row.get("data")))
    assert len(same) == 2
    assert (await ministry.ask(receipt_id, dry_run=True)).json()["letters"] == same


async def test_what_came_to_stand_between_request_and_confirmation_is_not_erased(
    bench: Bench, ministry: Ministry
) -> None:
    """It was held when it was asked for, and decided before it was confirmed: judged as it is when it is done."""
    receipt_id = await conflicting(bench)
    assert (await ministry.ask(receipt_id)).status_code == 200
    (row,) = bench.mongo.all("aggregates")
    kept = AGGREGATES.read(row)
    accepted = kept.accepted.model_copy(update={"receipt_id": receipt_id})
    await store(bench.mongo, {AGGREGATES.ref(row["_id"]): kept.model_copy(update={"accepted": accepted})})
    assert codes(await ministry.confirm()) == ["stands"]
    assert RECEIPTS.read(bench.mongo.rows("receipts")[receipt_id]).raw is not None


# ------------------------------------------------------------------------------------------------- who, order, again


async def test_one_person_alone_erases_nothing(bench: Bench, ministry: Ministry) -> None:
    receipt_id = await rejected(bench)
    assert (await ministry.ask(receipt_id)).status_code == 200
    assert codes(await ministry.confirm(who="an")) == ["same_person"]
    assert places(bench)


async def test_two_accounts_of_one_person_erase_nothing(bench: Bench, ministry: Ministry) -> None:
    receipt_id = await rejected(bench)
    await store(bench.mongo, {PEOPLE.ref("p-an"): local_operator("p-an", "an", "an2")})
    assert (await ministry.ask(receipt_id)).json()["order"]["requested_by"] == "p-an"
    assert codes(await ministry.confirm(who="an2")) == ["same_person"]


@pytest.mark.parametrize(
    "asked_by", ["local:an", "an"], ids=["his local account", "his subject, under an older release"]
)
async def test_who_asked_before_the_directory_knew_him_does_not_confirm(
    bench: Bench, ministry: Ministry, asked_by: str
) -> None:
    receipt_id = await rejected(bench)
    asked = Erasure(order_id="X-1", receipts=[receipt_id], why="x", requested_by=asked_by, requested_at=AT)
    await store(bench.mongo, {ERASURES.ref("X-1"): asked})
    assert codes(await ministry.confirm(who="an")) == ["same_person"]
    await store(bench.mongo, {PEOPLE.ref("p-an"): local_operator("p-an", "an2", "an")})
    for account in ("an", "an2"):
        assert codes(await ministry.confirm(who=account)) == ["same_person"]
    assert places(bench)
    assert (await ministry.confirm(who="binh")).status_code == 200


@pytest.mark.parametrize("role", ["province", "finance", "auditor"])
@pytest.mark.parametrize("path", ["/erasures", "/erasures/X-1/confirm"])
async def test_nobody_but_the_ministry_orders(bench: Bench, ministry: Ministry, role: Any, path: str) -> None:
    receipt_id = await rejected(bench)
    await ministry.ask(receipt_id)
    async with bench.http(role, "01" if role == "province" else None) as http:
        answer = await http.post(path, json={"order_id": "X-2", "receipts": [receipt_id], "why": "x"})
    assert answer.status_code == 403
    assert places(bench)
    assert len(bench.mongo.all("erasures")) == 1


async def test_a_look_at_what_an_order_would_do_writes_nothing(bench: Bench, ministry: Ministry) -> None:
    receipt_id = await rejected(bench)
    answer = await ministry.ask(receipt_id, dry_run=True)
    assert (answer.status_code, answer.json()["dry_run"]) == (200, True)
    assert bench.mongo.all("erasures") == []
    assert codes(await ministry.ask("unknown", dry_run=True)) == ["receipt_unknown"]


async def test_the_same_order_again_changes_nothing(bench: Bench, ministry: Ministry) -> None:
    receipt_id = await rejected(bench)
    await ministry.erase(receipt_id)
    rows, events = bench.mongo.all("receipts"), bench.events("intake.accepted")
    assert (await ministry.ask(receipt_id)).status_code == 200
    for who in ("binh", "chi"):
        assert (await ministry.confirm(who=who)).json()["confirmed_by"] == "local:binh"
    assert (bench.mongo.all("receipts"), bench.events("intake.accepted")) == (rows, events)


async def test_another_content_under_the_same_id_is_refused(bench: Bench, ministry: Ministry) -> None:
    receipt_id, other = await rejected(bench), await conflicting(bench)
    assert (await ministry.ask(receipt_id)).status_code == 200
    assert codes(await ministry.ask(other)) == ["order_id_reused"]
    assert codes(await ministry.ask(receipt_id, who="binh")) == ["order_id_reused"], "else it would be its own witness"


async def test_everything_that_is_wrong_is_told_at_once_in_its_place(bench: Bench, ministry: Ministry) -> None:
    stands = (await bench.receive(EventType.COMMUNE_SUBMITTED, commune())).receipt_id
    answer = await ministry.ask("nobody", stands, "nothing")
    found = {(one["code"], one["field"]) for one in answer.json()["problems"]}
    assert found == {("receipt_unknown", "/receipts/0"), ("stands", "/receipts/1"), ("receipt_unknown", "/receipts/2")}
    assert bench.mongo.all("erasures") == []


async def test_an_order_that_nobody_gave_cannot_be_confirmed(ministry: Ministry) -> None:
    assert (await ministry.confirm("X-9")).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"order_id": "X-1", "receipts": [], "why": "x"},
        {"order_id": "X-1", "receipts": ["r"] * 51, "why": "x"},
        {"order_id": "X-1", "receipts": ["r"]},
        {"order_id": "X-1", "receipts": ["r"], "why": ""},
        {"order_id": "a b", "receipts": ["r"], "why": "x"},
        {"order_id": "X-1", "receipts": "r", "why": "x"},
        {"order_id": "X-1", "receipts": ["r"], "why": "x", "all": True},
    ],
)
async def test_an_order_that_is_none_is_refused_in_words(ministry: Ministry, body: dict[str, Any]) -> None:
    assert (await ministry.post("/erasures", body)).status_code == 422


async def test_what_is_erased_twice_by_two_orders_keeps_the_first_mark(bench: Bench, ministry: Ministry) -> None:
    receipt_id = await rejected(bench)
    await ministry.erase(receipt_id)
    assert (await ministry.ask(receipt_id, id="X-2")).status_code == 200
    assert (await ministry.confirm("X-2")).status_code == 200
    kept = RECEIPTS.read(bench.mongo.rows("receipts")[receipt_id])
    assert kept.erased is not None
    assert kept.erased.by == "X-1"


# ------------------------------------------------------------------------------------------------- other services


@pytest.mark.parametrize("erased_first", [False, True])
async def test_an_alert_says_nothing_of_what_was_erased_whichever_came_first(
    bench: Bench, ministry: Ministry, erased_first: bool
) -> None:
    receipt_id = await rejected(bench)
    receipt = (EventType.RECEIPT_ISSUED.value, bench.receipt(receipt_id).model_dump(mode="json"))
    assert NAME in str(receipt)
    await ministry.erase(receipt_id)
    erased = (EventType.SUBMISSION_ERASED.value, bench.events("intake.accepted")[-1])
    notifications = Notifications()

    for each in [erased, receipt] if erased_first else [receipt, erased]:
        await notifications.pipeline.process(
            [record(json.dumps(each[1]).encode(), head(each[0], each[0]), topic="receipts.01", offset=len(each[0]))]
        )

    assert notifications.dead() == set()
    (alert,) = notifications.mongo.all("alerts")
    assert found_in(alert, NAME) == []
    newest = json.loads(max(notifications.mongo.all("outbox"), key=lambda row: row["order"])["value"])
    assert (newest["alert_id"], NAME in str(newest)) == (alert["alert_id"], False)
    assert newest["version"] == (1 if erased_first else 2)


async def erased_facts(bench: Bench, ministry: Ministry) -> tuple[Any, Any, Any]:
    """An assessment, its withdrawal, its erasure."""
    receipt_id = await taken_back(bench)
    await ministry.erase(receipt_id)
    types = (EventType.COMMUNE_ACCEPTED, EventType.COMMUNE_ACCEPTED, EventType.SUBMISSION_WITHDRAWN)
    facts = bench.events("intake.accepted")
    read = [type_.model.model_validate(fact) for type_, fact in zip(types, facts[:3], strict=True)]
    return read[1], read[2], SubmissionErased.model_validate(facts[3])


@pytest.mark.parametrize("order", [*permutations(range(3))])
async def test_scoring_drops_the_words_of_what_was_withdrawn_whatever_came_last(
    bench: Bench, ministry: Ministry, order: tuple[int, ...]
) -> None:
    facts = await erased_facts(bench, ministry)
    scoring = await Scoring().start()
    assert found_in(facts[0].model_dump(), NAME)

    await scoring.accept(*(facts[each] for each in order))

    (row,) = scoring.mongo.all("results")
    assert found_in(row, NAME) == []
    kept = RESULTS.read(row)
    assert (kept.result.state, kept.input_version) == ("unassessed", 3)
    assert ERASED_LINE in str(kept.accepted)
    await scoring.accept(facts[2])
    assert scoring.mongo.all("results") == [row], "the same again"


async def test_scoring_judges_nothing_anew_for_an_erasure(bench: Bench, ministry: Ministry) -> None:
    accepted, withdrawal, erased = await erased_facts(bench, ministry)
    scoring = await Scoring().start()
    await scoring.accept(accepted, withdrawal)
    (before,), events = scoring.mongo.all("results"), len(scoring.mongo.all("outbox"))
    await scoring.accept(erased)
    (after,) = scoring.mongo.all("results")
    assert after["result"] == before["result"]
    assert len(scoring.mongo.all("outbox")) == events


@pytest.mark.parametrize("series", ["district", "province"])
async def test_scoring_drops_the_words_of_an_area_too(series: Literal["district", "province"]) -> None:
    """Its assessment is filed apart, since it is judged over a set."""
    place = {"series": series, "subject_id": "01", "name": "Hà Nội", "holder": "01", "period": 2024}
    rule = {"rubric": f"lc_{series}_25_2023", "content": WITH_NAME}
    sent = {"version": 1, "submission_id": "s", "receipt_id": "r", "province": "01", "received_at": AT}
    accepted = AssessmentAccepted.model_validate(place | rule | sent)
    about = {"kind": "assessment", "subject": f"{series}/01", "period": 2024, "withdraws": 1, "reason": "nhầm"}
    withdrawal = Withdrawn.model_validate(sent | about | {"version": 2, "receipt_id": "w"})
    scoring = await Scoring().start()
    await scoring.accept(accepted, withdrawal, erased(kind="assessment", subject=f"{series}/01", period=2024))
    assert found_in(scoring.mongo.all("areas")[0], "danh sách") == []


@pytest.mark.parametrize(
    "changes", [{"receipt_id": "another"}, {"kind": "envelope"}, {"kind": None, "period": None}, {"subject": "01"}]
)
async def test_scoring_keeps_what_another_erasure_is_about(
    bench: Bench, ministry: Ministry, changes: dict[str, Any]
) -> None:
    accepted, withdrawal, of_it = await erased_facts(bench, ministry)
    scoring = await Scoring().start()
    await scoring.accept(accepted, withdrawal)
    before = scoring.mongo.all("results")
    await scoring.accept(of_it.model_copy(update=changes))
    assert scoring.mongo.all("results") == before


def erased(**changes: Any) -> SubmissionErased:
    """The erasure of receipt `r`."""
    given = {"receipt_id": "r", "version": 1, "order_id": "X", "province": "01", "sha256": None, "erased_at": AT}
    return SubmissionErased.model_validate(given | changes)


# ------------------------------------------------------------------------------------------------- finding


@pytest.mark.parametrize(
    "document",
    [
        {"a": NAME},
        {"a": {"b": [1, {"c": f"… {NAME} …"}]}},
        {NAME: 1},
        {"a": {NAME: {"b": 1}}},
        {"a": NAME.upper()},
        {"a": NAME.encode()},
        {"a": json.dumps([NAME]).encode()},
        {"a": json.dumps({NAME: 1}).encode()},
        {"a": NAME.encode() + b"\xff"},
        {"a": "Nguyê\u0303n Thi\u0323 A\u0301nh"},
        {"a": "Nguyê\u0303n Thi\u0323 A\u0301nh".encode()},
        {"a": ("x", [NAME])},
    ],
)
def test_a_name_is_found_wherever_and_however_it_is_written(document: dict[str, Any]) -> None:
    assert found_in(document, NAME)
    assert found_in(document, NAME.lower())
    assert not found_in(document, "Trần Văn Bình")
