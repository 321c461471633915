"""Alerts about appeals against results: to the ministry while one waits, to its province when it was decided."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from services.notifications.domain.budgets import MINISTRY
from services.notifications.domain.wording import by_when, joined
from shared.contracts.base import Text
from shared.contracts.facts import Alert, AppealDecided, AppealFollows, AppealMade
from shared.rulebook import HANOI, named_closable
from shared.wording import EN, VI

_FOLLOWS: Mapping[AppealFollows, Text] = {
    "correct": Text(vi="Tỉnh gửi bản sửa hồ sơ này.", en="File a correction of the assessment."),
    "reopen": Text(
        vi="Bộ mở lại kỳ cho đối tượng này bằng một lệnh riêng; khi kỳ mở thì gửi bản sửa.",
        en="The ministry opens the period for this subject by an order of its own; file a correction then.",
    ),
    "recompute": Text(
        vi="Bộ ra lệnh tính lại kỳ này; tỉnh không phải gửi gì.",
        en="The ministry orders the period to be judged again; nothing is to be sent.",
    ),
}
_NOTHING = Text(
    vi="Kết quả giữ nguyên. Khi có phiên bản mới của kết quả thì có thể đề nghị lại.",
    en="The result stays as it is. A later version of it may be appealed against anew.",
)


def appeal_made_alert(appeal: AppealMade, cause: str, raised_at: datetime, *, overdue: bool) -> Alert:
    """That an appeal waits for a decision of the ministry; `overdue`: longer than it should."""
    about, reason = _about(appeal), appeal.reason.rstrip(".")
    text = Text(
        vi=f"Tỉnh {appeal.province} đề nghị xem xét lại kết quả: {about.vi}. Lý do: {reason}.",
        en=f"Province {appeal.province} appeals against a result: {about.en}. Reason: {reason}.",
    )
    late = Text(
        vi=f"Quá hạn trả lời từ {VI.moment(appeal.decide_by.astimezone(HANOI))}.",
        en=f"The answer is overdue since {EN.moment(appeal.decide_by.astimezone(HANOI))}.",
    )
    action = Text(
        vi=f"Một cán bộ có tên chấp nhận và nêu việc tiếp theo, hoặc bác, kèm lý do (đề nghị {appeal.appeal_id}).",
        en=f"A named officer upholds it and says what follows, or dismisses it, with a reason ({appeal.appeal_id}).",
    )
    return Alert(
        alert_id=f"appeal_made/{appeal.province}/{appeal.appeal_id}",
        kind="appeal_made",
        severity="urgent" if overdue else "warning",
        province=appeal.province,
        audience=MINISTRY,
        subject=appeal.subject,
        period=appeal.period,
        text=joined(text, late) if overdue else text,
        action=action if overdue else joined(action, by_when(appeal.decide_by, appeal.made_at)),
        due=appeal.decide_by,
        cause=cause,
        raised_at=raised_at,
    )


def appeal_decided_alert(decided: AppealDecided, cause: str, raised_at: datetime) -> Alert:
    """How the ministry decided, who did, and what follows."""
    about, one = _about(decided), decided.decision
    number, reason = f", {one.decision_number}" if one.decision_number else "", one.reason.rstrip(".")
    vi, en = ("chấp nhận", "upheld") if one.upheld else ("bác", "dismissed")
    return Alert(
        alert_id=f"appeal_decided/{decided.province}/{decided.appeal_id}",
        kind="appeal_decided",
        severity="warning",
        province=decided.province,
        audience=decided.province,
        subject=decided.subject,
        period=decided.period,
        text=Text(
            vi=f"Bộ {vi} đề nghị {decided.appeal_id} xem xét lại kết quả ({about.vi}). Người quyết định: "
            f"{one.decided_by}{number}. Lý do: {reason}.",
            en=f"The ministry {en} the appeal {decided.appeal_id} against a result ({about.en}). Decided by: "
            f"{one.decided_by}{number}. Reason: {reason}.",
        ),
        action=_FOLLOWS[one.follows] if one.follows else _NOTHING,
        due=None,
        cause=cause,
        raised_at=raised_at,
    )


def _about(appeal: AppealMade) -> Text:
    what = named_closable(appeal.series)
    return Text(
        vi=f"{what.vi}, {appeal.name} ({appeal.subject}), kỳ {appeal.period}, phiên bản {appeal.result_version}",
        en=f"{what.en}, {appeal.name} ({appeal.subject}), period {appeal.period}, version {appeal.result_version}",
    )
