"""One accepted assessment → one result that carries everything that made it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from services.scoring.domain.grades_decided import beside_grade, notes_on_grade
from services.scoring.domain.indicators import judge_with_indicators
from services.scoring.domain.judging import Judgement, chosen, notes_on, step_on, weakest
from services.scoring.domain.models import judge_models
from services.scoring.domain.recognising import beside, notes_beside
from services.scoring.domain.reports import judge_report
from services.scoring.domain.standards import judge_standards
from services.scoring.domain.standards_decided import (
    beside_standards,
    notes_on_decided,
    notes_on_revoked,
    with_decisions,
)
from services.scoring.domain.targets import judge_targets
from shared.contracts.base import Step, content_hash, figures
from shared.contracts.explained import AssessmentExplained, CentreExplained, CommuneExplained, Explained
from shared.contracts.facts import (
    AssessmentAccepted,
    CentreAccepted,
    CommuneAccepted,
    NotCarried,
    RecognisedCounts,
    Recognition,
    Reference,
    TitleCounts,
    Withdrawn,
)
from shared.contracts.submissions import Content, CountedByDecision, PointsContent, TargetsContent
from shared.registry import registry
from shared.rulebook import HANOI, PassFailRubric, PointsRubric, Rubric, cut_off, readings_on, rubric, rubric_for
from shared.rulebook.models import ModelsRubric
from shared.rulebook.reports import ReportRubric
from shared.rulebook.standards import StandardsRubric
from shared.wording import EN, VI

R = TypeVar("R", bound=Explained)
_NOT_JUDGED = ("version", "input_version", "received_at", "imported", "supersedes", "hash", "explanation", "next_step")
"""What depends on the order of arrival, on who handed it in, or on the hash itself; and sentences."""
WITHDRAWN = Judgement([], [], [])
"""What comes of an assessment that was taken back."""


def holder_of(accepted: CommuneAccepted | CentreAccepted | AssessmentAccepted) -> str:
    """Province that held the subject on the cut-off date: the one whose own point tables it is judged by."""
    if accepted.holder is not None:
        return accepted.holder
    assert isinstance(accepted, CentreAccepted)  # of the others it is always told
    day = cut_off(accepted.period)
    if accepted.unit_id is None:
        return registry().holder(accepted.commune_code, day) or accepted.province
    unit = registry().counterpart(accepted.unit_id, day)
    return unit.province_code if unit else accepted.province


def score_commune(
    accepted: CommuneAccepted,
    recognitions: Iterable[Recognition],
    references: Iterable[Reference],
    version: int,
    *,
    standards: Iterable[Recognition] = (),
    not_carried: Iterable[NotCarried] = (),
    withdrawn: Withdrawn | None = None,
    rule: Rubric | None = None,
) -> CommuneExplained:
    """Score one commune for one period by the rubric its assessment was accepted under.

    Args:
        accepted: the accepted assessment; its content fits its rubric (`shared.rulebook.check_content`).
        recognitions: all recognitions of the same unit, also those under its predecessor's id.
        references: frozen results that its rubric may use: those of the same unit under the rubrics of the series
            `universal_education` and `learning_models`, and of the centres in it. Only those used are kept.
        version: version of the result to be made.
        standards: all decisions on the commune's standards of universal education.
        not_carried: decisions on units that were merged or split into this one; they are only told.
        withdrawn: that it was taken back: then there is no judgement.
        rule: to judge by instead of the rubric that it was accepted under (rehearsals).

    Raises:
        KeyError: unknown rubric.
        ValueError: the content is not of the rubric's kind. Intake lets neither pass.
        NoRuleInForce: the rubric's series has no rule on the period's cut-off date.
    """
    rule = rule or _rule(accepted.rubric, accepted.period, accepted.holder)
    decisions, decided, computed = list(recognitions), list(standards), list(references)
    judgement = WITHDRAWN
    if withdrawn is None:
        used = with_decisions(computed, decided, accepted.unit_id, accepted.period)
        judgement = _judge(rule, accepted.content, accepted.period, decisions, used)
        notes = notes_on_decided(judgement.references, computed, accepted.period)
        judgement = replace(judgement, notes=[*judgement.notes, *notes])
    said = notes_beside(rule, decisions, not_carried, accepted.unit_id, accepted.period)
    said += notes_on_revoked(decided, accepted.period)
    return _sealed(
        CommuneExplained(
            **_common(accepted, rule, judgement, version, decisions, said, withdrawn),
            unit_id=accepted.unit_id,
            code=accepted.code,
            name=accepted.name,
            holder=accepted.holder,
            province=accepted.province,
            area_class=accepted.area_class,
            rank_key=judgement.rank_key,
        )
    )


def score_centre(
    accepted: CentreAccepted,
    version: int,
    recognitions: Sequence[Recognition] = (),
    *,
    withdrawn: Withdrawn | None = None,
    rule: Rubric | None = None,
) -> CentreExplained:
    """Score one community learning centre for one period. Takes `withdrawn` and `rule`, raises as `score_commune`.

    Args:
        recognitions: decisions on its grade of this period; one is shown beside the result and changes no figure of it.
    """
    rule = rule or _rule(accepted.rubric, accepted.period, holder_of(accepted))
    judgement = WITHDRAWN if withdrawn else _judge(rule, accepted.content, accepted.period, [], [])
    said = notes_on_grade(recognitions, accepted.period, rule)
    common = _common(accepted, rule, judgement, version, [], said, withdrawn)
    return _sealed(
        CentreExplained(
            **common | {"recognition": beside_grade(recognitions, accepted.period)},
            centre_id=accepted.centre_id,
            name=accepted.name,
            commune_code=accepted.commune_code,
            unit_id=accepted.unit_id,
            province=accepted.province,
        )
    )


def score_assessment(
    accepted: AssessmentAccepted,
    recognitions: Iterable[Recognition],
    references: Iterable[Reference],
    version: int,
    counts: RecognisedCounts | None = None,
    *,
    not_carried: Iterable[NotCarried] = (),
    withdrawn: Withdrawn | None = None,
    titles: TitleCounts | None = None,
    rule: Rubric | None = None,
) -> AssessmentExplained:
    """Score one subject of any other series for one period. Takes the rest, and raises, as `score_commune`.

    Args:
        recognitions: all recognitions of the same subject; level 2 needs an earlier one.
        references: frozen results that its rubric may use. Only those used are kept.
        version: version of the result to be made.
        counts: for a district its communes, for a province its districts (since 2025-07-01, for information, its
            communes), as recognised on the cut-off date; `None` = not known.
        titles: of learning models what single decisions come to; `None` = there were never any.
    """
    rule = rule or _rule(accepted.rubric, accepted.period, accepted.holder)
    decisions = list(recognitions)
    judgement = WITHDRAWN
    if withdrawn is None:
        used = list(references)
        judgement = _judge(
            rule,
            accepted.content,
            accepted.period,
            decisions,
            used,
            counts,
            accepted.holder,
            titles,
            accepted.by_decision,
        )
    said = notes_beside(rule, decisions, not_carried, accepted.subject_id, accepted.period)
    said += notes_on_revoked(decisions, accepted.period)
    return _sealed(
        AssessmentExplained(
            **_common(accepted, rule, judgement, version, decisions, said, withdrawn),
            series=accepted.series,
            subject_id=accepted.subject_id,
            name=accepted.name,
            holder=accepted.holder,
            province=accepted.province,
            standards=dict(judgement.standards),
            shares=dict(judgement.shares),
            finding=judgement.finding,
            recognised_standards=dict(beside_standards(decisions, accepted.period)),
        )
    )


def _rule(rubric_id: str, period: int, province: str) -> Rubric:
    """The rubric of that id, with the province's own point table where it has one for the period."""
    own = rubric(rubric_id)
    applied = rubric_for(own.series, period, province)
    return applied if applied.id == own.id else own


