"""A province's own table and policy reach those who decide by them: intake, scoring, rankings, notifications."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from services.intake.domain import Arrival, Known, check_commune
from services.notifications.domain import standing
from services.scoring.decisions.rankings import terms
from services.scoring.domain import score_commune
from shared.contracts.submissions import CommuneSubmitted
from shared.registry import registry
from shared.rulebook import PointsRubric
from tests.unit.rulebook_samples import MAXIMA, RUBRIC, put, table, version
from tests.unit.scoring_samples import commune, points
from tests.unit.test_notifications_alerts import commune as scored

HANOI = "01"
OWN_TABLE = table(id=f"{RUBRIC}/ha-noi-2016", citation="Quyết định của UBND thành phố Hà Nội")
ARRIVAL = Arrival(HANOI, datetime(2022, 12, 20, tzinfo=UTC))


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which Hà Nội has a point table of its own."""
    monkeypatch.setenv("LANGHOC_RULEBOOK", str(tmp_path))
    return put(tmp_path, f"provinces/{HANOI}/point_tables/2016.yaml", OWN_TABLE)


def _submitted(tc1: str) -> CommuneSubmitted:
    content = points(RUBRIC, TC1=tc1).model_dump(mode="json")
    return CommuneSubmitted.model_validate(
        {"submission_id": "HN-1", "unit_code": "00004", "period": 2022, "rubric": RUBRIC, "content": content}
    )


def test_intake_accepts_what_the_provinces_table_allows(own: Path) -> None:
    full = dict.fromkeys(MAXIMA, "0.5") | {"TC1": "10"}
    content = {"scoring": "points", "points": {id: {"points": value} for id, value in full.items()}}
    data = _submitted("1").model_copy(update={"content": _submitted("1").content.model_validate(content)})
    assert [one.code for one in check_commune(data, ARRIVAL, Known(registry())).problems] == []


def test_intake_refuses_it_without_that_table() -> None:
    problems = check_commune(_submitted("10"), ARRIVAL, Known(registry())).problems
    assert [(one.code, one.field) for one in problems] == [("points_above_maximum", "/content/points/TC1/points")]


def test_scoring_says_by_which_table_and_decision_it_judged(own: Path) -> None:
    content = points(RUBRIC, **{id: str(value) for id, value in MAXIMA.items()})
    result = score_commune(commune(content), [], [], 1)
    assert (result.point_table, result.total) == (f"{RUBRIC}/ha-noi-2016", Decimal(100))
    by_id = {one.id: one.max_points for one in result.criteria}
    assert by_id["TC1"] == 10
    assert any("UBND thành phố Hà Nội" in step.citation for step in result.explanation)


def test_the_provinces_ranking_compares_by_its_own_table_and_the_nations_by_the_national(own: Path) -> None:
    tables = {scope: terms(scope, 2022, None, registry()).rubric for scope in ("province-01", "province-04", "nation")}
    ids = {scope: rule.point_table.id for scope, rule in tables.items() if isinstance(rule, PointsRubric)}
    assert ids == {
        "province-01": f"{RUBRIC}/ha-noi-2016",
        "province-04": f"{RUBRIC}/working-default-1",
        "nation": f"{RUBRIC}/working-default-1",
    }


def test_alerts_follow_the_provinces_own_policy(own: Path) -> None:
    strict = version("alert_policy.yaml", id="alert_policy/ha-noi", effective_from=date(2025, 1, 1))
    strict["commune"] = strict["commune"] | {"levels": [0, 1]}
    put(own, f"provinces/{HANOI}/alert_policy.yaml", {"versions": [strict]})
    told = {
        holder: standing(scored(level=1, holder=holder, province=holder), None, "e", datetime(2026, 2, 1, tzinfo=UTC))
        for holder in (HANOI, "04")
    }
    assert [holder for holder, result in told.items() if result.below] == [HANOI]
