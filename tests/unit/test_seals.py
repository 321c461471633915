"""Sealed documents: what a change of any field comes to, and how seals and their keys change over time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from bson import Int64
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from shared.contracts.base import Contract
from shared.messaging import seals
from shared.messaging.collections import SCHEMAS
from shared.messaging.decide.asking import Look
from shared.messaging.decide.documents import Collection
from shared.messaging.decide.migrating import SEALED, contract, seal_former
from shared.messaging.decide.reader import Reader
from shared.messaging.seals import SEAL, Altered, Ring, UnknownKey
from shared.mongo import Put, Session, Unavailable, in_transaction
from tests.fakes.memory import Fault, MemoryMongo

Row = dict[str, Any]
ROW: Row = {
    "amount": 25_000_000,
    "name": "Trung tâm",
    "at": datetime(2026, 3, 1, 2, 0, 0, 123_456, UTC),
    "raw": b"\x00",
    "line": {"amount": 25_000_000, "steps": [{"what": "x"}]},
    "flags": ["a"],
    "none": None,
}


class Coffer(Contract):
    """Money, and where it came from."""

    amount: int
    line: dict[str, int] = {}


COFFERS: Collection[Coffer] = Collection("coffers", TypeAdapter(Coffer))


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = seals.ring()
    yield
    seals.use(before)


def kept(row: Row = ROW, ring: Ring | None = None) -> Row:
    """The row as it lies in the database."""
    return {"_id": "a", "_rev": 1, **(ring or Ring()).sealed("coffers", "a", row)}


CHANGES: dict[str, Callable[[Row], object]] = {
    "a figure": lambda row: row.update(amount=1_025_000_000),
    "a figure by a float of the same value": lambda row: row.update(amount=25_000_000.0),
    "a figure within a document": lambda row: row["line"].update(amount=1),
    "a text within a list within a document": lambda row: row["line"]["steps"][0].update(what="y"),
    "a list": lambda row: row["flags"].append("b"),
    "a field is taken away": lambda row: row.pop("amount"),
    "a document is taken away": lambda row: row.pop("line"),
    "a field is added": lambda row: row.update(late=True),
    "a document is added": lambda row: row.update(more={}),
    "another type": lambda row: row.update(none=0),
    "marked as absent": lambda row: row.update(_absent=True),
    "of another schema": lambda row: row.update(_schema=0),
    "the seal is taken away": lambda row: row.pop(SEAL),
    "no seal": lambda row: row.update({SEAL: None}),
    "a seal without its hash": lambda row: row[SEAL].pop("hash"),
    "an unknown key": lambda row: row[SEAL].update(key="00000000"),
    "moved to another place": lambda row: row.update(_id="b"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_is_changed_does_not_fit(change: Callable[[Row], object]) -> None:
    row = kept({**ROW, "line": {"amount": 25_000_000, "steps": [{"what": "x"}]}, "flags": ["a"]})
    assert Ring().fits("coffers", row)
    change(row)
    assert not Ring().fits("coffers", row)


def test_a_seal_is_made_as_those_that_are_kept_were() -> None:
    assert kept()[SEAL] == {
        "key": "6be20636",
        "hash": "bc319b17551cd6ebd8b234c014074fd2",
        "apart": {
            "raw": "b786aeb020a0a51449ff9b5ab5433cca",
            "line": "fc3619c3642c4e02f21446d1866b694e",
            "flags": "56793c067cfd82152f6dbcf393109f32",
        },
    }


def test_a_document_does_not_fit_into_another_collection() -> None:
    assert not Ring().fits("decisions", kept())


def test_a_document_as_a_driver_brings_it_fits() -> None:
    """Long whole numbers of a type of its own, instants cut to milliseconds, fields in another order."""
    row = kept({**ROW, "amount": 2**40})
    brought = {**row, "amount": Int64(2**40), "at": ROW["at"].replace(microsecond=123_000)}
    assert Ring().fits("coffers", dict(reversed(brought.items())))


def test_a_reader_may_leave_out_a_document_but_nobody_else() -> None:
    row = kept()
    del row["line"]
    assert Ring().fits("coffers", row, without=("line",))
    for apart in ({}, {"line": "0" * 32}, {**row[SEAL]["apart"], "more": "0" * 32}):
        forged = row | {SEAL: row[SEAL] | {"apart": apart}}
        assert not Ring().fits("coffers", forged, without=("line", "more"))
    assert not Ring().fits("coffers", row)
    assert not Ring().fits("coffers", kept() | {"line": {"amount": 1}}, without=("line",)), "it is there nevertheless"
    assert not Ring().fits("coffers", {name: said for name, said in row.items() if name != "name"}, without=("name",))
    assert not Ring().fits("coffers", row | {"line": 1}, without=("line",)), "something plain stands in its place"


def test_bytes_may_be_left_out_as_documents_may_and_a_seal_of_before_still_fits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = kept()
    bare = {name: said for name, said in row.items() if name != "raw"}
    assert Ring().fits("coffers", bare, without=("raw",))
    assert not Ring().fits("coffers", bare)
    assert not Ring().fits("coffers", row | {"raw": b"\x01"}, without=("raw",)), "it is there nevertheless"
    parted = seals._parted
    with monkeypatch.context() as before:
        before.setattr(seals, "_parted", lambda document, told=None: parted(document, ()))
        former = kept()
    assert "raw" not in former[SEAL]["apart"]
    assert Ring().fits("coffers", former)
    assert not Ring().fits("coffers", former | {"raw": b"\x01"})
    assert not Ring().fits("coffers", {name: said for name, said in former.items() if name != "raw"}, without=("raw",))
    named = former[SEAL] | {"apart": former[SEAL]["apart"] | {"raw": row[SEAL]["apart"]["raw"]}}
    assert not Ring().fits("coffers", former | {SEAL: named})


Json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), Json, max_size=4), st.data())
def test_of_any_document_any_other_value_of_any_field_does_not_fit(row: Row, data: st.DataObject) -> None:
    found = kept(row)
    assert Ring().fits("coffers", found)
    for name, said in row.items():
        other = data.draw(Json)
        assert Ring().fits("coffers", found | {name: other}) == (repr(other) == repr(said))


# ------------------------------------------------------------------------------------------------------- the keys


def test_who_has_no_key_makes_no_seal_that_fits() -> None:
    assert not Ring.of("ours").fits("coffers", kept())
    assert not Ring.of("ours").fits("coffers", kept(ring=Ring.of("theirs")))
    forged = kept(ring=Ring.of("theirs"))
    forged[SEAL]["key"] = Ring.of("ours").id
    assert not Ring.of("ours").fits("coffers", forged)


def test_every_key_is_believed_and_the_first_one_seals() -> None:
    both = Ring.of("new old")
    assert both.fits("coffers", kept(ring=Ring.of("old")))
    assert both.id == Ring.of("new").id
    assert Ring.of("new").fits("coffers", kept(ring=both))


async def written(mongo: MemoryMongo, **coffers: Row) -> None:
    """Documents of a release before seals."""
    puts = [Put(id, None, row) for id, row in coffers.items()]
    await in_transaction(mongo, lambda session: mongo.put("coffers", puts, session))


async def amounts(mongo: MemoryMongo) -> list[int]:
    """As a decision reads them."""
    return [coffer.amount for coffer in await Reader(mongo).every(COFFERS, {})]


async def test_what_an_older_release_left_is_sealed_once() -> None:
    mongo = MemoryMongo()
    await written(mongo, a={"amount": 1}, b={"amount": 2})
    with pytest.raises(Altered):
        await amounts(mongo)
    await seal_former(mongo)
    assert await amounts(mongo) == [1, 2]
    await written(mongo, c={"amount": 3})
    await seal_former(mongo)
    with pytest.raises(Altered, match="coffers/c"):
        await amounts(mongo)


async def test_another_key_seals_anew_and_what_was_altered_stays_found_out() -> None:
    mongo = MemoryMongo()
    await written(mongo, a={"amount": 1}, b={"amount": 2})
    await seal_former(mongo)
    mongo.rows("coffers")["b"] = mongo.rows("coffers")["b"] | {"amount": 2_000}
    seals.use(Ring.of("first"))
    await seal_former(mongo)
    seals.use(Ring.of("second first"))
    await seal_former(mongo)
    seals.use(Ring.of("second"))
    await seal_former(mongo)
    reader = Reader(mongo)
    await reader.load([COFFERS.ref("a"), COFFERS.ref("b")])
    assert reader[COFFERS.ref("a")] == Coffer(amount=1)
    with pytest.raises(Altered, match="coffers/b"):
        reader[COFFERS.ref("b")]
    assert "coffers/b" in seals.found_altered()


async def test_a_process_without_the_key_does_not_start_to_write() -> None:
    mongo = MemoryMongo()
    seals.use(Ring.of("ours"))
    await seal_former(mongo)
    assert mongo.rows(SCHEMAS)[SEALED]["key"] == Ring.of("ours").id
    seals.use(Ring.of("theirs"))
    with pytest.raises(UnknownKey, match="LANGHOC_SEAL_KEY"):
        await seal_former(mongo)


FORGED: dict[str, Callable[[Row], Row | None]] = {
    "the note is taken away": lambda note: None,
    "it names the key that everybody has": lambda note: {**note, "key": Ring().id},
    "it is sealed without a secret": lambda note: {
        **note,
        **Ring().sealed(SCHEMAS, SEALED, {**note, "key": Ring().id, "whole": False, "plain": True, "former": True}),
    },
    "it says that it has only begun": lambda note: {**note, "whole": False, "plain": True, "former": True},
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
@pytest.mark.parametrize("ring", ["ours", "new ours"])
async def test_who_has_no_key_has_nothing_sealed_at_the_next_start(
    forge: Callable[[Row], Row | None], ring: str
) -> None:
    mongo = MemoryMongo()
    seals.use(Ring.of("ours"))
    await written(mongo, a={"amount": 1})
    await seal_former(mongo)
    await written(mongo, b={"amount": 10**9}, c=Ring().sealed("coffers", "c", {"amount": 10**9}))
    note = forge(mongo.rows(SCHEMAS).pop(SEALED))
    if note is not None:
        mongo.rows(SCHEMAS)[SEALED] = note
    seals.use(Ring.of(ring))
    await seal_former(mongo)
    fits = {id: seals.ring().fits("coffers", row) for id, row in mongo.rows("coffers").items()}
    assert fits == {"a": True, "b": False, "c": False}


async def test_sealing_that_was_broken_off_is_taken_up_again() -> None:
    mongo = MemoryMongo()
    await written(mongo, a={"amount": 1})
    seals.use(Ring.of("ours"))
    mongo.commit_faults[mongo.commits + 2] = Fault(Unavailable)
    with pytest.raises(Unavailable):
        await seal_former(mongo)
    mongo.rows("coffers")["z"] = kept({"amount": 2}, seals.ring()) | {"_id": "z"}  # others were sealed already
    await seal_former(mongo)
    assert seals.ring().fits("coffers", mongo.rows("coffers")["a"])


async def test_the_largest_documents_are_sealed_in_transactions_that_a_database_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mongo, sizes = MemoryMongo(), list[int]()
    await written(mongo, **{f"{number:03}": {"amount": 1, "raw": b"x" * 2**20} for number in range(120)})
    put = mongo.put

    async def weighed(collection: str, puts: Sequence[Put], session: Session) -> None:
        sizes.append(sum(len(each.document.get("raw", b"")) for each in puts))
        await put(collection, puts, session)

    monkeypatch.setattr(mongo, "put", weighed)
    await seal_former(mongo)
    assert sum(sizes) == 120 * 2**20
    assert max(sizes) <= 64 * 2**20
    assert all(Ring().fits("coffers", row) for row in mongo.rows("coffers").values())


@pytest.mark.parametrize("seal", ["x", None, 1, [], {}, {"key": 1}], ids=repr)
async def test_a_seal_that_is_none_stops_no_start(seal: object) -> None:
    mongo = MemoryMongo()
    await written(mongo, a={"amount": 1}, b={"amount": 2, SEAL: seal})
    await seal_former(mongo)
    assert [Ring().fits("coffers", mongo.rows("coffers")[id]) for id in ("a", "b")] == [True, False]


async def test_a_document_that_was_altered_is_not_lifted_and_stops_no_start() -> None:
    mongo, newer = MemoryMongo(), Collection("coffers", COFFERS.model, schema=2, upgrades={1: lambda row: row})
    await written(mongo, **{id: COFFERS.written(Coffer(amount=1)) for id in "abc"})
    await seal_former(mongo)
    mongo.rows("coffers")["b"] = mongo.rows("coffers")["b"] | {"amount": 7}
    await contract(mongo, newer)
    assert {id: row["_schema"] for id, row in mongo.rows("coffers").items()} == {"a": 2, "b": 1, "c": 2}
    with pytest.raises(Altered, match="coffers/b"):
        newer.read(mongo.rows("coffers")["b"])


async def test_a_document_that_is_whole_again_is_not_named_any_more() -> None:
    mongo = MemoryMongo()
    await written(mongo, a={"amount": 1})
    await seal_former(mongo)
    whole = mongo.rows("coffers")["a"]
    mongo.rows("coffers")["a"] = whole | {"amount": 7}
    with pytest.raises(Altered):
        await amounts(mongo)
    assert "coffers/a" in seals.found_altered()
    mongo.rows("coffers")["a"] = whole
    assert await amounts(mongo) == [1]
    assert "coffers/a" not in seals.found_altered()


async def test_a_look_that_leaves_a_document_out_finds_an_altered_figure() -> None:
    mongo = MemoryMongo()
    await written(mongo, a={"amount": 1, "line": {"x": 1}})
    await seal_former(mongo)
    look = Look(COFFERS, COFFERS.model, {}, without=("line",))
    assert await Reader(mongo).look(look) == [Coffer(amount=1)]
    mongo.rows("coffers")["a"] = mongo.rows("coffers")["a"] | {"amount": 2}
    with pytest.raises(Altered, match="coffers/a"):
        await Reader(mongo).look(look)
