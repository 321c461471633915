"""The law as dated data: rubrics, norms, policies, deadlines. See README.md."""

from shared.rulebook.content import check_content, plain
from shared.rulebook.errors import NoRuleInForce, RulebookError
from shared.rulebook.policies import (
    AlertPolicy,
    FundingNorms,
    FundingPolicy,
    Norm,
    alert_policy,
    funding_norms,
    funding_policy,
)
from shared.rulebook.rubrics import (
    HANOI,
    PassFailRubric,
    PointsRubric,
    Rubric,
    Series,
    cut_off,
    deadline,
    rubric,
    rubric_for,
    rubrics,
)

__all__ = [
    "HANOI",
    "AlertPolicy",
    "FundingNorms",
    "FundingPolicy",
    "NoRuleInForce",
    "Norm",
    "PassFailRubric",
    "PointsRubric",
    "Rubric",
    "RulebookError",
    "Series",
    "alert_policy",
    "check_content",
    "cut_off",
    "deadline",
    "funding_norms",
    "funding_policy",
    "plain",
    "rubric",
    "rubric_for",
    "rubrics",
]
