"""What people decide, over HTTP on running services: the life of a budget, a correction of the register, a recompute.

One small province's made-up year is published once; every test then decides on something else of it.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer

from cli.publishing import Message, Portal
from demo.synthetic import BUDGET_YEAR, LEGACY_PERIOD, ON_TIME, PERIOD, Demonstration, expected_tally
from deploy.local.harness import Servers, start_servers
from deploy.local.identity import Role, issue_token
from shared.contracts.base import Status, content_hash
from shared.contracts.catalogue import EventType
from shared.contracts.facts import JournalMark
from shared.contracts.journal import JournalEntry, Posting, append, balances, verify
from shared.messaging.access import KafkaAccess
from shared.messaging.clock import BusinessClock
from shared.messaging.operate.topics import apply_topics
from shared.messaging.seals import Ring
from tests.platform import ServiceProcesses

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]
Document = dict[str, Any]
PROVINCE = "46"
BUDGET, DECISIONS = f"/budgets/{PROVINCE}/{BUDGET_YEAR}", f"{PROVINCE}/{BUDGET_YEAR}"
SERVICES = ("intake", "scoring", "funding", "notifications")
CLOCK = BusinessClock(int((ON_TIME - datetime.now(UTC)).total_seconds()))
SLOWLY = "delay=1:3000ms"
"""Every step of delivery takes three seconds, so that a process can be killed within one of them for certain."""
CLIENTS = 6
"""How many say the same thing at the same moment."""


@dataclass(frozen=True)
class Platform:
    """The running services, the broker, and the folder whose key signs tokens."""

    processes: ServiceProcesses
    kafka: KafkaAccess
    folder: Path
    messages: list[Message]
    """What the province has published."""

    def rows(self, service: str, collection: str, **query: Any) -> list[Document]:
        """Documents of a service."""
        return list(self.processes.database(service)[collection].find(query, sort=[("_id", 1)]))

    def publish(self, *messages: Message) -> None:
        """Publish as the province's portal does, and wait until everything has followed."""

        async def send() -> None:
            async with Portal(self.kafka, clock=CLOCK) as portal:
                await portal.publish(messages)

        asyncio.run(send())
        self.processes.wait_settled(*SERVICES, seconds=120)

    def events(self, topic: str) -> dict[str, tuple[str, Document]]:
        """Everything on a topic: type and data by `ce_id`. One id never means two contents."""
        found: dict[str, tuple[str, Document]] = {}
        for headers, value in asyncio.run(_records(self.kafka, topic)):
            event = headers["ce_type"].decode(), json.loads(value)
            assert found.setdefault(headers["ce_id"].decode(), event) == event
        return found

    def facts(self, type_: EventType, topic: str = "budgets") -> list[Document]:
        """The data of all events of a type."""
        return [data for type, data in self.events(topic).values() if type == type_]


async def _records(kafka: KafkaAccess, topic: str) -> list[tuple[dict[str, bytes], bytes]]:
    consumer = AIOKafkaConsumer(topic, **kafka.options, auto_offset_reset="earliest")
    await consumer.start()
    try:
        found: list[tuple[dict[str, bytes], bytes]] = []
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(partition) < end for partition, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += [(dict(record.headers), record.value) for record in records]
        return found
    finally:
        await consumer.stop()


@dataclass(frozen=True)
class Person:
    """Somebody with a token."""

    platform: Platform
    name: str
    role: Role
    province: str | None = None

    def post(self, service: str, path: str, body: Document, key: str | None = None) -> httpx.Response:
        """POST; the answer, whatever it says."""
        token = issue_token(self.platform.folder, self.name, self.role, self.province)
        headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})
        return httpx.post(self.platform.processes.url(service) + path, json=body, headers=headers, timeout=30)

    def take(
        self, path: str, seen: Document, key: str, why: str = "Theo biên bản họp", **more: object
    ) -> httpx.Response:
        """A step of a budget or adjustment, about the version that was seen."""
        return self.post("funding", path, {"why": why, "version": seen["version"], "hash": seen["hash"], **more}, key)


