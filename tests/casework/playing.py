"""Playing cases on a world: one alone, or several that do not touch each other side by side.

A step is done when everything that follows from it has come to rest. Steps at the same time that belong to different
cases are done together, which is what makes many cases on real servers a matter of minutes.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import httpx

from cli.publishing import Message
from shared.registry import REORGANISATION, registry
from tests.casework.case import MINISTRY, USUAL, Case, Expectation, Officer, Step
from tests.casework.events import Event, Published
from tests.casework.expecting import Difference, adjustment, differences, split

ORDERS = 6
"""How many ways through a case are tried at most, where its records may come in any order."""
PROVINCES = frozenset(each.code for each in registry().provinces(REORGANISATION))
NATION = "nation"
_CODE = re.compile(r"\b[0-9]{5}\b")


@dataclass(frozen=True)
class Letter:
    """A dead letter that waits for a person: something that must never be left by a case."""

    service: str
    value: bytes
    why: str

    @classmethod
    def of(cls, service: str, row: Mapping[str, Any]) -> Letter:
        """From its document."""
        detail = str(row["detail"]).strip().splitlines() or [""]
        return cls(service, bytes(row["value"] or b""), f"{row['reason']}: {detail[-1]}")


class World(ABC):
    """A platform that begins empty."""

    @abstractmethod
    async def come(self, at: datetime, messages: Sequence[Message]) -> list[str]:
        """Let it become that time, publish, and return where each message lies."""

    @abstractmethod
    async def rest(self) -> None:
        """Wait until nothing is on its way."""

    @abstractmethod
    async def ask(self, who: Officer, service: str, path: str) -> httpx.Response:
        """GET."""

    @abstractmethod
    async def order(self, who: Officer, service: str, path: str, body: Any, key: str) -> httpx.Response:
        """POST."""

    @abstractmethod
    async def events(self) -> Sequence[Event]:
        """Everything published so far."""

    @abstractmethod
    async def dead_letters(self) -> Sequence[Letter]:
        """Those of all services."""


@dataclass
class Play:
    """One way through a case."""

    case: Case
    steps: Sequence[tuple[datetime, Step]]
    name: str = ""
    """Which order of the records it is."""
    channels: dict[str, str] = field(default_factory=dict)
    found: list[Difference] = field(default_factory=list)
    done: int = 0

    @property
    def next(self) -> tuple[datetime, Step] | None:
        """The step to come."""
        return self.steps[self.done] if self.done < len(self.steps) else None

    @cached_property
    def claims(self) -> frozenset[str]:
        """What it must have for itself beside others: provinces, ids that hold for the nation, national rankings."""
        records = [(self.case.sender(step, record), record) for _, step in self.steps for record in step.send]
        own = {str(sender) for sender, _ in records}
        own |= {record.subject for _, record in records if record.kind in ("registration", "assessment")}
        own |= {step.budget.partition("/")[0] for _, step in self.steps if step.budget}
        for _, step in self.steps:
            own |= set(_CODE.findall(json.dumps(step.correct)))
        for expected in self.case.expectations:
            own |= {audience for audience in expected.alerts if audience in PROVINCES}
            own |= {f"{NATION} {split(name)[1]}" for name in expected.ranks if not name.startswith("province-")}
        return frozenset(own)

    @cached_property
    def touches(self) -> frozenset[str]:
        """What it changes that another may have claimed."""
        records = [record for _, step in self.steps for record in step.send if record.kind == "commune"]
        return frozenset(f"{NATION} {record.body().get('period')}" for record in records)

    def disturbs(self, other: Play) -> bool:
        """Whether the two must not be played on the same world."""
        return bool(self.claims & (other.claims | other.touches) or self.touches & other.claims)


def plays_of(case: Case, limit: int = ORDERS) -> list[Play]:
    """The ways through a case: one, or at most `limit` where its records may come in any order.

    A step whose records come in any order is played with all at once, and then one by one in different orders.
    """
    if not any(step.order == "any" for step in case.given):
        return [Play(case, list(_timed(case.given)))]
    plays = [Play(case, list(_timed(case.given)), "together")]
    orders = [_orders(step, limit - 1) for step in case.given]
    for number in range(max(map(len, orders))):
        steps = [each for ways in orders for each in ways[number % len(ways)]]
        names = [record.label for step in steps for record in step.send]
        plays.append(Play(case, list(_timed(steps)), "in the order " + ", ".join(names)))
    return plays


def _orders(step: Step, limit: int) -> list[list[Step]]:
    """Different orders, evenly spread over all there are; from the reversed one on."""
    if step.order == "listed":
        return [[step]]
    total = math.factorial(len(step.send))
    wanted = {round(number * (total - 1) / max(limit - 1, 1)) for number in range(min(limit, total))}
    orders = [order for number, order in enumerate(itertools.permutations(step.send[::-1])) if number in wanted]
    return [
        [step.model_copy(update={"send": [record], "at": step.at if first else None, "expect": None})
         for first, record in ((place == 0, record) for place, record in enumerate(order))]
        + [Step(expect=step.expect)]
        for order in orders
    ]  # fmt: skip


def _timed(steps: Sequence[Step]) -> Iterator[tuple[datetime, Step]]:
    now = USUAL
    for number, step in enumerate(steps):
        now = step.at or now
        if number == 0 and step.at is None and any(each.at and each.at < USUAL for each in steps):
            now = next(each.at for each in steps if each.at)
        yield now, step


async def perform(world: World, plays: Sequence[Play]) -> None:
    """Play all of them on one world, which they must not share anything in; fills their differences."""
    before: datetime | None = None
    while waiting := [play for play in plays if play.next]:
        now = min(play.next[0] for play in waiting if play.next)
        turn = [(play, play.next[1]) for play in waiting if play.next and play.next[0] == now]
        await _together(world, now, turn, new=now != before)
        before = now
    published = Published(await world.events())
    letters = await world.dead_letters()
    for play in plays:
        play.found += differences(play.case.expect, published, play.channels)
        play.found += [
            Difference(f"dead letters of {letter.service}", "none", letter.why)
            for letter in letters
            if len(plays) == 1 or _concerns(letter, play)
        ]


async def _together(world: World, now: datetime, turn: Sequence[tuple[Play, Step]], *, new: bool) -> None:
    """The next step of each of these plays; `new`: a time that was not before."""
    sent = [(play, record) for play, step in turn for record in step.send]
    senders = {id(record): str(play.case.sender(step, record)) for play, step in turn for record in step.send}
    messages = [record.message(senders[id(record)]) for _, record in sent]
    places = await world.come(now, messages)
    for (play, record), place in zip(sent, places, strict=True):
        play.channels[record.label] = place
    if messages or new:
        await world.rest()
    ordered = [(play, step) for play, step in turn if step.correct or step.budget or step.adjustment]
    for play, step in ordered:
        play.found += await _order(world, play, step)
    if ordered:
        await world.rest()
    if any(step.expect for _, step in turn):
        published = Published(await world.events())
        for play, step in turn:
            expected = step.expect or Expectation()
            found = differences(expected, published, play.channels)
            play.found += [Difference(f"step {play.done + 1}, {each.path}", each.expected, each.got) for each in found]
    for play, _ in turn:
        play.done += 1


def _concerns(letter: Letter, play: Play) -> bool:
    """Whether a dead letter may be this case's: its province stands in it."""
    return any(f'"{code}"'.encode() in letter.value for code in play.claims) or play.case.case.encode() in letter.value


