"""Why a newly established centre gets its initial equipment, in Vietnamese and English."""

from __future__ import annotations

from services.funding.domain.sharing import Share
from shared.contracts.base import Step, Text
from shared.rulebook import FundingNorms, FundingPolicy
from shared.wording import EN, VI


def explain_grant(
    norms: FundingNorms, policy: FundingPolicy, envelope: int, grants: int, share: Share, period: int
) -> list[Step]:
    """Why a newly established centre gets its initial equipment, and why less than that where the money is short.

    `envelope`: what there is for all `grants` of the province in the budget year after `period`, in đồng.
    """
    norm, rule = norms.initial_equipment, policy.equipment
    year = period + 1
    due = Text(
        vi=f"Trung tâm mới thành lập: hỗ trợ trang thiết bị ban đầu một lần, {VI.money(norm.amount)}, trừ vào kinh phí "
        f"năm {year} trước khi phân bổ.",
        en=f"A newly established centre: initial equipment, once, {EN.money(norm.amount)}; it leaves the envelope of "
        f"{year} before anything is shared.",
    )
    whose = Text(
        vi=f"Được cấp trong {rule.within_years} năm ngân sách kể từ năm thành lập; trung tâm sáp nhập hoặc chia tách "
        f"{'cũng' if rule.successors else 'không'} được coi là mới thành lập.",
        en=f"Paid within {rule.within_years} budget year(s) from that of the opening; a merged or split centre "
        f"{'counts' if rule.successors else 'does not count'} as newly established.",
    )
    steps = [
        Step(what=due, citation=norm.citation, provenance=norm.provenance),
        Step(what=whose, citation=rule.citation, provenance=rule.provenance),
    ]
    if share.exact < norm.amount:
        short = Text(
            vi=f"Chỉ còn {VI.money(envelope)} cho {grants} trung tâm mới: chia theo cùng tỷ lệ, được "
            f"{VI.money(share.amount)}.",
            en=f"Only {EN.money(envelope)} are left for {grants} new centres: shared pro rata, here {EN(share.amount)} "
            "đồng.",
        )
        steps.append(Step(what=short, citation=policy.citation, provenance=policy.provenance))
    return steps
