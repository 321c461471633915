"""Alerts about decided money: a budget that was approved, an adjustment that is proposed or decided."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from services.notifications.domain.wording import AlertOf, province_name
from shared.contracts.base import Text
from shared.contracts.catalogue import EventType
from shared.contracts.facts import AdjustmentProposed, Alert, BudgetAdjusted, BudgetRunApproved, JournalMark, Purpose
from shared.wording import EN, VI

_PURPOSES: Mapping[Purpose, Text] = {
    "operating": Text(vi="hoạt động thường xuyên", en="operating"),
    "equipment": Text(vi="trang thiết bị ban đầu", en="initial equipment"),
}


def approved_alert(run: BudgetRunApproved, cause: str, raised_at: datetime) -> Alert:
    """To the province: its budget is approved and published."""
    name, purpose, mark = province_name(run.province, raised_at.date()), _PURPOSES[run.purpose], _to_keep(run.journal)
    return Alert(
        alert_id=f"support_approved/{run.province}/{run.year}/{run.purpose}/{run.version}",
        kind="support_approved",
        severity="info",
        province=run.province,
        audience=run.province,
        subject=run.province,
        period=run.year,
        text=Text(
            vi=f"Kinh phí {purpose.vi} năm {run.year} của {name} đã được phê duyệt: {VI.money(run.allocated)} cho "
            f"{VI(run.centres)} trung tâm, dự phòng {VI.money(run.reserve)}, tổng {VI.money(run.envelope)}.",
            en=f"The {purpose.en} budget {run.year} of {name} is approved: {EN.money(run.allocated)} for "
            f"{EN(run.centres)} centres, reserve {EN.money(run.reserve)}, in all {EN.money(run.envelope)}.",
        ),
        action=Text(
            vi="Thông báo mức hỗ trợ cho từng trung tâm. Số đã duyệt không tự thay đổi; đính chính sau này được xử lý "
            f"bằng điều chỉnh.{mark.vi}",
            en="Tell each centre its support. What is approved never changes by itself; later corrections are handled "
            f"as adjustments.{mark.en}",
        ),
        due=None,
        cause=cause,
        raised_at=raised_at,
    )


def adjusted_alert(decided: BudgetAdjusted, cause: str, raised_at: datetime) -> Alert:
    """To the province: a centre's support was adjusted."""
    centre, carried, delta = decided.allocation.name, decided.carried, decided.delta
    mark = _to_keep(decided.journal)
    later = Text(vi="", en="")
    if carried:
        later = Text(
            vi=f" Phần {VI.money(carried)} được chuyển sang năm sau vì dự phòng không đủ.",
            en=f" {EN.money(carried)} are carried to the next year, because the reserve does not hold them.",
        )
    return Alert(
        alert_id=f"support_adjusted/{decided.centre_id}/{decided.year}/{decided.purpose}/{decided.version}",
        kind="support_adjusted",
        severity="warning",
        province=decided.province,
        audience=decided.province,
        subject=decided.centre_id,
        period=decided.year,
        text=Text(
            vi=f"Hỗ trợ năm {decided.year} của {centre} ({decided.centre_id}) được điều chỉnh {VI.signed(delta)} đồng, "
            f"nay là {VI.money(decided.amount)}. Lý do: {decided.why}{later.vi}",
            en=f"Support {decided.year} of {centre} ({decided.centre_id}) was adjusted by {EN.signed(delta)} đồng and "
            f"is now {EN.money(decided.amount)}. Reason: {decided.why}{later.en}",
        ),
        action=Text(
            vi=f"Thông báo cho trung tâm và chi trả theo số mới.{mark.vi}",
            en=f"Tell the centre and pay by the new amount.{mark.en}",
        ),
        due=None,
        cause=cause,
        raised_at=raised_at,
    )


def adjustment_proposed_alert(proposed: AdjustmentProposed, cause: str, raised_at: datetime) -> Alert | None:
    """To the province: a correction after approval asks for a decision; `None` once the proposal has gone on."""
    if proposed.state != "proposed":
        return None
    name = proposed.allocation.name if proposed.allocation else province_name(proposed.province, raised_at.date())
    return Alert(
        alert_id=f"adjustment_proposed/{proposed.adjustment_id}",
        kind="adjustment_proposed",
        severity="warning",
        province=proposed.province,
        audience=proposed.province,
        subject=proposed.centre_id or proposed.province,
        period=proposed.year,
        text=Text(
            vi=f"Đề nghị điều chỉnh kinh phí năm {proposed.year} của {name}: đã duyệt {VI.money(proposed.amount)}, "
            f"theo số liệu đính chính là {VI.money(proposed.corrected)}. {proposed.reason.vi}",
            en=f"An adjustment of the {proposed.year} support of {name} is proposed: {EN.money(proposed.amount)} were "
            f"approved, the corrected figures give {EN.money(proposed.corrected)}. {proposed.reason.en}",
        ),
        action=Text(
            vi="Xem xét và trình phê duyệt; số đã duyệt giữ nguyên cho đến khi có quyết định.",
            en="Look at it and submit it for approval; what is approved stands until it is decided.",
        ),
        due=None,
        cause=cause,
        raised_at=raised_at,
    )


def _to_keep(journal: JournalMark) -> Text:
    """The journal's head, in the province's own hands: by it a journal that was rewritten whole is found out."""
    mark = f"{journal.number}:{journal.hash}"
    return Text(
        vi=f" Lưu lại dấu của sổ để kiểm tra sau này bằng `langhoc journal verify --head`: {mark}",
        en=f" Keep the journal's mark; `langhoc journal verify --head` compares with it later: {mark}",
    )


CALLS: Mapping[str, tuple[AlertOf, ...]] = {
    EventType.BUDGET_RUN_APPROVED: (approved_alert,),
    EventType.BUDGET_ADJUSTED: (adjusted_alert,),
}
