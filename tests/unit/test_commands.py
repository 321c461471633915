"""Decisions of people: once per id, one after the other, all of their effects or none."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter

from shared.contracts.base import Contract
from shared.contracts.facts import EnvelopeAccepted
from shared.messaging.clock import BusinessClock
from shared.messaging.decide.asking import Ask, Order, Outcome, Request
from shared.messaging.decide.commands import Commands
from shared.messaging.decide.documents import Collection
from shared.messaging.faults import NO_FAULTS, Faults, Injected, Step
from shared.messaging.messages import Outgoing
from shared.messaging.send.outbox import Relay
from shared.mongo import Unavailable
from shared.mongo.port import CommitUnknown, Transient
from tests.fakes.memory import Fault, MemoryMongo
from tests.unit.test_outbox import Broker

AT = datetime(2026, 2, 1, tzinfo=UTC)


class Tally(Contract):
    """Votes that were counted."""

    votes: int = 0


TALLY = Collection("tallies", TypeAdapter(Tally)).ref("04/2026")


async def vote(order: Order[Any], ask: Ask) -> Outcome:
    """One more vote, told to the world, with a request to recompute."""
    tally = await ask.one(TALLY) or Tally()
    votes = tally.votes + 1
    fact = EnvelopeAccepted(
        version=votes, submission_id="s", receipt_id="r", province="04", received_at=AT, year=2026, amount=votes
    )
    return Outcome(
        {TALLY: Tally(votes=votes)},
        [Outgoing("intake.accepted", "04", "04", fact)],
        [Request("sum", ("04", 2026))],
    )


class Overtaken(MemoryMongo):
    """A database in which a twin writes between the first look of a command and what it decides on."""

    before_tallies: Callable[[], Awaitable[object]] | None = None

    async def find(self, collection: str, *arguments: Any, **more: Any) -> list[dict[str, Any]]:
        if collection == TALLY.collection and self.before_tallies:
            twin, self.before_tallies = self.before_tallies, None
            await twin()
        return await super().find(collection, *arguments, **more)


class Desk:
    """Somebody who counts votes by commands."""

    def __init__(self, faults: Faults = NO_FAULTS) -> None:
        self.mongo = Overtaken()
        self.relay = Relay(self.mongo, Broker())
        self.commands = Commands("test", self.mongo, self.relay, clock=BusinessClock(0), faults=faults)

    async def vote(self, id: str = "vote-1") -> Outcome | None:
        """Order one more vote."""
        return await self.commands.order(id, None, vote)

    @property
    def effects(self) -> tuple[int, int, int]:
        """Votes, events and requests."""
        votes = self.mongo.rows("tallies").get(TALLY.id, {"votes": 0})["votes"]
        return votes, len(self.mongo.all("outbox")), len(self.mongo.all("recalculations"))


async def test_a_repeated_id_has_one_effect() -> None:
    desk = Desk()
    first = await desk.vote()
    assert first is not None
    assert await desk.vote() is None
    assert desk.effects == (1, 1, 1)
    await desk.vote("vote-2")
    assert desk.effects == (2, 2, 2)


async def test_two_at_the_same_moment_are_decided_one_after_the_other() -> None:
    desk = Desk()
    decisions = 0

    async def counted(order: Order[Any], ask: Ask) -> Outcome:
        nonlocal decisions
        decisions += 1
        return await vote(order, ask)

    async def faster() -> None:
        await desk.vote("fast")

    desk.mongo.meanwhile.append(faster)  # between the decision and its transaction
    await desk.commands.order("slow", None, counted)
    assert desk.effects == (2, 2, 2)
    assert decisions == 2, "what was decided on a state that had moved is decided again"


async def test_the_same_id_twice_at_the_same_moment_has_one_effect() -> None:
    desk = Desk()
    outcomes = await asyncio.gather(*(desk.vote("once") for _ in range(5)))
    assert sum(outcome is not None for outcome in outcomes) == 1
    assert desk.effects == (1, 1, 1)


async def test_a_refusal_writes_nothing_and_leaves_the_id_free() -> None:
    desk = Desk()

    async def refuse(order: Order[Any], ask: Ask) -> Outcome:
        raise LookupError("not so")

    with pytest.raises(LookupError, match="not so"):
        await desk.commands.order("vote-1", None, refuse)
    assert desk.effects == (0, 0, 0)
    await desk.vote()
    assert desk.effects == (1, 1, 1)


async def test_who_objects_to_the_effect_of_their_own_twin_is_told_that_it_is_done() -> None:
    desk = Desk()

    async def overtaken(order: Order[Any], ask: Ask) -> Outcome:
        if await ask.one(TALLY):
            raise LookupError("already counted")
        return Outcome()

    desk.mongo.before_tallies = desk.vote
    assert await desk.commands.order("vote-1", None, overtaken) is None
    assert desk.effects == (1, 1, 1)
    with pytest.raises(LookupError, match="already counted"):  # another command's effect is no excuse
        await desk.commands.order("vote-2", None, overtaken)


@pytest.mark.parametrize("fault", [Fault(Transient), Fault(CommitUnknown), Fault(CommitUnknown, applied=True)])
async def test_a_commit_in_doubt_has_one_effect(fault: Fault) -> None:
    desk = Desk()
    desk.mongo.commit_faults = {1: fault}
    await desk.vote()
    assert desk.effects == (1, 1, 1)


class _Strike(Faults):
    def __init__(self, step: Step) -> None:
        self._step: Step | None = step

    async def reach(self, step: Step) -> None:
        if step is self._step:
            self._step = None
            raise Injected(step.value)


@pytest.mark.parametrize("step", [Step.COMMITTING, Step.COMMITTED])
async def test_a_sender_who_got_no_answer_repeats_without_harm(step: Step) -> None:
    desk = Desk(_Strike(step))
    with pytest.raises(Unavailable):
        await desk.vote()
    await desk.vote()
    assert desk.effects == (1, 1, 1)