# ---------------------------------------------------------------------------------------------------- orders


async def _order(world: World, play: Play, step: Step) -> list[Difference]:
    """Give an order; what it was answered, where that is not as expected."""
    key = step.key or f"{play.case.case}-{play.done}"
    who = step.by or MINISTRY
    if step.correct:
        what = f"correction {step.correct.get('correction_id', '')}"
        answer = await world.order(who, "intake", "/register/corrections", step.correct, key)
    else:
        what = f"{step.step} of {step.budget or step.adjustment}"
        path = await _path(world, step)
        if path is None:
            return [Difference(what, "something to decide on", "none")]
        seen = (await world.ask(MINISTRY, "funding", path)).json()
        body = {"why": step.why, "version": seen.get("version", 0), "hash": seen.get("hash", "")}
        answer = await world.order(who, "funding", f"{path}/{step.step}", body, key)
    expected = ", ".join(sorted(step.refused)) if step.refused is not None else "done"
    got = _answer(answer)
    return [] if got == expected else [Difference(what, expected, got)]


async def _path(world: World, step: Step) -> str | None:
    if step.budget:
        return f"/budgets/{step.budget}"
    assert step.adjustment
    split(step.adjustment)
    found = adjustment(Published(await world.events()), step.adjustment)
    return f"/adjustments/{found['adjustment_id']}" if found else None


def _answer(answer: httpx.Response) -> str:
    if answer.status_code < 300:
        return "done"
    body = answer.json()
    return ", ".join(sorted({each["code"] for each in body.get("problems") or [body]}))


# ---------------------------------------------------------------------------------------------------- verdicts


def verdict(case: Case, plays: Sequence[Play], *, whole: bool) -> list[str]:
    """What is wrong with a case that was played, in words; nothing if it passed, or fails as it is known to.

    Args:
        case: the case.
        plays: the ways through it that were played.
        whole: whether that was all of them, so that each known difference must have shown.
    """
    found = [(play, each) for play in plays for each in play.found]
    if case.known is None:
        return [_told(play, each) for play, each in found]
    if not found:
        return [f"passes, but is known to fail until «{case.known.issue}»: take `known` away"]
    other = [_told(play, each) for play, each in found if not case.known.accounts_for(each.path, each.got)]
    missing = case.known.seen.keys() - {each.path for _, each in found} if whole else set()
    return other + [f"{path}: known to differ, and is as expected now" for path in sorted(missing)]


def _told(play: Play, difference: Difference) -> str:
    return f"{difference} ({play.name})" if play.name else str(difference)
