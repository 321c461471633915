"""The initial equipment of a newly established centre: what is owed of it, and why, in Vietnamese and English.

Circular 96/2008/TT-BTC owes it once. It names no day by which it lapses, so what was paid counts, not what was due.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from services.funding.domain.sharing import Share
from shared.contracts.base import Step, Text
from shared.contracts.facts import BudgetRunProposed
from shared.rulebook import FundingNorms, FundingPolicy
from shared.rulebook.funding import EquipmentGrant
from shared.wording import EN, VI


@dataclass(frozen=True, slots=True)
class Equipment:
    """Where a centre's initial equipment stands in a budget year."""

    standing: Literal["none", "due", "rest", "not_recorded"]
    """`due`: in the years of its first payment. `rest`: later, of what was partly paid. `not_recorded`: the law grants
    it, the years are over, and no payment is on record. `none`: the centre has no claim."""
    paid: int = 0
    """On record, in đồng, whenever it was paid and whoever paid."""

    def owed(self, norms: FundingNorms) -> int:
        """What is still to be paid, in đồng. A rest is one of the law's amount: a province's higher norm of later years
        does not reopen what was paid."""
        match self.standing:
            case "due":
                amount = norms.initial_equipment.amount
            case "rest":
                amount = (norms.minima or norms).initial_equipment.amount
            case _:
                amount = 0
        return max(0, amount - self.paid)


NO_EQUIPMENT = Equipment("none")


def equipment_of(opened: date, year: int, rule: EquipmentGrant, *, successor: bool, paid: int | None) -> Equipment:
    """Where the initial equipment of a centre stands in a budget year.

    Args:
        opened: its first day.
        successor: whether it continues other centres.
        paid: what is on record of it, in đồng; `None`: nothing.
    """
    known, since = paid or 0, rule.opened_since
    if (successor and not rule.successors) or (since is not None and opened < since.day) or year < opened.year:
        return Equipment("none", known)
    if rule.rest == "lapses" and paid is not None:
        return Equipment("none", known)
    if year < opened.year + rule.within_years:
        return Equipment("due", known)
    if known:
        return Equipment("rest", known)
    return Equipment("none" if since is None else "not_recorded")


def explain_grant(
    norms: FundingNorms,
    policy: FundingPolicy,
    run: BudgetRunProposed,
    share: Share,
    equipment: Equipment,
) -> list[Step]:
    """Why a newly established centre gets its initial equipment, and why less than that where the money is short.

    `run`: of the province; its grants together are all that there was for them.
    """
    norm, rule = norms.initial_equipment, policy.equipment
    year, owed = run.year, equipment.owed(norms)
    due = Text(
        vi=f"Trung tâm mới thành lập: hỗ trợ trang thiết bị ban đầu một lần, {VI.money(norm.amount)}, trừ vào kinh phí "
        f"năm {year} trước khi phân bổ.",
        en=f"A newly established centre: initial equipment, once, {EN.money(norm.amount)}; it leaves the envelope of "
        f"{year} before anything is shared.",
    )
    rest_vi = "; phần chưa cấp đủ vẫn còn nợ cho đến khi cấp đủ" if rule.rest == "owed" else ""
    rest_en = "; what a payment leaves open stays owed until it is paid" if rule.rest == "owed" else ""
    whose = Text(
        vi=f"Được cấp trong {rule.within_years} năm ngân sách kể từ năm thành lập; trung tâm sáp nhập hoặc chia tách "
        f"{'cũng' if rule.successors else 'không'} được coi là mới thành lập{rest_vi}.",
        en=f"Paid within {rule.within_years} budget year(s) from that of the opening; a merged or split centre "
        f"{'counts' if rule.successors else 'does not count'} as newly established{rest_en}.",
    )
    steps = [Step(what=due, citation=norm.citation, provenance=norm.provenance)]
    if rule.opened_since is not None:
        law, day = rule.opened_since, rule.opened_since.day
        since = Text(
            vi=f"Áp dụng cho trung tâm thành lập từ ngày {VI.day(day)}.",
            en=f"It is for centres that opened on {EN.day(day)} or later.",
        )
        steps.append(Step(what=since, citation=law.citation, provenance=law.provenance))
    steps.append(Step(what=whose, citation=rule.citation, provenance=rule.provenance))
    if equipment.paid:
        before = Text(
            vi=f"Đã ghi nhận {VI.money(equipment.paid)} đã cấp (số tỉnh báo của một năm gồm cả số đã quyết định cho "
            f"năm đó; lấy số lớn hơn, để không cấp hai lần); còn nợ {VI.money(owed)}.",
            en=f"{EN.money(equipment.paid)} are on record as paid (what the province states of a year includes what "
            f"was decided for it; the higher one counts, so that nothing is paid twice); {EN.money(owed)} are still "
            f"owed.",
        )
        steps.append(Step(what=before, citation=rule.citation, provenance=rule.provenance))
    if share.exact < owed:
        short = Text(
            vi=f"Chỉ còn {VI.money(run.equipment)} cho {run.grants} trung tâm mới: chia theo cùng tỷ lệ, được "
            f"{VI.money(share.amount)}.",
            en=f"Only {EN.money(run.equipment)} are left for {run.grants} new centres: shared pro rata, here "
            f"{EN(share.amount)} đồng.",
        )
        steps.append(Step(what=short, citation=policy.citation, provenance=policy.provenance))
    return steps
