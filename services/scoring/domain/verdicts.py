"""A result without its words, as it is kept and published; and in place of words that cannot be given, why not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.contracts.base import Provenance, Step, Text
from shared.contracts.explained import (
    AnyExplained,
    AssessmentExplained,
    CentreExplained,
    CommuneExplained,
    CriterionResult,
    TargetResult,
)
from shared.contracts.facts import (
    AssessmentScored,
    CentreScored,
    CommuneScored,
    Met,
    Reference,
    ResultHead,
    Verdict,
)

AnyScored = CommuneScored | CentreScored | AssessmentScored


def without_words(result: AnyExplained, rulebook: str) -> AnyScored:
    """The verdicts of a result.

    Args:
        rulebook: revision of the rulebook by which it was judged.
    """
    nobody = [one.id for each in result.criteria for one in each.targets if not one.applicable]
    verdicts: dict[str, Any] = {
        "rulebook": rulebook,
        "criteria": {
            each.id: Verdict(points=each.points, met=each.met, targets={one.id: one.met for one in each.targets})
            for each in result.criteria
        },
        "not_applicable": [*dict.fromkeys(nobody)],
    }
    told = dict(result) | verdicts
    match result:
        case CommuneExplained():
            return CommuneScored(**told)
        case CentreExplained():
            return CentreScored(**told)
        case AssessmentExplained():
            return AssessmentScored(**told)


_APART = frozenset({"version", "hash", "supersedes", "rulebook", "provenance"})


def same_verdicts(before: AnyScored, after: AnyScored) -> bool:
    """Whether two results of one subject say the same of it, whatever their versions and the words of their rules."""
    names = type(after).model_fields.keys() - (_APART | {"unit_id"} if isinstance(after, CentreScored) else _APART)
    return type(before) is type(after) and all(getattr(before, each) == getattr(after, each) for each in names)


def unexplained(result: AnyScored, today: AnyExplained | None, references: tuple[Reference, ...]) -> AnyExplained:
    """A result as it was published, where judging it again does not give its figures: no words, and why not.

    Args:
        today: what judging again gives; it lends the names and the values that were sent, and nothing else.
        references: what the result was judged with.
    """
    known = {each.id: each for each in today.criteria} if today else {}
    return with_words(
        result,
        {
            "criteria": [_criterion(id, verdict, known.get(id)) for id, verdict in result.criteria.items()],
            "explanation": [_why_not(result)],
            "references": references,
        },
    )


def with_words(result: AnyScored, words: Mapping[str, Any]) -> AnyExplained:
    """The verdicts and these words."""
    told = dict(result) | {name: list(each) for name, each in words.items()}
    match result:
        case CommuneScored():
            return CommuneExplained(**told)
        case CentreScored():
            return CentreExplained(**told)
        case AssessmentScored():
            return AssessmentExplained(**told)


def _criterion(id: str, verdict: Verdict, today: CriterionResult | None) -> CriterionResult:
    known = {each.id: each for each in today.targets} if today else {}
    return CriterionResult(
        id=id,
        name=today.name if today else Text(vi=id, en=id),
        points=verdict.points,
        met=verdict.met,
        targets=[_target(each, met, known.get(each)) for each, met in verdict.targets.items()],
        evidence=today.evidence if today else [],
        citation="",
        provenance=Provenance.NOT_FOUND,
    )


def _target(id: str, met: Met, today: TargetResult | None) -> TargetResult:
    return TargetResult(
        id=id,
        name=today.name if today else Text(vi=id, en=id),
        value=today.value if today else None,
        met=met,
        threshold={},
        evidence=today.evidence if today else [],
        citation="",
        provenance=Provenance.NOT_FOUND,
    )


def _why_not(result: ResultHead) -> Step:
    return Step(
        what=Text(
            vi="Không giải thích được: chấm lại theo quy định hiện dùng cho ra số liệu khác với kết quả đã công bố. "
            "Các số liệu ở đây là số liệu đã công bố; yêu cầu chấm lại kỳ này để có kết quả mới kèm giải thích.",
            en="It cannot be explained: judged again by the rules in use, it comes to other figures than were "
            "published. Shown are the published ones; have the period judged again for a new result with its reasons.",
        ),
        citation=result.rubric,
        provenance=Provenance.NOT_FOUND,
    )
