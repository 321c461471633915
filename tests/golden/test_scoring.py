"""Cases that an official can read and check against the text of the law; this file only carries them out."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.scoring.domain import score_assessment, score_centre, score_commune
from shared.contracts.base import Provenance
from shared.contracts.explained import AssessmentExplained, CentreExplained, CommuneExplained
from shared.contracts.facts import (
    AssessmentAccepted,
    CentreAccepted,
    CommuneAccepted,
    RecognisedCounts,
    Recognition,
    Reference,
)
from shared.contracts.submissions import PointsContent, TargetsContent
from shared.rulebook import PassFailRubric, PointsRubric, check_content, rubric, rubric_for
from shared.rulebook.targets import (
    LEVELS,
    BooleanRule,
    ChangeRule,
    Counted,
    CountRule,
    LevelRule,
    PartsRule,
    SharePairRule,
    ShareRule,
    Target,
)
from tests.golden.test_other_rubrics import BOOKS

HERE = Path(__file__).parent / "scoring"
FILES = sorted({file.name for file in HERE.glob("*.yaml")} - BOOKS.keys())
"""Every file but those in a notation of their own."""
Scored = CommuneExplained | CentreExplained | AssessmentExplained
Case = dict[str, Any]


def _book(file: str) -> Case:
    book: Case = yaml.safe_load((HERE / file).read_text(encoding="utf-8"))
    return book


def _cases() -> list[Any]:
    """Each case with what it does not change of its file's beginning."""
    cases = []
    for file in FILES:
        book = _book(file)
        for case in book.pop("cases"):
            cases.append(pytest.param(book | case, id=f"{file}: {case['name']}"))
    return cases


# ---------------------------------------------------------------------------------------------- reading the notation


def _evidence(case: Case, id: str) -> list[str]:
    return [] if id in case.get("no_evidence", []) else ["biên bản"]


def _points(rule: PointsRubric, case: Case) -> PointsContent:
    changed = {id: Decimal(str(points)) for id, points in case.get("points", {}).items()}
    return PointsContent.model_validate(
        {
            "points": {
                one.id: {"points": changed.get(one.id, rule.maximum(one.id)), "evidence": _evidence(case, one.id)}
                for one in rule.criteria
                if one.id not in case.get("missing", [])
            },
            "indicators": {
                id: {"type": "share", "share": _share(value), "evidence": ["biểu"]}
                for id, value in case.get("indicators", {}).items()
            },
        }
    )


def _share(text: str) -> dict[str, int]:
    numerator, denominator = map(int, text.split("/"))
    return {"numerator": numerator, "denominator": denominator}


def _value(rule: Target, value: Any) -> dict[str, Any]:
    match rule:
        case BooleanRule():
            return {"met": value}
        case LevelRule():
            return {"level": value}
        case ShareRule():
            return {"share": _share(value)}
        case PartsRule():
            return {"parts": value}
        case SharePairRule():
            return {"trained": _share(value[0]), "university": _share(value[1])}
        case CountRule():
            return {"count": value}
        case ChangeRule():
            return {"previous": Decimal(str(value[0])), "current": Decimal(str(value[1]))}
    raise AssertionError(rule.type)


def _targets(rule: PassFailRubric, case: Case) -> TargetsContent:
    values, rules = case["start"] | case.get("values", {}), {target.id: target for target in rule.targets}
    return TargetsContent.model_validate(
        {
            "targets": {
                id: _value(rules[id], value) | {"type": rules[id].type, "evidence": _evidence(case, id)}
                for id, value in values.items()
                if id not in case.get("missing", [])
            },
            "difficult_area": "difficult_area" in case,
            "difficult_area_basis": case.get("difficult_area"),
            "specially_difficult": "specially_difficult" in case,
            "specially_difficult_basis": case.get("specially_difficult"),
            "traits": case.get("kind", []),
        }
    )


def _recognitions(case: Case) -> list[Recognition]:
    """By the day of signature: a level or grade for the year before, or `{level, period, revoked}`."""
    return [_decision(day, said) for day, said in case.get("recognised", {date(2024, 3, 15): 1}).items()]


def _decision(day: date, said: int | str | Case) -> Recognition:
    given = said if isinstance(said, dict) else {"level" if isinstance(said, int) else "grade": said}
    revoked = given.pop("revoked", None)
    base = {"decision_number": "12/QĐ", "decided_on": day, "decided_by": "PGDĐT"}
    ended = base | {"effective_from": revoked, "reason": "Không còn đủ điều kiện"} if revoked else None
    return Recognition.model_validate(base | {"period": day.year - 1, "version": 1, "revocation": ended} | given)


def _standards(case: Case) -> list[Recognition]:
    """`{primary: 2}`, or `{primary: {level, period, revoked}}`: decisions on standards, signed in the case's year."""
    day = date(case["period"], 11, 30)
    said = {
        id: one if isinstance(one, dict) else {"level": one} for id, one in case.get("recognised_standards", {}).items()
    }
    return [_decision(day, {"period": case["period"], "standard": id} | one) for id, one in said.items()]


def _references(case: Case) -> list[Reference]:
    """`{centre: [kha]}`: one centre with that grade; any other series: one result with that outcome."""
    found = []
    for series, said in case.get("results", {}).items():
        outcomes = [{"grade": grade} for grade in said] if isinstance(said, list) else [said]
        for number, outcome in enumerate(outcomes):
            found.append(
                Reference(
                    series=series,
                    subject=f"{series}-{number}",
                    period=case["period"],
                    version=2,
                    rubric=rubric_for(series, case["period"]).id,
                    outcome={name: str(value) for name, value in outcome.items()},
                    hash="f" * 64,
                )
            )
    return found


