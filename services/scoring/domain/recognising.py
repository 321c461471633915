"""Recognition: an authority's decision. It stands beside a computed result, and level 2 builds on an earlier one.

A decision counts for the period it names, whenever it was signed, and for the periods after it for as long as it is
valid and not revoked. What the law leaves open of that stands in the rubrics, marked as a reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from services.scoring.domain.judging import step_on
from shared.contracts.base import Step, Text
from shared.contracts.facts import NotCarried, Recognition, RecognitionInForce, Revocation
from shared.rulebook import NoRuleInForce, PassFailRubric, Rubric, cut_off, readings_on, rubric_for
from shared.rulebook.basis import Validity
from shared.rulebook.source import Grounded
from shared.wording import EN, VI


@dataclass(frozen=True, slots=True)
class Beside:
    """The decision that stands beside the results of a period."""

    decision: Recognition
    validity: Validity
    in_force: bool
    """Whether it counts on the cut-off date of the period."""

    @property
    def valid_until(self) -> date:
        """First day on which it no longer holds, revoked or not: whole years after the year in which it was signed."""
        return date(self.decision.decided_on.year + 1 + self.validity.months // 12, 1, 1)

    @property
    def shown(self) -> RecognitionInForce:
        """As a result tells it."""
        one = self.decision
        return RecognitionInForce(
            level=one.level,
            grade=one.grade,
            decision_number=one.decision_number,
            decided_on=one.decided_on,
            valid_until=self.valid_until,
            in_force=self.in_force,
            revocation=one.revocation,
            imported=one.imported,
        )


def beside(rubric: Rubric, recognitions: Iterable[Recognition], period: int) -> Beside | None:
    """The decision for a period: of those that count then, else of all for it or earlier, that for the latest period.

    Of several for that period the last that was signed. How long one holds is said by the kind of rubric it was taken
    under (a level: 36 months, a grade: a year). `None`: there was no decision, or no rule says how long one holds.
    """
    found = [one for decision in recognitions if (one := _held(rubric, decision, period)) is not None]
    return max(found, key=lambda one: (one.in_force, _order(one.decision)), default=None)


def opens_level_2(rubric: PassFailRubric, recognitions: Iterable[Recognition], period: int) -> tuple[bool, Step]:
    """Whether a recognition of level 1 or higher, for a period that is far enough back, still counts in this one."""
    day, latest = cut_off(period), period - -(-rubric.recognised.months // 12)
    found = [
        one
        for decision in recognitions
        if decision.level is not None and decision.period <= latest
        if (one := _held(rubric, decision, period)) is not None and one.in_force
    ]
    if found:
        decision = max((one.decision for one in found), key=_order)
        of = named_decision(decision)
        return True, step_on(
            rubric.recognised,
            f"{of.vi} mở mức độ 2: công nhận cho kỳ {latest} hoặc trước đó, còn hiệu lực vào {VI.day(day)}.",
            f"{of.en} opens level 2: it is for {latest} or earlier, and still in force on {EN.day(day)}.",
            rubric.validity,
        )
    return False, step_on(
        rubric.recognised,
        f"Mọi chỉ tiêu đạt mức độ 2, nhưng mức độ 2 cần quyết định công nhận mức độ 1 cho kỳ {latest} hoặc trước đó, "
        f"còn hiệu lực vào {VI.day(day)}: kết quả dừng ở mức độ 1.",
        f"All targets are met at level 2, but level 2 needs a recognition of level 1 for {latest} or earlier, still in "
        f"force on {EN.day(day)}: the result stays at level 1.",
        rubric.validity,
    )


def notes_beside(
    rubric: Rubric, recognitions: Sequence[Recognition], not_carried: Iterable[NotCarried], own: str, period: int
) -> list[Step]:
    """What people ask about decisions: revoked ones, ones under another id of the same unit, ones that do not count.

    Args:
        own: id of the unit that is judged.
    """
    notes, same_unit = [], readings_on(cut_off(period)).same_unit
    for each in in_order(recognitions):
        held = _held(rubric, each, period)
        if held is None:
            continue
        of = named_decision(each)
        if held.in_force and each.unit_id not in ("", own):
            notes.append(
                step_on(
                    same_unit,
                    f"{of.vi} được tiếp tục tính: {each.unit_id} và {own} là một đơn vị.",
                    f"{of.en} is carried over: {each.unit_id} and {own} are one and the same unit.",
                )
            )
        if each.revocation is not None:
            notes.append(revoked(each.revocation, of, held.in_force, held.validity))
    gone_units = list(not_carried)
    formed_from = [f"{gone.name} ({gone.code})" for gone in gone_units if gone.decision is None]
    if formed_from:
        listed = ", ".join(formed_from)
        notes.append(
            step_on(
                same_unit,
                f"Được hình thành trong kỳ từ {listed} do sáp nhập hoặc chia tách: là đơn vị mới, bắt đầu chưa được "
                "đánh giá; không kết quả, mức độ hay quyết định nào của các đơn vị đó được chuyển sang.",
                f"Formed within the period from {listed} by merger or split: a new unit, which starts unassessed; no "
                "result, level or decision of theirs is carried over.",
            )
        )
    for gone in gone_units:
        if gone.decision is None:
            continue
        held = _held(rubric, gone.decision, period)
        if held is not None and held.in_force:
            of = named_decision(gone.decision)
            notes.append(
                step_on(
                    same_unit,
                    f"{of.vi} là của {gone.name} ({gone.code}), đơn vị cũ đã sáp nhập hoặc chia tách: đơn vị mới chưa "
                    "được đánh giá, không kế thừa quyết định này.",
                    f"{of.en} is of {gone.name} ({gone.code}), a former unit that was merged or split: the new unit "
                    "starts unassessed and does not inherit it.",
                )
            )
    return notes


def revoked(revocation: Revocation, of: Text, in_force: bool, ground: Grounded) -> Step:
    """That a decision was revoked, and what this means for the period. `of`: the decision in words."""
    counts = Text(vi="kỳ này vẫn tính", en="it still counts in this period")
    if not in_force:
        counts = Text(vi="không còn tính cho kỳ này", en="it does not count in this period")
    return step_on(
        ground,
        f"{of.vi} bị thu hồi theo quyết định {revocation.decision_number} ngày {VI.day(revocation.decided_on)} của "
        f"{revocation.decided_by}, từ ngày {VI.day(revocation.effective_from)} ({revocation.reason}): {counts.vi}.",
        f"{of.en} is revoked by decision {revocation.decision_number} of {EN.day(revocation.decided_on)} by "
        f"{revocation.decided_by}, from {EN.day(revocation.effective_from)} on ({revocation.reason}): {counts.en}.",
    )


def _held(rubric: Rubric, decision: Recognition, period: int) -> Beside | None:
    """A decision as it is seen from a period; `None`: it is for a later one, or no rule says how long it holds."""
    validity = _validity(rubric, decision)
    if decision.period > period or validity is None:
        return None
    one = Beside(decision, validity, in_force=False)
    day, revocation = cut_off(period), decision.revocation
    counts = day < one.valid_until and (revocation is None or day < revocation.effective_from)
    return Beside(decision, validity, in_force=counts)


def named_decision(decision: Recognition) -> Text:
    """A decision in words."""
    vi, en = (
        (f"mức độ {decision.level}", f"level {decision.level}")
        if decision.level is not None
        else (f"loại {decision.grade}", f"the grade {decision.grade}")
    )
    by_vi = by_en = ""
    if decision.imported is not None:
        by_vi, by_en = f" (Bộ nhập, đợt {decision.imported})", f" (imported by the ministry, {decision.imported})"
    return Text(
        vi=f"Quyết định {decision.decision_number} ngày {VI.day(decision.decided_on)} công nhận {vi} cho kỳ "
        f"{decision.period}{by_vi}",
        en=f"Decision {decision.decision_number} of {EN.day(decision.decided_on)}, which recognises {en} for "
        f"{decision.period}{by_en},",
    )


def in_order(decisions: Iterable[Recognition]) -> list[Recognition]:
    """By the period they name, then as they were signed: whichever came first."""
    return sorted(decisions, key=_order)


def _order(decision: Recognition) -> tuple[int, date, str, int, str]:
    return decision.period, decision.decided_on, decision.decision_number, decision.version, decision.unit_id


def _validity(rubric: Rubric, decision: Recognition) -> Validity | None:
    """That of the rubric itself, or, for a decision of the other kind, that of the rubric of the decision's period."""
    if isinstance(rubric, PassFailRubric) == (decision.level is not None):
        return rubric.validity
    try:
        return rubric_for(rubric.series, decision.period).validity
    except NoRuleInForce:
        return None
