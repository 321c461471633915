"""Does the content of a submission fit its rubric? Pure; finds all problems at once, so that a sender mends once.

What is missing is no problem here: it makes the result `incomplete`, never a low score. Only the kind of the subject
must be named where targets differ by it, since without it nobody knows which of them are missing.
"""

from __future__ import annotations

from collections.abc import Iterator

from shared.contracts.base import Problem, Text
from shared.contracts.submissions import AwardedPoints, Content, PointsContent, TargetsContent
from shared.refusals import problem
from shared.rulebook.content_targets import doubts, share_problems, target_problems, unknown, wrong_type
from shared.rulebook.indicators import ShareAtLeast
from shared.rulebook.points import PointsRubric
from shared.rulebook.rubrics import Rubric


def check_content(rubric: Rubric, content: Content) -> tuple[list[Problem], list[Problem]]:
    """Check a submission's content against its rubric.

    Returns:
        (problems, warnings): with a problem the submission cannot be accepted, a warning only informs. `field` is a
        JSON pointer into the submission (`/content/points/TC3/points`). Codes are stable:
        of points: `wrong_rubric_kind`, `unknown_criterion`, `points_above_maximum`, `points_not_half`,
        `unknown_indicator`;
        of targets: `unknown_target`, `computed_target`, `wrong_target_type`, `unknown_part`, `level_above_scale`,
        `numerator_above_denominator`, `numerator_of_nobody`, `part_above_whole`, `merger_of_less_than_two`,
        `not_whole`, `university_above_trained`,
        `unknown_trait`, `trait_missing`, `traits_contradict`;
        warnings: `difficult_area_without_basis`, `specially_difficult_without_basis`, `target_does_not_hold`,
        `not_used`.
    """
    match rubric, content:
        case PointsRubric(), PointsContent():
            return [*_points(rubric, content), *_indicators(rubric, content)], []
        case PointsRubric(), _:
            return [_wrong_kind(rubric)], []
        case _, TargetsContent():
            return list(target_problems(rubric, content)), list(doubts(rubric, content))
        case _:
            return [_wrong_kind(rubric)], []


def _wrong_kind(rubric: Rubric) -> Problem:
    needed = Text(vi="giá trị theo chỉ tiêu (`pass_fail`)", en="values per target (`pass_fail`)")
    if isinstance(rubric, PointsRubric):
        needed = Text(vi="điểm theo tiêu chí (`points`)", en="points per criterion (`points`)")
    return problem("content.wrong_rubric_kind", "/content/scoring", rule=rubric.legal_reference, scoring=needed)


# --------------------------------------------------------------------------------------------------- points


def _points(rubric: PointsRubric, content: PointsContent) -> Iterator[Problem]:
    known = [criterion.id for criterion in rubric.criteria]
    for id, awarded in content.points.items():
        if id not in known:
            yield unknown("criterion", f"/content/points/{id}", id, rubric, known)
        else:
            yield from _awarded(rubric, id, awarded)


def _awarded(rubric: PointsRubric, id: str, awarded: AwardedPoints) -> Iterator[Problem]:
    field = f"/content/points/{id}/points"
    points, maximum, table = awarded.points, rubric.maximum(id), rubric.point_table
    if points > maximum:
        yield problem("content.points_above_maximum", field, id=id, points=points, maximum=maximum, table=table.id)
    if points % table.step:
        yield problem("content.points_not_half", field, id=id, points=points, step=table.step)


def _indicators(rubric: PointsRubric, content: PointsContent) -> Iterator[Problem]:
    """Values are sent only of those indicators that are a share; the others are known or judged by people."""
    known = {
        indicator.id: indicator
        for criterion in rubric.criteria
        for indicator in criterion.indicators
        if isinstance(indicator.rule, ShareAtLeast)
    }
    for id, value in content.indicators.items():
        field, indicator = f"/content/indicators/{id}", known.get(id)
        if indicator is None:
            yield unknown("indicator", field, id, rubric, known)
        elif value.type != "share":
            yield wrong_type(field, id, indicator.name, "share", value)
        else:
            yield from share_problems(f"{field}/share", id, value.share)
