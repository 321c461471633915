"""The frozen inputs of an approval: whoever holds a snapshot computes the same budget again, to the last đồng.

A snapshot holds everything that the computation reads, the rules themselves included, not only their names: a rulebook
that was changed since, or a register that has moved on, cannot change what was approved.

It grows with the number of centres and with the years behind them, so it is kept in parts of a bounded size.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from services.funding.decisions.proposals import ProvinceInputs, Rules, calculated, graded
from services.funding.domain import Budget
from services.funding.domain.frozen import freeze
from shared.contracts.base import Text, canonical, content_hash
from shared.contracts.facts import BudgetRunProposed
from shared.messaging.decide.handling import Document, Ref, content_of
from shared.rulebook import FundingNorms, FundingPolicy
from shared.rulebook.funding import Proration

PARTS = "snapshot_parts"
PART = 1_000_000
"""Characters of a snapshot's JSON in one part: at most 4 MB."""
UNSEEN = "traceparent"
"""Part of a score document that no amount depends on."""


def snapshot_ref(province: str, year: int) -> Ref:
    """Where the snapshot of a budget's approval is kept. There is one approval per province and year."""
    return Ref("snapshots", f"{province}/{year}/1")


def in_parts(snapshot: Document) -> dict[Ref, Document]:
    """A snapshot as it is kept: a head that tells what it is, and its JSON in parts."""
    head = snapshot_ref(snapshot["province"], snapshot["year"])
    text = json.dumps(snapshot, ensure_ascii=False)
    parts = [text[start : start + PART] for start in range(0, len(text), PART)]
    named = {name: snapshot[name] for name in ("province", "year", "run_version", "at", "result", "hash")}
    kept: dict[Ref, Document] = {head: {**named, "parts": len(parts)}}
    return kept | {ref: {"text": part} for ref, part in zip(part_refs(head, len(parts)), parts, strict=True)}


def part_refs(head: Ref, parts: int) -> list[Ref]:
    """Where the parts of a snapshot are kept, in order."""
    return [Ref(PARTS, f"{head.id}/{number:05}") for number in range(1, parts + 1)]


def whole(head: Document, parts: Sequence[Document]) -> Document:
    """The snapshot of these parts, in order. One that an older release kept in one piece is its own head."""
    if "parts" not in head:
        return head
    found: Document = json.loads("".join(part["text"] for part in parts))
    return found


def snapshot_of(budget: Budget, inputs: ProvinceInputs, rules: Rules, run: BudgetRunProposed, at: datetime) -> Document:
    """The snapshot of a run that is being approved.

    `result` is the hash of what the inputs give; `frozen` is what later corrections are computed with; `hash` is over
    everything.
    """
    snapshot: Document = {
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


def recomputed(snapshot: Mapping[str, Any]) -> tuple[Budget, str]:
    """The budget from a snapshot alone, and the hash of its result."""
    known = snapshot["inputs"]
    inputs = ProvinceInputs(**{each.name: known[each.name] for each in fields(ProvinceInputs) if each.name in known})
    budget = calculated(inputs, rules_of(snapshot))
    return budget, result_of(budget)


def rules_of(snapshot: Mapping[str, Any]) -> Rules:
    """The rules that were frozen."""
    kept = snapshot["rules"]
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
    known = [score for score in inputs.scores if score["grade"]]
    names = {f"{score['rubric']}/{score['grade']}": graded(score, rules).name for score in known}
    return {name: text.model_dump() for name, text in sorted(names.items())}


def is_whole(snapshot: Mapping[str, Any]) -> bool:
    """Whether a snapshot says what it said when it was made, and still gives the same figures."""
    content = content_of(snapshot, "hash")
    return (content_hash(content), recomputed(snapshot)[1]) == (snapshot["hash"], snapshot["result"])


def _plain(inputs: ProvinceInputs) -> dict[str, Any]:
    """The inputs in one order, whatever order they came in, without what no amount depends on."""
    return {name: _ordered(value) for name, value in asdict(inputs).items()}


def _ordered(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        return value
    return sorted(({k: v for k, v in each.items() if k != UNSEEN} for each in value), key=canonical)
