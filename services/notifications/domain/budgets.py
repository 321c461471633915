"""Alerts about money: support that changes more than the policy says, and envelopes below the legal minima."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from services.notifications.domain.wording import by_when, joined, province_name
from shared.contracts.base import Text, content_hash
from shared.contracts.facts import Alert, Allocation, BudgetProposed, BudgetRunProposed
from shared.rulebook import PointsRubric, alert_policy, deadline, funding_norms, rubric_for, rubrics
from shared.wording import EN, VI

MINISTRY = "ministry"
BELOW_LEGAL_MINIMUM = "below_legal_minimum"


# ------------------------------------------------------------------------------------- below the legal minima


def below_minimum_alerts(run: BudgetRunProposed, cause: str, raised_at: datetime) -> tuple[Alert, ...]:
    """To province and ministry where the envelope cannot pay the minima of Circular 96/2008/TT-BTC; else none."""
    if BELOW_LEGAL_MINIMUM not in run.flags:
        return ()
    norms = funding_norms(date(run.year, 1, 1))
    name = province_name(run.province, raised_at.date())
    text = Text(
        vi=f"Kinh phí năm {run.year} của {name} là {VI.money(run.envelope)}, không đủ chi "
        f"mức hỗ trợ tối thiểu theo {norms.citation} cho {VI(run.centres)} trung tâm học tập cộng đồng; mức "
        "tối thiểu đang được chia theo cùng tỷ lệ, thấp hơn quy định.",
        en=f"The {run.year} envelope of {name} is {EN.money(run.envelope)} and cannot pay the legal minimum "
        f"of support ({norms.citation}) of its {EN(run.centres)} community learning centres; the minima are "
        "shared pro rata, below what the law asks.",
    )
    of_the_province = Text(
        vi="Bổ sung kinh phí và gửi thông báo kinh phí mới trước khi phê duyệt dự toán; đề nghị được tính lại ngay.",
        en="Raise the envelope and send it before the budget is approved; the proposal is recomputed at once.",
    )
    of_the_ministry = Text(
        vi=f"Làm việc với {name} để bảo đảm mức hỗ trợ tối thiểu trước khi phê duyệt dự toán.",
        en=f"Settle with {name} how the legal minimum is paid before the budget is approved.",
    )
    return tuple(
        Alert(
            alert_id=f"{BELOW_LEGAL_MINIMUM}/{run.province}/{run.year}/{audience}",
            kind="below_legal_minimum",
            severity="urgent",
            province=run.province,
            audience=audience,
            subject=run.province,
            period=run.year,
            text=text,
            action=joined(action, by_when(None, raised_at)),
            due=None,
            cause=cause,
            raised_at=raised_at,
        )
        for audience, action in ((run.province, of_the_province), (MINISTRY, of_the_ministry))
    )


# ------------------------------------------------------------------------------------------- changed support


def is_complete(run: BudgetRunProposed, lines: Iterable[BudgetProposed]) -> bool:
    """Whether the lines are those of the run: their sum and their hash are what the run's head proves.

    The sum alone would not do: it is the same for every version of a run with the same envelope.
    """
    amounts = sorted((line.allocation.centre_id, line.allocation.amount) for line in lines)
    return (
        sum(amount for _, amount in amounts) == run.allocated
        and content_hash([list(pair) for pair in amounts]) == run.hash
    )


@dataclass(frozen=True, slots=True)
class Told:
    """What a province was last told about a centre's support in one budget year."""

    amount: int
    times: int


def support_changed_alert(line: BudgetProposed, told: Told | None, cause: str, raised_at: datetime) -> Alert | None:
    """The alert to the province, or `None` where it knows enough.

    It is told when the amount differs by more than the policy's share (exactly) from what it believes: from what it
    was last told, or from last year's support where nothing was told yet. So each change is said once, and a change
    taken back is said too. `None` also for a new centre.
    """
    allocation, last = line.allocation, line.allocation.last_year
    rule = alert_policy(date(line.year, 1, 1), line.province).support_change
    believed = told.amount if told else last
    if last is None or believed is None or abs(allocation.amount - believed) <= rule.more_than * believed:
        return None
    times = told.times if told else 0
    return Alert(
        alert_id=f"support_changed/{allocation.centre_id}/{line.year}/{times + 1}",
        kind="support_changed",
        severity="warning" if allocation.amount < last else "info",
        province=line.province,
        audience=line.province,
        subject=allocation.centre_id,
        period=line.year,
        text=joined(_change(line, last), _replaces(told), _because(line.year - 1, allocation)),
        action=joined(_to_do(line.year - 1, allocation), by_when(None, raised_at)),
        due=None,
        cause=cause,
        raised_at=raised_at,
    )


def assessment_deadline(line: BudgetProposed) -> datetime:
    """Until when the assessment that decides about this budget year can be sent in time."""
    period = line.year - 1
    return deadline(rubric_for("centre", period), period)


def _replaces(told: Told | None) -> Text | None:
    if told is None:
        return None
    return Text(
        vi=f"Thông tin này thay cho lần trước ({VI.money(told.amount)}).",
        en=f"This replaces what was said before ({EN.money(told.amount)}).",
    )


