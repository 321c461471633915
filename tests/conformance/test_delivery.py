"""What delivery promises, told once and held by the fakes and by real servers with either driver.

Every expectation is written by hand: none is computed by the code under test, so no world can pass against itself.
What this suite cannot catch: servers and processes that die or freeze, rebalances between members (`tests/faults`,
`tests/integration/test_canaries.py`), load, an order of events between two partitions, and rules of the services, which
have golden cases of their own. That the fakes pass says only that they behave like the servers where this suite looks.
"""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from shared.messaging.faults import FaultPlan, Faults, Injected, Saboteur, Step
from tests.conformance.service import Conduct, fact, garbage, occurrence
from tests.conformance.worlds import World


class Once(Faults):
    """Strikes at a step, once."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.struck = False

    async def reach(self, step: Step) -> None:
        if step is self.step and not self.struck:
            self.struck = True
            raise Injected("once")


class Deaf(Faults):
    """No acknowledgement of ours reaches the broker."""

    async def reach(self, step: Step) -> None:
        if step is Step.ACKNOWLEDGING:
            raise Injected("dropped")


class Noted(Saboteur):
    """A saboteur that remembers where it struck."""

    def __init__(self, plan: str) -> None:
        super().__init__(FaultPlan.parse(plan), process="sample-0")
        self.struck: set[Step] = set()

    async def reach(self, step: Step) -> None:
        try:
            await super().reach(step)
        except Injected:
            self.struck.add(step)
            raise


async def tallies(world: World) -> dict[str, int]:
    """Occurrences counted, by province."""
    return {row["_id"]: row["n"] for row in await world.rows("tallies")}


async def causes(world: World) -> Counter[str]:
    """How many events each record caused on the topic, by the record's own id; several under one id count as one."""
    ids = {(event.id, event.subject.removeprefix("/langhoc/elsewhere#")) for event in await world.events()}
    return Counter(subject for _, subject in ids)


async def dead(world: World) -> dict[str, str]:
    """Dead letters: the event's id and the reason."""
    return {dict(letter["headers"])["ce_id"].decode(): letter["reason"] for letter in await world.rows("dead_letters")}


# ------------------------------------------------------------------------------------------------- once


async def test_a_record_has_all_of_its_effects_once(world: World) -> None:
    await world.start()
    await world.send(fact("f", version=3, amount=75), occurrence("o"))
    await world.settled()

    assert await world.rows("envelopes") == [{"_id": "04", "_rev": 1, "version": 3, "amount": 75}]
    assert await tallies(world) == {"04": 1}
    assert [row["_id"] for row in await world.rows("inbox")] == ["/langhoc/elsewhere#f", "/langhoc/elsewhere#o"]
    assert await causes(world) == {"f": 1, "o": 1, "nation": 1}
    assert await world.rows("dead_letters") == []


async def test_a_record_that_was_there_before_the_service_is_handled(world: World) -> None:
    await world.send(occurrence("early"))
    await world.start()
    await world.settled()
    assert await tallies(world) == {"04": 1}


async def test_a_duplicate_is_absorbed_whenever_it_comes(world: World) -> None:
    await world.send(occurrence("a"), occurrence("a"), occurrence("b"))
    await world.start()
    await world.settled()
    await world.send(occurrence("b"), occurrence("c"), occurrence("a"))
    await world.settled()

    assert await tallies(world) == {"04": 3}
    assert await causes(world) == {"a": 1, "b": 1, "c": 1}
    assert len(await world.events()) == 3


async def test_what_was_never_acknowledged_is_delivered_again_and_absorbed(world: World) -> None:
    await world.send(*(occurrence(f"o{number}") for number in range(20)))
    await world.start(Deaf())

    async def effective() -> bool:
        return await world.mongo.count("inbox", {}) == 20

    await world.until(effective)
    await world.stop()
    assert await world.unfinished() == 20

    await world.start()
    await world.settled()
    assert await tallies(world) == {"04": 20}
    assert len(await causes(world)) == 20


