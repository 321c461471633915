"""Alerts about closed periods that the ministry opens again: to every province that may send now."""

from __future__ import annotations

from datetime import datetime

from services.notifications.domain.wording import by_when, joined
from shared.contracts.base import Text
from shared.contracts.facts import Alert, PeriodReopened
from shared.registry import registry
from shared.rulebook import HANOI, named_closable
from shared.wording import EN, VI


def reopened_alerts(reopened: PeriodReopened, cause: str, raised_at: datetime) -> list[Alert]:
    """That a period is open again, or that this ended before its time; to each province that it touches."""
    if reopened.province is not None:
        provinces = [reopened.province]
    else:
        provinces = [one.code for one in registry().provinces(reopened.ordered_at.astimezone(HANOI).date())]
    text, action = (_ended if reopened.ended else _opened)(reopened)
    return [
        Alert(
            alert_id=f"period_reopened/{reopened.order_id}/{reopened.version}/{province}",
            kind="period_reopened",
            severity="info",
            province=province,
            audience=province,
            subject=reopened.subject or province,
            period=reopened.period,
            text=text,
            action=action,
            due=None if reopened.ended else reopened.until,
            cause=cause,
            raised_at=raised_at,
        )
        for province in provinces
    ]


def _opened(reopened: PeriodReopened) -> tuple[Text, Text]:
    what, scope = named_closable(reopened.what), _scope(reopened)
    return (
        Text(
            vi=f"Bộ mở lại kỳ {reopened.period} ({what.vi}){scope.vi}{_ground(reopened).vi}. "
            f"Lý do: {reopened.reason.rstrip('.')}.",
            en=f"The ministry opened the period {reopened.period} ({what.en}){scope.en} again"
            f"{_ground(reopened).en}. Reason: {reopened.reason.rstrip('.')}.",
        ),
        joined(
            Text(
                vi="Có thể gửi, sửa hoặc rút hồ sơ của kỳ này trong thời gian mở lại; hồ sơ được ghi nhận là nộp muộn. "
                "Hồ sơ đã bị từ chối vì khóa sổ cần được gửi lại.",
                en="Files of this period may be sent, corrected or withdrawn while it is open; they are recorded as "
                "late. What was refused because the period was closed must be sent again.",
            ),
            by_when(reopened.until, reopened.ordered_at),
        ),
    )


def _ended(reopened: PeriodReopened) -> tuple[Text, Text]:
    what, scope, ended = named_closable(reopened.what), _scope(reopened), reopened.ended
    assert ended is not None
    at = ended.ended_at.astimezone(HANOI)
    return (
        Text(
            vi=f"Bộ khóa lại kỳ {reopened.period} ({what.vi}){scope.vi} từ {VI.moment(at)}, trước thời hạn đã nêu. "
            f"Lý do: {ended.reason.rstrip('.')}.",
            en=f"The ministry closed the period {reopened.period} ({what.en}){scope.en} again at {EN.moment(at)}, "
            f"before the time that was announced. Reason: {ended.reason.rstrip('.')}.",
        ),
        Text(
            vi="Hồ sơ đến trước thời điểm đó vẫn có giá trị; hồ sơ đến sau bị từ chối. Nếu cần, đề nghị Bộ mở lại.",
            en="What arrived before stands; what arrives later is refused. Ask the ministry if it is needed again.",
        ),
    )


def _scope(reopened: PeriodReopened) -> Text:
    if reopened.subject is not None:
        return Text(vi=f" cho {reopened.subject}", en=f" for {reopened.subject}")
    if reopened.province is not None:
        return Text(vi=" cho tỉnh này", en=" for this province")
    return Text(vi=" cho mọi tỉnh", en=" for all provinces")


def _ground(reopened: PeriodReopened) -> Text:
    number = reopened.decision_number
    return Text(vi=f" theo {number}", en=f" by {number}") if number else Text(vi="", en="")
