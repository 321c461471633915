"""Runs the situations in `funding/*.yaml` (see its README): what an official can check by hand must come out."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.funding.domain import (
    Adjustment,
    Budget,
    Centre,
    Frozen,
    Participation,
    Registered,
    Standing,
    adjust,
    allocate,
    base_of,
    freeze,
    grade_of,
    head_of,
    participants,
    proof_of,
    rerun,
    standing,
)
from shared.rulebook import FundingNorms, FundingPolicy, funding_norms, funding_policy
from tests.funding_rules import changed

YEAR = date(2026, 1, 1)
NOW = datetime(2026, 3, 1, tzinfo=UTC)
PERIOD = 2025
RUBRIC = "clc_2553_2013"
Facts = dict[str, Any]


def situations(*, corrected: bool = False) -> list[Any]:
    files = sorted((Path(__file__).parent / "funding").glob("*.yaml"))
    return [
        pytest.param(case, id=f"{file.stem}: {case['situation']}")
        for file in files
        for case in yaml.safe_load(file.read_text(encoding="utf-8"))
        if not corrected or "corrections" in case or "rerun" in case
    ]


def policy_of(given: Facts) -> FundingPolicy:
    """The policy that the situation names, else that of its year, with what it changes."""
    of_year = [funding_policy(date(year, 1, 1)) for year in (2025, 2026)]
    (shipped,) = [one for one in of_year if one.id == given.get("rules", of_year[-1].id)]
    changes = dict(given.get("policy", {}))
    if "step" in changes:
        changes["rounding"] = {"step": changes.pop("step")}
    if isinstance(changes.get("surplus"), str):
        changes["surplus"] = {"use": changes["surplus"]}
    return changed(shipped, changes)


def norms_of(given: Facts) -> FundingNorms:
    law = funding_norms(YEAR)
    if not given:
        return law
    own = {area: {"amount": amount} for area, amount in given.items()}
    return changed(law, {"id": "province", "yearly": own}).above(law)


def registered(centre_id: str, facts: Facts) -> Registered:
    return Registered(
        centre_id,
        facts.get("people", 8_000),
        facts.get("opened", date(2010, 1, 1)),
        facts.get("closed"),
        tuple(facts.get("from", ())),
        facts.get("suspended"),
        facts.get("resumed"),
    )


def centres_of(given: Facts, policy: FundingPolicy) -> dict[str, Centre]:
    """The situation's centres that take part in 2026, as the register and the accepted files give them."""
    known: dict[str, Facts] = given["centres"]
    supports = {
        (key, year): amount for key, facts in known.items() for year, amount in facts.get("support", {}).items()
    }
    supports |= {
        (key, PERIOD): facts["last_year"] for key, facts in known.items() if facts.get("last_year") is not None
    }
    found = participants(
        [registered(key, facts) for key, facts in known.items()],
        YEAR.year,
        policy,
        supports,
        before=policy.proration,
        equipment=given.get("paid"),
    )
    return {key: centre_of(key, known[key], part) for key, part in found.items()}


def centre_of(key: str, facts: Facts, part: Participation) -> Centre:
    grade, opened = facts.get("grade"), facts.get("opened", date(2010, 1, 1))
    missing = "not_due" if opened.year > PERIOD else "not_submitted"
    score = Decimal(facts["score"]) if "score" in facts else None
    return Centre(
        centre_id=key,
        name=f"TTHTCĐ {key}",
        commune_code="00004",
        area_class=facts.get("area", "other"),
        population_served=facts.get("people", 8_000),
        assessment=facts.get("assessment", "scored" if grade else missing),
        grade=grade_of(RUBRIC, grade, PERIOD, score) if grade else None,
        months=part.months,
        last_months=part.last_months,
        last_year=part.last_year,
        succession=part.succession,
        lineage=part.lineage,
        unknown=part.unknown,
        equipment=part.equipment,
    )


def budget_of(given: Facts, approved: Frozen | None = None) -> Budget:
    policy = policy_of(given)
    return allocate(
        centres_of(given, policy).values(),
        given["envelope"],
        period=PERIOD,
        norms=norms_of(given.get("norms", {})),
        policy=policy,
        carried=given.get("carried"),
        approved=approved,
    )


