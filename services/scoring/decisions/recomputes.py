"""Judging a period again: one request per result, and a check at the end that everything still adds up (ADR 13)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any, NamedTuple

from pydantic import AliasPath, Field, TypeAdapter

from services.scoring.decisions.areas import AREA, AREA_SERIES
from services.scoring.decisions.documents import (
    AREAS,
    RECOGNITIONS,
    RECOMPUTES,
    REFERENCES,
    RESULTS,
    WITHDRAWALS,
    Recompute,
    Result,
    ref_of,
)
from services.scoring.decisions.ranked import RANKING
from services.scoring.decisions.results import UNCHANGED, Judging, explain, score
from services.scoring.domain import Difference, differences, holder_of
from shared.contracts.base import Contract, Points, Provenance, Step, Text
from shared.messaging.decide.asking import Ask, Due, Look, Order, Outcome
from shared.messaging.decide.documents import Document
from shared.messaging.decide.register import REGISTERS
from shared.messaging.decide.sets import OPEN_REQUESTS, Named, SetOf
from shared.messaging.seals import Altered
from shared.rulebook import NoRuleInForce, check_content
from shared.rulebook.given import GivenRules

LOOK_AGAIN = timedelta(seconds=2)
SHOWN = 20
"""How many violations and altered documents are kept by name."""


class Rescored(NamedTuple):
    """One result by its `_id`, and its period."""

    result: str
    period: int


class OrderKey(NamedTuple):
    """An order by its id."""

    order: str


async def _rescore(due: Due[Rescored], ask: Ask) -> Outcome:
    """Judge one kept result again, on the inputs that are kept with it."""
    stored = await ask.one(RESULTS.ref(due.key.result))
    outcome = Outcome(verdict=UNCHANGED)
    if stored is not None:
        judging = Judging(ask, outcome, "recompute", stored.traceparent, due.at, stored.traceparent, due.at)
        await judging.judge(stored.accepted, stored.inputs)
    if outcome.events:
        outcome.verdict = "rescored"
    return outcome


RESCORED = SetOf("rescored", Rescored, _rescore, keeps=(RESULTS, REFERENCES, RECOGNITIONS, WITHDRAWALS, REGISTERS))
"""Only ever asked for by an order."""


async def begin(order: Order[Recompute], ask: Ask) -> Outcome:
    """Keep an order: who had what judged again, and why."""
    ref = RECOMPUTES.ref(order.data.id)
    await ask.one(ref)
    return Outcome({ref: order.data.model_copy(update={"at": order.at})})


async def begin_anew(order: Order[Recompute], ask: Ask) -> Outcome:
    """Take a failed order up again: altered documents were restored meanwhile."""
    ref = RECOMPUTES.ref(order.data.id)
    kept = await ask.one(ref)
    if kept != order.data or kept.state != "failed":  # somebody was faster
        return Outcome(verdict=UNCHANGED)
    anew = {"state": "running", "attempt": kept.attempt + 1, "altered": [], "finished_at": None}
    return Outcome({ref: kept.model_copy(update=anew)})


async def rescore(order: Order[list[Rescored]], ask: Ask) -> Outcome:
    """Have these results judged again."""
    return Outcome(requests=[RESCORED.request(each) for each in order.data])


async def end(order: Order[tuple[str, int]], ask: Ask) -> Outcome:
    """Have the whole checked, and rankings made anew: by id of the order and number of results."""
    id, requested = order.data
    ref = RECOMPUTES.ref(id)
    begun = await ask.one(ref)
    assert begun is not None, "it was begun"
    wanted = [CHECK.request(OrderKey(id)), RANKING.request((None, begun.period))]
    return Outcome({ref: begun.model_copy(update={"requested": requested})}, requests=wanted)


class _Criterion(Contract):
    points: Points | None = None


class _Versioned(Contract):
    version: int


class Audited(Contract):
    """All that is checked of a result."""

    kind: str
    subject: str
    version: int
    input_version: int
    recomputed_at: datetime | None = None
    accepted_version: int = Field(validation_alias=AliasPath("accepted", "version"))
    withdrawn: _Versioned | None = Field(None, validation_alias=AliasPath("inputs", "withdrawn"))
    result_version: int = Field(validation_alias=AliasPath("result", "version"))
    total: Points | None = Field(None, validation_alias=AliasPath("result", "total"))
    criteria: dict[str, _Criterion] = Field(validation_alias=AliasPath("result", "criteria"))


class _Named(Contract):
    id: str = Field(alias="_id")


_AUDITED, _NAMED, _OPEN = TypeAdapter(Audited), TypeAdapter(_Named), OPEN_REQUESTS.model
_PROVINCES = ({"$group": {"_id": "$accepted.province"}}, {"$sort": {"_id": 1}})
_LOOKED_AT = (
    "kind", "subject", "version", "input_version", "accepted.version", "inputs.withdrawn",
    "recomputed_at", "result.version",
    "result.total", "result.criteria",
)  # fmt: skip


async def _check(due: Due[OrderKey], ask: Ask) -> Outcome:
    """After the last result of an order: does everything still add up?"""
    order = await ask.one(RECOMPUTES.ref(due.key.order))
    assert order is not None, "an order is written before the request for its check"
    if order.state != "running":
        return Outcome(verdict=UNCHANGED)
    open_ = Look(
        OPEN_REQUESTS, _OPEN, {"set": {"$in": [each.name for each in AWAITED]}}, ("set", "key"), sort=[("at", 1)]
    )
    waiting = [each for each in await ask.look(open_) if each.parts[-1] in (None, order.period)]
    if waiting:
        altered = await _hindered(waiting, due, ask)
        if altered is None:
            ask.reached(due.at + LOOK_AGAIN)
            return Outcome(verdict="waiting")
        failed = {"state": "failed", "altered": altered[:SHOWN], "finished_at": due.at}
        return Outcome({RECOMPUTES.ref(order.id): order.model_copy(update=failed)}, verdict="failed")
    audit = Audit(order)
    wanted = {"period": order.period} | ({"accepted.province": order.province} if order.province else {})
    # One province after the other: flat memory.
    for province in await ask.look(Look(RESULTS, _NAMED, wanted, pipeline=_PROVINCES)):
        for row in await ask.look(Look(RESULTS, _AUDITED, wanted | {"accepted.province": province.id}, _LOOKED_AT)):
            audit.result(row)
    audit.filed += len(await ask.look(Look(AREAS, _NAMED, wanted, ("_id",))))
    return audit.outcome(due.at)


async def _hindered(waiting: Iterable[Named], due: Due[OrderKey], ask: Ask) -> list[str] | None:
    """The altered documents on which all rests that still waits; `None` as long as any of it can be judged.

    A worker takes the oldest requests first, so in the end the oldest are those that it cannot compute: some of them
    are tried here, and nothing comes of that but the documents' names.
    """
    altered: dict[str, None] = {}
    oldest = dict.fromkeys((each.set, each.parts) for each in waiting)
    for name, parts in islice(oldest, SHOWN):
        awaited = next(each for each in AWAITED if each.name == name)
        try:
            if None in parts:  # stands for many, and is soon taken apart
                return None
            await awaited.decide(Due(awaited.key(*parts), due.at), ask.apart())
        except Altered as error:
            altered |= dict.fromkeys(error.places)
        else:
            return None
    return list(altered)


AWAITED: tuple[SetOf[Any], ...] = (RESCORED, AREA)
"""What an order waits for."""
_TRIED = (*RESCORED.keeps, *(source.kind for source in AREA.sources))
CHECK = SetOf("recompute", OrderKey, _check, keeps=(RECOMPUTES, OPEN_REQUESTS, RESULTS, AREAS, *_TRIED))
"""Only ever asked for by an order."""


@dataclass
class Audit:
    """What must hold after a recompute: results were replaced, never added, and totals are their criteria's sums."""

    order: Recompute
    results: int = 0
    changed: int = 0
    filed: int = 0
    """Assessments that were accepted."""
    violations: list[str] = field(default_factory=list)
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def result(self, row: Audited) -> None:
        """Look at one result of the period."""
        key = (row.kind, row.subject)
        self.results += 1
        self.filed += row.kind not in AREA_SERIES
        self.changed += row.recomputed_at is not None and row.recomputed_at >= self.order.at
        if key in self._seen:
            self._violated(row, "has two results")
        self._seen.add(key)
        last = row.withdrawn.version if row.withdrawn else row.accepted_version
        if (row.version, row.input_version) != (row.result_version, last):
            self._violated(row, "names another version than the one that was judged")
        points = sum((each.points for each in row.criteria.values() if each.points is not None), Decimal(0))
        if row.total is not None and row.total != points:
            self._violated(row, f"has {row.total} points, its criteria {points}")

    def outcome(self, now: datetime) -> Outcome:
        """The order with what came of it."""
        if self.results != self.filed:
            self.violations.append(f"{self.filed} assessments were accepted, {self.results} results exist")
        done = {
            "state": "violated" if self.violations else "done",
            "results": self.results,
            "changed": self.changed,
            "violations": self.violations[:SHOWN],
            "finished_at": now,
        }
        return Outcome({RECOMPUTES.ref(self.order.id): self.order.model_copy(update=done)}, verdict=str(done["state"]))

    def _violated(self, row: Audited, what: str) -> None:
        self.violations.append(f"{row.kind} {row.subject} {what}")


