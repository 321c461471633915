"""What of the figures that a result rests on is formally right but hardly true."""

from __future__ import annotations

from shared.contracts.base import Problem
from shared.contracts.facts import AssessmentAccepted, CentreAccepted, CommuneAccepted
from shared.rulebook import NoRuleInForce, check_content, content_doubts, cut_off, plausibility_on, rubric


def doubted(accepted: CommuneAccepted | CentreAccepted | AssessmentAccepted) -> list[Problem]:
    """What its content by itself is warned of. It changes nothing in the result.

    It is not kept with it: content and rules say it at any time. What is held against other facts, intake tells.
    """
    try:
        rule, known = plausibility_on(cut_off(accepted.period), accepted.province), rubric(accepted.rubric)
    except (NoRuleInForce, KeyError):  # a ministry has taken the rule away since
        return []
    return [*check_content(known, accepted.content)[1], *content_doubts(known, accepted.content, rule)]