def done(answer: httpx.Response) -> Document:
    """The body of an order that was carried out."""
    assert answer.status_code in (200, 202), answer.text
    body: Document = answer.json()
    return body


def refused(answer: httpx.Response, status: int, code: str) -> None:
    """It is an answer with this status and this problem."""
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def at_once(call: Callable[[], httpx.Response]) -> list[httpx.Response]:
    """The answers that several clients get when they call at the same moment."""
    with ThreadPoolExecutor(CLIENTS) as clients:
        return [each.result() for each in [clients.submit(call) for _ in range(CLIENTS)]]


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for another process's progress."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# -------------------------------------------------------------------------------------------------- the province


@pytest.fixture(scope="module")
def servers_of_decisions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Servers of this module alone, because it looks at everything that is on them."""
    with start_servers(tmp_path_factory.mktemp("decisions") / "servers") as running:
        asyncio.run(apply_topics(running.kafka))
        yield running


@pytest.fixture(scope="module")
def platform(servers_of_decisions: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """All services, on which a province has published its whole year."""
    servers, folder = servers_of_decisions, tmp_path_factory.mktemp("services")
    demonstration = Demonstration((PROVINCE,))
    messages = [*demonstration.setup(), *demonstration.assessments()]
    with ServiceProcesses(servers, folder, LANGHOC_CLOCK_OFFSET=str(CLOCK.offset_seconds)) as processes:
        # What a killed process had begun to write is locked for so long, instead of a minute.
        processes.client.admin.command("setParameter", 1, transactionLifetimeLimitSeconds=5)
        processes.start(*SERVICES)
        platform = Platform(processes, servers.kafka, folder, messages)
        platform.publish(*messages)
        tally = processes.get("intake", "/tally")
        assert tally == {"received": len(messages)} | {s.value: n for s, n in expected_tally(messages).items()}
        yield platform


# ---------------------------------------------------------------------------------------------- life of a budget


def is_writing(platform: Platform, service: str) -> bool:
    """Whether a service has a transaction open."""
    database = platform.processes.database(service).name
    stages: list[Document] = [
        {"$currentOp": {"allUsers": True, "idleSessions": True}},
        {"$match": {"appName": database, "transaction": {"$exists": True}}},
    ]
    return bool(list(platform.processes.client.admin.aggregate(stages)))


def killed_when(platform: Platform, condition: Callable[[], bool], order: Callable[[], httpx.Response]) -> None:
    """Give an order to a slow funding, kill it at the wanted moment, before it has answered; start it again."""
    processes = platform.processes
    processes.stop("funding")
    processes.start("funding", LANGHOC_FAULTS=SLOWLY)
    assert not condition()
    with ThreadPoolExecutor(1) as client:
        answer: Future[httpx.Response] = client.submit(order)
        until(condition)
        processes.kill("funding")
        with pytest.raises(httpx.HTTPError):
            answer.result()
    processes.start("funding")


def test_a_budget_lives_from_proposal_to_adjustment(platform: Platform) -> None:
    processes = platform.processes
    province = Person(platform, "lan", "province", PROVINCE)
    preparer, approver, other = (Person(platform, name, "finance") for name in ("an", "binh", "chi"))

    def budget() -> Document:
        found: Document = processes.get("funding", BUDGET)
        return found

    def state() -> str:
        return str(platform.rows("funding", "budgets", _id=DECISIONS)[0]["state"])

    # Prepared by the province; the same order from many clients at once is one order.
    seen = budget()
    assert seen["state"] == "proposed"
    answers = at_once(lambda: province.take(f"{BUDGET}/simulate", seen, "simulate"))
    assert {done(each)["state"] for each in answers} == {"simulated"}
    # The centres' deadline has not passed: whoever submits now accepts by name whose file may still come.
    refused(preparer.take(f"{BUDGET}/submit", seen, "too-early"), 409, "not_accepted")
    lines = processes.get("funding", "/allocations", year=BUDGET_YEAR, province=PROVINCE)["items"]
    awaited = [each["allocation"]["centre_id"] for each in lines if each["allocation"]["assessment"] == "awaited"]
    assert done(preparer.take(f"{BUDGET}/submit", seen, "submit", accepts=awaited))["state"] == "submitted"

    # Nobody approves what they prepared, and a province approves nothing; both attempts stay on record.
    refused(preparer.take(f"{BUDGET}/approve", seen, "own"), 403, "same_person")
    refused(province.take(f"{BUDGET}/approve", seen, "not-finance"), 403, "role_not_allowed")
    assert [(each["who"], each["action"], each["result"]) for each in budget()["history"]] == [
        ("local:lan", "simulate", "done"),
        ("local:an", "submit", "done"),
    ]
    kept = processes.get("funding", f"{BUDGET}/refusals")["items"]
    assert {each["who"]: [one["result"] for one in each["latest"]] for each in kept} == {
        "local:an": ["not_accepted", "same_person"],
        "local:lan": ["role_not_allowed"],
    }

    # Killed while the approval is being written: nothing of it is there. Then many repeat it: it is there once.
    def approve() -> httpx.Response:
        return approver.take(f"{BUDGET}/approve", seen, "approve")

    killed_when(platform, lambda: is_writing(platform, "funding"), approve)
    assert state() == "submitted"
    assert platform.rows("funding", "journal") == platform.rows("funding", "decisions") == []
    until(lambda: approve().status_code != 503)
    answers = at_once(approve)
    assert {done(each)["state"] for each in answers} == {"approved"}
    refused(other.take(f"{BUDGET}/approve", seen, "approve"), 409, "wrong_state")  # other people's ids are others
    assert [each["action"] for each in budget()["history"] if each["result"] == "done"] == [
        "simulate",
        "submit",
        "approve",
    ]
    approved = platform.rows("funding", "journal")
    lines = platform.rows("funding", "decisions")
    assert len(approved) == len(lines) + 1  # each decision of either purpose, and the reserve
    assert platform.facts(EventType.BUDGET_APPROVED) == []  # approved is not published

    # Killed when the publication is written and nobody knows: said again, it is the same publication.
    killed_when(platform, lambda: state() == "published", lambda: approver.take(f"{BUDGET}/publish", seen, "publish"))
    assert done(approver.take(f"{BUDGET}/publish", seen, "publish"))["state"] == "published"
    processes.wait_settled(*SERVICES)
    told = sorted(platform.facts(EventType.BUDGET_APPROVED), key=lambda line: line["centre_id"])
    assert Counter((line["centre_id"], line["purpose"]) for line in told) == Counter(
        (line["centre_id"], line["purpose"]) for line in lines
    )
    runs = {each["purpose"]: each for each in platform.facts(EventType.BUDGET_RUN_APPROVED)}
    assert sum(each["envelope"] for each in runs.values()) == seen["envelope"]
    run, published = runs["operating"], [line for line in told if line["purpose"] == "operating"]
    assert len(published) == run["centres"] == seen["run"]["centres"]
    assert sum(line["amount"] + line["settled"] for line in published) + run["reserve"] == run["envelope"]
    assert run["hash"] == content_hash([[line["centre_id"], line["amount"], line["settled"]] for line in published])
    assert (run["submitted_by"], run["approved_by"]) == ("local:an", "local:binh")
    assert processes.get("funding", f"{BUDGET}/snapshot/verify")["same"] is True
    assert processes.get("funding", f"{BUDGET}/proof")["holds"] is True
    alerts = processes.get("notifications", "/alerts", province=PROVINCE, kind="support_approved")
    assert len(alerts["items"]) == len(runs)

    adjusted = adjust_after_correction(platform, preparer, approver, other, run)
    exported(platform, {(line["centre_id"], line["purpose"]): line["amount"] for line in told}, adjusted)
    tampered(platform, JournalMark.model_validate(adjusted["journal"]))


def corrected_file(platform: Platform, centre_id: str) -> Message:
    """The centre's file of the year with half the points."""
    (message,) = (
        each
        for each in platform.messages
        if (each.type, each.key, each.expected) == (EventType.CENTRE_SUBMITTED, centre_id, Status.ACCEPTED)
    )
    body = json.loads(message.body) | {"submission_id": "CORRECTED", "corrects_version": 1}
    for points in body["content"]["points"].values():
        points["points"] = str(int(float(points["points"]) / 2))
    return Message(PROVINCE, centre_id, message.type, json.dumps(body).encode())


