"""Alerts about submissions that did not get through: what is wrong, how to mend it, until when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.notifications.domain.wording import by_when, closing_of, joined, numbered
from shared.contracts.base import Status, Text
from shared.contracts.facts import Alert, AlertKind, Receipt, SubmissionKind
from shared.contracts.series import SERIES


@dataclass(frozen=True, slots=True)
class _Asking:
    """What a status that asks something of the sender is called."""

    kind: AlertKind
    severity: Literal["info", "warning"]
    happened: Text


_ASKING: Mapping[Status, _Asking | None] = {
    Status.ACCEPTED: None,
    Status.ACCEPTED_LATE: None,
    Status.HELD: _Asking(
        "submission_held", "info", Text(vi="đang được tạm giữ, chưa xử lý", en="is held and not yet processed")
    ),
    Status.REJECTED: _Asking("submission_rejected", "warning", Text(vi="bị từ chối", en="was rejected")),
    Status.CONFLICT: _Asking(
        "submission_conflict",
        "warning",
        Text(vi="không được nhận, dữ liệu đã có được giữ nguyên", en="was not taken; what was accepted before stands"),
    ),
    Status.DUPLICATE: None,
    Status.UNCHANGED: None,
}
"""`None`: nothing is asked."""
RECEIPT_KINDS = tuple(asking.kind for asking in _ASKING.values() if asking)
"""Kinds of alerts about one receipt; the id of each ends with the receipt's."""
_WHAT: Mapping[SubmissionKind | None, Text] = {
    "commune": Text(vi="Hồ sơ đánh giá cộng đồng học tập cấp xã", en="The assessment of a commune"),
    "centre": Text(vi="Hồ sơ đánh giá trung tâm học tập cộng đồng", en="The assessment of a community learning centre"),
    "assessment": Text(vi="Hồ sơ đánh giá", en="An assessment"),
    "registration": Text(vi="Đăng ký trung tâm học tập cộng đồng", en="The registration of a centre"),
    "envelope": Text(vi="Thông báo kinh phí của tỉnh", en="The province's envelope"),
    "support": Text(vi="Báo cáo mức hỗ trợ đã duyệt", en="The report of approved support"),
    "recognition": Text(vi="Quyết định công nhận", en="The recognition decision"),
    None: Text(vi="Bản ghi không đọc được loại hồ sơ", en="A record whose kind could not be read"),
}
TAKEN = frozenset({Status.ACCEPTED, Status.ACCEPTED_LATE, Status.UNCHANGED})
"""After these, what was refused, held or in conflict before is mended."""
Place = tuple[datetime, int]
"""When a submission was received, and where it lies on its sender's channel: later ones are greater."""
_SEE_RECEIPT = Text(
    vi="Xem chi tiết trong biên nhận, sửa và gửi lại.", en="See the receipt for details, mend and send again."
)


def receipt_alert(receipt: Receipt, cause: str) -> Alert | None:
    """The alert to the sender, or `None` for a receipt that asks nothing of it. One per receipt.

    What happened and what to do are the receipt's own problems: they know the real cause.
    """
    asking = _ASKING[receipt.status]
    if asking is None:
        return None
    return Alert(
        alert_id=f"{asking.kind}/{receipt.receipt_id}",
        kind=asking.kind,
        severity=asking.severity,
        province=receipt.province,
        audience=receipt.province,
        subject=receipt.subject or receipt.province,
        period=receipt.period,
        text=joined(_opening(receipt, asking.happened), numbered(problem.message for problem in receipt.problems)),
        action=joined(
            numbered(problem.mend for problem in receipt.problems) or _SEE_RECEIPT,
            by_when(receipt.deadline, receipt.received_at, closing_of(_what(receipt), receipt.period)),
        ),
        due=receipt.deadline,
        cause=cause,
        raised_at=receipt.received_at,
    )


def _opening(receipt: Receipt, happened: Text) -> Text:
    what = _named(receipt)
    facts = [
        ("mã", "code", receipt.subject),
        ("năm", "year", receipt.period),
        ("mã hồ sơ", "submission", receipt.submission_id),
        ("biên nhận", "receipt", receipt.receipt_id),
    ]
    vi = ", ".join(f"{name} {value}" for name, _, value in facts if value is not None)
    en = ", ".join(f"{name} {value}" for _, name, value in facts if value is not None)
    return Text(vi=f"{what.vi} ({vi}) {happened.vi}.", en=f"{what.en} ({en}) {happened.en}.")


def _what(receipt: Receipt) -> str:
    """Its kind, or series. An assessment's subject is `<series>/<id>`; of an unreadable one it may be anything."""
    if receipt.kind != "assessment":
        return receipt.kind or ""
    series, slash, _ = (receipt.subject or "").partition("/")
    return series if slash else ""


def _named(receipt: Receipt) -> Text:
    """The submission in words."""
    if receipt.kind != "assessment":
        return _WHAT[receipt.kind]
    what = _what(receipt)
    return next((about.file for series, about in SERIES.items() if series == what), _WHAT["assessment"])


def place_of(receipt: Receipt) -> Place:
    """Where the submission stands among those of its sender."""
    offset = receipt.channel.rpartition("@")[2]
    return receipt.received_at, int(offset) if offset.isdecimal() else 0


def file_of(receipt: Receipt) -> str | None:
    """What it is about: a later submission about the same mends it. `None` where nobody can tell."""
    if receipt.kind is None or receipt.subject is None:
        return None
    about = f"{receipt.kind}/{receipt.subject}/{receipt.period or 0}"
    return f"{about}/{receipt.purpose}" if receipt.purpose else about
