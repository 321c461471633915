"""One form for every decision: what the engine promises to those who write decisions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from shared.messaging.decide.asking import Ask, Due, Look, Outcome, UndeclaredRead
from shared.messaging.decide.documents import Collection, NewerSchema, Ref
from shared.messaging.decide.engine import Foreign, Run, bring, decided, in_turn
from shared.messaging.decide.reader import Reader
from shared.messaging.decide.sets import SetOf, Sets, Source, covers, each, key_parts, key_text, span
from shared.messaging.seals import sealed
from shared.mongo import Conflict, Put, in_transaction
from tests.fakes.known import Documents
from tests.fakes.memory import MemoryMongo

AT = datetime(2026, 3, 1, tzinfo=UTC)


class Purse(BaseModel):
    """What somebody has, and who follows."""

    amount: int
    next: str | None = None


PURSES: Collection[Purse] = Collection("purses", TypeAdapter(Purse))
LINES: Collection[Purse] = Collection("lines", TypeAdapter(Purse), entries=True)


@dataclass
class Given:
    """A cause: what to add to whose purse."""

    who: str
    amount: int


async def give(cause: Given, ask: Ask) -> Outcome:
    """Add to a purse, and to those that follow it."""
    outcome = Outcome()
    who: str | None = cause.who
    while who is not None:
        ref = PURSES.ref(who)
        purse = await ask.one(ref) or Purse(amount=0)
        outcome.put(ref, purse.model_copy(update={"amount": purse.amount + cause.amount}))
        who = purse.next
    return outcome


async def written(mongo: MemoryMongo, **purses: Purse) -> None:
    """Purses in the database."""
    puts = [Put(name, None, PURSES.written(purse)) for name, purse in purses.items()]
    await in_transaction(mongo, lambda session: mongo.put("purses", puts, session))
    mongo.seal()


@dataclass
class Counting:
    """Counts the rounds in which documents are loaded."""

    inner: Any
    rounds: list[int] = field(default_factory=list)

    def __contains__(self, ref: object) -> bool:
        return ref in self.inner

    def __getitem__(self, ref: Ref[Any]) -> Any:
        return self.inner[ref]

    async def load(self, refs: Iterable[Ref[Any]]) -> None:
        wanted = list(refs)
        self.rounds.append(len(wanted))
        await self.inner.load(wanted)

    async def every(self, kind: Collection[Any], query: Any) -> list[Any]:
        return await self.inner.every(kind, query)  # type: ignore[no-any-return]

    async def look(self, look: Look[Any]) -> list[Any]:
        return await self.inner.look(look)  # type: ignore[no-any-return]


async def test_a_batch_is_loaded_in_as_many_rounds_as_its_deepest_chain() -> None:
    mongo = MemoryMongo()
    await written(mongo, a=Purse(amount=1, next="b"), b=Purse(amount=1, next="c"), c=Purse(amount=1))
    known = Counting(Reader(mongo))
    runs = [Run(give, Given(who, 1), known, AT) for who in ("a", "a", "b", "d")]
    await bring(runs, known)
    assert all(run.outcome for run in runs)
    assert known.rounds == [4, 3], "what each names, then what the purses of three of them name"


async def test_within_a_batch_each_decides_on_what_the_ones_before_it_have_put() -> None:
    mongo = MemoryMongo()
    await written(mongo, a=Purse(amount=0, next="b"), b=Purse(amount=0))
    reader = Reader(mongo)
    runs = [Run(give, Given(who, amount), reader, AT) for who, amount in (("a", 1), ("b", 10), ("a", 100), ("z", 7))]
    await bring(runs, reader)
    touched: dict[Ref[Any], None] = {}
    again = []
    for run in runs:
        before = run.ask
        await in_turn(run, reader, touched)
        again.append(run.ask is not before)
        puts = run.result().puts
        reader.expect(puts)
        touched |= dict.fromkeys(puts)
    assert {ref.id: purse.amount for ref in touched if (purse := reader[ref])} == {"a": 101, "b": 111, "z": 7}
    assert again == [False, True, True, False], "only what read what was put is decided again"


async def test_a_decision_that_awaits_anything_else_fails() -> None:
    async def sleeps(cause: Given, ask: Ask) -> Outcome:
        await asyncio.sleep(0)
        return Outcome()

    reader = Reader(MemoryMongo())
    with pytest.raises(Foreign):
        await decided(Run(sleeps, Given("a", 1), reader, AT), reader)


async def test_what_was_not_read_must_not_be_put_but_a_line_of_a_history_may() -> None:
    async def blind(cause: Given, ask: Ask) -> Outcome:
        return Outcome({PURSES.ref(cause.who): Purse(amount=cause.amount)})

    async def line(cause: Given, ask: Ask) -> Outcome:
        return Outcome({LINES.ref(cause.who, 1): Purse(amount=cause.amount)})

    with pytest.raises(KeyError, match="without having been read"):
        Documents().decide(blind, Given("a", 1), AT)
    assert Documents().decide(line, Given("a", 1), AT).puts == {LINES.ref("a/1"): Purse(amount=1)}


async def test_a_record_asks_by_identity_alone() -> None:
    async def ranging(cause: Given, ask: Ask) -> Outcome:
        await ask.all(PURSES, {})
        return Outcome()

    reader = Reader(MemoryMongo())
    run = Run(ranging, Given("a", 1), reader, AT, ranges=False)
    with pytest.raises(UndeclaredRead, match="by identity only"):
        await decided(run, reader)


async def test_a_document_that_cannot_be_read_fails_only_what_asks_for_it() -> None:
    mongo = MemoryMongo()
    await written(mongo, b=Purse(amount=1))
    await in_transaction(mongo, lambda session: mongo.put("purses", [Put("a", None, {"amount": "much"})], session))
    mongo.seal()
    reader = Reader(mongo)
    runs = [Run(give, Given(who, 1), reader, AT) for who in ("a", "b")]
    await bring(runs, reader)
    with pytest.raises(ValidationError, match="amount"):
        runs[0].result()
    assert runs[1].result().puts == {PURSES.ref("b"): Purse(amount=2)}


async def test_a_newer_schema_stops_before_anything_is_decided() -> None:
    mongo = MemoryMongo()
    await in_transaction(
        mongo, lambda session: mongo.put("purses", [Put("a", None, {"amount": 1, "_schema": 2})], session)
    )
    reader = Reader(mongo)
    with pytest.raises(NewerSchema):
        await bring([Run(give, Given("a", 1), reader, AT)], reader)


async def test_what_moves_between_two_looks_of_one_decision_is_a_conflict() -> None:
    mongo = MemoryMongo()
    await written(mongo, a=Purse(amount=1))

    async def twice(cause: Given, ask: Ask) -> Outcome:
        await ask.one(PURSES.ref("a"))
        await ask.all(PURSES, {})
        return Outcome()

    reader = Reader(mongo)
    run = Run(twice, Given("a", 1), reader, AT)
    await reader.load([PURSES.ref("a")])
    run.advance()
    moved = [Put("a", 1, PURSES.written(Purse(amount=9)))]
    await in_transaction(mongo, lambda session: mongo.put("purses", moved, session))
    with pytest.raises(Conflict, match="moved while it was decided on"):
        await bring([run], reader)


async def test_one_failure_leaves_the_others_alone() -> None:
    async def broken(cause: Given, ask: Ask) -> Outcome:
        await ask.one(PURSES.ref(cause.who))
        raise ZeroDivisionError(cause.who)

    reader = Reader(MemoryMongo())
    runs = [Run(broken, Given("a", 1), reader, AT), Run(give, Given("b", 2), reader, AT)]
    await bring(runs, reader)
    with pytest.raises(ZeroDivisionError):
        runs[0].result()
    assert runs[1].result().puts == {PURSES.ref("b"): Purse(amount=2)}


# ------------------------------------------------------------------------------------------------- sets


class Name(NamedTuple):
    """Key of a chain: the first letter of its purses."""

    letter: str | None


async def total(due: Due[Name], ask: Ask) -> Outcome:
    """Reads what it declares; a day that is to come counts for nothing yet."""
    await ask.all(PURSES, {})
    ask.reached(AT + timedelta(days=2))
    ask.reached(AT + timedelta(days=1))
    ask.reached(AT)
    return Outcome(verdict="computed")


def _letter(purse: Purse) -> list[Name]:
    return [Name(purse.next[0])] if purse.next else []


TOTAL: SetOf[Name] = SetOf("total", Name, total, sources=(Source(PURSES, each(_letter)),))


def test_a_put_asks_for_the_sets_of_what_the_document_says_before_and_after() -> None:
    sets = Sets([TOTAL])
    ref = PURSES.ref("a")
    before, after = Purse(amount=1, next="x"), Purse(amount=1, next="y")
    assert list(sets.touched(ref, before, after)) == [TOTAL.request(Name("x")), TOTAL.request(Name("y"))]
    assert list(sets.touched(ref, None, after)) == [TOTAL.request(Name("y"))]
    assert list(sets.touched(ref, after, after)) == [], "nothing changed"
    assert list(sets.touched(LINES.ref("a"), None, after)) == [], "no source"


def test_a_read_that_a_set_did_not_declare_fails() -> None:
    async def greedy(due: Due[Name], ask: Ask) -> Outcome:
        await ask.one(LINES.ref("a"))
        return Outcome()

    with pytest.raises(UndeclaredRead, match="lines"):
        Documents().decide(greedy, Due(Name("a"), AT), AT, TOTAL.declared)
    assert Documents().decide(total, Due(Name("a"), AT), AT, TOTAL.declared).verdict == "computed"


def test_instants_that_are_to_come_are_remembered() -> None:
    run = Run(total, Due(Name("a"), AT), Documents(), AT)
    assert run.want is not None, "it waits for its purses"
    run.want.answer = []
    run.advance()
    assert min(run.ask.unreached) == AT + timedelta(days=1)


@pytest.mark.parametrize(
    ("pattern", "covered"),
    [(("01", None), True), ((None, None), True), (("02", None), False), (("01", 2026), True), (("01",), False)],
)
def test_an_open_part_stands_for_every_one(pattern: tuple[Any, ...], covered: bool) -> None:
    assert covers(pattern, ("01", 2026)) is covered


def test_a_key_comes_back_as_it_was_stored() -> None:
    for key in (("01", 2026), ("đơn vị", None), ("a/b", 0)):
        assert key_parts(key_text(key)) == key


# ------------------------------------------------------------------------------------------------- schemas


def _in_cents(document: dict[str, Any]) -> dict[str, Any]:
    return {"amount": document["cents"] // 100}


NOW: Collection[Purse] = Collection("purses", TypeAdapter(Purse), schema=2, upgrades={0: _in_cents})


def test_a_document_of_an_older_schema_is_lifted_when_it_is_read() -> None:
    for older in ({"cents": 300}, {"_schema": 1, "amount": 3}):
        assert NOW.read(sealed(NOW.name, "a", {"_id": "a", "_rev": 1, **older})) == Purse(amount=3)
    assert NOW.written(Purse(amount=3)) == {"amount": 3, "next": None, "_schema": 2}


def test_a_newer_schema_is_left_alone() -> None:
    with pytest.raises(NewerSchema, match="schema 3, this release knows 2"):
        NOW.read({"_id": "a", "_rev": 1, "_schema": 3, "amount": 3, "currency": "đồng"})


async def test_the_absence_of_a_document_can_be_held() -> None:
    """A mark stands where nothing is: it is read as nothing, found by no query, and whoever creates it collides."""
    mongo, reader = MemoryMongo(), Reader(MemoryMongo())
    reader = Reader(mongo)
    ref = PURSES.ref("a")
    await reader.load([ref])
    held = reader.puts([ref], stamp=1)
    await in_transaction(mongo, lambda session: mongo.put("purses", held["purses"], session))
    later = Reader(mongo)
    await later.load([ref])
    assert later[ref] is None
    assert await later.every(PURSES, {}) == []
    later.expect({ref: Purse(amount=1)})
    puts = later.puts([ref], stamp=2)["purses"]
    assert [put.revision for put in puts] == [1], "it is written over the mark, guarded"


@pytest.mark.parametrize(
    ("pattern", "kept"),
    [
        ((None, 2022), {("a", 2022), ("ab", 2022), ("a", 20221), ("ế", 1)}),
        (("a", None), {("a", 2022), ("a", 20221)}),
        (("ế", None), {("ế", 1)}),
    ],
)
async def test_a_request_with_open_parts_looks_at_the_keys_that_begin_as_it_does(
    pattern: tuple[Any, ...], kept: set[tuple[Any, ...]]
) -> None:
    mongo = MemoryMongo()
    keys = [("a", 2022), ("ab", 2022), ("a", 20221), ("ế", 1)]
    await mongo.insert("sets", [{"set": "s", "key": key_text(key)} for key in keys])
    found = await mongo.find("sets", {"set": "s", "key": span(pattern)})
    assert {key_parts(row["key"]) for row in found} == kept