def adjust_after_correction(
    platform: Platform, preparer: Person, approver: Person, other: Person, run: Document
) -> Document:
    """A centre's file is corrected after the publication: people decide, money moves once. Returns the fact."""
    processes = platform.processes
    best = next(
        each.key for each in platform.messages if each.type == EventType.CENTRE_SUBMITTED and each.note == "tot"
    )
    before = {line["centre_id"]: line for line in processes.get("funding", f"{BUDGET}/decisions")}
    platform.publish(corrected_file(platform, best))

    (proposed,) = platform.facts(EventType.ADJUSTMENT_PROPOSED)
    assert (proposed["centre_id"], proposed["state"]) == (best, "proposed")
    assert proposed["amount"] == before[best]["amount"]
    assert proposed["delta"] == proposed["corrected"] - proposed["amount"] < 0
    (alert,) = processes.get("notifications", "/alerts", province=PROVINCE, kind="adjustment_proposed")["items"]
    assert alert["subject"] == best
    assert {line["centre_id"]: line for line in processes.get("funding", f"{BUDGET}/decisions")} == before

    path = f"/adjustments/{proposed['adjustment_id']}"
    submitted = done(preparer.take(f"{path}/submit", proposed, "submit-adjustment"))
    refused(preparer.take(f"{path}/approve", submitted, "own-adjustment"), 403, "same_person")
    with ThreadPoolExecutor(2) as both:  # two who may, at the same moment, each by an order of their own
        orders = [
            both.submit(person.take, f"{path}/approve", submitted, f"of-{person.name}") for person in (approver, other)
        ]
        answers = [each.result() for each in orders]
    assert sorted(each.status_code for each in answers) == [200, 409]
    processes.wait_settled(*SERVICES)

    (adjusted,) = platform.facts(EventType.BUDGET_ADJUSTED)
    assert (adjusted["centre_id"], adjusted["version"]) == (best, 2)
    assert (adjusted["amount"], adjusted["previous_amount"]) == (proposed["corrected"], proposed["amount"])
    assert adjusted["reserve"] == run["reserve"] - proposed["delta"]
    assert adjusted["decided_by"] in ("local:binh", "local:chi")
    (alert,) = processes.get("notifications", "/alerts", province=PROVINCE, kind="support_adjusted")["items"]
    assert alert["subject"] == best

    found = processes.get("funding", f"/journal/{DECISIONS}")
    entries = [JournalEntry.model_validate(each) for each in found["entries"]]
    for mark in (run["journal"], adjusted["journal"]):  # the older mark is still in the journal
        assert verify(entries, JournalMark.model_validate(mark)) == []
    sums = balances(entries)
    assert sums.total == run["envelope"]
    assert sums.centres[best] == adjusted["amount"]
    assert processes.get("funding", f"/journal/{DECISIONS}/verify")["whole"] is True
    assert processes.get("funding", BUDGET)["state"] == "adjusted"
    return adjusted


