"""Decisions of people: once per id, one after the other, all of their effects or none."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from shared.contracts.facts import EnvelopeAccepted
from shared.messaging.clock import BusinessClock
from shared.messaging.decide.commands import Commands
from shared.messaging.decide.handling import Outcome, Recalculation, Ref
from shared.messaging.decide.reader import Reader
from shared.messaging.faults import NO_FAULTS, Faults, Injected, Step
from shared.messaging.messages import Outgoing
from shared.messaging.send.outbox import Relay
from shared.mongo import Unavailable
from shared.mongo.port import CommitUnknown, Transient
from tests.fakes.memory import Fault, MemoryMongo
from tests.unit.test_outbox import Broker

TALLY = Ref("tallies", "04/2026")
AT = datetime(2026, 2, 1, tzinfo=UTC)


class Desk:
    """Somebody who counts votes by commands."""

    def __init__(self, faults: Faults = NO_FAULTS) -> None:
        self.mongo = MemoryMongo()
        self.relay = Relay(self.mongo, Broker())
        self.commands = Commands("test", self.mongo, self.relay, clock=BusinessClock(0), faults=faults)

    async def vote(self, reader: Reader, at: datetime) -> Outcome:
        """One more vote, told to the world, with a request to recompute."""
        tally = await reader.get(TALLY) or {"votes": 0}
        fact = EnvelopeAccepted(
            version=tally["votes"] + 1,
            submission_id="s",
            receipt_id="r",
            province="04",
            received_at=AT,
            year=2026,
            amount=tally["votes"] + 1,
        )
        return Outcome(
            puts={TALLY: {"votes": tally["votes"] + 1}},
            events=[Outgoing("intake.accepted", "04", "04", fact)],
            requests=[Recalculation("04", 2026)],
        )

    @property
    def effects(self) -> tuple[int, int, int]:
        """Votes, events and requests."""
        votes = self.mongo.rows("tallies").get(TALLY.id, {"votes": 0})["votes"]
        return votes, len(self.mongo.all("outbox")), len(self.mongo.all("recalculations"))


async def test_a_repeated_id_has_one_effect() -> None:
    desk = Desk()
    first = await desk.commands.run("vote-1", desk.vote)
    assert first is not None
    assert await desk.commands.run("vote-1", desk.vote) is None
    assert desk.effects == (1, 1, 1)
    await desk.commands.run("vote-2", desk.vote)
    assert desk.effects == (2, 2, 2)


async def test_two_at_the_same_moment_are_decided_one_after_the_other() -> None:
    desk = Desk()
    waiting = asyncio.Event()
    decisions = 0

    async def slow(reader: Reader, at: datetime) -> Outcome:
        nonlocal decisions
        decisions += 1
        outcome = await desk.vote(reader, at)
        if decisions == 1:
            await waiting.wait()
        return outcome

    task = asyncio.create_task(desk.commands.run("slow", slow))
    await asyncio.sleep(0)
    await desk.commands.run("fast", desk.vote)
    waiting.set()
    await task
    assert desk.effects == (2, 2, 2)
    assert decisions == 2, "what was decided on a state that had moved is decided again"


async def test_the_same_id_twice_at_the_same_moment_has_one_effect() -> None:
    desk = Desk()
    outcomes = await asyncio.gather(*(desk.commands.run("once", desk.vote) for _ in range(5)))
    assert sum(outcome is not None for outcome in outcomes) == 1
    assert desk.effects == (1, 1, 1)


async def test_a_refusal_writes_nothing_and_leaves_the_id_free() -> None:
    desk = Desk()

    async def refuse(reader: Reader, at: datetime) -> Outcome:
        raise LookupError("not so")

    with pytest.raises(LookupError, match="not so"):
        await desk.commands.run("vote-1", refuse)
    assert desk.effects == (0, 0, 0)
    await desk.commands.run("vote-1", desk.vote)
    assert desk.effects == (1, 1, 1)


async def test_who_objects_to_the_effect_of_their_own_twin_is_told_that_it_is_done() -> None:
    desk = Desk()

    async def overtaken(reader: Reader, at: datetime) -> Outcome:
        await desk.commands.run("vote-1", desk.vote)
        raise LookupError("already counted")

    assert await desk.commands.run("vote-1", overtaken) is None
    assert desk.effects == (1, 1, 1)
    with pytest.raises(LookupError, match="already counted"):  # another command's effect is no excuse
        await desk.commands.run("vote-2", overtaken)


@pytest.mark.parametrize("fault", [Fault(Transient), Fault(CommitUnknown), Fault(CommitUnknown, applied=True)])
async def test_a_commit_in_doubt_has_one_effect(fault: Fault) -> None:
    desk = Desk()
    desk.mongo.commit_faults = {1: fault}
    await desk.commands.run("vote-1", desk.vote)
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
        await desk.commands.run("vote-1", desk.vote)
    await desk.commands.run("vote-1", desk.vote)
    assert desk.effects == (1, 1, 1)
