"""A record of a type that only a newer release knows waits for it, without a person (ADR 26)."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any, cast

import pytest

from deploy.local.identity import ensure_signing_key
from shared.answers.dead_letters import Action, Refusal, State
from shared.contracts.catalogue import CONTRACTS, EventType
from shared.messaging.consume.burying import OUR_TYPE, state_of_failed
from shared.messaging.messages import Reason
from shared.messaging.operate.dead_letters import Order
from tests.probe import POISON, Bench
from tests.unit.test_dead_letters_http import serve
from tests.unit.test_replay_order import Ordered, occurrence, order, refused

FACT, OCCURRENCE = EventType.ENVELOPE_ACCEPTED, EventType.RECEIPT_ISSUED


class Older:
    """The release before: it does not know a type, until it is upgraded."""

    def __init__(self, *types: EventType) -> None:
        self._contracts = cast(MutableMapping[str, Any], CONTRACTS)
        self._types: dict[str, Any] = {type: CONTRACTS[type] for type in types}
        self.rolled_back()

    def rolled_back(self) -> None:
        """From now on the types are unknown."""
        for type in self._types:
            del self._contracts[type]

    def upgraded(self) -> None:
        """From now on they are known."""
        self._contracts.update(self._types)


@pytest.fixture
def older() -> Iterator[Older]:
    release = Older(FACT, OCCURRENCE)
    yield release
    release.upgraded()


@pytest.fixture
def bench() -> Bench:
    return Bench()


def states(bench: Bench) -> list[str]:
    return [row["state"] for row in sorted(bench.mongo.all("dead_letters"), key=lambda row: row["offset"])]


@pytest.mark.parametrize("type", EventType)
def test_every_type_of_ours_is_known_as_ours_in_any_version(type: EventType) -> None:
    assert OUR_TYPE.fullmatch(type)
    assert state_of_failed(Reason.UNKNOWN_TYPE, type.replace(".v1", ".v12")) is State.WAITING


@pytest.mark.parametrize(
    ("reason", "type"),
    [
        (Reason.UNKNOWN_TYPE, "unheard.of.v1"),
        (Reason.UNKNOWN_TYPE, "langhoc.v1"),
        (Reason.UNKNOWN_TYPE, "langhoc.centre.scored"),
        (Reason.UNKNOWN_TYPE, ""),
        (Reason.INVALID_BODY, FACT),
        (Reason.HANDLER_FAILED, FACT),
    ],
)
def test_anything_else_waits_for_a_person(reason: Reason, type: str) -> None:
    assert state_of_failed(reason, type) is State.OPEN


async def test_it_is_counted_apart_and_read_again_after_the_upgrade(bench: Bench, older: Older) -> None:
    (letter_id,) = await bench.bury(bench.probe.record(1, version=3))
    assert (bench.letter(letter_id)["reason"], states(bench)) == ("unknown_type", ["waiting"])
    assert (await bench.letters.open(), await bench.letters.waiting()) == (0, 1)
    await bench.letters.read_again()
    assert (bench.entries(), states(bench)) == ([], ["waiting"]), "the same release starts again"

    older.upgraded()
    await bench.letters.read_again()

    assert (states(bench), bench.effects()) == (["replayed"], (3, 1, 1))
    assert bench.entries() == [("service", "replay", "handled")]
    await bench.letters.read_again()
    assert len(bench.entries()) == 1
    bench.assert_kept()


async def test_whatever_was_handled_meanwhile_the_newest_version_wins(bench: Bench, older: Older) -> None:
    await bench.bury(bench.probe.record(1, version=1), bench.probe.record(2, version=2))
    older.upgraded()
    await bench.pipeline.process([bench.probe.record(3, version=3)])

    await bench.letters.read_again()

    assert (states(bench), bench.effects()) == (["replayed", "replayed"], (3, 1, 1))
    assert [result for _, _, result in bench.entries()] == ["stale", "stale"]


async def test_occurrences_are_read_again_in_the_order_of_their_key(older: Older) -> None:
    bench = Ordered()
    bench.broken = False
    await bench.bury(occurrence(2), occurrence(0), occurrence(1, "00007"), occurrence(3))
    older.upgraded()
    await bench.letters.read_again()
    assert [each for each in bench.handled if each != "0@1"] == ["0@0", "0@2", "0@3"]


async def test_nothing_of_the_key_goes_past_it(older: Older) -> None:
    """Neither does it go past an older letter that waits for a person, nor a younger one past it."""
    bench = Ordered()
    older.upgraded()
    (failed,) = await bench.bury(occurrence(0))
    older.rolled_back()
    _, waiting = await bench.bury(occurrence(1))
    older.upgraded()
    *_, younger = await bench.bury(occurrence(2))

    bench.broken = False
    await bench.letters.read_again()
    assert (states(bench), bench.handled, bench.entries()) == (["open", "waiting", "open"], [], [])
    for each, first in ((waiting, failed), (younger, failed)):
        why = await refused(bench, order(each))
        assert (why.refusal, why.first) == (Refusal.OLDER, first)
    await bench.letters.discard(Order(Action.DISCARD, failed, "an", "ministry", "sent again"))
    assert (await refused(bench, order(younger))).first == waiting

    await bench.letters.read_again()
    await bench.letters.replay(order(younger))
    assert bench.handled == ["0@1", "0@2"]


async def test_one_that_fails_now_waits_for_a_person(bench: Bench, older: Older) -> None:
    (letter_id,) = await bench.bury(bench.probe.record(1, POISON))
    older.upgraded()
    await bench.letters.read_again()
    assert (states(bench), bench.letter(letter_id)["reason"]) == (["open"], "handler_failed")
    assert (await bench.letters.open(), await bench.letters.waiting()) == (1, 0)
    await bench.letters.read_again()
    assert len(bench.entries()) == 1, "it is not tried for ever"


async def test_a_letter_of_the_release_before_this_one_is_read_again_too(bench: Bench, older: Older) -> None:
    (letter_id,) = await bench.bury(bench.probe.record(1))
    row = bench.mongo.all("dead_letters")[0] | {"state": "open"}
    bench.mongo.rows("dead_letters")[row["_id"]] = row
    older.upgraded()
    await bench.letters.read_again()
    assert bench.letter(letter_id)["state"] == "replayed"


async def test_a_person_may_discard_what_waits_and_sees_it_apart(bench: Bench, older: Older, tmp_path: Any) -> None:
    ensure_signing_key(tmp_path)
    (letter_id,) = await bench.bury(bench.probe.record(1))
    async with serve(bench, tmp_path) as http:
        shown = [
            (await http.get("/dead-letters", params=query)).json()["items"] for query in ({}, {"state": "waiting"})
        ]
        assert [[each["id"] for each in page] for page in shown] == [[], [letter_id]]
        assert "by itself" in shown[1][0]["mend"]["en"]
        answer = await http.post(f"/dead-letters/{letter_id}/discard", json={"why": "never meant for us"})
    assert answer.json()["state"] == "discarded"
    older.upgraded()
    await bench.letters.read_again()
    assert states(bench) == ["discarded"]


async def test_trouble_with_one_letter_is_no_others(
    bench: Bench, older: Older, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.bury(bench.probe.record(1, version=3), bench.probe.record(2, version=1, province="08"))
    older.upgraded()
    replay = bench.letters.replay
    troubled: list[Order] = []

    async def trouble(order: Order) -> Any:
        if not troubled:
            troubled.append(order)
            raise ZeroDivisionError(order.letter_id)
        return await replay(order)

    monkeypatch.setattr(bench.letters, "replay", trouble)
    await bench.letters.read_again()
    assert states(bench) == ["waiting", "replayed"]
