"""Alerts about submissions that did not get through: what is wrong, how to mend it, until when."""

from __future__ import annotations

from collections.abc import Mapping

from services.notifications.domain.wording import by_when, joined, numbered
from shared.contracts.base import Status, Text
from shared.contracts.facts import Alert, AlertKind, Receipt, SubmissionKind

_KINDS: Mapping[Status, AlertKind] = {
    Status.REJECTED: "submission_rejected",
    Status.HELD: "submission_held",
    Status.CONFLICT: "submission_conflict",
}
_HAPPENED: Mapping[Status, Text] = {
    Status.REJECTED: Text(vi="bị từ chối", en="was rejected"),
    Status.HELD: Text(vi="đang được tạm giữ, chưa xử lý", en="is held and not yet processed"),
    Status.CONFLICT: Text(
        vi="trùng mã với hồ sơ đã nhận nhưng khác nội dung; hồ sơ nhận trước được giữ nguyên",
        en="repeats the id of an earlier submission with other content; the earlier one stands",
    ),
}
_WHAT: Mapping[SubmissionKind | None, Text] = {
    "commune": Text(vi="Hồ sơ đánh giá cộng đồng học tập cấp xã", en="The assessment of a commune"),
    "centre": Text(vi="Hồ sơ đánh giá trung tâm học tập cộng đồng", en="The assessment of a community learning centre"),
    "registration": Text(vi="Đăng ký trung tâm học tập cộng đồng", en="The registration of a centre"),
    "envelope": Text(vi="Thông báo kinh phí của tỉnh", en="The province's envelope"),
    "support": Text(vi="Báo cáo mức hỗ trợ đã duyệt", en="The report of approved support"),
    "recognition": Text(vi="Quyết định công nhận", en="The recognition decision"),
    None: Text(vi="Bản ghi không đọc được loại hồ sơ", en="A record whose kind could not be read"),
}
_SEE_RECEIPT = Text(
    vi="Xem chi tiết trong biên nhận, sửa và gửi lại.", en="See the receipt for details, mend and send again."
)


def receipt_alert(receipt: Receipt, cause: str) -> Alert | None:
    """The alert to the sender, or `None` for a receipt that asks nothing of it. One per receipt."""
    if receipt.status not in _KINDS:
        return None
    kind = _KINDS[receipt.status]
    return Alert(
        alert_id=f"{kind}/{receipt.receipt_id}",
        kind=kind,
        severity="info" if receipt.status is Status.HELD else "warning",
        province=receipt.province,
        audience=receipt.province,
        subject=receipt.subject or receipt.province,
        period=receipt.period,
        text=joined(_opening(receipt), numbered(problem.message for problem in receipt.problems)),
        action=joined(
            numbered(problem.mend for problem in receipt.problems) or _SEE_RECEIPT,
            by_when(receipt.deadline, receipt.received_at),
        ),
        due=receipt.deadline,
        cause=cause,
        raised_at=receipt.received_at,
    )


def _opening(receipt: Receipt) -> Text:
    what, happened = _WHAT[receipt.kind], _HAPPENED[receipt.status]
    facts = [
        ("mã", "code", receipt.subject),
        ("năm", "year", receipt.period),
        ("mã hồ sơ", "submission", receipt.submission_id),
        ("biên nhận", "receipt", receipt.receipt_id),
    ]
    vi = ", ".join(f"{name} {value}" for name, _, value in facts if value is not None)
    en = ", ".join(f"{name} {value}" for _, name, value in facts if value is not None)
    return Text(vi=f"{what.vi} ({vi}) {happened.vi}.", en=f"{what.en} ({en}) {happened.en}.")
