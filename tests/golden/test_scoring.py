"""Cases that an official can read and check against the text of the law; this file only carries them out."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.scoring.domain import Recognition, score_centre, score_commune
from shared.contracts.base import Provenance
from shared.contracts.facts import CentreAccepted, CentreScored, CommuneAccepted, CommuneScored
from shared.contracts.submissions import PointsContent, TargetsContent
from shared.rulebook import PassFailRubric, PointsRubric, check_content, rubric, rubric_for, rubrics

HERE = Path(__file__).parent / "scoring"
FILES = ("commune_44_2014.yaml", "commune_25_2023.yaml", "clc_2553_2013.yaml")
Scored = CommuneScored | CentreScored


def _cases() -> list[Any]:
    cases = []
    for file in FILES:
        book = yaml.safe_load((HERE / file).read_text(encoding="utf-8"))
        for case in book["cases"]:
            cases.append(pytest.param(book["rubric"], book["period"], case, id=f"{file}: {case['name']}"))
    return cases


def _evidence(case: dict[str, Any], id: str) -> list[str]:
    return [] if id in case.get("no_evidence", []) else ["biên bản"]


def _points(rule: PointsRubric, case: dict[str, Any]) -> PointsContent:
    changed = {id: Decimal(str(points)) for id, points in case.get("points", {}).items()}
    return PointsContent.model_validate(
        {
            "points": {
                one.id: {"points": changed.get(one.id, rule.maximum(one.id)), "evidence": _evidence(case, one.id)}
                for one in rule.criteria
                if one.id not in case.get("missing", [])
            }
        }
    )


AT_LEVEL_2: dict[str, Any] = {
    **dict.fromkeys(("C1.1", "C1.2", "C1.3", "C2.1", "C2.2", "C2.3", "C3.2", "C3.3"), True),
    "C3.1": {"office": True, "bookcase": True, "it_equipment": True},
    "C4.1": 1,
    "C4.2": 3,
    "C4.3": 3,
    "C4.4": 2,
    "C5.1": "80000/100000",
    "C5.2": ["60000/100000", "15000/100000"],
}


def _share(text: str) -> dict[str, int]:
    numerator, denominator = map(int, text.split("/"))
    return {"numerator": numerator, "denominator": denominator}


def _target(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"type": "boolean", "met": value}
        case int():
            return {"type": "level", "level": value}
        case str():
            return {"type": "share", "share": _share(value)}
        case dict():
            return {"type": "parts", "parts": value}
        case [trained, university]:
            return {"type": "share_pair", "trained": _share(trained), "university": _share(university)}
    raise AssertionError(value)


def _targets(case: dict[str, Any]) -> TargetsContent:
    values = AT_LEVEL_2 | case.get("values", {})
    return TargetsContent.model_validate(
        {
            "targets": {
                id: _target(value) | {"evidence": _evidence(case, id)}
                for id, value in values.items()
                if id not in case.get("missing", [])
            },
            "difficult_area": "difficult_area" in case,
            "difficult_area_basis": case.get("difficult_area"),
        }
    )


def _recognitions(case: dict[str, Any]) -> list[Recognition]:
    decisions: dict[date, int] = case.get("recognised", {date(2024, 3, 15): 1})
    return [
        Recognition(
            period=day.year - 1, level=level, decision_number="12/QĐ", decided_on=day, decided_by="PGDĐT", version=1
        )
        for day, level in decisions.items()
    ]


def _score(rubric_id: str, period: int, case: dict[str, Any]) -> Scored:
    rule = rubric(rubric_id)
    content = _points(rule, case) if isinstance(rule, PointsRubric) else _targets(case)
    assert check_content(rule, content)[0] == [], "a case must be one that intake lets pass"
    common: dict[str, Any] = {
        "version": 3,
        "submission_id": "s-1",
        "receipt_id": "r-1",
        "province": "01",
        "received_at": datetime(period + 1, 1, 10, tzinfo=UTC),
        "name": "Xã Mẫu",
        "period": period,
        "rubric": rubric_id,
        "content": content,
    }
    if rule.series == "centre":
        return score_centre(CentreAccepted(**common, centre_id="TT-1", commune_code="00004"), 1)
    commune = CommuneAccepted(**common, unit_id="00004@2025-07", code="00004", holder="01")
    return score_commune(commune, _recognitions(case), 1)


@pytest.mark.parametrize(("rubric_id", "period", "case"), _cases())
def test_case(rubric_id: str, period: int, case: dict[str, Any]) -> None:
    scored, expect = _score(rubric_id, period, case), case["expect"]
    assert case["citation"]
    assert scored.state == expect["state"]
    if "total" in expect:
        assert scored.total == (None if expect["total"] is None else Decimal(expect["total"]))
        assert scored.grade == expect["grade"]
    if "level" in expect:
        assert scored.level == expect["level"]
    for level, ids in expect.get("unmet", {}).items():
        assert [t.id for c in scored.criteria for t in c.targets if t.met[level] is not True] == ids
    assert scored.missing == expect.get("missing", [])
    if "next_step" in expect:
        assert any(expect["next_step"] in step.en for step in scored.next_step), scored.next_step
    if "provisional_reading" in expect:
        reading = rubric(rubric_id)
        assert isinstance(reading, PointsRubric)
        cited = any(reading.fractional_totals.citation in step.citation for step in scored.explanation)
        assert cited is expect["provisional_reading"]
    if "provenance" in expect:
        assert scored.provenance == Provenance(expect["provenance"])
    assert all(step.citation and step.what.vi and step.what.en for step in scored.explanation)
    if isinstance(scored, CommuneScored):
        assert (scored.rank_key is None) == (scored.state == "incomplete")


def test_every_case_belongs_to_the_period_of_its_rubric() -> None:
    for rubric_id, period, _ in (param.values for param in _cases()):
        rule = rubric(str(rubric_id))
        assert isinstance(period, int)
        assert rubric_for(rule.series, period) is rule


def test_the_thresholds_of_the_cases_are_those_of_the_rubric() -> None:
    rule = rubric("lc_commune_25_2023")
    assert isinstance(rule, PassFailRubric)
    assert {target.id for target in rule.targets} == AT_LEVEL_2.keys()


def test_a_used_rubric_is_never_changed() -> None:
    known = yaml.safe_load((HERE / "rubric_identities.yaml").read_text(encoding="utf-8"))
    assert {rule.id: rule.identity for rule in rubrics()} == known
