"""Dead letters in the hands of people: look, replay when the cause is mended, or discard with a reason.

A letter is open until its record was handled after all or somebody decided that it never will be. Every change takes
the letter as it was read, attempts counted, and puts a new one in its place, in the transaction of whatever the change
brings about; so of two operators at the same moment one has the effect and the other is told. Every action leaves an
entry of its own, also one that was refused: who, when, why, before and after. Entries are inserted and never changed;
so they keep a fingerprint of what a fault said, not its words, which may repeat the record.

A replay cannot reorder. A state fact is guarded by its version, whenever it comes. An occurrence waits for the open
letters of its key that are older; what was handled since is for its handler to judge, as with a late arrival.

A letter of an event type that this release does not know waits for no person, but for the release that does (ADR 26).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Container
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from bson import ObjectId

from shared.answers.dead_letters import Action, Refusal, State
from shared.contracts.catalogue import CONTRACTS
from shared.contracts.people import Hand
from shared.errors import LanghocError
from shared.messaging.clock import BusinessClock
from shared.messaging.collections import DEAD_LETTER_ACTIONS, DEAD_LETTERS
from shared.messaging.consume.burying import state_of_failed, without_bytes
from shared.messaging.consume.pipeline import Pipeline, Replay
from shared.messaging.decide.documents import Document
from shared.messaging.messages import Reason
from shared.messaging.operate.personal import fingerprint, note_read
from shared.messaging.send.outbox import Relay
from shared.mongo import Mongo, Session, answers, in_transaction
from shared.mongo.port import MongoError
from shared.refusals import problem

log = structlog.get_logger()


_OPEN = [None, State.OPEN.value]
"""The first letters were written without a state."""
_UNDECIDED = [*_OPEN, State.WAITING.value]
"""Whatever is neither replayed nor discarded."""


_SERVICE = "service"
"""Who acts, and in what role, where nobody gave an order."""


class Refused(LanghocError):
    """An action that is not carried out."""

    def __init__(self, refusal: Refusal, letter: str | None = None) -> None:
        """`letter`: the one that is not there, or that is to be replayed or discarded before (`OLDER`)."""
        super().__init__(problem(f"dead_letters.{refusal}", letter=letter))
        self.refusal = refusal
        self.first = letter if refusal is Refusal.OLDER else None


@dataclass(frozen=True, slots=True)
class Order:
    """An action that somebody asks for."""

    action: Action
    letter_id: str
    who: str
    role: str
    why: str
    beyond_cap: bool = False
    """Replay a record once more that was tried as often as is allowed; needs a reason."""
    formerly: Container[str] = ()
    """What the person was called before the directory knew it."""

    @property
    def hand(self) -> Hand:
        """Who asks, as two-person rules compare it."""
        return Hand(self.who, self.formerly)


class DeadLetters:
    """The dead letters of one service."""

    def __init__(
        self, mongo: Mongo, pipeline: Pipeline, relay: Relay, *, clock: BusinessClock, attempts: int = 10
    ) -> None:
        """`attempts`: how often a record is tried, the first time included, before only an explicit order goes on."""
        self._attempts = attempts
        self._mongo = mongo
        self._pipeline = pipeline
        self._relay = relay
        self._clock = clock

    async def open(self) -> int:
        """How many wait for a person."""
        return await self._mongo.count(DEAD_LETTERS, {"state": {"$in": _OPEN}})

    async def waiting(self) -> int:
        """How many wait for a newer release."""
        return await self._mongo.count(DEAD_LETTERS, {"state": State.WAITING.value})

    async def read_again(self) -> None:
        """Replay what this release can read and the one before it could not, in the order in which it was appended.

        What stands behind an older letter of its key stays where it is until that is replayed or discarded.
        """
        known = {"reason": Reason.UNKNOWN_TYPE.value, "state": {"$in": _UNDECIDED}, "type": {"$in": list(CONTRACTS)}}
        in_order = [("appended_at", 1), ("offset", 1)]
        for letter in await self._mongo.find(DEAD_LETTERS, known, projection={"_id": 1}, sort=in_order):
            order = Order(Action.REPLAY, str(letter["_id"]), _SERVICE, _SERVICE, "its type is known now")
            try:
                if await self.hindrance(order.letter_id) is None:
                    await self.replay(order)
            except Refused:
                continue  # another process of this service was faster
            except Exception as error:  # one letter's trouble is no other's, nor the service's
                if isinstance(error, MongoError) and not await answers(self._mongo):
                    raise
                log.error("dead_letter.not_read_again", letter=order.letter_id, error=repr(error)[:500])

    async def page(
        self, *, state: State | None, reason: Reason | None, after: str | None, limit: int
    ) -> list[Document]:
        """Dead letters, oldest first; `state` and `reason` narrow them down."""
        query: dict[str, Any] = {}
        if state is not None:
            query["state"] = {"$in": _OPEN} if state is State.OPEN else state.value
        if reason is not None:
            query["reason"] = reason.value
        return await self._mongo.find(DEAD_LETTERS, query | _behind(after), sort=[("_id", 1)], limit=limit)

    async def find(self, letter_id: str) -> Document | None:
        """One dead letter, whole."""
        if not ObjectId.is_valid(letter_id):
            return None
        found = await self._mongo.find(DEAD_LETTERS, {"_id": ObjectId(letter_id)})
        return found[0] if found else None

    async def actions(
        self, letter_id: str | None = None, *, after: str | None = None, limit: int = 0
    ) -> list[Document]:
        """The entries of one dead letter or of all, oldest first."""
        query: dict[str, Any] = {} if letter_id is None else {"letter": letter_id}
        return await self._mongo.find(DEAD_LETTER_ACTIONS, query | _behind(after), sort=[("_id", 1)], limit=limit)

    async def looked(self, who: str, role: str, about: str, why: str) -> None:
        """Record that somebody looks at what was sent, which may be anything. Raises `MongoError`: nothing is shown."""
        await note_read(self._mongo, self._clock, who=who, role=role, what="dead_letter", about=about, why=why)

    async def rehearse(self, letter_id: str) -> tuple[Document, Replay]:
        """The letter as it would be after a replay, and what that would lead to. Writes nothing; raises `Refused`.

        What would stand in the way of a replay just now is told by `hindrance`.
        """
        letter = await self._open(letter_id)
        replay = await self._pipeline.replay(letter)
        return _after(letter, replay), replay

    async def hindrance(self, letter_id: str) -> Refused | None:
        """Why an open letter would not be replayed now, if anything stands in the way. Raises `Refused`."""
        return await self._hindrance(await self._open(letter_id))

    async def replay(self, order: Order) -> tuple[Document, Replay]:
        """Handle the record again: the letter closes, or stays open with one more attempt and what went wrong now.

        Raises `Refused`.
        """
        async with self._recorded(order):
            before = await self._open(order.letter_id)
            await self._permit(order, before)

            async def settle(replay: Replay, session: Session) -> None:
                await self._change(order, replay.verdict, before, _after(before, replay), session)

            replay = await self._pipeline.replay(before, settle)
        if replay.events:
            self._relay.wake()
        log.info("dead_letter.replayed", letter=order.letter_id, who=order.who, verdict=replay.verdict)
        return _after(before, replay), replay

    async def discard(self, order: Order) -> Document:
        """Close the letter without handling its record; its bytes are kept. Raises `Refused`."""
        async with self._recorded(order):
            if not order.why:
                raise Refused(Refusal.NO_REASON)
            before = await self._open(order.letter_id)
            after = {**before, "state": State.DISCARDED.value}

            async def body(session: Session) -> None:
                await self._change(order, State.DISCARDED.value, before, after, session)

            await in_transaction(self._mongo, body)
        log.info("dead_letter.discarded", letter=order.letter_id, who=order.who, why=order.why)
        return after

    async def erase(self, order: Order) -> Document:
        """Replace the record of a closed letter by its hash, by another person than closed it. Raises `Refused`."""
        async with self._recorded(order):
            if not order.why:
                raise Refused(Refusal.NO_REASON)
            before = await self.find(order.letter_id)
            if before is None:
                raise Refused(Refusal.NOT_FOUND, order.letter_id)
            if before.get("state") in _UNDECIDED:
                raise Refused(Refusal.STILL_OPEN)
            if order.hand.is_among(filter(None, map(_closed_by, await self.actions(order.letter_id)))):
                raise Refused(Refusal.SAME_PERSON)
            if before.get("erased"):
                return before
            after = without_bytes(before, self._clock.real(), order.who)

            async def body(session: Session) -> None:
                await self._change(order, "erased", before, after, session)

            await in_transaction(self._mongo, body)
        log.info("dead_letter.erased", letter=order.letter_id, who=order.who)
        return after

    async def refuse(self, order: Order, refusal: Refusal) -> None:
        """Leave an entry of an order that is not carried out."""
        letter = await self.find(order.letter_id)
        await self._mongo.insert(DEAD_LETTER_ACTIONS, [self._entry(order, f"refused: {refusal}", letter, letter)])
        log.warning("dead_letter.refused", letter=order.letter_id, who=order.who, refusal=refusal.value)

    @asynccontextmanager
    async def _recorded(self, order: Order) -> AsyncIterator[None]:
        try:
            yield
        except Refused as refused:
            await self.refuse(order, refused.refusal)
            raise

    async def _open(self, letter_id: str) -> Document:
        letter = await self.find(letter_id)
        if letter is None:
            raise Refused(Refusal.NOT_FOUND, letter_id)
        if letter.get("state") not in _UNDECIDED:
            raise Refused(Refusal.NOT_OPEN)
        return letter

    async def _permit(self, order: Order, letter: Document) -> None:
        if order.beyond_cap and not order.why:
            raise Refused(Refusal.NO_REASON)
        hindrance = await self._hindrance(letter)
        if hindrance and not (hindrance.refusal is Refusal.EXHAUSTED and order.beyond_cap):
            raise hindrance

    async def _hindrance(self, letter: Document) -> Refused | None:
        # Asked outside the transaction: a letter that is closed never opens again, and new ones are younger.
        older = await self._older(letter)
        if older is not None:
            return Refused(Refusal.OLDER, str(older["_id"]))
        return Refused(Refusal.EXHAUSTED) if letter["attempts"] >= self._attempts else None

    async def _older(self, letter: Document) -> Document | None:
        """The oldest open letter of the same key in the same partition that was appended before this one."""
        if not _ordered(letter):
            return None
        appended, offset = letter["appended_at"], letter["offset"]
        earlier = [{"appended_at": {"$lt": appended}}, {"appended_at": appended, "offset": {"$lt": offset}}]
        same = {name: letter[name] for name in ("topic", "partition", "key")}
        query = {"state": {"$in": _UNDECIDED}, **same, "$or": earlier}
        found = await self._mongo.find(DEAD_LETTERS, query, sort=[("appended_at", 1), ("offset", 1)], limit=1)
        return found[0] if found else None

    async def _change(self, order: Order, result: str, before: Document, after: Document, session: Session) -> None:
        as_read = {"_id": before["_id"], "state": before.get("state"), "attempts": before["attempts"]}
        if await self._mongo.delete(DEAD_LETTERS, as_read, session) != 1:
            raise Refused(Refusal.CHANGED)
        if as_read["state"] in _UNDECIDED and after["state"] not in _UNDECIDED:
            after = {**after, "closed_at": self._clock.real()}
        await self._mongo.insert(DEAD_LETTERS, [after], session)
        await self._mongo.insert(DEAD_LETTER_ACTIONS, [self._entry(order, result, before, after)], session)

    def _entry(self, order: Order, result: str, before: Document | None, after: Document | None) -> Document:
        return {
            "letter": order.letter_id[:100],
            "at": self._clock.real(),
            "who": order.who,
            "role": order.role,
            "action": order.action.value,
            "why": order.why,
            "beyond_cap": order.beyond_cap,
            "result": result,
            "before": _shape(before),
            "after": _shape(after),
        }


def state_of(letter: Document) -> State:
    """What has become of a letter."""
    return State(letter.get("state", State.OPEN))


def _closed_by(entry: Document) -> str | None:
    """Who closed the letter with this action, if it did."""
    states = [entry[name] and entry[name]["state"] for name in ("before", "after")]
    return entry["who"] if states[0] != states[1] else None


def _ordered(letter: Document) -> bool:
    """Whether the order of its key matters. What cannot be read might be anything."""
    contract = CONTRACTS.get(letter["type"])
    return letter["key"] is not None and (contract is None or contract.nature == "occurrence")


def _after(letter: Document, replay: Replay) -> Document:
    after = {**letter, "attempts": letter["attempts"] + 1}
    if replay.reason is None:
        return after | {"state": State.REPLAYED.value}
    state = state_of_failed(replay.reason, letter["type"])
    return after | {"state": state.value, "reason": replay.reason.value, "detail": replay.detail}


def _behind(after: str | None) -> dict[str, Any]:
    return {"_id": {"$gt": ObjectId(after)}} if after and ObjectId.is_valid(after) else {}


def _shape(letter: Document | None) -> Document | None:
    """What an action can change of a letter."""
    if letter is None:
        return None
    detail = letter["detail"] and fingerprint(letter["detail"])
    return {"state": state_of(letter).value, "detail": detail} | {name: letter[name] for name in ("attempts", "reason")}