@pytest.mark.parametrize("step", [Step.COMMITTING, Step.COMMITTED, Step.ACKNOWLEDGING, Step.CONFIRMED])
async def test_a_failure_between_two_steps_leads_to_one_effect(world: World, step: Step) -> None:
    faults = Once(step)
    await world.send(fact("f", amount=5), occurrence("o"), occurrence("bad", conduct=Conduct.POISON))
    await world.start(faults)

    async def struck() -> bool:
        return faults.struck

    await world.until(struck)
    await world.send(occurrence("next"))
    await world.settled()

    assert await world.rows("envelopes") == [{"_id": "04", "_rev": 1, "version": 1, "amount": 5}]
    assert await tallies(world) == {"04": 2}
    assert await causes(world) == {"f": 1, "o": 1, "next": 1, "nation": 1}
    assert await dead(world) == {"bad": "handler_failed"}
    assert await world.mongo.count("dead_letters", {}) == 1


async def test_all_saboteurs_together_lose_and_double_nothing(world: World) -> None:
    faults = Noted("duplicate=0.3,fail_before_commit=0.1,fail_after_commit=0.1,delay=0.2:10ms,drop_ack=0.2,seed=5")
    await world.start(faults)
    for start in range(0, 200, 20):
        await world.send(*(occurrence(f"o{number}", f"{number % 7:02d}") for number in range(start, start + 20)))
        await world.send(occurrence(f"bad{start}", conduct=Conduct.POISON), garbage(f"no{start}"))

    async def handled() -> bool:
        return await world.mongo.count("inbox", {}) == 220 and await world.mongo.count("outbox", {}) == 0

    await world.until(handled, seconds=60)
    await world.stop()
    await world.start()
    await world.settled()

    assert faults.struck
    assert await tallies(world) == {"00": 29, "01": 29, "02": 29, "03": 29, "04": 28, "05": 28, "06": 28}
    assert await causes(world) == dict.fromkeys((f"o{number}" for number in range(200)), 1)
    assert len(await dead(world)) == await world.mongo.count("dead_letters", {}) == 20


async def test_a_process_that_is_stopped_at_the_moment_of_a_commit_stops(world: World) -> None:
    """`asyncio.wait_for` swallows a cancellation that comes together with what it waits for: the relay went on, and
    every stop under load took its full limit and left leases and broker behind."""
    await world.start()
    await asyncio.sleep(0.3)  # the relay has gone to sleep
    assert world.process is not None
    world.process.relay.wake()
    async with asyncio.timeout(8):
        await world.stop()


# ------------------------------------------------------------------------------------------------- bad records


async def test_an_unreadable_record_is_kept_whole_and_its_neighbours_pass(world: World) -> None:
    await world.send(occurrence("before"), garbage("bad"), occurrence("after"))
    await world.start()
    await world.settled()

    assert await tallies(world) == {"04": 2}
    (letter,) = await world.rows("dead_letters")
    assert (letter["reason"], letter["value"], letter["key"]) == ("bad_json", b"{not json", b"04")
    assert (letter["topic"], letter["offset"]) == (world.topics.input, 1)
    assert dict(letter["headers"])["ce_id"] == b"bad"


@pytest.mark.parametrize(
    ("conduct", "reason", "detail"),
    [
        (Conduct.POISON, "handler_failed", "ZeroDivisionError: poison"),
        (Conduct.FORGETFUL, "handler_failed", "was put or held without having been read"),
        (Conduct.OVERSIZE, "unwritable", ""),
    ],
)
async def test_a_record_that_cannot_be_handled_becomes_a_dead_letter_alone(
    world: World, conduct: Conduct, reason: str, detail: str
) -> None:
    await world.send(occurrence("before"), occurrence("bad", "01", conduct=conduct), occurrence("after"))
    await world.start()
    await world.settled()

    assert await tallies(world) == {"04": 2}, "nothing of the failed record remains"
    assert await causes(world) == {"before": 1, "after": 1}
    (letter,) = await world.rows("dead_letters")
    assert letter["reason"] == reason
    assert detail in letter["detail"]


async def test_the_brake_stops_at_our_own_fault_and_loses_nothing(world: World) -> None:
    """Three failures in a row are allowed here; the fourth record waits for the mended service."""
    await world.send(*(occurrence(f"p{number}", conduct=Conduct.POISON) for number in range(6)), occurrence("good"))
    await world.start()

    async def three_are_dead() -> bool:
        return await world.mongo.count("dead_letters", {}) == 3 and await world.unfinished() == 4

    await world.until(three_are_dead)
    await world.send(occurrence("later"))
    await world.stop()
    assert await dead(world) == dict.fromkeys(["p0", "p1", "p2"], "handler_failed")
    assert (await tallies(world), await world.unfinished()) == ({}, 5)

    await world.start(mended=True)
    await world.settled()
    assert await tallies(world) == {"04": 5}
    assert await world.mongo.count("dead_letters", {}) == 3


