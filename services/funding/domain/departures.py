"""Why a centre takes no part in a budget year any more, in Vietnamese and English."""

from __future__ import annotations

from shared.contracts.base import Step, Text
from shared.contracts.facts import Departure, NamedDecision
from shared.rulebook import FundingPolicy
from shared.wording import EN, VI

_LEFT = Text(
    vi="Trung tâm không còn thuộc đề nghị của tỉnh trong năm ngân sách này (đã chuyển sang tỉnh khác, đã giải thể "
    "hoặc sáp nhập, hoặc ngày thành lập được đính chính sang năm sau); số đã đề nghị được rút về 0 đồng.",
    en="The centre no longer takes part in the province's proposal for this budget year (it moved to another "
    "province, it was closed or merged, or its opening date was corrected to a later year); the proposed amount "
    "is withdrawn to 0 đồng.",
)


def departed(departure: Departure, year: int, policy: FundingPolicy) -> Step:
    """That what was proposed for a budget year is taken back, and why."""
    why = _why(departure, year)
    what = _LEFT
    if why is not None:
        what = Text(
            vi=f"{why.vi}; số đã đề nghị được rút về 0 đồng.",
            en=f"{why.en}; the proposed amount is withdrawn to 0 đồng.",
        )
    return Step(what=what, citation=policy.citation, provenance=policy.provenance)


def _why(departure: Departure, year: int) -> Text | None:
    """`None`: nothing more is known than that it left."""
    day, named = departure.on, decision_in_words(departure.decision)
    match departure.why:
        case "no_envelope":
            return Text(
                vi=f"Tỉnh đã rút lại tổng kinh phí năm {year}, không còn gì để phân bổ",
                en=f"The province has withdrawn its envelope of {year}, so there is nothing to share",
            )
        case "registration_withdrawn":
            return Text(
                vi=f"Đăng ký của trung tâm đã được rút lại ({departure.reason})",
                en=f"The centre's registration was withdrawn ({departure.reason})",
            )
        case "closed" if day is not None and named is not None:
            return Text(
                vi=f"Trung tâm không còn hoạt động từ ngày {VI.day(day)} ({named.vi})",
                en=f"The centre does not exist any more since {EN.day(day)} ({named.en})",
            )
        case "suspended" if day is not None:
            named = named or Text(vi="chưa nêu quyết định", en="no decision is named")
            return Text(
                vi=f"Trung tâm tạm dừng hoạt động từ ngày {VI.day(day)} ({named.vi})",
                en=f"The centre is suspended since {EN.day(day)} ({named.en})",
            )
    return None


def decision_in_words(decision: NamedDecision | None) -> Text | None:
    """Act, number, day and signer of a decision, as far as they are named."""
    if decision is None:
        return None
    act = _ACTS.get(decision.act or "", Text(vi="quyết định", en="decision"))
    number = f" {decision.number}" if decision.number else ""
    day, signed = decision.on, decision.by
    vi = f"{act.vi}{number}{f' ngày {VI.day(day)}' if day else ''}"
    en = f"{act.en}{number}{f' of {EN.day(day)}' if day else ''}"
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
