"""What the columns of a sheet are called, and what is explained about each kind of cell, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from shared.contracts.base import Status, Text


class Holds(StrEnum):
    """What the cells of a column hold."""

    TEXT = "text"
    ID = "id"
    UNIT = "unit"
    WHOLE = "whole"
    MONEY = "money"
    DECIMAL = "decimal"
    DATE = "date"
    FLAG = "flag"
    CHOICE = "choice"
    LIST = "list"


FIELDS: Mapping[str, Text] = {
    "code_system": Text(vi="Hệ mã đơn vị (nếu khác ngày của hồ sơ)", en="Code system (if not that of its day)"),
    "corrects_version": Text(vi="Sửa phiên bản số", en="Corrects version"),
    "reason": Text(vi="Lý do sửa hoặc rút", en="Reason of the change"),
    "unit_code": Text(vi="Mã đơn vị", en="Unit code"),
    "unit_name": Text(vi="Tên đơn vị", en="Unit name"),
    "area_class": Text(vi="Khu vực", en="Area class"),
    "area_class_basis": Text(vi="Danh sách quy định khu vực", en="List that says the area class"),
    "period": Text(vi="Năm đánh giá", en="Period (year)"),
    "centre_id": Text(vi="Mã trung tâm", en="Centre id"),
    "series": Text(vi="Loại đánh giá", en="Series"),
    "subject": Text(vi="Mã đối tượng", en="Subject"),
    "name": Text(vi="Tên", en="Name"),
    "commune_code": Text(vi="Mã xã", en="Commune code"),
    "population_served": Text(vi="Số dân được phục vụ", en="Population served"),
    "opened_on": Text(vi="Ngày thành lập", en="Opened on"),
    "closed_on": Text(vi="Ngày đầu tiên không còn hoạt động", en="Closed on (first day without it)"),
    "predecessors": Text(vi="Các trung tâm trước khi sáp nhập", en="Predecessors"),
    "suspended_on": Text(vi="Ngày đình chỉ", en="Suspended on"),
    "resumed_on": Text(vi="Ngày hoạt động trở lại", en="Resumed on"),
    "act": Text(vi="Nội dung quyết định", en="Act of the decision"),
    "decision_number": Text(vi="Số quyết định", en="Decision number"),
    "decided_on": Text(vi="Ngày ký", en="Decided on"),
    "decided_by": Text(vi="Cơ quan, người ký", en="Decided by"),
    "year": Text(vi="Năm ngân sách", en="Budget year"),
    "purpose": Text(vi="Mục đích", en="Purpose"),
    "amount": Text(vi="Số tiền", en="Amount"),
    "standard": Text(vi="Tiêu chuẩn phổ cập, xóa mù chữ", en="Standard of universal education"),
    "level": Text(vi="Mức độ", en="Level"),
    "grade": Text(vi="Xếp loại", en="Grade"),
    "effective_from": Text(vi="Hết giá trị từ ngày", en="No longer holds from"),
    "difficult_area": Text(vi="Thuộc vùng khó khăn", en="In a difficult area"),
    "difficult_area_basis": Text(vi="Quyết định về vùng khó khăn", en="Decision on the difficult area"),
    "specially_difficult": Text(vi="Xã đặc biệt khó khăn", en="Specially difficult commune"),
    "specially_difficult_basis": Text(
        vi="Quyết định về xã đặc biệt khó khăn", en="Decision on the specially difficult commune"
    ),
    "traits": Text(vi="Loại đối tượng", en="Kind of subject"),
    "points": Text(vi="điểm", en="points"),
    "evidence": Text(vi="minh chứng", en="evidence"),
    "met": Text(vi="đạt", en="met"),
    "numerator": Text(vi="số đạt (tử số)", en="those who count (numerator)"),
    "denominator": Text(vi="tổng số (mẫu số)", en="all of them (denominator)"),
    "share": Text(vi="", en=""),
    "trained": Text(vi="đã qua đào tạo", en="trained"),
    "university": Text(vi="trình độ đại học", en="university degree"),
    "count": Text(vi="số lượng", en="count"),
    "day": Text(vi="ngày", en="day"),
    "text": Text(vi="nội dung", en="text"),
    "previous": Text(vi="năm trước", en="previous year"),
    "current": Text(vi="năm nay", en="this year"),
}
"""By the contract's name of a field."""