async def test_faults_of_senders_do_not_close_the_brake(world: World) -> None:
    await world.send(*(garbage(f"bad{number}") for number in range(10)), occurrence("good"))
    await world.start()
    await world.settled()
    assert await tallies(world) == {"04": 1}
    assert await world.mongo.count("dead_letters", {}) == 10


# ------------------------------------------------------------------------------------------------- versions and order


async def test_of_a_state_fact_the_newest_version_wins_and_older_ones_change_nothing(world: World) -> None:
    await world.start()
    await world.send(
        fact("v1", version=1, amount=10), fact("v3", version=3, amount=30), fact("v2", version=2, amount=20)
    )
    await world.settled()
    await world.send(fact("v3 again", version=3, amount=31), fact("v1 again", version=1, amount=11))
    await world.settled()

    (envelope,) = await world.rows("envelopes")
    assert (envelope["version"], envelope["amount"]) == (3, 30)
    found = await causes(world)
    assert {name: found[name] for name in ("v1", "v2", "v3", "v3 again", "v1 again")} == {
        "v1": 1, "v2": 0, "v3": 1, "v3 again": 0, "v1 again": 0,
    }  # fmt: skip


async def test_an_occurrence_is_never_dropped_by_its_version(world: World) -> None:
    await world.send(occurrence("v3", version=3), occurrence("v1", version=1), occurrence("v3 again", version=3))
    await world.start()
    await world.settled()
    assert await tallies(world) == {"04": 3}


async def test_what_concerns_one_key_leaves_in_the_order_it_came(world: World) -> None:
    await world.start()
    for start in range(0, 60, 10):
        await world.send(*(occurrence(f"{number}", f"{number % 3:02d}") for number in range(start, start + 10)))
    await world.settled()

    by_key: dict[str, list[int]] = {}
    for event in await world.events():
        by_key.setdefault(event.key, []).append(int(event.subject.removeprefix("/langhoc/elsewhere#")))
    assert by_key == {f"{key:02d}": list(range(key, 60, 3)) for key in range(3)}


# ------------------------------------------------------------------------------------------------- events out


async def test_an_event_raised_again_after_its_inbox_entry_expired_has_the_same_id(world: World) -> None:
    """So whoever reads it absorbs it. A release that changed these ids would double every event that it repeats."""
    await world.send(occurrence("a"), occurrence("b"))
    await world.start(Deaf())

    async def published() -> bool:
        return len(await world.events()) == 2 and await world.mongo.count("outbox", {}) == 0

    await world.until(published)
    await world.stop()
    await world.mongo.delete("inbox", {})
    await world.start()
    await world.settled()

    assert [event.id for event in await world.events()] == [
        "f982f50f-3101-5740-b81e-30c44b691076",
        "3bff07ed-1550-58d6-92f5-8701285e542f",
    ] * 2


async def test_an_outbox_row_stays_until_the_broker_has_confirmed_it(world: World) -> None:
    """The confirmation is lost once: the same event is sent again, and only then deleted."""
    await world.start(Once(Step.CONFIRMED))
    await world.send(occurrence("a"))

    async def twice() -> bool:
        return len(await world.events()) == 2

    await world.until(twice)
    await world.settled()
    first, second = await world.events()
    assert first == second
    assert await world.mongo.count("outbox", {}) == 0


async def test_requests_of_a_burst_lead_to_the_result_over_the_set(world: World) -> None:
    await world.send(*(fact(f"f{number}", f"{number:02d}", amount=number) for number in range(1, 11)))
    await world.start()
    await world.settled()
    (total,) = await world.rows("sums")
    assert (total["_id"], total["amount"]) == ("nation", 55)

    await world.send(fact("more", "03", version=2, amount=103))
    await world.settled()
    (later,) = await world.rows("sums")
    assert (later["amount"], later["version"]) == (155, total["version"] + 1)
    assert (await causes(world))["nation"] == later["version"]
