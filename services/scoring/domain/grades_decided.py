"""Grades of centres that an authority decided: they stand beside what is computed from a file, and change no figure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from services.scoring.domain.judging import step_on
from services.scoring.domain.recognising import in_order, named_decision, revoked
from shared.contracts.base import Step
from shared.contracts.facts import Recognition, RecognitionInForce
from shared.rulebook import cut_off
from shared.rulebook.source import Grounded


def beside_grade(decisions: Iterable[Recognition], period: int) -> RecognitionInForce | None:
    """The decision on a centre's grade of a period.

    Centres are graded year by year, so a decision is of the period that it names and of no other; a revoked one is of
    none, whenever the revocation took effect.
    """
    found = [one for one in in_order(decisions) if one.period == period]
    if not found:
        return None
    one = found[-1]
    return RecognitionInForce(
        level=None,
        grade=one.grade,
        decision_number=one.decision_number,
        decided_on=one.decided_on,
        valid_until=cut_off(period) + timedelta(days=1),
        in_force=one.revocation is None,
        revocation=one.revocation,
        imported=one.imported,
    )


def notes_on_grade(decisions: Iterable[Recognition], period: int, rule: Grounded) -> list[Step]:
    """That such a decision stands beside the result, or was revoked. `rule`: by which the file is judged."""
    notes = []
    for one in in_order(decisions):
        of = named_decision(one)
        if one.period != period:
            continue
        if one.revocation is not None:
            notes.append(revoked(one.revocation, of, False, rule))
            continue
        notes.append(
            step_on(
                rule,
                f"{of.vi} đứng cạnh kết quả tính từ hồ sơ và không thay đổi kết quả đó.",
                f"{of.en} stands beside what is computed from the file, and changes none of it.",
            )
        )
    return notes
