"""Reports, by figures that an official can check: complete or not, exact shares, goals beside; never a grade."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter

from services.scoring.domain.judging import Judgement
from services.scoring.domain.reports import judge_report
from shared.contracts.base import Text
from shared.contracts.facts import Reference
from shared.contracts.submissions import (
    ChangeTarget,
    CountTarget,
    DayTarget,
    MetTarget,
    MoneyTarget,
    PartsTarget,
    Share,
    ShareTarget,
    TargetsContent,
    TargetValue,
    TextTarget,
)
from shared.rulebook import RulebookError, check_content, rubric
from shared.rulebook.reports import (
    CountField,
    MoneyField,
    PartsField,
    PlainField,
    ReportRubric,
    ShareField,
    planned,
)
from shared.rulebook.rubrics import load_rubrics
from tests.unit.rulebook_samples import put, shipped

CASES: list[tuple[str, dict[str, Any]]] = [
    (file.stem, case)
    for file in sorted((Path(__file__).parent / "reports").glob("*.yaml"))  # named as its rubric
    for case in yaml.safe_load(file.read_text(encoding="utf-8"))["cases"]
]
NAME = Text(vi="tên", en="name")
VALUE: TypeAdapter[TargetValue] = TypeAdapter(TargetValue)


def value(said: Any) -> TargetValue:
    """`true`, a day, a count, `p/q`, any other text, or a value as it is sent."""
    match said:
        case bool():
            return MetTarget(met=said)
        case date():
            return DayTarget(day=said)
        case dict():
            return VALUE.validate_python(said)
        case str() if share := re.fullmatch(r"(\d+)/(\d+)", said):
            return ShareTarget(share=Share(numerator=int(share[1]), denominator=int(share[2])))
        case str():
            return TextTarget(text=said)
    return CountTarget(count=int(said))


def content_of(case: dict[str, Any]) -> TargetsContent:
    """What a case sends."""
    return TargetsContent(targets={id: value(said) for id, said in case["targets"].items()})


def rule_of(id: str) -> ReportRubric:
    """The form of that id."""
    rule = rubric(id)
    assert isinstance(rule, ReportRubric)
    return rule


def judged(form: str, case: dict[str, Any]) -> Judgement:
    """A case as it is judged, beside the plan that it has, and one of another year."""
    rule, period, plans = rule_of(form), case["period"], []
    if rule.plan is not None and "plan" in case:
        outcome = {planned(metric): share for metric, share in case["plan"].items()}
        own = Reference(
            series=rule.plan.series,
            subject="04",
            period=period,
            version=1,
            rubric="plan",
            outcome=outcome,
            hash="0" * 64,
        )
        plans = [own.model_copy(update={"period": period - 1, "outcome": dict.fromkeys(outcome, "1/1")}), own]
    return judge_report(rule, content_of(case), period, references=plans)


def played() -> Iterator[tuple[ReportRubric, Judgement]]:
    """Every case as it is judged."""
    for form, case in CASES:
        yield rule_of(form), judged(form, case)


@pytest.mark.parametrize(("form", "case"), CASES, ids=[f"{form}: {case['name']}" for form, case in CASES])
def test_reports(form: str, case: dict[str, Any]) -> None:
    content = content_of(case)
    assert check_content(rule_of(form), content) == ([], [])
    found, expected = judged(form, case), case["expect"]
    assert found.missing == expected["missing"]
    assert found.shares == expected["shares"]
    lower = {one.id for one in rule_of(form).fields if isinstance(one, ShareField) and one.difficult_area_of}
    goals = {f"{goal} {c.id}" if c.id in lower else goal: met for c in found.criteria for goal, met in c.met.items()}
    assert {goal: met for goal, met in goals.items() if met is not None} == expected["goals"]
    assert (found.level, found.grade, found.total, found.rank_key) == (None, None, None, None)
    assert expected.get("explains", "") in " ".join(step.what.en for step in (*found.steps, *found.notes))
    assert expected.get("next_step", "") in " ".join(step.en for step in found.next_step)
    assert all(step.citation for step in found.steps)


def form_of_all() -> ReportRubric:
    """A form with a field of each type."""
    ground: dict[str, Any] = {"name": NAME, "provenance": "provisional", "citation": "QĐ 1", "required": True}
    fields = [
        PlainField(id="A1", type="boolean", **ground),
        PlainField(id="A2", type="day", **ground),
        PlainField(id="A3", type="text", **ground),
        PlainField(id="A4", type="change", **ground),
        CountField(id="B1", type="count", counted=NAME, **ground),
        CountField(id="B2", type="count", counted=NAME, at_most="B1", **ground),
        MoneyField(id="C1", type="money", **ground),
        MoneyField(id="C2", type="money", at_most="C1", **ground),
        PartsField(id="D1", type="parts", parts={"head": NAME, "deputy": NAME}, **ground),
    ]
    return rule_of("officials_learning_163_2016").model_copy(update={"fields": fields})


def sent(**changed: TargetValue) -> TargetsContent:
    """All of that form, some of it otherwise."""
    whole: dict[str, TargetValue] = {
        "A1": MetTarget(met=True),
        "A2": DayTarget(day=date(2025, 3, 1)),
        "A3": TextTarget(text="12/QĐ-UBND"),
        "A4": ChangeTarget(previous=Decimal("1"), current=Decimal("2.5")),
        "B1": CountTarget(count=9),
        "B2": CountTarget(count=9),
        "C1": MoneyTarget(amount=75_000_000),
        "C2": MoneyTarget(amount=0),
        "D1": PartsTarget(parts={"head": True, "deputy": False}),
    }
    return TargetsContent(targets=whole | changed)


def test_every_type_of_field_is_shown_as_it_was_sent() -> None:
    assert check_content(form_of_all(), sent()) == ([], [])
    found = judge_report(form_of_all(), sent(), 2025)
    assert found.missing == []
    assert {one.id: one.targets[0].value for one in found.criteria} == {
        "A1": "true",
        "A2": "2025-03-01",
        "A3": "12/QĐ-UBND",
        "A4": "1 → 2.5",
        "B1": "9",
        "B2": "9",
        "C1": "75000000",
        "C2": "0",
        "D1": "head=true, deputy=false",
    }


def test_a_part_that_is_not_named_is_missing() -> None:
    content = sent(D1=PartsTarget(parts={"head": True}))
    assert judge_report(form_of_all(), content, 2025).missing == ["D1"]


@pytest.mark.parametrize(
    ("id", "value", "place"),
    [("B2", CountTarget(count=10), "B2/count"), ("C2", MoneyTarget(amount=75_000_001), "C2/amount")],
)
def test_a_part_above_its_whole_is_refused(id: str, value: TargetValue, place: str) -> None:
    problems, _ = check_content(form_of_all(), sent(**{id: value}))
    assert [(one.code, one.field) for one in problems] == [("part_above_whole", f"/content/targets/{place}")]


def test_a_share_of_difficult_areas_names_one_of_all(tmp_path: Path) -> None:
    """A slip of the pen would compare it with no goal."""
    content = shipped("rubrics/streaming_2239_2021.yaml")
    content["fields"][1]["difficult_area_of"] = "lower_secondary_to_vocations"
    put(tmp_path, "rubrics/streaming_2239_2021.yaml", content)
    with pytest.raises(RulebookError) as caught:
        load_rubrics((tmp_path,))
    assert {each.problem.code for each in caught.value.all} == {"unknown_reference"}
