"""The law as dated data: rubrics, norms, policies, deadlines. See README.md."""

from shared.rulebook.areas import AreaList, area_list
from shared.rulebook.basis import Series
from shared.rulebook.content import check_content
from shared.rulebook.deadlines import Due, calendar
from shared.rulebook.doubts import content_doubts, jumps
from shared.rulebook.errors import NoRuleInForce, RulebookError
from shared.rulebook.funding import FundingNorms, FundingPolicy, Norm, funding_norms, funding_policy
from shared.rulebook.goals import Goal, goals_for
from shared.rulebook.periods import Closing, closing, named_closable
from shared.rulebook.plausibility import Plausibility, plausibility_on
from shared.rulebook.points import PointsRubric
from shared.rulebook.policies import (
    AlertPolicy,
    AppealPolicy,
    RequestPolicy,
    alert_policy,
    appeal_policy,
    release_policy,
    request_policy,
)
from shared.rulebook.readings import EmptyCohort, Readings, readings_on
from shared.rulebook.rubrics import (
    HANOI,
    PassFailRubric,
    Rubric,
    cut_off,
    deadline,
    point_table_for,
    rubric,
    rubric_for,
    rubrics,
    ruled,
    rules_of,
)

__all__ = [
    "HANOI",
    "AlertPolicy",
    "AppealPolicy",
    "AreaList",
    "Closing",
    "Due",
    "EmptyCohort",
    "FundingNorms",
    "FundingPolicy",
    "Goal",
    "NoRuleInForce",
    "Norm",
    "PassFailRubric",
    "Plausibility",
    "PointsRubric",
    "Readings",
    "RequestPolicy",
    "Rubric",
    "RulebookError",
    "Series",
    "alert_policy",
    "appeal_policy",
    "area_list",
    "calendar",
    "check_content",
    "closing",
    "content_doubts",
    "cut_off",
    "deadline",
    "funding_norms",
    "funding_policy",
    "goals_for",
    "jumps",
    "named_closable",
    "plausibility_on",
    "point_table_for",
    "readings_on",
    "release_policy",
    "request_policy",
    "rubric",
    "rubric_for",
    "rubrics",
    "ruled",
    "rules_of",
]
