"""What centres report of their activity: kept to stand beside their support, and no amount depends on it."""

from __future__ import annotations

from pydantic import TypeAdapter

from shared.contracts.base import Contract
from shared.contracts.facts import AssessmentScored
from shared.contracts.submissions import CountTarget, TargetsContent
from shared.messaging.decide.asking import STALE, Ask, Outcome
from shared.messaging.decide.documents import Collection
from shared.messaging.messages import Received
from shared.rulebook import rubric
from shared.rulebook.reports import ReportRubric


class Activity(Contract):
    """The newest version of a report on a centre's year; `None`: nobody said, or it was withdrawn."""

    centre_id: str
    period: int
    version: int
    classes: int | None
    attendances: int | None
    active_months: int | None
    """`None` also where some month is unknown."""


ACTIVITIES: Collection[Activity] = Collection("activities", TypeAdapter(Activity))


async def on_activity(event: Received[AssessmentScored], ask: Ask) -> Outcome:
    """A version of a result, of whatever series; kept of those under a form of a centre's year.

    Raises:
        LookupError: the rulebook does not know the rubric.
    """
    data = event.data
    rule = rubric(data.rubric)
    if not isinstance(rule, ReportRubric) or rule.centre_year is None:
        return Outcome(verdict="ignored")
    ref = ACTIVITIES.ref(data.subject_id, data.period)
    known = await ask.one(ref)
    if known is not None and known.version >= data.version:
        return Outcome(verdict=STALE)
    months, year = rule.activity(data.content), rule.centre_year
    activity = Activity(
        centre_id=data.subject_id,
        period=data.period,
        version=data.version,
        classes=_count(data, year.classes),
        attendances=_count(data, year.attendances.figure),
        active_months=None if None in months else months.count(True),
    )
    return Outcome({ref: activity})


def _count(result: AssessmentScored, id: str) -> int | None:
    sent = result.content.targets.get(id) if isinstance(result.content, TargetsContent) else None
    return sent.count if isinstance(sent, CountTarget) else None
