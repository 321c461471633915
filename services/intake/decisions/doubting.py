"""What is hardly true of an accepted fact, beside what is accepted of the same subject in earlier periods."""

from __future__ import annotations

from services.intake import domain
from services.intake.decisions.documents import AGGREGATES, Aggregate
from services.intake.decisions.kinds import REGISTRATION, SUPPORT, recognised
from shared.contracts.base import Problem
from shared.contracts.facts import Accepted, AssessmentAccepted, RecognitionAccepted, SubmissionKind
from shared.contracts.series import kind_of
from shared.messaging.decide.asking import Ask
from shared.messaging.decide.documents import Ref
from shared.messaging.decide.register import register_now
from shared.registry import Registry


def earlier_refs(kind: SubmissionKind, fact: Accepted, register: Registry) -> list[Ref[Aggregate]]:
    """Where it is kept what a fact is held against: of one subject, a few periods at most, and its centre."""
    before = [
        AGGREGATES.ref(kind, _subject(fact, code), period) for period, code in domain.earlier(fact, register).items()
    ]
    return [*before, *_of_its_centre(fact)]


def _of_its_centre(fact: Accepted) -> list[Ref[Aggregate]]:
    """Of a report on a centre's year: its registration, and the support of that year."""
    if not isinstance(fact, AssessmentAccepted) or kind_of(fact.series) != "centre":
        return []
    return [
        AGGREGATES.ref(REGISTRATION.name, fact.subject_id, 0),
        AGGREGATES.ref(SUPPORT.name, fact.subject_id, fact.period),
    ]


def _subject(fact: Accepted, code: str) -> str:
    """The subject of a fact, under the code that it had in another period."""
    match fact:
        case AssessmentAccepted():
            return f"{fact.series}/{code}"
        case RecognitionAccepted():
            return recognised(fact.series, code, fact.standard)
        case _:
            return code


async def doubts_now(kind: SubmissionKind, fact: Accepted, ask: Ask) -> list[Problem]:
    """What is hardly true of a fact by what is accepted at this moment: what its receipt tells."""
    found = await ask.many(earlier_refs(kind, fact, await register_now(ask)))
    return domain.doubts(fact, [one.accepted for one in found if one is not None])
