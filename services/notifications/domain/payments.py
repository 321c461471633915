"""Alerts about payments: decided and not on record as paid when the time is over, or more paid than is due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.notifications.domain.wording import SHOWN, joined, province_name
from shared.contracts.base import Text
from shared.contracts.facts import Alert, AlertKind, BudgetReconciled, PaymentGap
from shared.rulebook.payments import payments_due
from shared.wording import EN, VI


def missing_alert(found: BudgetReconciled, cause: str, raised_at: datetime) -> Alert | None:
    """That what was decided is not on record as paid though its time is over; `None`: all of it is."""
    if not found.short:
        return None
    due = payments_due(found.year, found.province)
    name, centres, total = _named(found, raised_at), _centres(found.short), sum(gap.amount for gap in found.short)
    text = Text(
        vi=f"Đã hết hạn chi trả ngân sách năm {found.year} của {name} mà còn {VI.money(total)} theo quyết định chưa "
        f"có trong số liệu chi của kho bạc, ở {centres.vi}. Chưa có số liệu không có nghĩa là chưa chi.",
        en=f"The time to pay the {found.year} budget of {name} is over, and {EN.money(total)} that were decided are "
        f"not on record as paid, at {centres.en}. Not on record does not mean not paid.",
    )
    action = Text(
        vi="Gửi số liệu chi của kho bạc; nếu khoản nào chưa chi thì làm rõ lý do.",
        en="Send the treasury's payments; of what was not paid, settle why.",
    )
    return _alert(found, "payment_missing", text, joined(action, _see(found)), cause, raised_at, due)


def overpaid_alert(found: BudgetReconciled, cause: str, raised_at: datetime) -> Alert | None:
    """That more is on record as paid than is due; `None`: nowhere."""
    if not found.over:
        return None
    name, centres, total = _named(found, raised_at), _centres(found.over), sum(gap.amount for gap in found.over)
    text = Text(
        vi=f"Số liệu chi của kho bạc năm {found.year} của {name} nhiều hơn số phải chi theo quyết định "
        f"{VI.money(total)}, ở {centres.vi}.",
        en=f"The treasury's payments of {found.year} of {name} are {EN.money(total)} above what is due by decisions, "
        f"at {centres.en}.",
    )
    action = Text(
        vi="Đối chiếu với kho bạc: rút khoản gửi nhầm, đính chính khoản ghi sai, hoặc thu hồi rồi gửi khoản thu hồi.",
        en="Settle it with the treasury: withdraw what was sent by mistake, correct what was booked wrongly, or have "
        "it returned and send that.",
    )
    return _alert(found, "overpaid", text, joined(action, _see(found)), cause, raised_at, None)


def _see(found: BudgetReconciled) -> Text:
    command = f"`langhoc budget reconcile --province {found.province} --year {found.year}`"
    return Text(vi=f"Từng trung tâm: {command}.", en=f"Each centre: {command}.")


def _named(found: BudgetReconciled, on: datetime) -> str:
    return province_name(found.province, on.date())


def _centres(gaps: Sequence[PaymentGap]) -> Text:
    """How many centres, and the first few of them."""
    ids = sorted({gap.centre_id for gap in gaps})
    count, more, shown = len(ids), len(ids) - SHOWN, ", ".join(ids[:SHOWN])
    rest = Text(vi=f" và {VI(more)} trung tâm khác", en=f" and {EN(more)} more") if more > 0 else Text(vi="", en="")
    centres = "centre" if count == 1 else "centres"
    return Text(vi=f"{VI(count)} trung tâm ({shown}{rest.vi})", en=f"{EN(count)} {centres} ({shown}{rest.en})")


def _alert(
    found: BudgetReconciled,
    kind: AlertKind,
    text: Text,
    action: Text,
    cause: str,
    raised_at: datetime,
    due: datetime | None,
) -> Alert:
    return Alert(
        alert_id=f"{kind}/{found.province}/{found.year}",
        kind=kind,
        severity="warning",
        province=found.province,
        audience=found.province,
        subject=found.province,
        period=found.year,
        text=text,
        action=action,
        due=due,
        cause=cause,
        raised_at=raised_at,
    )
