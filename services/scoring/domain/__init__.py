"""Pure decisions of scoring: one assessment → one result; many results → one ranking.

Always: missing is not zero (the result is `incomplete`), a value without evidence does not count, every step names its
article and how well that is supported, and numbers are exact.
"""

from services.scoring.domain.judging import Recognition
from services.scoring.domain.ranking import Standing, pages, rank, rows_hash
from services.scoring.domain.results import score_centre, score_commune

__all__ = ["Recognition", "Standing", "pages", "rank", "rows_hash", "score_centre", "score_commune"]