# --------------------------------------------------------------------------------------------------- rehearsal


@dataclass
class Summary:
    """What a rehearsal came to."""

    period: int
    province: str | None
    rules: GivenRules | None
    results: int = 0
    changed: int = 0
    differences: int = 0
    fields: Counter[str] = field(default_factory=Counter)

    def line(self) -> dict[str, Any]:
        """The last line of a rehearsal; without it the answer is not whole."""
        return {
            "summary": {
                "period": self.period,
                "province": self.province,
                "rulebook": self.rules.identity if self.rules else None,
                "results": self.results,
                "changed": self.changed,
                "differences": self.differences,
                "outcomes": {name: self.fields[name] for name in ("state", "total", "grade", "level")},
            }
        }


def rehearse(results: Iterable[Document], rules: GivenRules | None, summary: Summary) -> list[dict[str, Any]]:
    """Judge kept results again on their own inputs; every field that would change. Pure: the same in, the same out.

    Args:
        results: documents of `results` as they are stored.
        rules: to judge by; `None`: those that the service goes by.
        summary: is counted on.
    """
    lines = []
    for document in results:
        kept = RESULTS.read(document)
        found = _differences(kept, rules)
        summary.results += 1
        summary.changed += bool(found)
        summary.differences += len(found)
        summary.fields.update(each.field for each in found)
        told = {
            "result": ref_of(kept.accepted).id,
            "kind": kept.kind,
            "subject": kept.subject,
            "name": kept.result.name,
            "province": kept.accepted.province,
        }
        lines += [told | each.model_dump(mode="json") for each in found]
    return lines


def _differences(kept: Result, rules: GivenRules | None) -> list[Difference]:
    accepted = kept.accepted
    rule = None
    if rules is not None and kept.inputs.withdrawn is None:  # what was taken back is judged by no rule
        try:
            rule = rules.rubric_for(kept.kind, accepted.period, holder_of(accepted))
        except NoRuleInForce as error:
            return [_not_judged(kept, [error.problem.message], "")]
        problems, _ = check_content(rule, accepted.content)
        if problems:
            return [_not_judged(kept, [each.message for each in problems], rule.legal_reference)]
    before, is_explained = explain(kept)
    if rule is None and is_explained:
        return []
    scored = score(accepted, kept.inputs, kept.version, rule)
    return differences(before.model_dump(mode="json"), scored.model_dump(mode="json"))


def _not_judged(kept: Result, reasons: list[Text], citation: str) -> Difference:
    """What the rules cannot judge at all: the file was made for another rule."""
    why = [Step(what=each, citation=citation, provenance=Provenance.FOUND) for each in reasons]
    return Difference(field="rubric", before=kept.accepted.rubric, after=None, why=why)
