"""Why a record became a dead letter, in words: what it means, and what an operator does about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.contracts.base import Text
from shared.messaging.messages import Reason


@dataclass(frozen=True, slots=True)
class Advice:
    """One reason in words."""

    meaning: Text
    mend: Text


_MEND_PRODUCER = Text(
    vi="Tìm và sửa chương trình đã ghi bản ghi này (xem vị trí và tiêu đề). Nếu sự kiện vẫn cần, chương trình đó gửi "
    "lại với ce_id mới, vì ce_id cũ đã được ghi nhận. Sau đó huỷ bản ghi này, nêu lý do.",
    en="Find and mend the program that wrote it (see position and headers). If the event is still needed, have it "
    "published again under a new ce_id, because the old one is taken. Then discard this letter and say why.",
)
_MEND_OURSELVES = Text(
    vi="Sửa chương trình, hoặc dữ liệu mà chi tiết lỗi nêu; triển khai; chạy thử với --dry-run; rồi xử lý lại.",
    en="Mend the program, or the data that the detail speaks of; roll it out; try with --dry-run; then replay.",
)
WORDS: Mapping[Reason, Advice] = {
    Reason.BAD_HEADER: Advice(
        Text(
            vi="Một tiêu đề của bản ghi không phải văn bản UTF-8.",
            en="A header of the record is not UTF-8 text.",
        ),
        _MEND_PRODUCER,
    ),
    Reason.MISSING_HEADER: Advice(
        Text(
            vi="Bản ghi thiếu tiêu đề CloudEvents bắt buộc, nên không biết đó là sự kiện gì.",
            en="The record lacks required CloudEvents headers, so nobody can tell what event it is.",
        ),
        _MEND_PRODUCER,
    ),
    Reason.UNKNOWN_TYPE: Advice(
        Text(
            vi="Phiên bản này của dịch vụ không biết loại sự kiện này; thường do bên gửi được nâng cấp trước.",
            en="This version of the service does not know the event type; most often its producer was upgraded first.",
        ),
        Text(
            vi="Nâng cấp dịch vụ lên phiên bản biết loại này, rồi xử lý lại. Nếu không phải sự kiện của Langhoc: huỷ.",
            en="Upgrade the service to a version that knows the type, then replay. If it is no event of ours: discard.",
        ),
    ),
    Reason.NOT_UTF8: Advice(
        Text(vi="Nội dung không phải văn bản UTF-8.", en="The body is not UTF-8 text."), _MEND_PRODUCER
    ),
    Reason.BAD_JSON: Advice(Text(vi="Nội dung không phải JSON.", en="The body is not JSON."), _MEND_PRODUCER),
    Reason.INVALID_BODY: Advice(
        Text(
            vi="Nội dung không khớp hợp đồng của loại sự kiện; bên gửi và bên nhận có thể khác phiên bản.",
            en="The body does not fit the contract of its type; producer and consumer may run different versions.",
        ),
        Text(
            vi="So sánh phiên bản hai dịch vụ. Nếu dịch vụ này cũ hơn: nâng cấp rồi xử lý lại. Nếu bên gửi sai: sửa "
            "bên gửi, gửi lại với ce_id mới, rồi huỷ bản ghi này.",
            en="Compare the versions of both. If this service is older: upgrade it, then replay. If the producer is "
            "wrong: mend it, publish again under a new ce_id, then discard this letter.",
        ),
    ),
    Reason.HANDLER_FAILED: Advice(
        Text(
            vi="Chương trình của chúng ta gặp lỗi khi xử lý bản ghi này; không có gì được ghi.",
            en="Our own program failed on this record; nothing of it was written.",
        ),
        _MEND_OURSELVES,
    ),
    Reason.UNWRITABLE: Advice(
        Text(
            vi="Bản ghi xử lý được, nhưng cơ sở dữ liệu không thể lưu kết quả (quá lớn hoặc không mã hoá được).",
            en="It was handled, but the database can never hold the result (too large, or not encodable).",
        ),
        _MEND_OURSELVES,
    ),
    Reason.TOO_LARGE: Advice(
        Text(
            vi="Bản ghi, khi giải nén, lớn hơn mức mà chủ đề của nó cho phép; chỉ phần đầu được giữ lại.",
            en="Unpacked, the record is larger than its topic allows; only its beginning was kept.",
        ),
        _MEND_PRODUCER,
    ),
    Reason.DAMAGED: Advice(
        Text(
            vi="Lô bản ghi không đọc được (nén lạ, sai mã kiểm tra hoặc hỏng cấu trúc); chỉ phần đầu được giữ lại.",
            en="The batch cannot be read (unknown codec, wrong checksum or broken structure); only its beginning was "
            "kept.",
        ),
        _MEND_PRODUCER,
    ),
}