def exported(platform: Platform, approved: dict[tuple[str, str], int], adjusted: Document) -> None:
    """The three forms of export tell what stands, the open-contracting one every version."""
    url = f"{platform.processes.url('funding')}/exports/{DECISIONS}"
    bearer = {"Authorization": f"Bearer {issue_token(platform.folder, 'kiem', 'auditor')}"}

    def content(form: str) -> bytes:
        answer = httpx.get(url, params={"format": form}, headers=bearer)
        assert answer.status_code == 200, answer.text
        return answer.content

    stands = approved | {(adjusted["centre_id"], adjusted["purpose"]): adjusted["amount"]}
    rows = list(csv.DictReader(io.StringIO(content("csv").decode("utf-8-sig"))))
    assert {(row["centre_id"], row["purpose"]): int(row["amount"]) for row in rows} == stands
    with zipfile.ZipFile(io.BytesIO(content("xlsx"))) as workbook:
        assert workbook.read("xl/worksheets/sheet1.xml").count(b"<row ") == len(stands) + 1
    releases = json.loads(content("ocds"))["releases"]
    assert len({each["id"] for each in releases}) == len(releases) == len(stands) + 1
    (update,) = (each for each in releases if each["tag"] == ["planningUpdate"])
    assert update["planning"]["budget"]["amount"]["amount"] == adjusted["amount"]