def _judge(
    rule: Rubric,
    content: Content,
    period: int,
    recognitions: Sequence[Recognition],
    references: Sequence[Reference],
    counts: RecognisedCounts | None = None,
    province: str | None = None,
    titles: TitleCounts | None = None,
    by_decision: Mapping[str, CountedByDecision] | None = None,
) -> Judgement:
    match rule, content:
        case PointsRubric() as points, PointsContent():
            return judge_with_indicators(points, content, period, references)
        case PassFailRubric() as pass_fail, TargetsContent():
            return judge_targets(pass_fail, content, period, recognitions, references, counts)
        case StandardsRubric() as standards, TargetsContent():
            return judge_standards(standards, content, period)
        case ModelsRubric() as models, TargetsContent():
            return judge_models(models, content, period, province, titles, by_decision or {})
        case ReportRubric() as report, TargetsContent():
            return judge_report(report, content, period, province, references)
        case _:
            raise ValueError(f"content of kind {content.scoring} does not fit the rubric {rule.id}")


def _common(
    accepted: CommuneAccepted | CentreAccepted | AssessmentAccepted,
    rule: Rubric,
    judgement: Judgement,
    version: int,
    recognitions: Sequence[Recognition],
    said: Sequence[Step],
    withdrawn: Withdrawn | None,
) -> dict[str, Any]:
    last = withdrawn or accepted
    steps = (
        [_withdrawn(withdrawn, accepted.period)] if withdrawn else [*chosen(rule, accepted.period), *judgement.steps]
    )
    used = [each.provenance for each in steps] + [one.provenance for one in judgement.criteria]
    stands = beside(rule, recognitions, accepted.period)
    return {
        "version": version,
        "input_version": last.version,
        "period": accepted.period,
        "rubric": rule.id,
        "point_table": judgement.point_table,
        "state": "unassessed" if withdrawn else "incomplete" if judgement.missing else "scored",
        "total": judgement.total,
        "grade": judgement.grade,
        "level": judgement.level,
        "criteria": judgement.criteria,
        "missing": judgement.missing,
        "next_step": judgement.next_step,
        "explanation": [*steps, *judgement.notes, *said, *([] if withdrawn else notes_on(rule, accepted.period))],
        "references": _once(judgement.references),
        "recognition": stands.shown if stands else None,
        "provenance": weakest(used),
        "received_at": last.received_at,
        "imported": last.imported,
    }


