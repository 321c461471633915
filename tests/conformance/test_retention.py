"""The retention policy on the fake and on both drivers: the same documents go, the same stay."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import Binary
from pydantic import TypeAdapter

from shared.messaging.clock import BusinessClock
from shared.messaging.decide.documents import Collection
from shared.messaging.operate.keeping import Keeper, Kept
from shared.messaging.operate.personal import holdings
from shared.mongo import Mongo
from tests.fakes.stored import store

NAME = "Nguyễn Thị Ánh"


@dataclass(frozen=True)
class Thing:
    """Something with bytes."""

    received_at: datetime
    raw: bytes | None
    erased: str | None = None


THINGS = Collection("receipts", TypeAdapter(Thing), native=frozenset({"received_at", "raw"}))
KEPT = Kept(
    rule="refused_bytes",
    kind=THINGS,
    since="received_at",
    query={"erased": None},
    lighter=lambda thing, at: replace(thing, raw=None, erased="x"),
)


async def test_what_is_old_goes_and_what_is_young_or_open_stays(mongo: Mongo) -> None:
    now = datetime.now(UTC)
    ages = {"old": 91, "young": 89}
    raw = Binary(NAME.encode())
    await store(mongo, {THINGS.ref(id): Thing(now - timedelta(days=days), raw) for id, days in ages.items()})
    shape: dict[str, Any] = {
        "key": None,
        "value": raw,
        "headers": [],
        "subject": "s",
        "detail": NAME,
        "at": now - timedelta(days=91),
    }
    await mongo.insert("dead_letters", [{"_id": state, "state": state, **shape} for state in ("open", "replayed")])
    await mongo.insert("personal_reads", [{"_id": days, "at": now - timedelta(days=days)} for days in (730, 732)])
    keeper = Keeper("test", mongo, (KEPT,), clock=BusinessClock())
    assert {(one.collection, one.id) async for one in holdings(mongo, NAME.lower())} == {
        ("receipts", "old"),
        ("receipts", "young"),
        ("dead_letters", "open"),
        ("dead_letters", "replayed"),
    }

    assert await keeper.round() == {"refused_bytes": 1, "dead_letter_bytes": 1, "reads": 1}
    assert set((await keeper.round()).values()) == {0}

    assert {(one.collection, one.id) async for one in holdings(mongo, NAME.lower())} == {
        ("receipts", "young"),
        ("dead_letters", "open"),
    }
    (old,) = await mongo.find("receipts", {"_id": "old"})
    assert (old["_rev"], old["raw"], old["erased"]) == (2, None, "x")
    assert old["_stamp"] > 1
    assert THINGS.read(old).received_at < now - timedelta(days=90)
    assert [row["_id"] for row in await mongo.find("personal_reads", {})] == [730]