def _counts(case: Case) -> RecognisedCounts | None:
    """How many communes or districts are recognised, and (`computed`) how many more reach level 2 by our results."""
    kinds: tuple[Counted, ...] = ("districts", "communes")
    for counted in kinds:
        if said := case.get(counted):
            levels = [2] * said["level_2"] + [1] * (said["level_1"] - said["level_2"])
            recognised = {f"{counted}-{number:03d}": level for number, level in enumerate(levels)}
            computed = {f"computed-{number:03d}": 2 for number in range(said.get("computed", 0))}
            return RecognisedCounts(counted, said["total"], recognised, computed)
    return None


def _score(case: Case) -> Scored:
    rule, period = rubric(case["rubric"]), case["period"]
    assert isinstance(rule, PointsRubric | PassFailRubric)
    content = _points(rule, case) if isinstance(rule, PointsRubric) else _targets(rule, case)
    assert check_content(rule, content)[0] == [], "a case must be one that intake lets pass"
    common: dict[str, Any] = {
        "version": 3,
        "submission_id": "s-1",
        "receipt_id": "r-1",
        "province": "01",
        "received_at": datetime(period + 1, 1, 10, tzinfo=UTC),
        "name": "Mẫu",
        "period": period,
        "rubric": rule.id,
        "content": content,
    }
    recognitions, references = _recognitions(case), _references(case)
    if rule.series == "centre":
        return score_centre(CentreAccepted(**common, centre_id="TT-1", commune_code="00004"), 1)
    if rule.series == "commune":
        commune = CommuneAccepted(**common, unit_id="00004@2025-07", code="00004", holder="01")
        return score_commune(commune, recognitions, references, 1, standards=_standards(case))
    other = AssessmentAccepted(**common, series=rule.series, subject_id="001", holder="01")
    return score_assessment(other, recognitions, references, 1, _counts(case))


# ------------------------------------------------------------------------------------------------------------- tests


@pytest.mark.parametrize("case", _cases())
def test_case(case: Case) -> None:
    scored, expect = _score(case), case["expect"]
    targets = {target.id: target for criterion in scored.criteria for target in criterion.targets}
    assert case["citation"]
    assert scored.state == expect["state"]
    if "total" in expect:
        assert scored.total == (None if expect["total"] is None else Decimal(expect["total"]))
        assert scored.grade == expect["grade"]
    if "level" in expect:
        assert scored.level == expect["level"]
    for level, ids in expect.get("unmet", {}).items():
        assert [id for id, one in targets.items() if level in one.met and one.met[level] is not True] == ids
    assert scored.missing == expect.get("missing", [])
    if "left_out" in expect:
        assert [id for id, one in targets.items() if not one.met] == expect["left_out"]
        assert all(targets[id].reason for id in expect["left_out"])
    assert [id for id, one in targets.items() if not one.applicable] == expect.get("not_applicable", [])
    for id, points in expect.get("points", {}).items():
        assert next(one.points for one in scored.criteria if one.id == id) == Decimal(points)
    for id, met in expect.get("indicators", {}).items():
        assert targets[id].met == {"met": met}
    for id, value in expect.get("values", {}).items():
        assert targets[id].value == value
    for id, reason in expect.get("reason", {}).items():
        said = targets[id].reason
        assert said is not None
        assert reason in said.en
    if "next_step" in expect:
        assert any(expect["next_step"] in step.en for step in scored.next_step), scored.next_step
    if "explanation" in expect:
        assert any(expect["explanation"] in step.what.en for step in scored.explanation), scored.explanation
    if "references" in expect:
        assert [one.series for one in scored.references] == expect["references"]
    if "recognition" in expect:
        _same_recognition(scored, expect["recognition"])
    if "provisional_reading" in expect:
        reading = rubric(case["rubric"])
        assert isinstance(reading, PointsRubric)
        assert reading.fractional_totals is not None
        cited = any(reading.fractional_totals.citation in step.citation for step in scored.explanation)
        assert cited is expect["provisional_reading"]
    if "provenance" in expect:
        assert scored.provenance == Provenance(expect["provenance"])
    assert all(step.citation and step.what.vi and step.what.en for step in scored.explanation)
    if isinstance(scored, CommuneExplained):
        assert (scored.rank_key is None) == (scored.state == "incomplete")


def _same_recognition(scored: Scored, expected: Case | None) -> None:
    beside = scored.recognition
    if expected is None:
        assert beside is None
        return
    assert beside is not None
    assert (beside.level, beside.grade) == (expected.get("level"), expected.get("grade"))
    assert (beside.valid_until, beside.in_force) == (expected["until"], expected["in_force"])


def test_every_case_belongs_to_the_period_of_its_rubric() -> None:
    for (case,) in (param.values for param in _cases()):
        rule = rubric(case["rubric"])
        assert rubric_for(rule.series, case["period"]) is rule


def test_the_start_of_every_file_holds_all_targets_that_are_sent() -> None:
    for file in FILES:
        book = _book(file)
        rule = rubric(book["rubric"])
        if isinstance(rule, PassFailRubric):
            kind = book.get("kind", [])
            asked = {one.id for one in rule.targets if any(one.holds(level, kind) for level in LEVELS)}
            counted = {one.id for one in rule.targets if one.type == "share_of_recognised"}
            assert book["start"].keys() == asked - counted, file
