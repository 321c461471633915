"""Mergers of public district centres: each day on which the rule changes, from both sides, and what people read."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.scoring.domain.reports import judge_report
from shared.contracts.submissions import ChangeTarget, MetTarget, PartsTarget, TextTarget
from shared.rulebook import RulebookError, check_content
from shared.rulebook.reports import ReportRubric
from shared.rulebook.source import DATA, read
from tests.casework.case import SHIPPED, load
from tests.property.test_merger_properties import RULE, RULES, merger
from tests.sheet_makers import by_sheet
from tests.unit.rulebook_samples import put

NOBODY = dict.fromkeys(RULES.parts, 0)


@pytest.mark.parametrize(
    ("parts", "before", "day", "after"),
    [
        ("TT1 TT2", "no_rule_found", date(2015, 12, 2), "allowed"),
        ("TT1 TT2 TT3", "no_rule_found", date(2015, 12, 2), "allowed"),
        ("TT1 TR1", "no_rule_found", date(2015, 12, 2), "not_allowed"),
        ("TT1 TR1", "not_allowed", date(2019, 1, 1), "not_allowed"),
        ("TT1 TR2", "not_allowed", date(2025, 10, 2), "not_allowed"),
        ("TT4 TR2", "not_allowed", date(2025, 10, 9), "not_allowed"),
        ("TT4 TT1", "no_rule_found", date(2025, 10, 9), "review_only"),
        ("TT1 TT2", "allowed", date(2025, 10, 9), "review_only"),
        ("TT1 TR1", "not_allowed", date(2025, 10, 9), "review_only"),
        ("TT2 TR3", "not_allowed", date(2025, 10, 9), "review_only"),
        ("TT1 TT2", "review_only", date(2026, 1, 1), "no_rule_found"),
        ("TT1 TR2", "not_allowed", date(2026, 1, 1), "no_rule_found"),
        ("TT1 TT2", "no_rule_found", date(2026, 3, 31), "no_rule_found"),
        ("TR1 TR3", "no_rule_found", date(2025, 10, 9), "no_rule_found"),
    ],
)
def test_both_sides_of_the_days_on_which_the_rule_changes(parts: str, before: str, day: date, after: str) -> None:
    counts = NOBODY | dict.fromkeys(parts.split(), 1)
    eve = date.fromordinal(day.toordinal() - 1)
    assert judge_report(RULE, merger(eve, counts), eve.year).finding == before
    assert judge_report(RULE, merger(day, counts), day.year).finding == after


def said(*changed: tuple[str, Any], on: date = date(2018, 5, 3), **counts: int) -> tuple[str, list[str], str | None]:
    """What is told in Vietnamese, what is missing, and the finding."""
    found = judge_report(RULE, merger(on, NOBODY | (counts or {"TT1": 1, "TT2": 1}), **dict(changed)), 2025)
    told = [step.what.vi for step in (*found.steps, *found.notes)] + [step.vi for step in found.next_step]
    return " | ".join(told), found.missing, found.finding


def test_what_a_proposal_cannot_hold_yet_is_not_asked_for() -> None:
    text, missing, finding = said()
    assert (missing, finding) == ([], "allowed")
    assert "không được gửi (DX2):" in text


def test_a_merger_carried_out_is_asked_for_its_decision_and_its_figures() -> None:
    _, missing, finding = said(("TH1", MetTarget(met=True)), ("TH2", TextTarget(text="12/QĐ-UBND")))
    assert (missing, finding) == (["TH3", "SS1", "SS2", "SS3", "SS4", "SS5"], "allowed")


def test_a_condition_that_is_not_there_is_what_must_be_prepared() -> None:
    lacking = PartsTarget(parts={"staffing": True, "premises": False, "settlement": False})
    text, missing, finding = said(("DK1", lacking))
    assert (missing, finding) == ([], "not_allowed")
    assert "Bổ sung: cơ sở vật chất, thiết bị phù hợp; phương án xử lý" in text
    text, _, finding = said(("DK1", lacking), TT1=1, TR1=1)
    assert finding == "not_allowed"
    assert "Bổ sung: cơ sở vật chất" not in text


def test_half_a_learner_is_refused() -> None:
    content = merger(
        date(2018, 5, 3), NOBODY | {"TT1": 2}, SS1=ChangeTarget(previous=Decimal("1.5"), current=Decimal(2))
    )
    problems, _ = check_content(RULE, content)
    assert [(one.code, one.field) for one in problems] == [("not_whole", "/content/targets/SS1/previous")]


def test_a_merger_that_was_carried_out_is_the_same_by_sheet(tmp_path: Path) -> None:
    case = next(one for one in load([SHIPPED / "tasks_mergers.yaml"]) if one.case == "merger-carried-out")
    (body, *others) = [record.body() for step in case.given for record in step.send]
    assert others
    row = by_sheet("langhoc.assessment.submitted.v1", body, tmp_path / "one.xlsx", "52")
    assert row is not None
    assert row.data is not None
    assert (row.warnings, {**row.data, "submission_id": body["submission_id"]}) == ([], body)


FILE = (DATA / "rubrics/centre_mergers_39_2015.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("there", "instead", "code"),
    [
        ("day: DX1", "day: DX2", "unknown_reference"),
        ("carried_out: TH1", "carried_out: TH9", "unknown_reference"),
        ("decision: [TH2, TH3]", "decision: [TH2, TH9]", "unknown_reference"),
        ("    SS1: {", "    TT1: {", "unknown_reference"),
        ("needs: DK1", "needs: TH1", "unknown_reference"),
        ("no_rule: no_merger_rule", "no_rule: nothing", "unknown_reference"),
        ("only: [TT1, TT2, TT3]", "only: [TT1, TT9]", "unknown_reference"),
        ("until: 2026-01-01", "until: 2025-10-02", "dates_reversed"),
        ("id: review_6365", "id: general_schools_6165", "stands_twice"),
    ],
)
def test_rules_that_name_what_is_not_there_are_refused(there: str, instead: str, code: str, tmp_path: Path) -> None:
    assert there in FILE
    name = "centre_mergers_39_2015.yaml"
    file = put(tmp_path, name, FILE.replace(there, instead, 1)) / name
    with pytest.raises(RulebookError) as refused:
        read(file, ReportRubric)
    assert refused.value.problem.code == code
