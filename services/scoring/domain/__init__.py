"""Pure decisions of scoring: one assessment → one result; many results → one ranking.

Always: missing is not zero (the result is `incomplete`), a value without evidence does not count, every step names its
article and how well that is supported, and numbers are exact.
"""

from services.scoring.domain.judging import Recognition
from services.scoring.domain.measuring import RecognisedCounts
from services.scoring.domain.ranking import Standing, rank
from services.scoring.domain.results import score_assessment, score_centre, score_commune
from services.scoring.domain.revision import Stretch

__all__ = [
    "RecognisedCounts",
    "Recognition",
    "Standing",
    "Stretch",
    "rank",
    "score_assessment",
    "score_centre",
    "score_commune",
]