def sealed_anew(platform: Platform, service: str, collection: str, *rows: Document) -> None:
    """Put documents in place of those that lie there, under the seal that the services here make (they have no key)."""
    kept = platform.processes.database(service)[collection]
    for row in rows:
        kept.replace_one({"_id": row["_id"]}, Ring().sealed(collection, row["_id"], row))


def altered(answer: httpx.Response, *places: str) -> None:
    """It is the problem that names at least one of these documents, and tells nothing else."""
    refused(answer, 500, "document_altered")
    assert any(place in answer.json()["message"]["en"] for place in places), answer.text


TAKEN = 1_000_000
"""What a hand in the database moves from the reserve to a centre, in đồng."""


def tampered(platform: Platform, published: JournalMark) -> None:
    """Who writes into the journal behind the service's back is found: by the service, and by whoever kept a mark.

    Each step knows more than the one before: the chain, the seals, the documents that say what is booked.
    """
    processes, database = platform.processes, platform.processes.database("funding")
    whole = platform.rows("funding", "journal", purpose="operating")
    taker = whole[2]["centre_id"]
    assert whole[2]["kind"] == "approval"

    def entries() -> list[JournalEntry]:
        return [
            JournalEntry.model_validate(each) for each in processes.get("funding", f"/journal/{DECISIONS}")["entries"]
        ]

    def told() -> Document:
        found: Document = processes.get("funding", f"/journal/{DECISIONS}/verify")
        return found

    database["journal"].update_one({"_id": whole[2]["_id"]}, {"$inc": {"amount": TAKEN}})
    answer = told()
    assert answer["whole"] is False
    assert [(each["broken"], each["number"]) for each in answer["breaches"]] == [("changed", 3)]
    assert [(each.broken, each.number) for each in verify(entries(), published)] == [("changed", 3)]

    # A hand that writes all hashes anew, and the head that the service keeps: that document's seal does not fit.
    reserve = next(row["_id"] for row in whole if row["kind"] == "reserve")
    database["journal"].update_one({"_id": reserve}, {"$inc": {"amount": -TAKEN}})
    postings = [
        Posting.model_validate({name: row[name] for name in Posting.model_fields})
        for row in platform.rows("funding", "journal", purpose="operating")
    ]
    forged = append(postings, province=PROVINCE, year=BUDGET_YEAR, purpose="operating", head=None)
    written = [row | entry.model_dump(mode="json") for row, entry in zip(whole, forged, strict=True)]
    sealed_anew(platform, "funding", "journal", *written)
    head = forged[-1].mark.model_dump(mode="json")
    database["budgets"].update_one({"_id": DECISIONS}, {"$set": {"journals.operating": head}})
    for path in (f"/journal/{DECISIONS}", f"/journal/{DECISIONS}/verify", BUDGET):
        altered(processes.ask("funding", path), f"budgets/{DECISIONS}")

    # A hand that seals that too: every decision says something else than what is booked now.
    (life,) = platform.rows("funding", "budgets", _id=DECISIONS)
    sealed_anew(platform, "funding", "budgets", life)
    answer = told()
    assert (answer["whole"], answer["breaches"]) == (False, [])
    decided = {name: platform.rows("funding", name, purpose="operating") for name in ("decisions", "releases")}
    places = {f"{name}/{row['_id']}" for name, rows in decided.items() for row in rows}
    assert {*answer["altered"]} == {f"budgets/{DECISIONS}", *places}

    # A hand that leaves out nothing: only the published mark tells.
    for name, rows in decided.items():
        for row in rows:
            row["journal"] = forged[row["journal"]["number"] - 1].mark.model_dump(mode="json")
            if row["centre_id"] == taker:
                row["amount"] += TAKEN
                row["delta" if row["version"] == 1 else "previous_amount"] += TAKEN
        sealed_anew(platform, "funding", name, *rows)
    sealed_anew(platform, "funding", "budgets", life | {"reserve": life["reserve"] - TAKEN})
    assert (told()["whole"], told()["altered"]) == (True, [])
    assert [each.broken for each in verify(entries(), published)] == ["rewritten"]


