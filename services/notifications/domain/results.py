"""Alerts about results: below the threshold of the alert policy, or no longer what its province knew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from services.notifications.domain.lacking import lacking
from services.notifications.domain.wording import by_when, closing_of, joined, numbered
from shared.contracts.base import Contract, Instant, Points, Text, Version
from shared.contracts.facts import Alert, AssessmentScored, Cause, CentreScored, CommuneScored, ResultState
from shared.rulebook import (
    HANOI,
    AlertPolicy,
    PassFailRubric,
    PointsRubric,
    alert_policy,
    cut_off,
    deadline,
    rubric,
)
from shared.wording import EN, VI

AnyScored = CommuneScored | CentreScored | AssessmentScored


class Judged(Contract):
    """What one version of a result came to."""

    version: Version
    at: Instant
    """When it was published."""
    state: ResultState
    total: Points | None
    grade: str | None
    level: int | None
    revoked: str | None = None
    """Number of the decision that revoked the recognition beside it."""

    @property
    def outcome(self) -> tuple[object, ...]:
        """What a person takes it for."""
        return self.state, self.total, self.grade, self.level, self.revoked


class Because(Contract):
    """The newest version that a cause led to, and what its sender said of it."""

    version: Version
    reason: str | None = None


class Standing(Contract):
    """A result as it stands, beside what its province knew of it: a function of the versions seen, in whatever order.

    A result is *known* when the time for its file is over, or, where its first version came later, at the end of that
    day in Viet Nam. Until then it is still forming, and nobody is told that it changed.
    """

    kind: str
    unit: str
    label: Text
    province: str
    period: int
    rubric: str
    input_version: Version
    newest: Judged
    known: Judged
    """The newest version from before it was known."""
    first_at: Instant
    causes: Mapping[Cause, Because] = {}
    below: bool
    """Whether the alert policy calls for an alert."""
    next_step: list[Text] = []
    """What it lacks, where that is told."""
    event_id: str
    traceparent: str | None = None

    @property
    def changed(self) -> bool:
        """Whether it is another outcome than the known one."""
        return self.newest.outcome != self.known.outcome


def standing(
    result: AnyScored, before: Standing | None, event_id: str, at: datetime, traceparent: str | None = None
) -> Standing:
    """What is known of a result after one more version of it.

    Raises:
        NoRuleInForce: no alert policy covers the period's cut-off date.
        LookupError: the rulebook does not know the rubric.
    """
    kind, unit, label = _unit(result)
    revocation = result.recognition.revocation if result.recognition else None
    judged = Judged(
        version=result.version,
        at=at,
        state=result.state,
        total=result.total,
        grade=result.grade,
        level=result.level,
        revoked=revocation.decision_number if revocation else None,
    )
    first_at = min(at, before.first_at) if before else at
    until = max(deadline(rubric(result.rubric), result.period), _end_of_day(first_at))
    versions = [judged, before.known] if before else [judged]
    known = max((each for each in versions if each.at < until), key=lambda each: each.version, default=judged)
    causes = dict(before.causes) if before else {}
    if result.supersedes:
        cause, now = result.supersedes.cause, Because(version=result.version, reason=result.supersedes.reason)
        causes[cause] = max(now, causes.get(cause, now), key=lambda because: because.version)
    if before and before.newest.version >= result.version:
        return before.model_copy(update={"known": known, "first_at": first_at, "causes": causes})
    below = _is_below(result)
    return Standing(
        kind=kind,
        unit=unit,
        label=label,
        province=result.province,
        period=result.period,
        rubric=result.rubric,
        input_version=result.input_version,
        newest=judged,
        known=known,
        first_at=first_at,
        causes=causes,
        below=below,
        next_step=lacking(result) if below else [],
        event_id=event_id,
        traceparent=traceparent,
    )


def result_alerts(of: Standing) -> Iterator[Alert]:
    """What a result as it stands calls for. Raises `LookupError` where the rulebook does not know the rubric."""
    if of.below:
        yield _below_alert(of)
    if of.changed:
        yield _changed_alert(of)


def _end_of_day(instant: datetime) -> datetime:
    return datetime.combine(instant.astimezone(HANOI).date(), datetime.min.time(), HANOI) + timedelta(days=1)


def _below_alert(of: Standing) -> Alert:
    """Its key holds the outcome: a corrected result with another grade or level is another matter."""
    outcome = f"grade-{of.newest.grade}" if of.newest.grade is not None else f"level-{of.newest.level}"
    due = deadline(rubric(of.rubric), of.period)
    said = _outcome(of.rubric, of.newest)
    return Alert(
        alert_id=f"result_below_threshold/{of.kind}/{of.unit}/{of.period}/{outcome}",
        kind="result_below_threshold",
        severity="warning",
        province=of.province,
        audience=of.province,
        subject=of.unit,
        period=of.period,
        text=Text(
            vi=f"Kết quả kỳ {of.period} của {of.label.vi}: {said.vi}, thuộc diện phải cảnh báo.",
            en=f"Result of {of.label.en} for period {of.period}: {said.en}, which calls for an alert.",
        ),
        action=joined(
            numbered(of.next_step),
            Text(
                vi=f"Nếu số liệu hoặc minh chứng chưa đúng, gửi hồ sơ đính chính cho phiên bản {of.input_version}.",
                en=f"Where figures or evidence are wrong, send a correction of version {of.input_version}.",
            ),
            by_when(due, of.newest.at, closing_of(of.kind, of.period)),
        ),
        due=due,
        cause=of.event_id,
        raised_at=of.newest.at,
    )


_CAUSES: Mapping[Cause, Text] = {
    "correction": Text(vi="hồ sơ được đính chính", en="the submission was corrected"),
    "withdrawal": Text(vi="hồ sơ đã được rút", en="the submission was withdrawn"),
    "recognition": Text(vi="có quyết định công nhận hoặc thu hồi", en="an authority's decision came in or was revoked"),
    "reference": Text(vi="kết quả khác mà nó dựa vào thay đổi", en="another result that it uses changed"),
    "recompute": Text(vi="Bộ yêu cầu chấm lại", en="the ministry had it judged again"),
    "register": Text(vi="danh mục đơn vị hành chính được đính chính", en="the register of units was corrected"),
}


def _changed_alert(of: Standing) -> Alert:
    """Names every cause since the known version: which came first is nobody's matter."""
    causes = [(text, of.causes[cause]) for cause, text in _CAUSES.items() if cause in of.causes]
    whys = [_with_reason(text, because) for text, because in causes if because.version > of.known.version]
    why = Text(vi=" và ".join(text.vi for text in whys), en=" and ".join(text.en for text in whys))
    old, new = _outcome(of.rubric, of.known), _outcome(of.rubric, of.newest)
    unassessed = of.newest.state == "unassessed"
    to_do = Text(vi="nếu chưa đúng, gửi hồ sơ đính chính", en="where it is wrong, send a correction")
    if unassessed:
        to_do = Text(vi="nếu vẫn đánh giá, gửi hồ sơ mới", en="where it is still to be assessed, send a new file")
    return Alert(
        alert_id=f"result_changed/{of.kind}/{of.unit}/{of.period}",
        kind="result_changed",
        severity="warning" if unassessed or of.newest.revoked else "info",
        province=of.province,
        audience=of.province,
        subject=of.unit,
        period=of.period,
        text=Text(
            vi=f"Kết quả kỳ {of.period} của {of.label.vi} thay đổi vì {why.vi}: trước đây {old.vi}, nay {new.vi}.",
            en=f"The result of {of.label.en} for period {of.period} changed because {why.en}: before, {old.en}; now, "
            f"{new.en}.",
        ),
        action=Text(
            vi=f"Xem lý do bằng `langhoc explain {of.unit} --period {of.period}`. Xếp hạng và mức hỗ trợ được tính "
            f"lại; {to_do.vi}.",
            en=f"See why with `langhoc explain {of.unit} --period {of.period}`. Rankings and support are computed "
            f"again; {to_do.en}.",
        ),
        due=None,
        cause=of.event_id,
        raised_at=of.newest.at,
    )