def _withdrawn(withdrawn: Withdrawn, period: int) -> Step:
    """That nothing is judged any more, and why."""
    day, version, why = withdrawn.received_at.astimezone(HANOI).date(), withdrawn.withdraws, withdrawn.reason
    return step_on(
        readings_on(cut_off(period)).withdrawn,
        f"Hồ sơ (phiên bản {version}) đã được nơi gửi rút ngày {VI.day(day)}: {why}. Chưa được đánh giá cho kỳ này; "
        "phiên bản trước đó không có hiệu lực trở lại, có thể nộp hồ sơ mới.",
        f"The submission (version {version}) was withdrawn by its sender on {EN.day(day)}: {why}. The subject is "
        "unassessed in this period; no earlier version revives, and a new file may be sent.",
    )


def _once(references: Sequence[Reference]) -> list[Reference]:
    """Every frozen result once, in an order of its own, though several values rest on it."""
    found = {(one.series, one.subject, one.version): one for one in references}
    return [found[key] for key in sorted(found)]


def _sealed(result: R) -> R:
    """The result with the hash over all that was judged: same input, same hash, whenever and in whatever words."""
    return result.model_copy(update={"hash": _figures_of(result.model_dump(mode="json", exclude=set(_NOT_JUDGED)))})


def _figures_of(result: Mapping[str, Any]) -> str:
    """The hash of a result with its words, as JSON: over its figures, without versions, times and receipts."""
    judged = {name: value for name, value in result.items() if name not in _NOT_JUDGED}
    if "centre_id" in judged:
        judged.pop("unit_id", None)  # where it lies decides nothing; an earlier release did not tell it
    judged["references"] = [
        {name: value for name, value in each.items() if name != "version"} for each in result.get("references", ())
    ]
    if judged.get("recognition"):
        judged["recognition"] = _decided(judged["recognition"])
    if judged.get("recognised_standards"):
        judged["recognised_standards"] = {name: _decided(one) for name, one in judged["recognised_standards"].items()}
    return content_hash(figures(judged))


def _decided(decision: Mapping[str, Any]) -> dict[str, Any]:
    """A decision, whoever handed it in."""
    return {name: value for name, value in decision.items() if name != "imported"}
