"""Accepted assessments of the other series for the tests of scoring: whole and valid, with single things changed."""

from __future__ import annotations

from typing import Any

from shared.contracts.facts import AssessmentAccepted
from shared.contracts.submissions import TargetsContent
from shared.rulebook import PassFailRubric, rubric
from shared.rulebook.models import ModelsRubric
from shared.rulebook.standards import StandardsRubric
from shared.rulebook.targets import BooleanRule, ChangeRule, CountRule, PartsRule, ShareRule
from tests.unit.scoring_samples import RECEIVED_AT, UNIT

OLD_UNIT = "00004@pre-2025-07"


def _content(values: dict[str, Any]) -> TargetsContent:
    return TargetsContent.model_validate(
        {"targets": {id: {"evidence": ["biên bản"]} | value for id, value in values.items() if value is not None}}
    )


def share(numerator: int, denominator: int = 1000) -> dict[str, Any]:
    """A share as a target."""
    return {"type": "share", "share": {"numerator": numerator, "denominator": denominator}}


def standards(**changed: Any) -> TargetsContent:
    """Every share of Decree 20/2014 full: all standards at their highest level; `changed` (`TH1=...`) sets others."""
    rule = rubric("pcgd_xmc_20_2014")
    assert isinstance(rule, StandardsRubric)
    return _content({one.id: share(1000) for one in rule.measures} | changed)


def models(rubric_id: str, **changed: Any) -> TargetsContent:
    """Every learning model at 70 %."""
    rule = rubric(rubric_id)
    assert isinstance(rule, ModelsRubric)
    return _content({one.id: share(700) for one in rule.models} | changed)


def area_targets(rubric_id: str, **changed: Any) -> TargetsContent:
    """Every target of a district or province that is submitted, met at level 2; `changed` (`C1_1=...`) sets others."""
    rule = rubric(rubric_id)
    assert isinstance(rule, PassFailRubric)
    values: dict[str, Any] = {}
    for target in rule.targets:
        match target:
            case BooleanRule():
                values[target.id] = {"type": "boolean", "met": True}
            case PartsRule():
                values[target.id] = {"type": "parts", "parts": dict.fromkeys(target.parts, True)}
            case CountRule():
                values[target.id] = {"type": "count", "count": target.minimum["L2"]}
            case ChangeRule():
                up = target.direction == "increase"
                values[target.id] = {"type": "change", "previous": 10, "current": 12 if up else 8}
            case ShareRule():
                values[target.id] = share(1000)
    return _content(values | {id.replace("_", "."): value for id, value in changed.items()})


def assessment(series: str, subject_id: str, rubric_id: str, content: TargetsContent, **changed: Any) -> Any:
    """An accepted assessment of another series."""
    return AssessmentAccepted.model_validate(
        {
            "version": 1,
            "submission_id": f"{series}-1",
            "receipt_id": "r-7",
            "province": "01",
            "received_at": RECEIVED_AT,
            "series": series,
            "subject_id": subject_id,
            "name": "Phường Ba Đình",
            "holder": "01",
            "period": 2025,
            "rubric": rubric_id,
            "content": content,
        }
        | changed
    )


def universal_education(content: TargetsContent | None = None, unit: str = UNIT, **changed: Any) -> Any:
    """Decree 20/2014 for Ba Đình, 2025."""
    return assessment("universal_education", unit, "pcgd_xmc_20_2014", content or standards(), **changed)


def learning_models(content: TargetsContent | None = None, **changed: Any) -> Any:
    """Learning models of Ba Đình, 2025."""
    found = content or models("learning_models_387_2022")
    return assessment("learning_models", UNIT, "learning_models_387_2022", found, **changed)
