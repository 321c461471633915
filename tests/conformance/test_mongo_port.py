"""One suite for everything that claims to be the database port: the fake of the unit tests, and both drivers.

Expectations are written by hand, so none of them can pass against itself. What this suite cannot catch: step-downs and
network faults (the fault tests' matter), load, and whatever all three would do wrong in the same way where no
expectation looks.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from datetime import UTC, datetime

import pytest
from bson import Binary
from pymongo import MongoClient

from deploy.local.harness import Servers
from deploy.local.mongo_rights import ACTIONS, let_in_to, shut_out
from shared.mongo import Conflict, DuplicateKey, Mongo, Permanent, Put, Session, Unavailable, answers, in_transaction
from shared.mongo.connect import DriverName, Login, connect
from shared.mongo.leases import Leases
from shared.mongo.port import Document, MongoError, Transient

TOO_LARGE = "x" * (17 * 1024 * 1024)


async def write(mongo: Mongo, *puts: Put) -> None:
    """Put documents in a transaction of their own."""

    async def body(session: Session) -> None:
        await mongo.put("things", puts, session)

    await in_transaction(mongo, body)


async def test_what_was_put_is_found_with_its_revision(mongo: Mongo) -> None:
    await write(mongo, Put("a", None, {"name": "Ba Đình"}), Put("b", None, {"name": "Hoàn Kiếm"}))
    await write(mongo, Put("a", 1, {"name": "Ba Đình", "level": 2}))

    assert await mongo.find("things", {}, sort=[("_id", 1)]) == [
        {"_id": "a", "_rev": 2, "name": "Ba Đình", "level": 2},
        {"_id": "b", "_rev": 1, "name": "Hoàn Kiếm"},
    ]


async def test_the_collections_that_hold_something_are_named(mongo: Mongo) -> None:
    assert {"things", "others"}.isdisjoint(await mongo.collection_names())
    await mongo.insert("things", [{"_id": 1}])
    await write(mongo, Put("a", None, {}))
    await mongo.insert("others", [{"_id": 1}])
    assert {"things", "others"} <= set(await mongo.collection_names())


async def test_find_filters_sorts_pages_and_projects(mongo: Mongo) -> None:
    await mongo.insert("things", [{"_id": n, "rest": n % 3, "nested": {"n": n}, "note": "…"} for n in range(10)])

    assert [row["_id"] for row in await mongo.find("things", {"rest": 1})] == [1, 4, 7]
    assert [row["_id"] for row in await mongo.find("things", {"_id": {"$in": [9, 2, 77]}}, sort=[("_id", 1)])] == [2, 9]
    assert [row["_id"] for row in await mongo.find("things", {"nested.n": {"$gt": 7}}, sort=[("_id", -1)])] == [9, 8]
    page = await mongo.find("things", {}, sort=[("rest", -1), ("_id", 1)], skip=2, limit=2, projection={"rest": 1})
    assert page == [{"_id": 8, "rest": 2}, {"_id": 1, "rest": 1}]
    assert await mongo.count("things", {"rest": {"$ne": 1}}) == 7
    assert await mongo.count("things", {"$or": [{"absent": None, "rest": 0}, {"_id": {"$lte": 1}}]}) == 5
    assert await mongo.count("things", {"absent": {"$lte": 5}}) == 0


async def test_a_document_is_found_by_what_a_list_in_it_holds(mongo: Mongo) -> None:
    await mongo.insert("things", [{"_id": n, "rows": [{"unit": f"u{n}"}, {"unit": f"u{n + 1}"}]} for n in range(4)])
    await mongo.insert("things", [{"_id": "empty", "rows": []}])

    assert [row["_id"] for row in await mongo.find("things", {"rows.unit": "u2"}, sort=[("_id", 1)])] == [1, 2]
    query = {"_id": {"$in": [0, 1, "empty"]}, "rows.unit": {"$in": ["u0", "u2", "u9"]}}
    assert [row["_id"] for row in await mongo.find("things", query, sort=[("_id", 1)])] == [0, 1]

    await mongo.insert("things", [{"_id": f"named {n}", "names": [f"n{n}", f"n{n + 1}"]} for n in range(3)])
    query = {"names": {"$in": ["n0", "n1", "n9"]}}
    assert [row["_id"] for row in await mongo.find("things", query, sort=[("_id", 1)])] == ["named 0", "named 1"]


async def test_groups_are_counted_by_the_database(mongo: Mongo) -> None:
    await mongo.insert("things", [{"_id": n, "scope": "nation" if n % 2 else "04", "at": n} for n in range(5)])

    groups = await mongo.aggregate(
        "things",
        [
            {"$match": {"at": {"$lt": 4}}},
            {
                "$group": {
                    "_id": {"scope": "$scope"},
                    "first": {"$min": "$at"},
                    "last": {"$max": "$at"},
                    "n": {"$sum": 1},
                }
            },
            {"$sort": {"first": 1}},
        ],
    )

    assert groups == [
        {"_id": {"scope": "04"}, "first": 0, "last": 2, "n": 2},
        {"_id": {"scope": "nation"}, "first": 1, "last": 3, "n": 2},
    ]


async def test_a_duplicate_key_names_its_collection_and_index(mongo: Mongo) -> None:
    await mongo.index("things", [("province", 1), ("name", 1)], unique=True)
    await mongo.insert("things", [{"_id": "a", "province": "04", "name": "x"}])

    with pytest.raises(DuplicateKey) as same_id:
        await mongo.insert("things", [{"_id": "a", "province": "01", "name": "x"}])
    with pytest.raises(DuplicateKey) as same_name:
        await mongo.insert("things", [{"_id": "b", "province": "04", "name": "x"}])

    assert (same_id.value.collection, same_id.value.index) == ("things", "_id_")
    assert (same_name.value.collection, same_name.value.index) == ("things", "province_1_name_1")


async def test_a_duplicate_key_within_a_transaction_leaves_at_once_and_undoes_it(mongo: Mongo) -> None:
    await mongo.insert("inbox", [{"_id": "e-1"}])

    async def body(session: Session) -> None:
        await mongo.insert("outbox", [{"_id": "o-1"}], session)
        await mongo.insert("inbox", [{"_id": "e-2"}, {"_id": "e-1"}], session)

    started = time.monotonic()
    with pytest.raises(DuplicateKey) as error:
        await in_transaction(mongo, body)

    assert (error.value.collection, error.value.index) == ("inbox", "_id_")
    assert time.monotonic() - started < 10, "the driver's own retry loop takes 120 s"
    assert await mongo.count("outbox", {}) == 0
    assert await mongo.count("inbox", {}) == 1


@pytest.mark.parametrize("stale", [Put("a", 1, {}), Put("a", None, {}), Put("gone", 1, {})], ids=str)
async def test_a_put_that_finds_another_state_conflicts_and_writes_nothing(mongo: Mongo, stale: Put) -> None:
    await write(mongo, Put("a", None, {"n": 1}))
    await write(mongo, Put("a", 1, {"n": 2}))

    with pytest.raises(Conflict):
        await write(mongo, Put("neighbour", None, {}), stale)

    assert await mongo.find("things", {}) == [{"_id": "a", "_rev": 2, "n": 2}]


async def test_leaving_the_block_without_commit_undoes_everything(mongo: Mongo) -> None:
    async def leave(error: Exception | None) -> None:
        async with mongo.transaction() as session:
            await mongo.insert("things", [{"_id": "a"}], session)
            await mongo.put("things", [Put("b", None, {})], session)
            if error:
                raise error

    await leave(None)
    with pytest.raises(ZeroDivisionError):
        await leave(ZeroDivisionError())

    assert await mongo.count("things", {}) == 0


async def test_nobody_sees_a_transaction_before_its_commit(mongo: Mongo) -> None:
    await mongo.insert("things", [{"_id": "old"}])
    async with mongo.transaction() as session:
        await mongo.insert("things", [{"_id": "new"}], session)
        assert await mongo.delete("things", {"_id": "old"}, session) == 1
        assert [row["_id"] for row in await mongo.find("things", {})] == ["old"]
        await session.commit()
    assert [row["_id"] for row in await mongo.find("things", {})] == ["new"]


async def test_of_two_transactions_on_one_document_one_is_told_to_repeat(mongo: Mongo) -> None:
    await write(mongo, Put("a", None, {"n": 0}))

    async def slow() -> None:
        async with mongo.transaction() as session:
            await mongo.insert("things", [{"_id": "own"}], session)  # its snapshot is taken here
            await write(mongo, Put("a", 1, {"n": 1}))
            await mongo.put("things", [Put("a", 1, {"n": 2})], session)
            await session.commit()

    with pytest.raises(Transient):
        await slow()
    assert await mongo.find("things", {}) == [{"_id": "a", "_rev": 2, "n": 1}]


async def test_fifty_parallel_writers_of_one_document_all_get_through(mongo: Mongo) -> None:
    await write(mongo, Put("a", None, {"n": 0}))

    async def add_one() -> None:
        while True:
            (row,) = await mongo.find("things", {"_id": "a"})
            try:
                await write(mongo, Put("a", row["_rev"], {"n": row["n"] + 1}))
                return
            except Conflict:
                await asyncio.sleep(0.01)

    async with asyncio.timeout(60):
        await asyncio.gather(*(add_one() for _ in range(50)))

    assert await mongo.find("things", {}) == [{"_id": "a", "_rev": 51, "n": 50}]


async def test_a_deadline_ends_the_repeating(mongo: Mongo) -> None:
    async def body(session: Session) -> None:
        raise Transient("again and again")

    started = time.monotonic()
    with pytest.raises(Unavailable):
        await in_transaction(mongo, body, deadline_seconds=0.3)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "document",
    [{"text": TOO_LARGE}, {"number": 2**70}, {"key\x00": 1}, {"text": "\ud800"}, {"set": {1}}],
    ids=["oversize", "integer", "null-key", "surrogate", "type"],
)
async def test_what_can_never_be_written_is_permanent(mongo: Mongo, document: dict[str, object]) -> None:
    with pytest.raises(Permanent):
        await write(mongo, Put("neighbour", None, {}), Put("a", None, document))
    with pytest.raises(Permanent):
        await mongo.insert("things", [document])
    assert await mongo.count("things", {}) == 0


async def test_documents_come_back_as_the_server_keeps_them(mongo: Mongo) -> None:
    at = datetime(2026, 2, 28, 16, 59, 59, 999_999, tzinfo=UTC)
    await mongo.insert("things", [{"_id": 1, "at": at, "raw": Binary(b"\xff"), "list": [{"a": None}]}])
    (row,) = await mongo.find("things", {})
    assert row == {"_id": 1, "at": at.replace(microsecond=999_000), "raw": b"\xff", "list": [{"a": None}]}
    assert type(row["raw"]) is bytes
    row["list"].append("changed by the reader")
    assert await mongo.find("things", {"list": "changed by the reader"}) == []


async def test_an_update_counts_what_matched_and_changes_only_that(mongo: Mongo) -> None:
    await mongo.insert("things", [{"_id": 1, "token": None}, {"_id": 2, "token": "x"}])
    assert await mongo.update("things", {"token": "x"}, {"$set": {"token": "y"}}) == 1
    assert await mongo.update("things", {"token": "x"}, {"$set": {"token": "z"}}) == 0
    assert await mongo.find("things", {}, sort=[("_id", 1)]) == [{"_id": 1, "token": None}, {"_id": 2, "token": "y"}]


async def test_a_lease_has_one_holder_until_the_servers_clock_says_it_expired(mongo: Mongo) -> None:
    first, second = Leases(mongo, 0.6), Leases(mongo, 0.6)
    names = ["slot/1", "slot/2"]
    await asyncio.gather(first.create(names), second.create(names))

    assert await first.acquire(names) == set(names)
    assert await second.acquire(names) == set()
    assert await first.acquire(names) == set(names), "the holder may renew"
    assert first.held() == set(names)
    assert first.held(margin_seconds=1) == set()

    await asyncio.sleep(0.7)
    assert first.held() == set(), "the holder gives up by itself, before anybody else can take over"
    assert await second.acquire(names) == set(names)
    assert await first.acquire(names) == set()


async def test_a_released_lease_is_free_at_once_and_only_its_holder_can_release_it(mongo: Mongo) -> None:
    first, second = Leases(mongo, 60), Leases(mongo, 60)
    await first.create(["a"])
    await first.acquire(["a"])

    await second.release(["a"])
    assert await second.acquire(["a"]) == set()

    await first.release()
    assert first.held() == set()
    assert await second.acquire(["a"]) == {"a"}


async def test_a_task_ends_at_whatever_moment_it_is_cancelled(mongo: Mongo) -> None:
    """A driver that loses a cancellation keeps a service from stopping, and a time-out from ending anything."""
    await mongo.insert("things", [{"_id": number} for number in range(50)])

    async def body(session: Session) -> None:
        await mongo.insert("log", [{}], session)

    async def work() -> None:
        while True:
            await asyncio.sleep(0)
            await mongo.find("things", {})
            await mongo.update("things", {"_id": 1}, {"$set": {"seen": True}})
            await in_transaction(mongo, body)

    for number in range(40):
        task = asyncio.create_task(work())
        await asyncio.sleep(number % 20 / 1000)
        task.cancel()
        ended, _ = await asyncio.wait({task}, timeout=30)
        assert ended, "the cancellation was lost"
        assert task.cancelled()


async def test_to_answer_is_to_work_and_leaves_nothing(mongo: Mongo) -> None:
    await Leases(mongo, 60).create(["a"])
    await mongo.ping()
    assert await mongo.find("leases", {}) == [{"_id": "a", "token": None}]


@pytest.mark.integration
@pytest.mark.parametrize("driver", ["motor", "pymongo"])
@pytest.mark.parametrize("lacking", ["find", "insert", "update", "remove", "a user", "the password", "its database"])
async def test_who_may_not_work_is_not_answered(servers: Servers, driver: DriverName, lacking: str) -> None:
    """Though `hello` and MongoDB's own `ping` answer to everybody."""
    name, address = f"port_{uuid.uuid4().hex[:8]}", servers["mongod"].address
    login = None if lacking == "a user" else Login(name, "wrong" if lacking == "the password" else "right")
    database = f"{name}_of_another" if lacking == "its database" else name
    with MongoClient[Document](servers.mongo) as root:
        let_in_to(root, name, "right", name, [action for action in ACTIONS if action != lacking])
        mongo, whole = connect(driver, address, database, login), connect(driver, servers.mongo, database)
        try:
            with pytest.raises(Unavailable):
                await mongo.ping()
            assert not await answers(mongo)
            await whole.ping()
        finally:
            await mongo.close()
            await whole.close()
            shut_out(root, name, name)


@pytest.mark.parametrize("driver", ["motor", "pymongo"])
async def test_an_unreachable_server_is_said_within_the_time_limit(driver: DriverName) -> None:
    nowhere = connect(driver, "mongodb://127.0.0.1:1/?directConnection=true", "nothing", timeout_ms=300)
    started = time.monotonic()
    with pytest.raises(MongoError):
        await nowhere.ping()
    assert time.monotonic() - started < 10
    await nowhere.close()