# ----------------------------------------------------------------------------------------------- the register


def test_a_correction_of_the_register_releases_what_waited_for_it(platform: Platform) -> None:
    processes = platform.processes
    ministry, province = Person(platform, "minh", "ministry"), Person(platform, "lan", "province", PROVINCE)
    (held,) = processes.get("intake", "/held", province=PROVINCE)["items"]
    code, receipts = held["subject"], platform.facts(EventType.RECEIPT_ISSUED, f"receipts.{PROVINCE}")
    correction = {
        "correction_id": "BS-1",
        "why": "Danh mục nhập thiếu đơn vị đã sáp nhập",
        "decree": {"number": "Nghị quyết thử nghiệm 1", "issued_on": "2023-11-14", "effective_on": "2024-01-01"},
        "source": "Công báo (dữ liệu tổng hợp)",
        "added": [{"code": code, "name": "Xã Cũ", "type": "Xã", "province_code": PROVINCE, "valid_to": "2024-01-01"}],
    }

    def correct() -> httpx.Response:
        return ministry.post("intake", "/register/corrections", correction)

    assert province.post("intake", "/register/corrections", correction).status_code == 403
    rehearsed = done(ministry.post("intake", "/register/corrections?dry_run=true", correction))
    assert [each["receipt_id"] for each in rehearsed["releases"]] == [held["receipt_id"]]
    assert processes.get("intake", "/register") == []

    answers = [done(each) for each in at_once(correct)]
    assert sorted(each["repeated"] for each in answers) == [False] + [True] * (CLIENTS - 1)
    assert {each["version"] for each in answers} == {1}
    processes.wait_settled(*SERVICES)

    def after() -> list[Document]:
        return platform.facts(EventType.RECEIPT_ISSUED, f"receipts.{PROVINCE}")

    (new,) = [each for each in after() if each not in receipts]
    assert (new["status"], new["version"], new["channel"]) == (Status.ACCEPTED_LATE, 1, held["channel"])
    assert new["original"]["receipt_id"] == held["receipt_id"]
    assert processes.get("intake", "/held", province=PROVINCE)["items"] == []
    unit_id = f"{code}@pre-2024-01-01"
    (result,) = processes.get("scoring", f"/results/{unit_id}", period=LEGACY_PERIOD)
    assert result["grade"] is not None
    for scope in ("nation", f"province-{PROVINCE}"):
        row = processes.get("scoring", f"/rankings/{scope}/{LEGACY_PERIOD}/units/{unit_id}")
        assert row["rank"] == 1, row  # the only file of that year

    # Once more, days later: nothing at all.
    count = len(after()), len(platform.events("scores")), len(platform.events("intake.accepted"))
    assert done(correct())["repeated"] is True
    processes.wait_settled(*SERVICES)
    assert (len(after()), len(platform.events("scores")), len(platform.events("intake.accepted"))) == count
    assert [each["version"] for each in processes.get("intake", "/register")] == [1]


