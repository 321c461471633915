"""Recognition: an authority's decision. It stands beside a computed result, and level 2 builds on an earlier one."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import date

from services.scoring.domain.judging import Recognition, step_on
from shared.contracts.base import Step
from shared.contracts.facts import RecognitionInForce
from shared.rulebook import NoRuleInForce, PassFailRubric, Rubric, cut_off, rubric_for
from shared.rulebook.basis import Validity
from shared.wording import EN, VI


def recognition_beside(rubric: Rubric, recognitions: Sequence[Recognition], period: int) -> RecognitionInForce | None:
    """The latest decision taken by the cut-off date of a period, and whether it still held on that day.

    How long it holds is said by the kind of rubric it was taken under (a level: 36 months, a grade: a year), counted
    from the end of the year of the decision. `None`: there was no decision, or no rule says how long one holds.
    """
    day = cut_off(period)
    for decision in reversed(_in_order(recognitions)):
        validity = _validity(rubric, decision)
        if decision.decided_on <= day and validity is not None:
            valid_until = _valid_until(decision, validity)
            return RecognitionInForce(
                level=decision.level,
                grade=decision.grade,
                decision_number=decision.decision_number,
                decided_on=decision.decided_on,
                valid_until=valid_until,
                in_force=day < valid_until,
            )
    return None


def opens_level_2(rubric: PassFailRubric, recognitions: Sequence[Recognition], period: int) -> tuple[bool, Step]:
    """Whether a recognition of level 1 or higher, old enough and still valid on the cut-off date, opens level 2."""
    day = cut_off(period)
    latest = _months_before(day, rubric.recognised.months)
    for decision in _in_order(recognitions):
        old_enough = decision.level is not None and decision.decided_on <= latest
        if old_enough and day < _valid_until(decision, rubric.validity):
            return True, step_on(
                rubric.recognised,
                f"Đã được công nhận mức độ {decision.level} theo quyết định {decision.decision_number} ngày "
                f"{VI.day(decision.decided_on)}, đủ {rubric.recognised.months} tháng và còn hiệu lực.",
                f"Recognised at level {decision.level} by decision {decision.decision_number} of "
                f"{EN.day(decision.decided_on)}, at least {rubric.recognised.months} months before, still valid.",
                rubric.validity,
            )
    return False, step_on(
        rubric.recognised,
        f"Mọi chỉ tiêu đạt mức độ 2, nhưng mức độ 2 cần quyết định công nhận mức độ 1 từ ngày {VI.day(latest)} trở về "
        f"trước, còn hiệu lực vào {VI.day(day)}: kết quả dừng ở mức độ 1.",
        f"All targets are met at level 2, but level 2 needs a recognition of level 1 decided on or before "
        f"{EN.day(latest)} and still valid on {EN.day(day)}: the result stays at level 1.",
        rubric.validity,
    )


def _in_order(recognitions: Sequence[Recognition]) -> list[Recognition]:
    return sorted(recognitions, key=lambda one: (one.decided_on, one.decision_number, one.version))


def _validity(rubric: Rubric, decision: Recognition) -> Validity | None:
    """That of the rubric itself, or, for a decision of the other kind, that of the rubric of the decision's period."""
    if isinstance(rubric, PassFailRubric) == (decision.level is not None):
        return rubric.validity
    try:
        return rubric_for(rubric.series, decision.period).validity
    except NoRuleInForce:
        return None


def _valid_until(decision: Recognition, validity: Validity) -> date:
    """First day on which a decision no longer holds: whole years after the year of the decision."""
    return date(decision.decided_on.year + 1 + validity.months // 12, 1, 1)


def _months_before(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
