"""What in a report is formally right but hardly true: of two figures the one above the other, a day of another year.

Pure; it refuses nothing. What contradicts itself is refused (`content_targets`).
"""

from __future__ import annotations

from collections.abc import Iterator

from shared.contracts.base import Problem
from shared.contracts.submissions import Content, CountTarget, DayTarget, MoneyTarget, TargetsContent
from shared.refusals import problem
from shared.rulebook.reports import CountField, MoneyField, PlainField, ReportRubric, ShareField
from shared.rulebook.rubrics import Rubric


def counted(rubric: Rubric | None, content: Content) -> Content:
    """A content without what is only aimed at: a target may be any share of any number."""
    if not isinstance(rubric, ReportRubric) or not isinstance(content, TargetsContent):
        return content
    aims = {one.id for one in rubric.fields if isinstance(one, ShareField) and one.planned}
    return content.model_copy(update={"targets": {id: each for id, each in content.targets.items() if id not in aims}})


def report_doubts(rubric: ReportRubric, content: TargetsContent, period: int) -> Iterator[Problem]:
    """`more_than_there_are`, `day_not_in_year`, `day_after_year`, by the form's own fields."""
    for rule in rubric.fields:
        match rule, content.targets.get(rule.id):
            case PlainField(falls="in_year"), DayTarget(day=day) if day.year != period:
                place = f"/content/targets/{rule.id}/day"
                yield problem("plausible.day_not_in_year", place, id=rule.id, name=rule.name, day=day, period=period)
            case PlainField(falls="by_year_end"), DayTarget(day=day) if day.year > period:
                place = f"/content/targets/{rule.id}/day"
                yield problem("plausible.day_after_year", place, id=rule.id, name=rule.name, day=day, period=period)
            case CountField(out_of=str() as other) | MoneyField(out_of=str() as other), value:
                match value, content.targets.get(other):
                    case CountTarget(count=own), CountTarget(count=most) if own > most:
                        place = "count"
                    case MoneyTarget(amount=own), MoneyTarget(amount=most) if own > most:
                        place = "amount"
                    case _:
                        continue
                yield problem(
                    "plausible.more_than_there_are",
                    f"/content/targets/{rule.id}/{place}",
                    id=rule.id,
                    name=rule.name,
                    size=own,
                    other=other,
                    most=most,
                    citation=rule.citation,
                )
