"""What stands beside the figures of a report: other figures of it, the province's own plan, the goals of the nation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from services.scoring.domain.judging import frozen, named, step_on
from services.scoring.domain.shares import fraction
from shared.contracts.base import Step, Text
from shared.contracts.facts import Reference
from shared.contracts.submissions import (
    CountTarget,
    MoneyTarget,
    PartsTarget,
    Share,
    TargetsContent,
    TargetValue,
)
from shared.rulebook.goals import Goal
from shared.rulebook.reports import CountField, MoneyField, PartsField, ReportField, ReportRubric, ShareField, planned
from shared.wording import EN, VI


def planned_by(rubric: ReportRubric, references: Sequence[Reference], period: int) -> list[Reference]:
    """The result of the plan beside which a report stands; none where no plan was reported."""
    return frozen(references, rubric.plan.series, period) if rubric.plan else []


def unplanned(rubric: ReportRubric, plans: Sequence[Reference]) -> Iterator[Step]:
    """That there is no plan to stand beside, which is no plan of 0."""
    if rubric.plan is not None and not plans:
        yield step_on(
            rubric.plan,
            "Chưa có kế hoạch của tỉnh cho năm này, nên không so với chỉ tiêu của tỉnh.",
            "No plan of the province for the year is known, so nothing is compared with targets of its own.",
        )


def own_goals(rubric: ReportRubric, plans: Sequence[Reference], period: int) -> Iterator[Goal]:
    """What the province itself means to reach by the end of the year. A plan that says 0, or nothing, is no goal."""
    for plan in plans:
        assert rubric.plan is not None
        for one in rubric.fields:
            told = plan.outcome.get(planned(one.metric)) if isinstance(one, ShareField) else None
            if told is None or 0 in (counts := [int(each) for each in told.split("/")]):
                continue
            assert isinstance(one, ShareField)
            yield Goal(
                id=f"plan_{one.metric}",
                metric=one.metric,
                name=one.name,
                scheme=named(plan),
                since=period,
                year=period,
                value=Fraction(*counts),
                province=plan.subject,
                provenance=rubric.plan.provenance,
                citation=f"{rubric.plan.citation} ({named(plan)})",
            )


def aimed(one: ShareField, share: Share, goal: Goal, period: int) -> Step:
    """A planned share beside a goal: in the goal's own year whether it is as high, before it how far it is from it."""
    aim, wanted = fraction(share), goal.share()
    beside = Text(
        vi=f"{one.name.vi}: mục tiêu quốc gia đến năm {goal.year} là {VI.percent(wanted)}",
        en=f"{one.name.en}: the national goal for {goal.year} is {EN.percent(wanted)}",
    )
    if aim >= wanted:
        return step_on(goal, f"{beside.vi}, chỉ tiêu của tỉnh không thấp hơn.", f"{beside.en}; the plan is as high.")
    points = (wanted - aim) * 100
    less = Text(vi=f"{VI(points)} điểm phần trăm", en=f"{EN(points)} percentage {'point' if points == 1 else 'points'}")
    if goal.year > period:
        return step_on(goal, f"{beside.vi}, còn cách {less.vi}.", f"{beside.en}, {less.en} further.")
    return step_on(
        goal, f"{beside.vi}, chỉ tiêu của tỉnh thấp hơn {less.vi}.", f"{beside.en}; the plan is {less.en} lower."
    )


def held_against(rubric: ReportRubric, one: ReportField, content: TargetsContent) -> Iterator[Step]:
    """A count or amount beside the one that it is out of, where both were sent."""
    if not isinstance(one, CountField | MoneyField) or one.out_of is None:
        return
    own, other = (_number(content.targets.get(id)) for id in (one.id, one.out_of))
    if own is None or other is None:
        return
    whole = next(each for each in rubric.fields if each.id == one.out_of)
    vi, en = (VI, EN) if isinstance(one, CountField) else (VI.money, EN.money)
    yield step_on(
        one,
        f"{one.name.vi}: {vi(own)} trên {vi(other)} ({whole.id}: {whole.name.vi}).",
        f"{one.name.en}: {en(own)} of {en(other)} ({whole.id}: {whole.name.en}).",
    )


def _number(value: TargetValue | None) -> int | None:
    match value:
        case CountTarget(count=number) | MoneyTarget(amount=number):
            return number
        case _:
            return None


def filled(one: ReportField, value: TargetValue | None) -> tuple[list[Step], list[Text]]:
    """Named parts that are said not to be there, and that they are wanting."""
    if not isinstance(one, PartsField) or not isinstance(value, PartsTarget):
        return [], []
    absent = [name for part, name in one.parts.items() if value.parts.get(part) is False]
    if not absent:
        return [], []
    said = Text(
        vi=f"{one.name.vi}: chưa có {', '.join(each.vi for each in absent)}.",
        en=f"{one.name.en}: there is no {', '.join(each.en for each in absent)}.",
    )
    return [step_on(one, said.vi, said.en)], [Text(vi=f"{one.id}: {said.vi}", en=f"{one.id}: {said.en}")]
