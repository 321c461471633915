"""What of the figures that a result rests on is formally right but hardly true."""

from __future__ import annotations

from services.scoring.domain.titled import title_doubts
from shared.contracts.base import Problem
from shared.contracts.facts import AssessmentAccepted, CentreAccepted, CommuneAccepted, TitleCounts
from shared.contracts.submissions import TargetsContent
from shared.rulebook import NoRuleInForce, check_content, content_doubts, cut_off, plausibility_on, rubric
from shared.rulebook.models import ModelsRubric


def doubted(
    accepted: CommuneAccepted | CentreAccepted | AssessmentAccepted, titles: TitleCounts | None = None
) -> list[Problem]:
    """What its content by itself, or beside single decisions on titles, is warned of. It changes nothing in the result.

    It is not kept with it: content and rules say it at any time. What is held against other facts, intake tells.
    """
    try:
        rule, known = plausibility_on(cut_off(accepted.period), accepted.province), rubric(accepted.rubric)
    except (NoRuleInForce, KeyError):  # a ministry has taken the rule away since
        return []
    found = [*check_content(known, accepted.content)[1], *content_doubts(known, accepted.content, rule)]
    return [*found, *(differing(accepted, titles) if isinstance(accepted, AssessmentAccepted) else ())]


def differing(accepted: AssessmentAccepted, titles: TitleCounts | None) -> list[Problem]:
    """What single decisions on titles come to, where a file of learning models tells another figure."""
    content = accepted.content
    try:
        known = rubric(accepted.rubric)
    except KeyError:
        return []
    if not isinstance(known, ModelsRubric) or not isinstance(content, TargetsContent):
        return []
    return list(title_doubts(known, content, accepted.by_decision, titles, accepted.period))
