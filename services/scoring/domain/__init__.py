"""Pure decisions of scoring: one assessment → one result; many results → one ranking.

Always: missing is not zero (the result is `incomplete`), a value without evidence does not count, every step names its
article and how well that is supported, and numbers are exact.
"""

from services.scoring.domain.appeals import EarlierAppeal, StandingVersion, check_answer, check_appeal, check_undecided
from services.scoring.domain.attainment import attained, base_of, base_periods, together
from services.scoring.domain.differences import Difference, differences, judged, same_figures
from services.scoring.domain.doubted import differing, doubted
from services.scoring.domain.held import holding, unaccepted
from services.scoring.domain.movement import Earlier, Movement
from services.scoring.domain.ranking import Cut, Standing, cut_off, rank, row_of, table_of
from services.scoring.domain.recognising import beside, in_order
from services.scoring.domain.results import holder_of, score_assessment, score_centre, score_commune
from services.scoring.domain.revision import (
    Place,
    Stretch,
    VersionChange,
    difference,
    entries,
    ranking_hash,
    revised,
    stretch,
)
from services.scoring.domain.standards_decided import beside_standards
from services.scoring.domain.titles import TitleDecision, counted
from services.scoring.domain.verdicts import AnyScored, same_verdicts, unexplained, with_words, without_words

__all__ = [
    "AnyScored",
    "Cut",
    "Difference",
    "Earlier",
    "EarlierAppeal",
    "Movement",
    "Place",
    "Standing",
    "StandingVersion",
    "Stretch",
    "TitleDecision",
    "VersionChange",
    "attained",
    "base_of",
    "base_periods",
    "beside",
    "beside_standards",
    "check_answer",
    "check_appeal",
    "check_undecided",
    "counted",
    "cut_off",
    "difference",
    "differences",
    "differing",
    "doubted",
    "entries",
    "holder_of",
    "holding",
    "in_order",
    "judged",
    "rank",
    "ranking_hash",
    "revised",
    "row_of",
    "same_figures",
    "same_verdicts",
    "score_assessment",
    "score_centre",
    "score_commune",
    "stretch",
    "table_of",
    "together",
    "unaccepted",
    "unexplained",
    "with_words",
    "without_words",
]
