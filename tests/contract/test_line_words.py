"""Whoever holds a line's event, its run and the released rules has its words: those that a former event told itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.funding.domain import explained
from shared.contracts.base import Provenance
from shared.contracts.catalogue import EXAMPLES, EventType
from shared.contracts.facts import Allocation, BudgetRunProposed

RUN = "budget.run.proposed.v1"
LINES: dict[str, dict[str, Any]] = {
    "budget.proposed": {},
    "budget.approved": {"envelope": 140_000_000, "reserve": 15_000_000},
    "budget.adjustment.proposed": {"envelope": 140_000_000, "reserve": 15_000_000},
    "budget.adjusted": {"envelope": 140_000_000, "reserve": 15_000_000},
}
"""By type, what the run of its example has otherwise than the example of a run."""


def example(name: str) -> Any:
    return json.loads((EXAMPLES / f"langhoc.{name}.json").read_text(encoding="utf-8"))["data"]


def run(**changes: Any) -> BudgetRunProposed:
    return BudgetRunProposed.model_validate(example(RUN) | changes)


def line(name: str) -> Allocation:
    return Allocation.model_validate(example(f"{name}.v2")["allocation"])


@pytest.mark.parametrize("name", LINES)
def test_the_words_of_an_event_follow_from_its_values_and_the_rules(name: str) -> None:
    assert "steps" not in example(f"{name}.v2")["allocation"]
    said = [step.what for step in explained(line(name), run(**LINES[name]))]
    told = [step["what"] for step in example(f"{name}.v1")["allocation"]["steps"]]
    assert [what.model_dump() for what in said if what.model_dump() in told] == told


@pytest.mark.parametrize("name", LINES)
def test_without_its_rules_or_its_run_an_event_has_no_words(name: str) -> None:
    changed = [{**each, "revision": "0" * 64} for each in example(RUN)["rules"]]
    other = line(name)
    if other.correction:
        with_changed = other.correction.model_validate(other.correction.model_dump() | {"rules": changed})
        other = other.model_copy(update={"correction": with_changed})
    for said in (explained(other, run(rules=changed)), explained(line(name), None)):
        assert [step.provenance for step in said] == [Provenance.NOT_FOUND]
        assert said[0].what.vi != said[0].what.en


def test_the_words_of_a_former_event_stay_as_it_told_them() -> None:
    assert EventType.BUDGET_PROPOSED.value.endswith(".v2")
    steps = example("budget.proposed.v1")["allocation"]["steps"]
    kept = Allocation.model_validate(example("budget.proposed.v2")["allocation"] | {"told": steps})
    assert [step.model_dump(mode="json") for step in explained(kept, None)] == steps
