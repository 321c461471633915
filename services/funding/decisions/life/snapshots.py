"""The frozen inputs of an approval: whoever holds a snapshot computes the same budget again, to the last đồng.

A snapshot holds everything that the computation reads, the rules themselves included, not only their names: a rulebook
that was changed since, or a register that has moved on, cannot change what was approved.

It grows with the number of centres and with the years behind them, so it is kept in parts of a bounded size.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from services.funding.decisions.proposal.calculating import Rules, calculated, graded
from services.funding.decisions.proposal.inputs import GradeDecided, ProvinceInputs, Score
from services.funding.domain import Budget, Frozen, Life, freeze
from shared.contracts.base import Contract, Text, canonical, content_hash
from shared.contracts.facts import BudgetRunProposed, Purpose
from shared.contracts.journal import JournalEntry
from shared.messaging.decide.asking import Ask, Outcome
from shared.messaging.decide.documents import Collection, Ref
from shared.rulebook import FundingNorms, FundingPolicy
from shared.rulebook.funding import Proration

Snapshot = dict[str, Any]
"""Plain JSON, so that its hash is the same for whoever holds it."""
PART = 1_000_000
"""Characters of a snapshot's JSON in one part: at most 4 MB."""
UNSEEN = {"scores": {"__all__": {"traceparent"}}}
"""Of the inputs, what no amount depends on."""


class Head(Contract, extra="allow"):
    """What a snapshot is. One that an older release kept in one piece is its own head, and has no parts."""

    province: str
    year: int
    run_version: int
    at: str
    result: str
    hash: str
    parts: int | None = None


class Part(Contract):
    """At most `PART` characters of its JSON."""

    text: str


SNAPSHOTS: Collection[Head] = Collection("snapshots", TypeAdapter(Head), entries=True)
PARTS: Collection[Part] = Collection("snapshot_parts", TypeAdapter(Part), entries=True)


def snapshot_ref(province: str, year: int) -> Ref[Head]:
    """Where the snapshot of a budget's approval is kept. There is one approval per province and year."""
    return SNAPSHOTS.ref(province, year, 1)


def keep(outcome: Outcome, snapshot: Snapshot) -> None:
    """Put a snapshot: a head that tells what it is, and its JSON in parts."""
    text = json.dumps(snapshot, ensure_ascii=False)
    parts = [text[start : start + PART] for start in range(0, len(text), PART)]
    head = Head(**{name: snapshot[name] for name in Head.model_fields if name in snapshot}, parts=len(parts))
    outcome.put(snapshot_ref(head.province, head.year), head)
    for ref, part in zip(part_refs(head), parts, strict=True):
        outcome.put(ref, Part(text=part))


def part_refs(head: Head) -> list[Ref[Part]]:
    """Where the parts of a snapshot are kept, in order."""
    place = snapshot_ref(head.province, head.year).id
    return [PARTS.ref(place, f"{number:05}") for number in range(1, (head.parts or 0) + 1)]


def whole(head: Head, parts: Iterable[Part]) -> Snapshot:
    """The snapshot of these parts, in order."""
    if head.parts is None:
        return head.model_dump(exclude={"parts"})
    found: Snapshot = json.loads("".join(part.text for part in parts))
    return found


async def snapshot_known(ask: Ask, province: str, year: int) -> Snapshot | None:
    """The snapshot of a budget's approval; `None`: it is not approved."""
    head = await ask.one(snapshot_ref(province, year))
    return whole(head, [part for part in await ask.many(part_refs(head)) if part]) if head else None


def snapshot_of(budget: Budget, inputs: ProvinceInputs, rules: Rules, run: BudgetRunProposed, at: datetime) -> Snapshot:
    """The snapshot of a run that is being approved.

    `result` is the hash of what the inputs give; `frozen` is what later corrections are computed with; `hash` is over
    everything.
    """
    snapshot: Snapshot = {
        "province": inputs.province,
        "year": inputs.year,
        "run_version": run.version,
        "at": at.isoformat(),
        "inputs": _plain(inputs),
        "rules": {
            "norms": rules.norms.model_dump(mode="json"),
            "minima": rules.norms.minima.model_dump(mode="json") if rules.norms.minima else None,
            "policy": rules.policy.model_dump(mode="json"),
            "grades": _grades(inputs, rules),
            "before": rules.before.model_dump(mode="json") if rules.before else None,
        },
        "run": run.model_dump(mode="json"),
        "result": result_of(budget),
        "frozen": freeze(budget, province=inputs.province, year=inputs.year, run_version=run.version).to_json(),
    }
    return {**snapshot, "hash": content_hash(snapshot)}


