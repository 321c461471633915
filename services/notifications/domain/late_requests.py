"""Alerts about requests for late acceptance: to the ministry while one waits, to its province when it was decided."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.notifications.domain.budgets import MINISTRY
from services.notifications.domain.wording import by_when, joined
from shared.contracts.base import Text
from shared.contracts.facts import Alert, LateDecided, LateRequested
from shared.rulebook import HANOI, named_closable
from shared.wording import EN, VI


def requested_alert(request: LateRequested, cause: str, raised_at: datetime, *, overdue: bool) -> Alert:
    """That a request waits for a decision of the ministry; `overdue`: longer than it should."""
    about = _about(request)
    late = Text(
        vi=f" Quá hạn trả lời từ {VI.moment(request.decide_by.astimezone(HANOI))}.",
        en=f" The answer is overdue since {EN.moment(request.decide_by.astimezone(HANOI))}.",
    )
    text = Text(
        vi=f"Tỉnh {request.province} đề nghị nhận hồ sơ sau khóa sổ: {about.vi}. Lý do: {request.reason.rstrip('.')}.",
        en=f"Province {request.province} asks for late acceptance: {about.en}. Reason: {request.reason.rstrip('.')}.",
    )
    action = Text(
        vi=f"Một cán bộ có tên chấp thuận đến một ngày cuối, hoặc từ chối, kèm lý do (đề nghị {request.request_id}).",
        en=f"A named officer grants it until a last day, or refuses it, with a reason (request {request.request_id}).",
    )
    return Alert(
        alert_id=f"late_requested/{request.province}/{request.request_id}",
        kind="late_requested",
        severity="urgent" if overdue else "warning",
        province=request.province,
        audience=MINISTRY,
        subject=request.subject or request.province,
        period=request.period,
        text=Text(vi=text.vi + late.vi, en=text.en + late.en) if overdue else text,
        action=action if overdue else joined(action, by_when(request.decide_by, request.requested_at)),
        due=request.decide_by,
        cause=cause,
        raised_at=raised_at,
    )


def decided_alert(decided: LateDecided, cause: str, raised_at: datetime) -> Alert:
    """How the ministry decided, and who did."""
    text, action = (_granted if decided.decision.granted else _refused)(decided)
    return Alert(
        alert_id=f"late_decided/{decided.province}/{decided.request_id}",
        kind="late_decided",
        severity="info" if decided.decision.granted else "warning",
        province=decided.province,
        audience=decided.province,
        subject=decided.subject or decided.province,
        period=decided.period,
        text=text,
        action=action,
        due=decided.decision.until,
        cause=cause,
        raised_at=raised_at,
    )


def _granted(decided: LateDecided) -> tuple[Text, Text]:
    about, said = _about(decided), _said(decided)
    until = decided.decision.until
    assert until is not None
    last = (until - timedelta(microseconds=1)).astimezone(HANOI).date()
    return (
        Text(
            vi=f"Bộ chấp thuận đề nghị {decided.request_id} nhận hồ sơ sau khóa sổ ({about.vi}), đến hết ngày "
            f"{VI.day(last)}.{said.vi}",
            en=f"The ministry granted the request {decided.request_id} for late acceptance ({about.en}), until the end "
            f"of {EN.day(last)}.{said.en}",
        ),
        joined(
            Text(
                vi="Gửi lại hồ sơ đã bị từ chối; hồ sơ được ghi nhận là nộp muộn.",
                en="Send the file that was refused again; it is recorded as late.",
            ),
            by_when(until, decided.decision.decided_at),
        ),
    )


def _refused(decided: LateDecided) -> tuple[Text, Text]:
    about, said = _about(decided), _said(decided)
    return (
        Text(
            vi=f"Bộ không chấp thuận đề nghị {decided.request_id} nhận hồ sơ sau khóa sổ ({about.vi}).{said.vi}",
            en=f"The ministry refused the request {decided.request_id} for late acceptance ({about.en}).{said.en}",
        ),
        Text(
            vi="Kỳ này vẫn khóa sổ với hồ sơ đó. Nếu có lý do mới, có thể đề nghị lại.",
            en="The period stays closed to this file. Where there is another reason, ask again.",
        ),
    )


def _said(decided: LateDecided) -> Text:
    one = decided.decision
    number, reason = f", {one.decision_number}" if one.decision_number else "", one.reason.rstrip(".")
    return Text(
        vi=f" Người quyết định: {one.decided_by}{number}. Lý do: {reason}.",
        en=f" Decided by: {one.decided_by}{number}. Reason: {reason}.",
    )


def _about(request: LateRequested) -> Text:
    what = named_closable(request.what)
    subject = f", {request.subject}" if request.subject else ""
    return Text(
        vi=f"{what.vi}{subject}, kỳ {request.period}",
        en=f"{what.en}{subject}, period {request.period}",
    )
