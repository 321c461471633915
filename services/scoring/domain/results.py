"""One accepted assessment → one result that carries everything that made it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from services.scoring.domain.judging import Judgement, Recognition, weakest
from services.scoring.domain.points import judge_points
from services.scoring.domain.targets import judge_targets
from shared.contracts.facts import CentreAccepted, CentreScored, CommuneAccepted, CommuneScored
from shared.contracts.submissions import Content, PointsContent, TargetsContent
from shared.rulebook import PassFailRubric, PointsRubric, rubric


def score_commune(accepted: CommuneAccepted, recognitions: Iterable[Recognition], version: int) -> CommuneScored:
    """Score one commune for one period by the rubric its assessment was accepted under.

    Args:
        accepted: the accepted assessment; its content fits its rubric (`shared.rulebook.check_content`).
        recognitions: all recognitions of the same unit, also those under its predecessor's id.
        version: version of the result to be made.

    Raises:
        KeyError: unknown rubric.
        ValueError: the content is not of the rubric's kind. Intake lets neither pass.
    """
    judgement = _judge(accepted.rubric, accepted.content, accepted.period, list(recognitions))
    return CommuneScored(
        **_common(accepted, judgement, version),
        unit_id=accepted.unit_id,
        code=accepted.code,
        name=accepted.name,
        holder=accepted.holder,
        province=accepted.province,
        rank_key=judgement.rank_key,
    )


def score_centre(accepted: CentreAccepted, version: int) -> CentreScored:
    """Score one community learning centre for one period. Raises as `score_commune`."""
    return CentreScored(
        **_common(accepted, _judge(accepted.rubric, accepted.content, accepted.period, []), version),
        centre_id=accepted.centre_id,
        name=accepted.name,
        commune_code=accepted.commune_code,
        province=accepted.province,
    )


def _judge(rubric_id: str, content: Content, period: int, recognitions: list[Recognition]) -> Judgement:
    match rubric(rubric_id), content:
        case PointsRubric() as points, PointsContent():
            return judge_points(points, content, period)
        case PassFailRubric() as pass_fail, TargetsContent():
            return judge_targets(pass_fail, content, period, recognitions)
        case _:
            raise ValueError(f"content of kind {content.scoring} does not fit the rubric {rubric_id}")


def _common(accepted: CommuneAccepted | CentreAccepted, judgement: Judgement, version: int) -> dict[str, Any]:
    used = [step.provenance for step in judgement.steps] + [one.provenance for one in judgement.criteria]
    return {
        "version": version,
        "input_version": accepted.version,
        "period": accepted.period,
        "rubric": accepted.rubric,
        "point_table": judgement.point_table,
        "state": "incomplete" if judgement.missing else "scored",
        "total": judgement.total,
        "grade": judgement.grade,
        "level": judgement.level,
        "criteria": judgement.criteria,
        "missing": judgement.missing,
        "next_step": judgement.next_step,
        "explanation": judgement.steps + judgement.notes,
        "provenance": weakest(used),
        "received_at": accepted.received_at,
    }
