"""Event + state → outcome. Pure: the pipeline loads what `needs` names and writes what a handler puts."""

from collections.abc import Mapping
from typing import Any

from services.scoring.decisions import assessments, recognitions, register
from services.scoring.decisions.documents import RECOGNITIONS, RESULTS, recognitions_ref, result_ref
from services.scoring.decisions.ranking_versions import ranking
from services.scoring.decisions.rankings import NATION, RANKING_PAGES, RANKINGS, province_scope, ranking_ref
from shared.messaging.decide.handling import Route

routes: Mapping[str, Route[Any]] = {**assessments.routes, **recognitions.routes, **register.routes}

__all__ = [
    "NATION",
    "RANKINGS",
    "RANKING_PAGES",
    "RECOGNITIONS",
    "RESULTS",
    "province_scope",
    "ranking",
    "ranking_ref",
    "recognitions_ref",
    "result_ref",
    "routes",
]
