"""Made-up assessments of everything besides communes and centres: universal education, learning models, learning
units, provinces. All values are drawn or chosen; nothing here is a fact."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from math import ceil
from random import Random

from shared.contracts.base import Status
from shared.contracts.submissions import (
    AssessmentSeries,
    AssessmentSubmitted,
    ChangeTarget,
    CountTarget,
    LevelTarget,
    MetTarget,
    PartsTarget,
    Share,
    SharePairTarget,
    ShareTarget,
    TargetsContent,
    TargetValue,
)
from shared.registry import Unit
from shared.rulebook import PassFailRubric, Rubric, deadline, rubric_for
from shared.rulebook.models import ModelsRubric
from shared.rulebook.standards import StandardsRubric
from shared.rulebook.targets import (
    LEVELS,
    BooleanRule,
    ChangeRule,
    CountRule,
    LevelRule,
    PartsRule,
    SharePairRule,
    ShareRule,
    Target,
)


def of_commune(unit: Unit, period: int, citizens: Share, random: Random, mark: str) -> list[AssessmentSubmitted]:
    """Universal education and learning models of a commune; its learning citizens are those it claims elsewhere."""
    return [
        _assessment(series, unit.code, unit.name, period, _shares(rubric_for(series, period), citizens, random, mark))
        for series in ("universal_education", "learning_models")
    ]


def of_province(code: str, name: str, period: int, random: Random, mark: str) -> list[AssessmentSubmitted]:
    """The province's own assessment, and one learning unit in it."""
    found = [_assessment("province", code, name, period, _met(_pass_fail("province", period), (), random, mark))]
    rubric = _pass_fail("learning_unit", period)
    traits = [random.choice(sorted(group)) for group in rubric.traits.groups] if rubric.traits else []
    unit = f"DV-{code}-1"
    content = _met(rubric, traits, random, mark)
    return [*found, _assessment("learning_unit", unit, f"Đơn vị {unit} ({mark})", period, content)]


def status_at(submission: AssessmentSubmitted, moment: datetime) -> Status:
    """What becomes of it when it arrives at that moment: some of these have their day long before the communes'."""
    on_time = moment < deadline(rubric_for(submission.series, submission.period), submission.period)
    return Status.ACCEPTED if on_time else Status.ACCEPTED_LATE


def _assessment(
    series: AssessmentSeries, subject: str, name: str, period: int, content: TargetsContent
) -> AssessmentSubmitted:
    return AssessmentSubmitted(
        submission_id=f"SYN-{series.upper().replace('_', '-')}-{period}-{subject}",
        series=series,
        subject=subject,
        name=name,
        period=period,
        rubric=rubric_for(series, period).id,
        content=content,
    )


def _pass_fail(series: AssessmentSeries, period: int) -> PassFailRubric:
    rubric = rubric_for(series, period)
    assert isinstance(rubric, PassFailRubric)
    return rubric


def _shares(rubric: Rubric, citizens: Share, random: Random, mark: str) -> TargetsContent:
    """A share between 85 and 100 % for everything that is asked, of as many people; learning citizens as they are."""
    assert isinstance(rubric, StandardsRubric | ModelsRubric)
    targets: dict[str, TargetValue] = {}
    whole = random.randint(40, 900)
    for one in rubric.targets:
        share = Share(numerator=whole - random.randint(0, whole * 15 // 100), denominator=whole)
        if getattr(one, "metric", None) == "learning_citizens":
            share = citizens
        targets[one.id] = ShareTarget(share=share, evidence=[f"Biên bản {one.id} ({mark})"])
    return TargetsContent(targets=targets)


def _met(rubric: PassFailRubric, traits: Sequence[str], random: Random, mark: str) -> TargetsContent:
    """Everything that holds for such a subject, met at level 1; whoever is counted are as many people."""
    people = random.randint(100, 900)
    targets = {
        rule.id: value
        for rule in rubric.targets
        if any(rule.holds(level, traits) for level in LEVELS)
        and (value := _value(rule, people, random, mark)) is not None
    }
    return TargetsContent(targets=targets, traits=list(traits))


def _value(rule: Target, people: int, random: Random, mark: str) -> TargetValue | None:
    evidence = [f"Minh chứng {rule.id} ({mark})"]
    match rule:
        case BooleanRule():
            return MetTarget(met=True, evidence=evidence)
        case PartsRule():
            return PartsTarget(parts=dict.fromkeys(rule.parts, True), evidence=evidence)
        case LevelRule():
            return LevelTarget(level=rule.min_level["L1"], evidence=evidence)
        case ShareRule():
            return ShareTarget(share=_at_least(rule.thresholds["L1"], people), evidence=evidence)
        case SharePairRule():
            pair = rule.thresholds["L1"]
            trained, university = _at_least(pair.trained, people), _at_least(pair.university, people)
            return SharePairTarget(trained=trained, university=university, evidence=evidence)
        case CountRule():
            return CountTarget(count=rule.minimum["L1"] + random.randint(0, 3), evidence=evidence)
        case ChangeRule():
            before = Decimal(random.randint(1_000, 9_000)) / 100
            after = before * (Decimal("1.05") if rule.direction == "increase" else Decimal("0.95"))
            return ChangeTarget(previous=before, current=round(after, 4), evidence=evidence)
        case _:  # counted from recognitions, not submitted
            return None


def _at_least(threshold: Fraction, people: int) -> Share:
    return Share(numerator=ceil(threshold * people), denominator=people)