def _with_reason(text: Text, because: Because) -> Text:
    said = f" ({because.reason})" if because.reason else ""
    return Text(vi=f"{text.vi}{said}", en=f"{text.en}{said}")


def _is_below(result: AnyScored) -> bool:
    if result.state != "scored" or isinstance(result, AssessmentScored):
        return False
    holder = result.holder if isinstance(result, CommuneScored) else result.province
    policy: AlertPolicy = alert_policy(cut_off(result.period), holder)
    if isinstance(result, CentreScored):
        return result.grade in policy.centre.grades
    return result.grade in policy.commune.grades or result.level in policy.commune.levels


def _unit(result: AnyScored) -> tuple[str, str, Text]:
    """Kind and id, which together are unique, and what to call it."""
    if isinstance(result, CentreScored):
        named = f"{result.name} ({result.centre_id})"
        says_so = result.name.casefold().startswith(("trung tâm", "tt"))
        label = Text(vi=named, en=named) if says_so else Text(vi=f"trung tâm {named}", en=f"centre {named}")
        return "centre", result.centre_id, label
    if isinstance(result, AssessmentScored):
        label = Text(vi=f"{result.name} ({result.subject_id})", en=f"{result.name} ({result.subject_id})")
        return "assessment", f"{result.series}/{result.subject_id}", label
    label = Text(vi=f"{result.name} (mã {result.code})", en=f"{result.name} (code {result.code})")
    return "commune", result.unit_id, label


def _outcome(rubric_id: str, of: Judged) -> Text:
    """What a version comes to under the rubric, and whether the decision beside it was revoked."""
    computed = _computed(rubric_id, of)
    if of.revoked is None:
        return computed
    return Text(
        vi=f"{computed.vi}, quyết định công nhận đã bị thu hồi ({of.revoked})",
        en=f"{computed.en}, its recognition revoked ({of.revoked})",
    )


def _computed(rubric_id: str, of: Judged) -> Text:
    """In words; a grade or level unknown to the rubric as it is."""
    if of.state == "unassessed":
        return Text(vi="chưa được đánh giá", en="unassessed")
    if of.state == "incomplete":
        return Text(vi="chưa đủ dữ liệu", en="incomplete")
    rules = rubric(rubric_id)
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
    return Text(vi="chưa đạt", en="no level reached")
