"""Judging a period again: one request per result, and a check at the end that everything still adds up (ADR 13)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from services.scoring.decisions.documents import AREA_SERIES, Inputs, recompute_ref
from services.scoring.decisions.results import score
from services.scoring.domain.differences import Difference, differences
from services.scoring.domain.results import holder_of
from shared.contracts.base import Provenance, Step, Text
from shared.messaging.decide.handling import Document, Outcome, Recalculation
from shared.rulebook import NoRuleInForce, check_content
from shared.rulebook.given import GivenRules

RESCORE = "rescore/"
"""Scope `rescore/<result id>`."""
CHECK = "recompute/"
"""Scope `recompute/<order id>`."""
LOOK_AGAIN = timedelta(seconds=2)
SHOWN = 20
"""How many violations are kept by name."""
AUDITED: Mapping[str, int] = {
    "kind": 1, "subject": 1, "version": 1, "input_version": 1, "accepted.version": 1, "recomputed_at": 1,
    "result.version": 1, "result.total": 1, "result.criteria": 1,
}  # fmt: skip


def later(order: Document, period: int, now: datetime) -> Outcome:
    """Results of the order still wait: look again."""
    return Outcome(requests=[Recalculation(CHECK + order["id"], period, now + LOOK_AGAIN)], verdict="waiting")


@dataclass
class Audit:
    """What must hold after a recompute: results were replaced, never added, and totals are their criteria's sums."""

    order: Document
    results: int = 0
    changed: int = 0
    filed: int = 0
    violations: list[str] = field(default_factory=list)
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def result(self, row: Document) -> None:
        """Look at one result of the period."""
        key = (row["kind"], row["subject"])
        self.results += 1
        self.filed += row["kind"] not in AREA_SERIES
        self.changed += (row["recomputed_at"] or "") >= self.order["at"]
        if key in self._seen:
            self._violated(row, "has two results")
        self._seen.add(key)
        if row["version"] != row["result"]["version"] or row["input_version"] != row["accepted"]["version"]:
            self._violated(row, "names another version than the one that was judged")
        total = row["result"]["total"]
        points = [Decimal(each["points"]) for each in row["result"]["criteria"] if each.get("points") is not None]
        if total is not None and Decimal(total) != sum(points, Decimal(0)):
            self._violated(row, f"has {total} points, its criteria {sum(points, Decimal(0))}")

    def area(self, row: Document) -> None:
        """Look at one accepted assessment of an area."""
        self.filed += 1

    def outcome(self, now: datetime) -> Outcome:
        """The order with what came of it."""
        if self.results != self.filed:
            self.violations.append(f"{self.filed} assessments were accepted, {self.results} results exist")
        done = self.order | {
            "state": "violated" if self.violations else "done",
            "results": self.results,
            "changed": self.changed,
            "violations": self.violations[:SHOWN],
            "finished_at": now.isoformat(),
        }
        return Outcome(puts={recompute_ref(self.order["id"]): done}, verdict=done["state"])

    def _violated(self, row: Document, what: str) -> None:
        self.violations.append(f"{row['kind']} {row['subject']} {what}")


def ordered(id: str, period: int, province: str | None, why: str, who: Mapping[str, Any], now: datetime) -> Document:
    """The record of an order: who had what judged again, and why."""
    return {
        "id": id,
        "period": period,
        "province": province,
        "why": why,
        **who,
        "at": now.isoformat(),
        "state": "running",
        "requested": 0,
        "results": None,
        "changed": None,
        "violations": [],
        "finished_at": None,
    }


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
        results: whole documents of `results`, with their `_id`.
        rules: to judge by; `None`: those that the service goes by.
        summary: is counted on.
    """
    lines = []
    for document in results:
        found = _differences(document, rules)
        summary.results += 1
        summary.changed += bool(found)
        summary.differences += len(found)
        summary.fields.update(each.field for each in found)
        about = {
            "result": document["_id"],
            "kind": document["kind"],
            "subject": document["subject"],
            "name": document["result"]["name"],
            "province": document["accepted"]["province"],
        }
        lines += [about | each.model_dump(mode="json") for each in found]
    return lines


def _differences(document: Document, rules: GivenRules | None) -> list[Difference]:
    inputs = Inputs.of(document)
    accepted = inputs.accepted
    rule = None
    if rules is not None:
        try:
            rule = rules.rubric_for(document["kind"], accepted.period, holder_of(accepted))
        except NoRuleInForce as error:
            return [_not_judged(document, [error.problem.message], "")]
        problems, _ = check_content(rule, accepted.content)
        if problems:
            return [_not_judged(document, [each.message for each in problems], rule.legal_reference)]
    scored = score(inputs, document["version"], rule)
    return differences(document["result"], scored.model_dump(mode="json"))


def _not_judged(document: Document, reasons: list[Text], citation: str) -> Difference:
    """What the rules cannot judge at all: the file was made for another rule."""
    why = [Step(what=each, citation=citation, provenance=Provenance.FOUND) for each in reasons]
    return Difference(field="rubric", before=document["accepted"]["rubric"], after=None, why=why)