# --------------------------------------------------------------------------------------------------- recompute


def test_a_recompute_changes_nothing_but_what_was_tampered_with(platform: Platform) -> None:
    processes = platform.processes
    ministry = Person(platform, "minh", "ministry")
    results = processes.database("scoring")["results"]

    def rehearsal() -> httpx.Response:
        return ministry.post("scoring", "/recompute/dry-run", {"period": PERIOD})

    def rehearsed() -> set[str]:
        answer = rehearsal()
        *lines, last = map(json.loads, answer.text.splitlines())
        found = {line["result"] for line in lines}
        assert last["summary"]["changed"] == len(found)
        return found

    def ordered(id: str) -> Document:
        return done(ministry.post("scoring", "/recompute", {"id": id, "period": PERIOD, "why": "Kiểm tra định kỳ"}))

    def outcome(id: str) -> Document:
        until(lambda: processes.get("scoring", f"/recompute/{id}")["state"] != "running")
        processes.wait_settled(*SERVICES)
        found: Document = processes.get("scoring", f"/recompute/{id}")
        return found

    total = results.count_documents({"period": PERIOD})
    scores, adjustments = platform.events("scores"), platform.rows("funding", "adjustments")
    rankings = processes.get("scoring", "/rankings", period=PERIOD)
    assert rehearsed() == set()
    assert ordered("first")["requested"] == total
    ended = outcome("first")
    assert {name: ended[name] for name in ("state", "results", "changed", "violations")} == {
        "state": "done", "results": total, "changed": 0, "violations": [],
    }  # fmt: skip
    assert platform.events("scores") == scores
    assert processes.get("scoring", "/rankings", period=PERIOD) == rankings

    # Somebody makes every commune of level 0 or without a level one of level 1: none of it is told or judged again.
    query = {"kind": "commune", "period": PERIOD, "result.level": {"$ne": 1}}
    right = {row["_id"]: row["result"]["level"] for row in results.find(query)}
    results.update_many(query, {"$set": {"result.level": 1}})
    places = [f"results/{id}" for id in right]
    altered(rehearsal(), *places)
    one = next(iter(right)).rsplit("/", 1)[0]
    altered(processes.ask("scoring", f"/results/{one}", period=PERIOD), *places)
    # Somebody who seals it too is believed: the rules make something else of the same inputs, and that is told.
    sealed_anew(platform, "scoring", "results", *results.find({"_id": {"$in": list(right)}}))
    assert rehearsed() == right.keys()

    # The order is killed in its midst; what runs afterwards finishes it.
    processes.stop("scoring")
    processes.start("scoring", LANGHOC_FAULTS="delay=1:100ms")
    ordered("second")
    repaired = {"_id": {"$in": list(right)}, "recomputed_at": {"$ne": None}}
    until(lambda: results.count_documents(repaired) >= 3)
    processes.kill("scoring")
    assert 3 <= results.count_documents(repaired) < len(right)
    processes.start("scoring")
    ordered("second")  # whoever lost the answer says it again
    ended = outcome("second")
    assert (ended["state"], ended["results"], ended["changed"]) == ("done", total, len(right))
    assert {row["_id"]: row["result"]["level"] for row in results.find({"_id": {"$in": list(right)}})} == right
    assert rehearsed() == set()
    again = [data for id, (_, data) in platform.events("scores").items() if id not in scores]
    assert Counter(data["unit_id"] for data in again) == Counter(id.rsplit("/", 1)[0] for id in right)
    assert platform.rows("funding", "adjustments") == adjustments
