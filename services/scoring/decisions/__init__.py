"""Cause + what it asks for → outcome. Pure: the engine loads, the writer writes."""

from collections.abc import Mapping
from typing import Any

from services.scoring.decisions.areas import AREA, AREA_SERIES, AreaYear
from services.scoring.decisions.assessments import on_assessment, on_correction, on_recognition, on_withdrawn
from services.scoring.decisions.attainment import ATTAINED, ATTAINMENTS, VN, Attainment, AttainmentYear
from services.scoring.decisions.attainment import begin as begin_attainment
from services.scoring.decisions.documents import (
    APPEALS,
    AREAS,
    RANKING_CHANGES,
    RANKING_PAGES,
    RANKING_VERSIONS,
    RANKINGS,
    RECOGNITIONS,
    RECOMPUTES,
    REFERENCES,
    RELEASE_ACTS,
    RELEASES,
    RESULTS,
    SUPERSEDED,
    TITLE_COUNTS,
    TITLES,
    WITHDRAWALS,
    Appeal,
    Head,
    Recompute,
    Result,
    recognitions_ref,
)
from services.scoring.decisions.erasing import on_erased
from services.scoring.decisions.held import held_by
from services.scoring.decisions.ranked import RANKING, standings_by_holder
from services.scoring.decisions.rankings import (
    NATION,
    RankingYear,
    area_class_scope,
    page_ids,
    pages_apart,
    province_scope,
    terms,
)
from services.scoring.decisions.recomputes import CHECK, RESCORED, OrderKey, Rescored
from services.scoring.decisions.references import COLLECTED, CommuneYear
from services.scoring.decisions.rehearsed import Moves, rows_again
from services.scoring.decisions.releases import Act, Unreleasable, release
from services.scoring.decisions.results import explain
from services.scoring.decisions.rules import RULEBOOKS, RULES, release_rules
from services.scoring.decisions.titles import COUNTED, on_title
from shared.contracts.catalogue import EventType
from shared.messaging.decide import people
from shared.messaging.decide.asking import Decide
from shared.messaging.decide.sets import SetOf
from shared.messaging.messages import Received

routes: Mapping[str, Decide[Received[Any]]] = {
    EventType.COMMUNE_ACCEPTED: on_assessment,
    EventType.CENTRE_ACCEPTED: on_assessment,
    EventType.ASSESSMENT_ACCEPTED: on_assessment,
    EventType.RECOGNITION_ACCEPTED: on_recognition,
    EventType.TITLE_ACCEPTED: on_title,
    EventType.SUBMISSION_WITHDRAWN: on_withdrawn,
    EventType.SUBMISSION_ERASED: on_erased,
    EventType.REGISTER_CORRECTED: on_correction,
    EventType.PERSON_ENTERED: people.keep,
}
SETS: tuple[SetOf[Any], ...] = (AREA, ATTAINED, COLLECTED, COUNTED, RANKING, RESCORED, CHECK)

__all__ = [
    "APPEALS",
    "AREA",
    "AREAS",
    "AREA_SERIES",
    "ATTAINED",
    "ATTAINMENTS",
    "CHECK",
    "COLLECTED",
    "COUNTED",
    "NATION",
    "RANKING",
    "RANKINGS",
    "RANKING_CHANGES",
    "RANKING_PAGES",
    "RANKING_VERSIONS",
    "RECOGNITIONS",
    "RECOMPUTES",
    "REFERENCES",
    "RELEASES",
    "RELEASE_ACTS",
    "RESCORED",
    "RESULTS",
    "RULEBOOKS",
    "RULES",
    "SETS",
    "SUPERSEDED",
    "TITLES",
    "TITLE_COUNTS",
    "VN",
    "WITHDRAWALS",
    "Act",
    "Appeal",
    "AreaYear",
    "Attainment",
    "AttainmentYear",
    "CommuneYear",
    "Head",
    "Moves",
    "OrderKey",
    "RankingYear",
    "Recompute",
    "Rescored",
    "Result",
    "Unreleasable",
    "area_class_scope",
    "begin_attainment",
    "explain",
    "held_by",
    "page_ids",
    "pages_apart",
    "province_scope",
    "recognitions_ref",
    "release",
    "release_rules",
    "routes",
    "rows_again",
    "standings_by_holder",
    "terms",
]
