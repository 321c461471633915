"""Alerts about results: below the threshold of the alert policy, or another outcome than was told before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from services.notifications.domain.wording import AlertOf, by_when, joined, numbered
from shared.contracts.base import Text
from shared.contracts.catalogue import EventType
from shared.contracts.facts import Alert, Cause, CentreScored, CommuneScored, Superseded
from shared.rulebook import AlertPolicy, PassFailRubric, PointsRubric, alert_policy, cut_off, deadline, rubric
from shared.wording import EN, VI


def result_alert(result: CommuneScored | CentreScored, cause: str, raised_at: datetime) -> Alert | None:
    """The alert to the province, or `None` where the result is not below the threshold or is incomplete.

    Its key holds the outcome (grade or level): a corrected result with the same outcome is the same matter.

    Raises:
        NoRuleInForce: no alert policy covers the period's cut-off date.
        LookupError: the rulebook does not know the rubric.
    """
    holder = result.holder if isinstance(result, CommuneScored) else result.province
    if not _is_below(result, alert_policy(cut_off(result.period), holder)):
        return None
    kind, unit, label = _unit(result)
    outcome = f"grade-{result.grade}" if result.grade is not None else f"level-{result.level}"
    due = deadline(rubric(result.rubric), result.period)
    said = _outcome(result, result)
    return Alert(
        alert_id=f"result_below_threshold/{kind}/{unit}/{result.period}/{outcome}",
        kind="result_below_threshold",
        severity="warning",
        province=result.province,
        audience=result.province,
        subject=unit,
        period=result.period,
        text=Text(
            vi=f"Kết quả kỳ {result.period} của {label.vi}: {said.vi}, thuộc diện phải cảnh báo.",
            en=f"Result of {label.en} for period {result.period}: {said.en}, which calls for an alert.",
        ),
        action=joined(
            numbered(result.next_step),
            Text(
                vi=f"Nếu số liệu hoặc minh chứng chưa đúng, gửi hồ sơ đính chính cho phiên bản {result.input_version}.",
                en=f"Where figures or evidence are wrong, send a correction of version {result.input_version}.",
            ),
            by_when(due, raised_at),
        ),
        due=due,
        cause=cause,
        raised_at=raised_at,
    )


_CAUSES: Mapping[Cause, Text] = {
    "correction": Text(vi="hồ sơ được đính chính", en="the submission was corrected"),
    "recognition": Text(vi="có quyết định công nhận mới", en="an authority's decision came in"),
    "reference": Text(vi="kết quả khác mà nó dựa vào thay đổi", en="another result that it uses changed"),
    "recompute": Text(vi="Bộ yêu cầu chấm lại", en="the ministry had it judged again"),
    "register": Text(vi="danh mục đơn vị hành chính được đính chính", en="the register of units was corrected"),
}


def result_changed_alert(result: CommuneScored | CentreScored, cause: str, raised_at: datetime) -> Alert | None:
    """The alert to the province that a result it knows was replaced, or `None` where the outcome is what it was.

    Raises:
        LookupError: the rulebook does not know the rubric.
    """
    before = result.supersedes
    if before is None or _same_outcome(result, before):
        return None
    kind, unit, label = _unit(result)
    why, old, new = _CAUSES[before.cause], _outcome(result, before), _outcome(result, result)
    return Alert(
        alert_id=f"result_changed/{kind}/{unit}/{result.period}/{result.version}",
        kind="result_changed",
        severity="info",
        province=result.province,
        audience=result.province,
        subject=unit,
        period=result.period,
        text=Text(
            vi=f"Kết quả kỳ {result.period} của {label.vi} thay đổi vì {why.vi}: trước đây {old.vi}, nay {new.vi}.",
            en=f"The result of {label.en} for period {result.period} changed because {why.en}: before, {old.en}; now, "
            f"{new.en}.",
        ),
        action=Text(
            vi=f"Xem lý do bằng `langhoc explain {unit} --period {result.period}`. Xếp hạng và mức hỗ trợ được tính "
            "lại; nếu chưa đúng, gửi hồ sơ đính chính.",
            en=f"See why with `langhoc explain {unit} --period {result.period}`. Rankings and support are computed "
            "again; where it is wrong, send a correction.",
        ),
        due=None,
        cause=cause,
        raised_at=raised_at,
    )


def _same_outcome(result: CommuneScored | CentreScored, before: Superseded) -> bool:
    return (result.state, result.total, result.grade, result.level) == (
        before.state,
        before.total,
        before.grade,
        before.level,
    )


def _is_below(result: CommuneScored | CentreScored, policy: AlertPolicy) -> bool:
    if result.state != "scored":
        return False
    if isinstance(result, CentreScored):
        return result.grade in policy.centre.grades
    return result.grade in policy.commune.grades or result.level in policy.commune.levels


def _unit(result: CommuneScored | CentreScored) -> tuple[str, str, Text]:
    """Kind and id, which together are unique, and what to call it."""
    if isinstance(result, CentreScored):
        label = Text(
            vi=f"trung tâm {result.name} ({result.centre_id})", en=f"centre {result.name} ({result.centre_id})"
        )
        return "centre", result.centre_id, label
    label = Text(vi=f"{result.name} (mã {result.code})", en=f"{result.name} (code {result.code})")
    return "commune", result.unit_id, label


def _outcome(result: CommuneScored | CentreScored, of: CommuneScored | CentreScored | Superseded) -> Text:
    """What `result`, or the version before it, comes to under its rubric; a grade or level unknown to it as it is."""
    if of.state == "incomplete":
        return Text(vi="chưa đủ dữ liệu", en="incomplete")
    rules = rubric(result.rubric)
    names: dict[str, Text]
    if isinstance(rules, PointsRubric) and of.grade is not None:
        names = {grade.id: grade.name for grade in rules.grades}
        name = names.get(of.grade, Text(vi=of.grade, en=of.grade))
        points = of.total
        return Text(
            vi=f"xếp loại {name.vi}" + (f" ({VI(points)} điểm)" if points is not None else ""),
            en=f"grade {name.en}" + (f" ({EN(points)} points)" if points is not None else ""),
        )
    if isinstance(rules, PassFailRubric) and of.level:
        names = {level.id: level.name for level in rules.levels}
        name = names.get(f"L{of.level}", Text(vi=f"mức độ {of.level}", en=f"level {of.level}"))
        return Text(vi=f"đạt {name.vi}", en=f"reaches {name.en}")
    return Text(vi="chưa đạt mức độ nào", en="reaches no level")


CALLS: Mapping[str, tuple[AlertOf, ...]] = dict.fromkeys(
    (EventType.COMMUNE_SCORED, EventType.CENTRE_SCORED), (result_alert, result_changed_alert)
)
