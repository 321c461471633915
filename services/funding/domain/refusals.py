"""Why an order of a person is not carried out: stable code, and in both languages what is wrong and how to mend it."""

from __future__ import annotations

from collections.abc import Mapping

from shared.contracts.base import Problem, Text

FORBIDDEN = frozenset({"role_not_allowed", "other_province", "same_person"})
"""Refusals that no further attempt of the same person mends."""

TEXTS: Mapping[str, tuple[Text, Text, Text]] = {
    "role_not_allowed": (
        Text(
            vi="Vai trò {given} không được làm việc này.",
            en="The role {given} may not do this.",
        ),
        Text(vi="một trong các vai trò: {wanted}", en="one of the roles: {wanted}"),
        Text(
            vi="Để người có vai trò đó thực hiện.",
            en="Let somebody with such a role do it.",
        ),
    ),
    "other_province": (
        Text(
            vi="Tài khoản của tỉnh {given} không được làm việc này với ngân sách của tỉnh {wanted}.",
            en="An account of province {given} may not do this to the budget of province {wanted}.",
        ),
        Text(vi="tài khoản của tỉnh {wanted} hoặc của cơ quan tài chính", en="an account of {wanted} or of finance"),
        Text(vi="Dùng tài khoản đúng tỉnh.", en="Use an account of that province."),
    ),
    "reason_missing": (
        Text(vi="Chưa nêu lý do.", en="The reason is missing."),
        Text(vi="lý do bằng lời", en="a reason in words"),
        Text(
            vi="Ghi lý do vào trường why, cho người kiểm tra sau này.", en="Give it in the field why, for the record."
        ),
    ),
    "same_person": (
        Text(
            vi="{given} đã tham gia lập hoặc trình, nên không được duyệt.",
            en="{given} took part in preparing or submitting it, and so may not approve it.",
        ),
        Text(vi="người duyệt khác với người lập và người trình", en="another person than those who prepared it"),
        Text(vi="Để một cán bộ tài chính khác duyệt.", en="Let another finance officer approve it."),
    ),
    "wrong_state": (
        Text(vi="Không làm được việc này ở trạng thái {given}.", en="This cannot be done in the state {given}."),
        Text(vi="một trong các trạng thái: {wanted}", en="one of the states: {wanted}"),
        Text(
            vi="Xem trạng thái và lịch sử hiện tại rồi quyết định.", en="Look at its present state and history first."
        ),
    ),
    "moved_on": (
        Text(
            vi="Yêu cầu nói về bản {given}, nhưng bản hiện hành là {wanted}.",
            en="The order speaks of version {given}, but {wanted} stands now.",
        ),
        Text(vi="phiên bản và mã băm hiện hành: {wanted}", en="version and hash that stand now: {wanted}"),
        Text(
            vi="Đọc bản hiện hành, xem có gì thay đổi, rồi gửi lại với phiên bản và mã băm của nó.",
            en="Read what stands now and what changed, then send the order again with its version and hash.",
        ),
    ),
    "inputs_changed": (
        Text(
            vi="Số liệu đầu vào đã thay đổi sau bản đề nghị {given}; bản mới đang được tính.",
            en="Inputs have changed since proposal {given}; a new one is being computed.",
        ),
        Text(vi="bản đề nghị tính từ số liệu hiện hành", en="a proposal made of the inputs that stand now"),
        Text(
            vi="Chờ bản mới (vài giây), xem lại rồi trình và duyệt bản đó.",
            en="Wait for the new one (some seconds), look at it, then submit and approve that.",
        ),
    ),
    "not_complete": (
        Text(
            vi="Các dòng không khớp bản tổng hợp đã duyệt: {given}.",
            en="The lines do not make up the run that was approved: {given}.",
        ),
        Text(vi="{wanted}", en="{wanted}"),
        Text(
            vi="Không công bố gì. Báo cho người vận hành: dữ liệu đã bị thay đổi ngoài hệ thống.",
            en="Nothing was published. Tell the operators: data were changed behind the system's back.",
        ),
    ),
    "reserve_too_small": (
        Text(
            vi="Dự phòng của tỉnh còn {given} đồng, điều chỉnh này cần {wanted} đồng.",
            en="The province's reserve holds {given} đồng, this adjustment needs {wanted} đồng.",
        ),
        Text(vi="dự phòng ít nhất {wanted} đồng", en="a reserve of at least {wanted} đồng"),
        Text(
            vi="Duyệt các điều chỉnh giảm trước, hoặc đính chính tổng kinh phí.",
            en="Approve the reductions first, or have the envelope corrected.",
        ),
    ),
    "decided_before": (
        Text(
            vi="Đã có quyết định hỗ trợ cho năm này của: {given}.",
            en="There is a decision on this year's support already for: {given}.",
        ),
        Text(vi="mỗi trung tâm, năm và mục đích chỉ một quyết định", en="one decision per centre, year and purpose"),
        Text(
            vi="Chờ bản đề nghị mới không còn các trung tâm đó; thay đổi đi theo đường điều chỉnh.",
            en="Wait for the new proposal without these centres; a change of theirs goes by an adjustment.",
        ),
    ),
    "not_reversible": (
        Text(
            vi="Không huỷ được điều chỉnh {given} nữa.",
            en="The adjustment {given} cannot be taken back any more.",
        ),
        Text(
            vi="điều chỉnh cuối cùng của trung tâm, đã duyệt và chưa bị huỷ",
            en="the last adjustment of the centre, approved and not taken back before",
        ),
        Text(
            vi="Xem các điều chỉnh của trung tâm; huỷ hoặc quyết định điều chỉnh cuối cùng trước.",
            en="Look at the centre's adjustments; take back, or decide on, the last one first.",
        ),
    ),
}


def refusal(code: str, field: str, *, given: str = "", wanted: str = "") -> Problem:
    """The refusal of this code. `given`, `wanted`: what was found and what it should have been."""
    message, expected, mend = (
        Text(vi=text.vi.format(given=given, wanted=wanted), en=text.en.format(given=given, wanted=wanted))
        for text in TEXTS[code]
    )
    return Problem(code=code, field=field, message=message, expected=expected, mend=mend)
