"""Alerts about a province's proposal: one digest of it, envelopes below the legal minima, figures that are unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple

from services.notifications.domain.wording import SHOWN, by_when, joined, province_name
from shared.contracts.base import Text, content_hash
from shared.contracts.facts import (
    Alert,
    Allocation,
    BudgetMoved,
    BudgetProposed,
    BudgetRunProposed,
    SupportChange,
)
from shared.rulebook import alert_policy, closing, deadline, funding_norms, rubric_for
from shared.wording import EN, VI

MINISTRY = "ministry"
BELOW_LEGAL_MINIMUM = "below_legal_minimum"
MOST = 200
"""How many centres a digest lists; its words name the first few, its counts are of all."""
RETURNING = frozenset({"return", "propose"})
"""Actions after which those who prepared a budget must look at it again."""


# ------------------------------------------------------------------------------------- below the legal minima


def below_minimum_alerts(
    run: BudgetRunProposed, cause: str, raised_at: datetime, *, is_decided: bool = False
) -> tuple[Alert, ...]:
    """To province and ministry where the envelope cannot pay the minima of Circular 96/2008/TT-BTC; else none.

    It stands when the budget was decided so, too: then there is something else to do.
    """
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
    if is_decided:
        of_the_province = Text(
            vi="Dự toán đã được phê duyệt như vậy. Bổ sung kinh phí và gửi thông báo kinh phí mới; phần còn thiếu được "
            "xử lý bằng điều chỉnh.",
            en="The budget was approved so. Raise the envelope and send it; what is missing is handled as adjustments.",
        )
        of_the_ministry = Text(
            vi=f"Dự toán đã được phê duyệt như vậy. Làm việc với {name} để bảo đảm mức hỗ trợ tối thiểu.",
            en=f"The budget was approved so. Settle with {name} how the legal minimum is paid.",
        )
    actions = {run.province: of_the_province, MINISTRY: of_the_ministry}
    return _to_each(run, "below_legal_minimum", "urgent", text, actions, cause, raised_at)


def _to_each(
    run: BudgetRunProposed,
    kind: Literal["below_legal_minimum", "last_year_unknown"],
    severity: Literal["warning", "urgent"],
    text: Text,
    actions: Mapping[str, Text],
    cause: str,
    raised_at: datetime,
) -> tuple[Alert, ...]:
    """One matter of a province's proposal, told to each audience with what it can do."""
    return tuple(
        Alert(
            alert_id=f"{kind}/{run.province}/{run.year}/{audience}",
            kind=kind,
            severity=severity,
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
        for audience, action in actions.items()
    )


# ------------------------------------------------------------------------------------------------ the digest


def is_complete(run: BudgetRunProposed, lines: Iterable[BudgetProposed]) -> bool:
    """Whether the lines are those of the run: their sum and their hash are what the run's head proves.

    The sum alone would not do: it is the same for every version of a run with the same envelope.
    """
    amounts = sorted((line.allocation.centre_id, line.allocation.amount) for line in lines)
    return (
        sum(amount for _, amount in amounts) == run.allocated
        and content_hash([list(pair) for pair in amounts]) == run.hash
    )


def assessment_deadline(year: int) -> datetime:
    """Until when the assessments that decide about a budget year can be sent in time."""
    return deadline(rubric_for("centre", year - 1), year - 1)


def known_until(year: int) -> datetime:
    """Until when what is proposed is what follows from the deadline: a later change is a change of something known."""
    return assessment_deadline(year) + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A province's proposal, whole: its head, its lines in order of centre id, and what was proposed when the time for
    files was over."""

    run: BudgetRunProposed
    lines: Sequence[Allocation]
    then: Sequence[int | None]


class _Change(NamedTuple):
    """By how much a centre's support differs from another amount, in đồng."""

    line: Allocation
    delta: int
    before: int | None = None


def assessments_close(year: int) -> datetime:
    """First instant at which the assessments that decide about a budget year are not taken any more."""
    return closing("centre", year - 1).at


def digest_alert(of: Proposal, cause: str, raised_at: datetime, *, is_closed: bool = False) -> Alert:
    """To the province: its proposal with its centres in it, against last year and against what it knew.

    `is_closed`: no assessment is taken any more, so that none is asked for.

    It is for the caller to say when: what is proposed while files still come in says nothing yet.
    """
    run = of.run
    share = alert_policy(date(run.year, 1, 1), run.province).support_change.more_than
    against_last = [_Change(line, line.amount - line.last_year) for line in of.lines if line.last_year is not None]
    beyond = [each for each in against_last if abs(each.delta) > share * (each.line.amount - each.delta)]
    moved = [
        _Change(line, line.amount - then, then)
        for line, then in zip(of.lines, of.then, strict=True)
        if then is not None and then != line.amount
    ]
    files = Counter[str]("not_due" if "not_due" in line.flags else line.assessment for line in of.lines)
    closes = assessments_close(run.year)
    due = None if is_closed else _due(run.year, files, closes)
    return Alert(
        alert_id=f"support_proposed/{run.province}/{run.year}",
        kind="support_proposed",
        severity="warning" if any(each.delta < 0 for each in beyond) else "info",
        province=run.province,
        audience=run.province,
        subject=run.province,
        period=run.year,
        text=joined(
            _sums(run, raised_at),
            _against_last_year(run.year, VI.percent(share), EN.percent(share), beyond),
            _files(run.year - 1, files),
            _unknown(run),
            _below(run),
            _moved(moved),
        ),
        action=joined(
            *_to_do(run, files, is_closed=is_closed), by_when(due, closes if is_closed else raised_at, closes)
        ),
        centres=_listed(beyond, moved),
        due=due,
        cause=cause,
        raised_at=raised_at,
    )


def _sums(run: BudgetRunProposed, on: datetime) -> Text:
    name = province_name(run.province, on.date())
    besides_vi = f", trang thiết bị ban đầu {VI.money(run.equipment)}" if run.equipment else ""
    besides_en = f", initial equipment {EN.money(run.equipment)}" if run.equipment else ""
    return Text(
        vi=f"Đề nghị hỗ trợ năm {run.year} của {name}: {VI.money(run.allocated)} cho {VI(run.centres)} trung tâm"
        f"{besides_vi}, dự phòng {VI.money(run.reserve)}, trong kinh phí {VI.money(run.envelope)}.",
        en=f"Support proposed in {run.year} for {name}: {EN.money(run.allocated)} for {EN(run.centres)} centres"
        f"{besides_en}, reserve {EN.money(run.reserve)}, of an envelope of {EN.money(run.envelope)}.",
    )


def _against_last_year(year: int, share_vi: str, share_en: str, beyond: Sequence[_Change]) -> Text:
    rises = [each for each in beyond if each.delta > 0]
    falls = [each for each in beyond if each.delta < 0]
    if not beyond:
        return Text(
            vi=f"Không trung tâm nào thay đổi quá {share_vi} so với năm {year - 1}.",
            en=f"No centre changes by more than {share_en} against {year - 1}.",
        )
    up, down = _named(rises), _named(falls)
    return Text(
        vi=f"So với năm {year - 1}, tăng quá {share_vi}: {VI(len(rises))} trung tâm{up.vi}; giảm quá {share_vi}: "
        f"{VI(len(falls))} trung tâm{down.vi}.",
        en=f"Against {year - 1}, up by more than {share_en}: {EN(len(rises))}{up.en}; down by more than {share_en}: "
        f"{EN(len(falls))}{down.en}.",
    )


def _named(changes: Sequence[_Change]) -> Text:
    """` (A (a) +5.000.000; …; và 2 trung tâm khác)`: the largest by name, the others by their number."""
    if not changes:
        return Text(vi="", en="")
    first, more = _largest(changes)[:SHOWN], len(changes) - SHOWN
    vi = [f"{each.line.name} [{each.line.centre_id}] {VI.signed(each.delta)}" for each in first]
    en = [f"{each.line.name} [{each.line.centre_id}] {EN.signed(each.delta)}" for each in first]
    if more > 0:
        vi.append(f"và {VI(more)} trung tâm khác")
        en.append(f"and {EN(more)} more")
    return Text(vi=f" ({'; '.join(vi)})", en=f" ({'; '.join(en)})")


def _largest(changes: Iterable[_Change]) -> list[_Change]:
    return sorted(changes, key=lambda each: (-abs(each.delta), each.line.centre_id))


def _files(period: int, files: Mapping[str, int]) -> Text | None:
    said = [
        (files["awaited"], "còn chờ đến hạn nộp", "still awaited until the deadline"),
        (files["pending"], "đã gửi nhưng chưa được giải quyết", "sent and not settled"),
        (files["not_submitted"], "không nộp", "not submitted"),
    ]
    told = [each for each in said if each[0]]
    if not told:
        return None
    return Text(
        vi=f"Hồ sơ đánh giá kỳ {period}: " + ", ".join(f"{VI(count)} {vi}" for count, vi, _ in told) + ".",
        en=f"Assessments of period {period}: " + ", ".join(f"{EN(count)} {en}" for count, _, en in told) + ".",
    )


def _unknown(run: BudgetRunProposed) -> Text | None:
    if not run.last_year_unknown:
        return None
    count, last = len(run.last_year_unknown), run.year - 1
    return Text(
        vi=f"Chưa có số liệu hỗ trợ năm {last}, nên chỉ được mức tối thiểu: {VI(count)} trung tâm.",
        en=f"Support of {last} not on record, so that only the minimum is proposed: {EN(count)}.",
    )


def _below(run: BudgetRunProposed) -> Text | None:
    if BELOW_LEGAL_MINIMUM not in run.flags:
        return None
    return Text(
        vi="Kinh phí không đủ chi mức hỗ trợ tối thiểu theo luật.", en="The envelope cannot pay the legal minima."
    )


def _moved(moved: Sequence[_Change]) -> Text | None:
    if not moved:
        return None
    named = _named(moved)
    return Text(
        vi=f"Thay đổi sau khi hết hạn nộp hồ sơ: {VI(len(moved))} trung tâm{named.vi}.",
        en=f"Changed since the time for files was over: {EN(len(moved))}{named.en}.",
    )


def _listed(beyond: Sequence[_Change], moved: Sequence[_Change]) -> list[SupportChange]:
    before = {each.line.centre_id: each.before for each in moved}
    largest = {each.line.centre_id: each.line for each in _largest([*beyond, *moved])}
    return [
        SupportChange(centre_id=id, amount=line.amount, last_year=line.last_year, before=before.get(id))
        for id, line in list(largest.items())[:MOST]
    ]


def _due(year: int, files: Mapping[str, int], closes: datetime) -> datetime | None:
    """What did not come in time may still come until the period closes."""
    if files["awaited"]:
        return assessment_deadline(year)
    return closes if files["pending"] or files["not_submitted"] else None


def _to_do(run: BudgetRunProposed, files: Mapping[str, int], *, is_closed: bool) -> Iterable[Text]:
    period = run.year - 1
    if (files["awaited"] or files["not_submitted"]) and not is_closed:
        yield Text(
            vi=f"Gửi các hồ sơ đánh giá kỳ {period} còn thiếu; đề nghị được tính lại.",
            en=f"Send the assessments of period {period} that are missing; the proposal is then recomputed.",
        )
    if files["pending"]:
        yield Text(
            vi=f"Sửa các hồ sơ kỳ {period} chưa được giải quyết theo biên nhận và gửi lại.",
            en=f"Mend the files of period {period} that are not settled as their receipts say, and send them again.",
        )
    if run.last_year_unknown:
        yield _report(run)
    yield Text(
        vi=f"Kiểm tra từng trung tâm (`langhoc budgets --year {run.year} --province {run.province}`); nếu hồ sơ đánh "
        "giá chưa đúng, gửi đính chính trước khi dự toán được phê duyệt.",
        en=f"Check each centre (`langhoc budgets --year {run.year} --province {run.province}`); where an assessment is "
        "wrong, send a correction before the budget is approved.",
    )


# ------------------------------------------------------------------------------- unknown figures, budgets returned


def _report(run: BudgetRunProposed) -> Text:
    return Text(
        vi=f"Báo cáo mức hỗ trợ năm {run.year - 1} của các trung tâm này (0 cũng là số liệu), hoặc nêu tên và lý do "
        "khi trình dự toán.",
        en=f"Report what these centres got in {run.year - 1} (0 is a figure), or accept them by name with a reason "
        "when the budget is submitted.",
    )


def unknown_alerts(run: BudgetRunProposed, cause: str, raised_at: datetime) -> tuple[Alert, ...]:
    """To province and ministry where a proposal rests on figures that are on nobody's record; else none."""
    if not run.last_year_unknown:
        return ()
    name, ids = province_name(run.province, raised_at.date()), sorted(run.last_year_unknown)
    count, more = len(ids), len(ids) - SHOWN
    shown = ", ".join(ids[:SHOWN])
    text = Text(
        vi=f"Đề nghị hỗ trợ năm {run.year} của {name} dựa trên số liệu chưa rõ: không có số liệu hỗ trợ năm "
        f"{run.year - 1} của {VI(count)} trung tâm ({shown}{f' và {VI(more)} trung tâm khác' if more > 0 else ''}); "
        "các trung tâm này chỉ được mức tối thiểu.",
        en=f"The support proposed in {run.year} for {name} rests on unknown figures: support of {run.year - 1} "
        f"not on record: {EN(count)} ({shown}{f' and {EN(more)} more' if more > 0 else ''}); only the "
        "minimum is proposed for them.",
    )
    of_the_ministry = Text(
        vi=f"Đề nghị {name} báo cáo số liệu còn thiếu trước khi phê duyệt dự toán.",
        en=f"Ask {name} for the missing figures before the budget is approved.",
    )
    actions = {run.province: _report(run), MINISTRY: of_the_ministry}
    return _to_each(run, "last_year_unknown", "warning", text, actions, cause, raised_at)


def returned_alert(moved: BudgetMoved, cause: str, raised_at: datetime) -> Alert | None:
    """To the province: its budget was returned, or facts that came in replaced the proposal on which people had acted;
    `None` once they have acted again."""
    if moved.action not in RETURNING:
        return None
    name = province_name(moved.province, raised_at.date())
    text = Text(
        vi=f"Dự toán năm {moved.year} của {name} được trả lại. Lý do: {moved.why}",
        en=f"The budget {moved.year} of {name} was returned. Reason: {moved.why}",
    )
    if moved.action == "propose":
        text = Text(
            vi=f"Đề nghị hỗ trợ năm {moved.year} của {name} đã thay đổi sau khi được xem xét, vì có số liệu mới; những "
            "gì đã trình không còn hiệu lực.",
            en=f"The support proposed in {moved.year} for {name} changed after people had acted on it, because new "
            "facts came in; what was submitted no longer stands.",
        )
    return Alert(
        alert_id=f"budget_returned/{moved.province}/{moved.year}",
        kind="budget_returned",
        severity="warning",
        province=moved.province,
        audience=moved.province,
        subject=moved.province,
        period=moved.year,
        text=text,
        action=joined(
            Text(
                vi="Kiểm tra đề nghị hiện nay, mô phỏng và trình lại.",
                en="Check the proposal as it stands, simulate it and submit it again.",
            ),
            by_when(None, raised_at),
        ),
        due=None,
        cause=cause,
        raised_at=raised_at,
    )