@pytest.mark.parametrize("given", situations())
def test_situation(given: Facts) -> None:
    policy = policy_of(given)
    centres, budget = centres_of(given, policy), budget_of(given)
    lines = {line.centre_id: line for line in budget.lines}
    bases = {key: base_of(centre, YEAR.year, policy) for key, centre in centres.items()}
    grants = {line.centre_id: line.amount for line in budget.equipment.lines} if budget.equipment else {}
    per_centre: dict[str, Facts] = {
        "amounts": {key: line.amount for key, line in lines.items()},
        "binds": {key: line.binds for key, line in lines.items()},
        "weights": {key: line.weight for key, line in lines.items()},
        "exact": {key: line.exact for key, line in lines.items()},
        "bounds": {key: [line.lower, line.upper] for key, line in lines.items()},
        "floors": {key: line.floor for key, line in lines.items()},
        "months": {key: line.months for key, line in lines.items()},
        "grades": {key: line.grade for key, line in lines.items()},
        "line_flags": {key: line.flags for key, line in lines.items()},
        "base": {key: None if base is None else str(base) for key, base in bases.items()},
    }
    of_the_run: Facts = {
        "case": budget.case,
        "reserve": budget.reserve,
        "flags": list(budget.flags),
        "lambda": None if budget.lambda_ is None else str(budget.lambda_),
        "theta": None if budget.theta is None else str(budget.theta),
        "grants": grants,
        "equipment_not_recorded": budget.equipment_not_recorded,
        "charges": {charge.centre_id: charge.paid for charge in budget.charges},
    }

    expected = given["expect"]
    assert expected.keys() <= per_centre.keys() | of_the_run.keys()
    assert per_centre["amounts"] == expected["amounts"]
    for name, value in expected.items():
        if name in of_the_run:
            assert of_the_run[name] == value, name
        else:
            assert {key: per_centre[name][key] for key in value} == value, name
    paid = sum(per_centre["amounts"].values()) + sum(grants.values()) + sum(of_the_run["charges"].values())
    assert paid + budget.reserve == given["envelope"]
    head = head_of(budget, province="04", year=2026, version=1, proposed_at=NOW)
    proof = proof_of(head, budget.lines)
    assert proof.holds, [statement for statement in proof.statements if not statement.holds]


def corrected(given: Facts, changes: dict[str, Facts]) -> Facts:
    known = given["centres"]
    centres = {key: {**known.get(key, {}), **changes.get(key, {})} for key in known.keys() | changes.keys()}
    return {**given, "centres": centres}


@pytest.mark.parametrize("given", situations(corrected=True))
def test_correction_after_approval(given: Facts) -> None:
    approved = freeze(budget_of(given), province="04", year=2026, run_version=1)
    approved = Frozen.from_json(approved.to_json())
    done: list[Adjustment] = []
    for correction in given.get("corrections", []):
        now = standing(approved, done)
        key = correction.get("of") or next(iter(correction["centre"]))
        stakes = budget_of(corrected(given, correction["centre"]), approved).stakes_when(approved.norms_relaxed)
        (stake,) = [stake for stake in stakes if stake.key == key]
        adjustment = adjust(approved, stake, now)
        done.append(adjustment)
        then = standing(approved, done)
        assert {
            "after": adjustment.after,
            "from_reserve": adjustment.from_reserve,
            "carried": adjustment.carried,
            "reserve": then.reserve,
        } == correction["then"]
    if "rerun" in given:
        done += again(given, approved, standing(approved, done))
    settled = standing(approved, done)
    assert sum(settled.paid.values()) + settled.reserve == given["envelope"]
    expected = given.get("next_year", {})
    assert {key: settled.support(key) for key in expected} == expected


def again(given: Facts, approved: Frozen, now: Standing) -> list[Adjustment]:
    ordered = given["rerun"]
    policy = policy_of({**given, "policy": {**given.get("policy", {}), **ordered.get("policy", {})}})
    centres = centres_of(corrected(given, ordered.get("centres", {})), policy).values()
    norms = norms_of(given.get("norms", {}))
    then = allocate(centres, approved.operating, period=PERIOD, norms=norms, policy=policy)
    deltas = rerun(approved, then.stakes, now, policy)
    assert {one.centre_id: one.delta for one in deltas} == ordered["deltas"]
    assert now.reserve - sum(one.from_reserve for one in deltas) == ordered["reserve"]
    return list(deltas)