def result_of(budget: Budget) -> str:
    """Hash of every figure of a budget, exactly: amounts and shares, settlements, reserve, λ and θ.

    Words are none of it: the same release writes the same ones to the last byte, a later one may explain better.
    """
    purposes = {"operating": budget.lines, "equipment": budget.equipment.lines if budget.equipment else ()}
    return content_hash(
        {
            "lines": [
                [purpose, line.centre_id, line.amount, line.exact]
                for purpose, lines in purposes.items()
                for line in lines
            ],
            "settled": [[charge.centre_id, charge.paid] for charge in budget.charges],
            "reserve": budget.reserve,
            "case": budget.case,
            "lambda": str(budget.lambda_),
            "theta": str(budget.theta),
        }
    )


@dataclass(frozen=True, slots=True)
class Approved:
    """What a snapshot says."""

    inputs: ProvinceInputs
    rules: Rules
    run: BudgetRunProposed
    frozen: Frozen

    @classmethod
    def of(cls, snapshot: Mapping[str, Any]) -> Approved:
        """Read a snapshot."""
        return cls(
            inputs=ProvinceInputs.model_validate(snapshot["inputs"]),
            rules=_rules(snapshot["rules"]),
            run=BudgetRunProposed.model_validate(snapshot["run"]),
            frozen=Frozen.from_json(snapshot["frozen"]),
        )


def recomputed(snapshot: Mapping[str, Any]) -> tuple[Budget, str]:
    """The budget from a snapshot alone, and the hash of its result."""
    approved = Approved.of(snapshot)
    budget = calculated(approved.inputs, approved.rules)
    return budget, result_of(budget)


def _rules(kept: Mapping[str, Any]) -> Rules:
    norms = FundingNorms.model_validate_json(json.dumps(kept["norms"]))
    if kept["minima"] is not None:
        norms = norms.above(FundingNorms.model_validate_json(json.dumps(kept["minima"])))
    before = None if kept["before"] is None else Proration.model_validate_json(json.dumps(kept["before"]))
    return Rules(
        norms=norms,
        policy=FundingPolicy.model_validate_json(json.dumps(kept["policy"])),
        before=before,
        grades={name: Text.model_validate(text) for name, text in kept["grades"].items()},
    )


def _grades(inputs: ProvinceInputs, rules: Rules) -> dict[str, Any]:
    """The names of all grades among the inputs, as explanations write them."""
    known: list[Score | GradeDecided] = [*(score for score in inputs.scores if score.grade), *inputs.graded]
    names = {f"{one.rubric}/{one.grade}": graded(one, rules).name for one in known}
    return {name: text.model_dump() for name, text in sorted(names.items())}


def is_whole(snapshot: Mapping[str, Any]) -> bool:
    """Whether a snapshot says what it said when it was made, and still gives the same figures."""
    content = {name: value for name, value in snapshot.items() if name != "hash"}
    return (content_hash(content), recomputed(snapshot)[1]) == (snapshot["hash"], snapshot["result"])


def is_booked(
    snapshot: Mapping[str, Any], life: Life | None, journals: Mapping[Purpose, Sequence[JournalEntry]]
) -> bool:
    """Whether it is the snapshot that was approved, and gives every figure that the approval booked."""
    if life is None or life.approval is None or life.approval.snapshot != snapshot["hash"]:
        return False
    budget, _ = recomputed(snapshot)
    grants = budget.equipment.lines if budget.equipment else ()
    given: set[tuple[str, str, str | None, int]] = {
        ("operating", "approval", line.centre_id, line.amount) for line in budget.lines
    }
    given |= {("equipment", "approval", line.centre_id, line.amount) for line in grants}
    given |= {("operating", "settlement", charge.centre_id, charge.paid) for charge in budget.charges if charge.paid}
    given.add(("operating", "reserve", None, budget.reserve))
    booked = {
        (purpose, entry.kind, entry.centre_id, entry.amount)
        for purpose, entries in journals.items()
        for entry in entries
        if entry.ref == "approval/1"
    }
    closed = {("operating", "approval", charge.centre_id, 0) for charge in budget.charges}
    """A centre to which only a debt is paid has an award of 0 đồng beside it."""
    return given <= booked <= given | closed


def _plain(inputs: ProvinceInputs) -> dict[str, Any]:
    """The inputs in one order, whatever order they came in, without what no amount depends on."""
    found = inputs.model_dump(mode="json", exclude=UNSEEN)
    return {name: sorted(each, key=canonical) if isinstance(each, list) else each for name, each in found.items()}
