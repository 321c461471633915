"""Runs the situations in `funding/*.yaml` (see its README): what an official can check by hand must come out."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.funding.domain import Centre, allocate, grade_of
from shared.rulebook import FundingPolicy, funding_norms, funding_policy

YEAR = date(2026, 1, 1)
PERIOD = 2025
RUBRIC = "clc_2553_2013"


def situations() -> list[Any]:
    files = sorted((Path(__file__).parent / "funding").glob("*.yaml"))
    return [
        pytest.param(case, id=f"{file.stem}: {case['situation']}")
        for file in files
        for case in yaml.safe_load(file.read_text(encoding="utf-8"))
    ]


def policy_of(step: int = 1, surplus: str = "reserve") -> FundingPolicy:
    shipped = funding_policy(YEAR)
    return shipped.model_copy(
        update={
            "rounding": shipped.rounding.model_copy(update={"step": step}),
            "surplus": shipped.surplus.model_copy(update={"use": surplus}),
        }
    )


def centre_of(centre_id: str, given: dict[str, Any]) -> Centre:
    grade = given.get("grade")
    return Centre(
        centre_id=centre_id,
        name=f"TTHTCĐ {centre_id}",
        commune_code="00004",
        area_class=given.get("area", "other"),
        population_served=given.get("people", 8_000),
        last_year=given.get("last_year"),
        assessment=given.get("assessment", "scored" if grade else "not_submitted"),
        grade=grade_of(RUBRIC, grade, PERIOD) if grade else None,
    )


@pytest.mark.parametrize("given", situations())
def test_situation(given: dict[str, Any]) -> None:
    centres = [centre_of(centre_id, facts) for centre_id, facts in given["centres"].items()]
    budget = allocate(
        centres,
        given["envelope"],
        period=PERIOD,
        norms=funding_norms(YEAR),
        policy=policy_of(**given.get("policy", {})),
    )
    lines = {line.centre_id: line for line in budget.lines}
    per_centre: dict[str, dict[str, Any]] = {
        "amounts": {key: line.amount for key, line in lines.items()},
        "binds": {key: line.binds for key, line in lines.items()},
        "weights": {key: line.weight for key, line in lines.items()},
        "exact": {key: line.exact for key, line in lines.items()},
        "bounds": {key: [line.lower, line.upper] for key, line in lines.items()},
        "line_flags": {key: line.flags for key, line in lines.items()},
    }
    of_the_run: dict[str, Any] = {
        "case": budget.case,
        "reserve": budget.reserve,
        "flags": list(budget.flags),
        "lambda": None if budget.lambda_ is None else str(budget.lambda_),
        "theta": None if budget.theta is None else str(budget.theta),
    }

    expected = given["expect"]
    assert expected.keys() <= per_centre.keys() | of_the_run.keys()
    assert per_centre["amounts"] == expected["amounts"]
    for name, value in expected.items():
        if name in of_the_run:
            assert of_the_run[name] == value, name
        else:
            assert {key: per_centre[name][key] for key in value} == value, name
    assert sum(per_centre["amounts"].values()) + budget.reserve == given["envelope"]