def _change(line: BudgetProposed, last: int) -> Text:
    amount, name, year = line.allocation.amount, line.allocation.name, line.year
    change = abs(amount - last)
    if change == 0:
        return Text(
            vi=f"Mức hỗ trợ đề nghị năm {year} cho trung tâm {name}: {VI.money(amount)}, bằng năm {year - 1}.",
            en=f"Support proposed in {year} for centre {name}: {EN.money(amount)}, as in {year - 1}.",
        )
    share = Fraction(change, last) if last else None
    vi_share, en_share = ("", "") if share is None else (f" ({VI.percent(share)})", f" ({EN.percent(share)})")
    vi_way, en_way = ("tăng", "up") if amount > last else ("giảm", "down")
    return Text(
        vi=f"Mức hỗ trợ đề nghị năm {year} cho trung tâm {name}: {VI.money(amount)}, {vi_way} {VI.money(change)}"
        f"{vi_share} so với {VI.money(last)} của năm {year - 1}.",
        en=f"Support proposed in {year} for centre {name}: {EN.money(amount)}, {en_way} {EN.money(change)}"
        f"{en_share} from {EN.money(last)} in {year - 1}.",
    )


def _because(period: int, allocation: Allocation) -> Text:
    factor = Fraction(allocation.performance_factor)
    assessed: Text
    if allocation.assessment == "not_submitted":
        assessed = Text(
            vi=f"không có hồ sơ đánh giá kỳ {period}", en=f"no assessment was submitted for period {period}"
        )
    elif allocation.assessment == "awaited":
        assessed = Text(
            vi=f"hồ sơ đánh giá kỳ {period} còn trong hạn nộp, tạm tính hệ số hiệu quả {VI(factor)}",
            en=f"the assessment of period {period} may still come in time, performance factor {EN(factor)} meanwhile",
        )
    elif allocation.assessment == "pending":
        assessed = Text(
            vi=f"hồ sơ đánh giá kỳ {period} chưa được chấp nhận hoặc chưa đủ, tạm tính hệ số hiệu quả {VI(factor)}",
            en=f"the assessment of period {period} is not accepted or not complete, performance factor "
            f"{EN(factor)} meanwhile",
        )
    else:
        grade = _grade_name(allocation.grade)
        assessed = Text(
            vi=f"kỳ {period} xếp loại {grade.vi}, hệ số hiệu quả {VI(factor)}",
            en=f"grade {grade.en} in period {period}, performance factor {EN(factor)}",
        )
    decided = _decided(allocation)
    return Text(vi=f"Lý do: {assessed.vi}; {decided.vi}.", en=f"Reason: {assessed.en}; {decided.en}.")


def _decided(allocation: Allocation) -> Text:
    if BELOW_LEGAL_MINIMUM in allocation.flags:
        return Text(vi="kinh phí của tỉnh không đủ chi mức tối thiểu", en="the envelope cannot pay the legal minima")
    if "hold_harmless_relaxed" in allocation.flags:
        return Text(
            vi="kinh phí của tỉnh không đủ bảo đảm mức năm trước",
            en="the envelope cannot protect last year's support in full",
        )
    match allocation.binds:
        case "floor":
            return Text(vi="được hưởng mức tối thiểu", en="the minimum is paid")
        case "lower":
            return Text(vi="áp dụng giới hạn giảm so với năm trước", en="the limit of the yearly fall applies")
        case "upper":
            return Text(vi="áp dụng giới hạn tăng so với năm trước", en="the limit of the yearly rise applies")
        case "none":
            return Text(vi="chia theo hiệu quả hoạt động", en="shared by performance")


def _grade_name(grade_id: str | None) -> Text:
    """The grade's name in the rubrics for centres; the id itself where none of them knows it."""
    for rules in rubrics():
        if rules.series == "centre" and isinstance(rules, PointsRubric):
            for grade in rules.grades:
                if grade.id == grade_id:
                    return grade.name
    return Text(vi=str(grade_id), en=str(grade_id))


def _to_do(period: int, allocation: Allocation) -> Text:
    if allocation.assessment in ("awaited", "not_submitted"):
        return Text(
            vi=f"Gửi hồ sơ đánh giá kỳ {period} của trung tâm trước khi dự toán được phê duyệt; đề nghị được tính lại.",
            en=f"Send the centre's assessment of period {period} before the budget is approved; the "
            "proposal is then recomputed.",
        )
    if allocation.assessment == "pending":
        return Text(
            vi=f"Sửa hồ sơ đánh giá kỳ {period} theo biên nhận và gửi lại trước khi dự toán được phê duyệt; "
            "đề nghị được tính lại.",
            en=f"Mend the assessment of period {period} as its receipt says and send it before the budget "
            "is approved; the proposal is then recomputed.",
        )
    return Text(
        vi="Kiểm tra căn cứ của đề nghị; nếu hồ sơ đánh giá chưa đúng, gửi đính chính trước khi dự toán "
        "được phê duyệt.",
        en="Check the grounds of the proposal; where the assessment is wrong, send a correction before the "
        "budget is approved.",
    )