EXPLAINED: Mapping[Holds, Text] = {
    Holds.TEXT: Text(vi="Văn bản trên một dòng, tối đa 300 ký tự.", en="Text on one line, at most 300 characters."),
    Holds.ID: Text(
        vi="Mã: chữ cái không dấu, chữ số và . _ : / -. Ô ở dạng văn bản để không mất số 0 ở đầu.",
        en="An id: plain letters, digits and . _ : / -. The cell is text, so that no leading zero is lost.",
    ),
    Holds.UNIT: Text(
        vi="Chọn trong danh sách, hoặc ghi mã, hoặc ghi tên nếu chỉ có một đơn vị mang tên đó trong tỉnh.",
        en="Choose from the list, or write the code, or the name where one unit of the province alone has it.",
    ),
    Holds.WHOLE: Text(vi="Số nguyên từ 0.", en="A whole number from 0."),
    Holds.MONEY: Text(
        vi="Số tiền theo đơn vị ghi ở dòng đầu (đồng, nghìn hoặc triệu đồng), không kèm chữ.",
        en="An amount in the unit of the first row (đồng, thousand or million đồng), without words.",
    ),
    Holds.DECIMAL: Text(vi="Một số, viết theo kiểu số ghi ở dòng đầu.", en="A number, written as the first row says."),
    Holds.DATE: Text(vi="Ngày: 31/12/2025 hoặc 2025-12-31.", en="A day: 31/12/2025 or 2025-12-31."),
    Holds.FLAG: Text(vi="có hoặc không.", en="có (yes) or không (no)."),
    Holds.CHOICE: Text(vi="Chọn một giá trị trong danh sách.", en="One value of the list."),
    Holds.LIST: Text(
        vi="Mỗi mục một dòng trong ô (Alt+Enter), hoặc cách nhau bằng dấu chấm phẩy.",
        en="One item on each line of the cell (Alt+Enter), or parted by semicolons.",
    ),
}
"""What may stand in a cell."""

FLAGS: Mapping[bool, str] = {True: "có", False: "không"}
"""How yes and no are written in a form."""
YES: Mapping[str, bool] = {
    "có": True,
    "đạt": True,
    "đúng": True,
    "yes": True,
    "true": True,
    "không": False,
    "không đạt": False,
    "chưa đạt": False,
    "sai": False,
    "no": False,
    "false": False,
}
"""How people write yes and no; `1` and `x` may mean anything."""
TOTALS = frozenset(
    {"tổng", "cộng", "tổng cộng", "tổng số", "toàn tỉnh", "toàn thành phố", "toàn huyện", "toàn quận", "total", "sum"}
)
"""What stands where a unit or centre should, in a row that adds up the others."""
NOT_SENT, READY = "not_sent", "ready"
BECAME: Mapping[str, Text] = {
    NOT_SENT: Text(vi="chưa gửi: cần sửa", en="not sent: needs mending"),
    READY: Text(vi="gửi được", en="can be sent"),
    Status.ACCEPTED: Text(vi="được chấp nhận", en="accepted"),
    Status.ACCEPTED_LATE: Text(vi="được chấp nhận, quá hạn", en="accepted, late"),
    Status.HELD: Text(vi="tạm giữ", en="held"),
    Status.REJECTED: Text(vi="bị từ chối", en="rejected"),
    Status.CONFLICT: Text(vi="khác dữ liệu đã có", en="in conflict with what was accepted"),
    Status.DUPLICATE: Text(vi="đã gửi trước đó", en="sent before"),
    Status.UNCHANGED: Text(vi="không thay đổi", en="unchanged"),
}
"""What rows came to, in words."""
