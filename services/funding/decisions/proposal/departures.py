"""Why a centre takes no part in a budget year any more, with the decision or withdrawal that says so."""

from __future__ import annotations

from datetime import date

from services.funding.decisions.proposal.calculating import Rules, counts_suspension
from services.funding.decisions.proposal.inputs import ProvinceInputs
from services.funding.domain import withdrawn
from shared.contracts.base import Text
from shared.contracts.facts import Allocation, RegistrationAccepted
from shared.wording import EN, VI


def closing_line(line: Allocation, inputs: ProvinceInputs, rules: Rules) -> Allocation:
    """The line of 0 đồng of a centre that had one, and has no part in what is proposed now."""
    why = _reason(line.centre_id, inputs, rules)
    ends = why and Text(
        vi=f"{why.vi}; số đã đề nghị được rút về 0 đồng.", en=f"{why.en}; the proposed amount is withdrawn to 0 đồng."
    )
    return withdrawn(line, rules.policy, ends)


def _reason(centre_id: str, inputs: ProvinceInputs, rules: Rules) -> Text | None:
    """`None`: nothing more is known than that it left."""
    if inputs.envelope is None:
        return Text(
            vi=f"Tỉnh đã rút lại tổng kinh phí năm {inputs.year}, không còn gì để phân bổ",
            en=f"The province has withdrawn its envelope of {inputs.year}, so there is nothing to share",
        )
    for withdrawal in inputs.gone:
        if withdrawal.subject == centre_id:
            return Text(
                vi=f"Đăng ký của trung tâm đã được rút lại ({withdrawal.reason})",
                en=f"The centre's registration was withdrawn ({withdrawal.reason})",
            )
    for centre in inputs.centres:
        if centre.centre_id == centre_id:
            return _by_decision(centre, date(inputs.year, 12, 31), rules)
    return None


def _by_decision(centre: RegistrationAccepted, last: date, rules: Rules) -> Text | None:
    decided = decision_of(centre)
    closed, suspended = centre.closed_on, centre.suspended_on
    if closed is not None and closed <= last and decided is not None:
        return Text(
            vi=f"Trung tâm không còn hoạt động từ ngày {VI.day(closed)} ({decided.vi})",
            en=f"The centre does not exist any more since {EN.day(closed)} ({decided.en})",
        )
    if suspended is not None and suspended <= last and counts_suspension(rules.policy):
        named = decided or Text(vi="chưa nêu quyết định", en="no decision is named")
        return Text(
            vi=f"Trung tâm tạm dừng hoạt động từ ngày {VI.day(suspended)} ({named.vi})",
            en=f"The centre is suspended since {EN.day(suspended)} ({named.en})",
        )
    return None


def decision_of(centre: RegistrationAccepted) -> Text | None:
    """Which decision led to this state of the register: act, number, day and signer, as far as they are named."""
    if centre.act is None and centre.decision_number is None:
        return None
    act = _ACTS.get(centre.act or "", Text(vi="quyết định", en="decision"))
    number = f" {centre.decision_number}" if centre.decision_number else ""
    day = centre.decided_on
    vi = f"{act.vi}{number}{f' ngày {VI.day(day)}' if day else ''}"
    en = f"{act.en}{number}{f' of {EN.day(day)}' if day else ''}"
    signed = centre.decided_by
    return Text(vi=f"{vi}, {signed}" if signed else vi, en=f"{en}, {signed}" if signed else en)


_ACTS = {
    "established": Text(vi="quyết định thành lập", en="decision that establishes it"),
    "merged": Text(vi="quyết định sáp nhập", en="decision that merges it"),
    "split": Text(vi="quyết định chia tách", en="decision that splits it"),
    "suspended": Text(vi="quyết định tạm dừng", en="decision that suspends it"),
    "resumed": Text(vi="quyết định cho hoạt động lại", en="decision that lets it work again"),
    "dissolved": Text(vi="quyết định giải thể", en="decision that dissolves it"),
    "revoked": Text(vi="quyết định huỷ quyết định trước", en="decision that revokes an earlier one"),
}
