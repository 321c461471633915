"""Playing cases on a world: one alone, or several that do not touch each other side by side.

A step is done when everything that follows from it has come to rest. Steps at the same time that belong to different
cases are done together, which is what makes many cases on real servers a matter of minutes.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from cli import importing
from cli.publishing import Message
from shared.contracts.catalogue import EventType
from shared.contracts.imports import PREFIX, HistorySigning
from shared.contracts.orders import HistoricSubmission
from shared.rulebook import HANOI
from tests.casework.case import MINISTRY, Officer, Step
from tests.casework.events import Event, Published
from tests.casework.expectation import Expectation
from tests.casework.expecting import Difference, adjustment, differences, split
from tests.casework.plays import Play


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

    def concerns(self, play: Play) -> bool:
        """Whether something that only this play speaks of, its province above all, stands in it."""
        return any(f'"{claim}"'.encode() in self.value for claim in play.claims)


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


async def perform(world: World, plays: Sequence[Play]) -> None:
    """Play all of them on one world, which they must not share anything in; fills their differences."""
    before: datetime | None = None
    while waiting := [play for play in plays if play.next]:
        now = min(play.next[0] for play in waiting if play.next)
        turn = [(play, play.next[1]) for play in waiting if play.next and play.next[0] == now]
        await _together(world, now, turn, new=now != before)
        before = now
    for letter in await world.dead_letters():
        left = Difference(f"dead letters of {letter.service}", "none", letter.why)
        for play in [play for play in plays if letter.concerns(play)] or plays:
            play.found.append(left)


async def _together(world: World, now: datetime, turn: Sequence[tuple[Play, Step]], *, new: bool) -> None:
    """The next step of each of these plays; `new`: a time that was not before."""
    sent = [(play, record, str(play.case.sender(step, record))) for play, step in turn for record in step.send]
    places = await world.come(now, [record.message(sender) for _, record, sender in sent])
    for (play, record, _), place in zip(sent, places, strict=True):
        play.channels[record.label] = place
    if sent or new:
        await world.rest()
    ordered = [(play, step) for play, step in turn if step.is_ordered]
    for play, step in ordered:
        play.found += await _order(world, play, step, now)
        if step.correct:  # it moves every ranking, also those that others are about to release
            await world.rest()
    if ordered:
        await world.rest()
    if any(step.expect for _, step in turn):
        published = Published(await world.events())
        for play, step in turn:
            found = differences(step.expect or Expectation(), published, play.channels)
            play.found += [Difference(f"step {play.done + 1}, {each.path}", each.expected, each.got) for each in found]
    for play, _ in turn:
        play.done += 1
    # Here and now: for the others the time may go on.
    if ended := [play for play, _ in turn if play.next is None]:
        published = Published(await world.events())
        for play in ended:
            play.found += differences(play.case.expect, published, play.channels)


# ---------------------------------------------------------------------------------------------------- orders


async def _order(world: World, play: Play, step: Step, now: datetime) -> list[Difference]:
    """Give an order; what it was answered, where that is not as expected."""
    key = step.key or f"{play.case.case}-{play.done}"
    who = step.by or MINISTRY
    if step.correct:
        what = f"correction {step.correct.get('correction_id', '')}"
        answer = await world.order(who, "intake", "/register/corrections", step.correct, key)
    elif step.reopen:
        body = step.reopen.body(key, step.why)
        what = f"reopening {body['order_id']}"
        answer = await world.order(who, "intake", "/periods/reopenings", body, key)
    elif step.end:
        what = f"end of {step.end}"
        answer = await world.order(who, "intake", f"/periods/reopenings/{step.end}/end", {"reason": step.why}, key)
    elif step.request or step.answer or step.take_back:
        what = f"{'request' if step.request else 'answer to' if step.answer else 'withdrawal of'} {_of(step, key)}"
        answer = await _late(world, play, step, who, key)
    elif step.appeal or step.decide or step.give_up:
        what = f"appeal {step.appeal or step.decide or step.give_up}"
        answer = await _appeal(world, step, who, key)
    elif step.history:
        what = f"history {key}"
        answer = await world.order(who, "intake", "/history", _history(play, step, key), key)
    elif step.imported:
        what = f"import {key}"
        answer = await _import(world, play, step, who, key)
    elif step.release:
        what = f"{step.step or 'release'} of {step.release}"
        place, decision = await _release(world, step, now)
        answer = await world.order(who, "scoring", place, decision | {"id": key}, key)
    else:
        what = f"{step.step} of {step.budget or step.adjustment}"
        path = await _path(world, step)
        if path is None:
            return [Difference(what, "something to decide on", "none")]
        seen = (await world.ask(MINISTRY, "funding", path)).json()
        body = {"why": step.why, "version": seen.get("version", 0), "hash": seen.get("hash", "")}
        if step.accepts:
            body["accepts"] = step.accepts
        answer = await world.order(who, "funding", f"{path}/{step.step}", body, key)
    expected = ", ".join(sorted(step.refused)) if step.refused is not None else "done"
    got = _answer(answer)
    return [] if got == expected else [Difference(what, expected, got)]


def _of(step: Step, key: str) -> str:
    """`<province>/<id>` of the request that a step speaks of."""
    return str(step.answer or step.take_back or f"{step.by and step.by.province}/{key}")


async def _late(world: World, play: Play, step: Step, who: Officer, key: str) -> httpx.Response:
    """Ask for late acceptance, answer that, or take it back."""
    place = f"/late-requests/{_of(step, key)}"
    if step.answer:
        until = step.until and step.until.isoformat()
        answered = {"granted": until is not None, "until": until, "reason": step.why}
        return await world.order(who, "intake", f"{place}/answer", answered, key)
    if step.take_back:
        return await world.order(who, "intake", f"{place}/withdraw", {"reason": step.why}, key)
    lies = play.channels.get(str(step.request))
    published = Published(await world.events())
    receipts = published.all(EventType.RECEIPT_ISSUED, lambda data: bool(data["channel"] == lies))
    asked = {"request_id": key, "receipt_id": receipts[0]["receipt_id"] if receipts else "none", "reason": step.why}
    return await world.order(who, "intake", f"/late-requests/{who.province}", asked, key)


async def _appeal(world: World, step: Step, who: Officer, key: str) -> httpx.Response:
    """Appeal against a result as the officers see it, decide on that, or take it back."""
    if step.decide:
        decided = {"upheld": step.follows is not None, "follows": step.follows, "reason": step.why}
        return await world.order(who, "scoring", f"/appeals/{step.decide}/answer", decided, key)
    if step.give_up:
        return await world.order(who, "scoring", f"/appeals/{step.give_up}/withdraw", {"reason": step.why}, key)
    name, period = split(str(step.appeal))
    kind, _, subject = name.partition(" ")
    seen = (await world.ask(MINISTRY, "scoring", f"/results/{subject}?period={period}")).json()
    stands = seen[0] if seen else {}
    series = kind if kind in ("commune", "centre") else subject.partition("/")[0]
    appealed = {
        "appeal_id": key,
        "series": series,
        "subject": next((stands[id] for id in ("subject_id", "centre_id", "unit_id") if stands.get(id)), subject),
        "period": period,
        "result_version": step.version or stands.get("version", 1),
        "result_hash": stands.get("hash", "none"),
        "reason": step.why,
    }
    return await world.order(who, "scoring", f"/appeals/{who.province}", appealed, key)


def _history(play: Play, step: Step, key: str) -> Mapping[str, Any]:
    """An order of history; where each of its records will have lain is known before."""
    submissions = []
    for place, record in enumerate(step.history):
        message = record.message(str(play.case.sender(step, record)))
        play.channels[record.label] = f"history/{key}.{message.province}/0@{place}"
        submissions.append({"type": message.type, "province": message.province, "data": json.loads(message.body)})
    return {"order_id": key, "why": step.why, "decision_number": "12/QĐ-BGDĐT", "submissions": submissions}


async def _import(world: World, play: Play, step: Step, who: Officer, key: str) -> httpx.Response:
    """Sign an import and hand in its parts, each twice; the answer to the last order, or to the first refused one."""
    labels: dict[bytes, str] = {}
    found = []
    for record in step.imported:
        message = record.message(str(play.case.sender(step, record)))
        data = json.loads(message.body)
        historic = HistoricSubmission(type=message.type, province=message.province, data=data)
        one = importing.Record(historic, "case", record.label)
        labels[one.canonical] = record.label
        found.append(one)
    records, _ = importing.in_order(found)
    whole = importing.Import.of(records)
    order = HistorySigning(
        digest=whole.digest,
        parts=[*whole.hashes],
        tally=[*whole.tally],
        why=step.why,
        decision_number="12/QĐ-BGDĐT",
    )
    for number, part in enumerate(importing.parts_of(records), start=1):
        for place, one in enumerate(part):
            name = f"history/{PREFIX}{order.import_id}/{number}.{one.submission.province}"
            play.channels[labels[one.canonical]] = f"{name}/0@{place}"
    answer = await world.order(who, "intake", "/history/imports", order.model_dump(mode="json"), key)
    for number, submissions in enumerate((*whole.parts, *whole.parts), start=0):
        if answer.status_code >= 300:
            break
        path = f"/history/imports/{order.import_id}/parts/{number % len(whole.parts) + 1}"
        body = {"submissions": [one.model_dump(mode="json") for one in submissions]}
        answer = await world.order(who, "intake", path, body, f"{key}/{number}")
    return answer


async def _release(world: World, step: Step, now: datetime) -> tuple[str, dict[str, Any]]:
    """Where the order about a ranking goes, and its body: on what the officer has seen."""
    decision = {
        "decision_number": "QĐ 1/QĐ",
        "decided_on": step.decided_on or f"{now.astimezone(HANOI):%Y-%m-%d}",
        "signed_by": "Vụ trưởng",
        "reason": step.why or None,
    }
    acts = (await world.ask(MINISTRY, "scoring", f"/rankings/{step.release}/releases")).json()
    if step.step == "withdraw":
        number = max((each["version"] for each in acts), default=1)
        return f"/rankings/{step.release}/releases/{number}/withdraw", decision
    seen = (await world.ask(MINISTRY, "scoring", f"/rankings/{step.release}/head")).json()
    looked_at = {"version": seen["version"], "hash": seen["hash"], "accepts": step.accepts}
    return f"/rankings/{step.release}/releases", decision | looked_at


async def _path(world: World, step: Step) -> str | None:
    if step.budget:
        return f"/budgets/{step.budget}"
    found = adjustment(Published(await world.events()), str(step.adjustment))
    return f"/adjustments/{found['adjustment_id']}" if found else None


def _answer(answer: httpx.Response) -> str:
    if answer.status_code < 300:
        return "done"
    body = answer.json()
    return ", ".join(sorted({each["code"] for each in body.get("problems") or [body]}))
