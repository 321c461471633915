"""What in a report is formally right but hardly true: of two figures the one above the other, a day of another year.

Pure; it refuses nothing. What contradicts itself is refused (`content_targets`).
"""

from __future__ import annotations

from collections.abc import Iterator

from shared.contracts.base import Problem
from shared.contracts.submissions import CountTarget, DayTarget, MoneyTarget, TargetsContent
from shared.refusals import problem
from shared.rulebook.reports import CountField, MoneyField, PlainField, ReportRubric


def report_doubts(rubric: ReportRubric, content: TargetsContent, period: int) -> Iterator[Problem]:
    """`more_than_there_are`, `day_of_another_year`, by the form's own fields."""
    for rule in rubric.fields:
        match rule, content.targets.get(rule.id):
            case PlainField(falls=str() as falls), DayTarget(day=day):
                if day.year > period or (falls == "in_year" and day.year < period):
                    yield problem(
                        f"plausible.day_{'not_in_year' if falls == 'in_year' else 'after_year'}",
                        f"/content/targets/{rule.id}/day",
                        id=rule.id,
                        name=rule.name,
                        day=day,
                        period=period,
                    )
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
