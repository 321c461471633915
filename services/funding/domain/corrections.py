"""What a correction after the approval did to a line, in Vietnamese and English, from the values that it tells."""

from __future__ import annotations

from fractions import Fraction

from shared.contracts.base import Step, Text
from shared.contracts.facts import BudgetRunProposed, Correction
from shared.rulebook import FundingPolicy
from shared.wording import EN, VI


def corrected(correction: Correction, run: BudgetRunProposed, policy: FundingPolicy) -> list[Step]:
    """How a line was computed again after the approval of `run`, and whose money that moves."""
    if correction.shared is not None:
        return [_rerun_step(correction, correction.shared, policy)]
    return [_rule_step(correction, run, policy), _money_step(correction, policy)]


def still_owed(grant: int, year: int, policy: FundingPolicy) -> Step:
    """That an adjustment pays no equipment (đồng): it stays owed, and the next year's proposal pays it."""
    rule = policy.equipment
    what = Text(
        vi=f"Trang thiết bị ban đầu {VI.money(grant)} không chi bằng điều chỉnh năm {year}; còn nợ, và được đề "
        f"nghị từ kinh phí năm {year + 1} nếu vẫn trong thời hạn chi lần đầu.",
        en=f"The initial equipment of {EN.money(grant)} is not paid by an adjustment of {year}; it stays owed, "
        f"and is proposed from the envelope of {year + 1} while its first payment can still be made.",
    )
    return Step(what=what, citation=rule.citation, provenance=rule.provenance)


def _rule_step(correction: Correction, run: BudgetRunProposed, policy: FundingPolicy) -> Step:
    rule, exact, due = policy.after_approval, Fraction(correction.exact), correction.due
    if run.case == "below_legal_minimum":
        means = Text(vi="tỷ lệ chi mức tối thiểu đã duyệt", en="the approved share of the minima")
    elif run.theta is not None:
        theta = Fraction(run.theta)
        means = Text(vi=f"θ = {VI(theta)} đã duyệt", en=f"the approved θ = {EN(theta)}")
    elif run.lambda_ is not None:
        level = Fraction(run.lambda_)
        means = Text(vi=f"λ = {VI.money(level)} đã duyệt", en=f"the approved λ = {EN.money(level)}")
    else:
        means = Text(
            vi="các giới hạn đã duyệt (mọi trung tâm đạt giới hạn)", en="the approved bounds (all were capped)"
        )
    what = Text(
        vi=f"Đính chính sau khi duyệt (lần {correction.run_version}): tính lại riêng trung tâm này theo {means.vi}: "
        f"{VI.money(exact)}, làm tròn {VI.money(due)}. Số của trung tâm khác không đổi.",
        en=f"Correction after approval (run {correction.run_version}): this centre alone is computed again by "
        f"{means.en}: "
        f"{EN.money(exact)}, rounded {EN.money(due)}. No other centre's amount changes.",
    )
    return Step(what=what, citation=rule.citation, provenance=rule.provenance)


def _money_step(correction: Correction, policy: FundingPolicy) -> Step:
    rule, kept = policy.after_approval, correction.kept
    paid, carried, reserve = correction.paid, correction.carried, correction.reserve
    if carried > 0:
        what = Text(
            vi=f"Dự phòng còn {VI.money(reserve)}, không đủ chi {VI.money(carried)}: chuyển sang năm sau, chi trước "
            "tiên từ kinh phí năm sau.",
            en=f"The reserve holds {EN.money(reserve)} and cannot pay {EN.money(carried)}: carried to the next year as "
            "a first charge on its envelope.",
        )
    elif paid > 0:
        what = Text(
            vi=f"Chi {VI.money(paid)} từ dự phòng ({VI.money(reserve)}); còn {VI.money(reserve - paid)}.",
            en=f"{EN.money(paid)} are paid from the reserve ({EN.money(reserve)}); {EN(reserve - paid)} đồng are left.",
        )
    elif paid or carried:
        what = Text(
            vi=f"Hoàn {VI.money(-paid)} về dự phòng; giảm {VI.money(-carried)} số chuyển sang năm sau.",
            en=f"{EN.money(-paid)} return to the reserve; {EN.money(-carried)} are no longer carried to the next year.",
        )
    else:
        what = Text(vi="Số tiền không đổi.", en="The amount does not change.")
    if kept:
        what = Text(
            vi=f"{what.vi} {VI.money(kept)} đã do kinh phí năm sau chi, không hoàn về dự phòng của năm này.",
            en=f"{what.en} {EN.money(kept)} were paid by a later year's budget and do not return to this reserve.",
        )
    return Step(what=what, citation=rule.citation, provenance=rule.provenance)


def _rerun_step(correction: Correction, shared: int, policy: FundingPolicy) -> Step:
    rule, exact, due = policy.after_approval, Fraction(correction.exact), correction.due
    what = Text(
        vi=f"Tính lại toàn tỉnh trên {VI.money(shared)} đã duyệt (lần {correction.run_version}), theo chính sách "
        f"{policy.id}: {VI.money(exact)}, làm tròn {VI.money(due)}.",
        en=f"The whole province again over the {EN.money(shared)} approved (run {correction.run_version}), by "
        f"policy {policy.id}: {EN.money(exact)}, rounded {EN.money(due)}.",
    )
    return Step(what=what, citation=rule.citation, provenance=rule.provenance)
