"""Standards of Decree 20/2014 that an authority recognised: its decision counts, and what we computed stands beside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from services.scoring.domain.judging import step_on
from services.scoring.domain.recognising import in_order, named_decision, revoked
from shared.contracts.base import Step, Text, content_hash
from shared.contracts.facts import Recognition, RecognitionInForce, Reference
from shared.rulebook import NoRuleInForce, Series, cut_off, readings_on, rubric_for
from shared.rulebook.standards import StandardsRubric
from shared.wording import reached

SERIES: Series = "universal_education"


def beside_standards(decisions: Iterable[Recognition], period: int) -> Mapping[str, RecognitionInForce]:
    """Per standard the decision for a period, in force or revoked by its cut-off date.

    Standards are recognised year by year, so a decision counts for the period that it names and for no other.
    """
    day = cut_off(period)
    return {
        one.standard: RecognitionInForce(
            level=one.level,
            grade=None,
            decision_number=one.decision_number,
            decided_on=one.decided_on,
            valid_until=day + timedelta(days=1),
            in_force=one.revocation is None or day < one.revocation.effective_from,
            revocation=one.revocation,
            imported=one.imported,
        )
        for one in in_order(decisions)  # the last one stands
        if one.standard is not None and one.period == period
    }


def with_decisions(
    references: Sequence[Reference], decisions: Iterable[Recognition], subject: str, period: int
) -> list[Reference]:
    """The references with the recognised level of a standard in the place of the computed one.

    Args:
        references: frozen results that may be used.
        decisions: all decisions on standards of the commune.
        subject: its unit id.
    """
    law = _law(period)
    decided = {
        standard: one for standard, one in beside_standards(decisions, period).items() if one.in_force and one.level
    }
    if law is None or not decided:
        return list(references)
    kept = []
    for one in references:
        if (one.series, one.period) == (SERIES, period):
            outcome = {name: value for name, value in one.outcome.items() if name not in decided}
            one = one.model_copy(update={"outcome": outcome})
        kept.append(one)
    return [one for one in kept if one.outcome] + [
        Reference(
            series=SERIES,
            subject=f"{subject}/{standard}",
            period=period,
            version=1,
            rubric=law.id,
            outcome={standard: str(one.level)},
            hash=content_hash(one.model_dump(mode="json", exclude={"imported"})),
            decision_number=one.decision_number,
        )
        for standard, one in sorted(decided.items())
    ]


def notes_on_decided(used: Sequence[Reference], computed: Sequence[Reference], period: int) -> list[Step]:
    """Per standard whose recognised level was used, that it decided, and what we computed.

    Args:
        used: the references that decided something.
        computed: all results as they were before decisions took their place.
    """
    law = _law(period)
    ours = [one.outcome for one in computed if (one.series, one.period) == (SERIES, period)]
    levels = {standard: level for outcome in ours for standard, level in outcome.items()}
    notes = []
    for one in used:
        if law is None or one.decision_number is None:
            continue
        ((standard, level),) = one.outcome.items()
        name = _name(law, standard)
        if name is None:
            continue
        recognised, computed_level = reached(int(level)), levels.get(standard)
        stands = Text(vi="Langhoc chưa tính", en="none was computed")
        if computed_level is not None:
            own = reached(int(computed_level))
            stands = Text(vi=f"Langhoc tính {own.vi}, để tham khảo", en=f"{own.en} by computation, for information")
        notes.append(
            step_on(
                readings_on(cut_off(period)).recognised_standard,
                f"{name.vi}: {recognised.vi} theo quyết định công nhận {one.decision_number}; {stands.vi}.",
                f"{name.en}: {recognised.en} by the recognising decision {one.decision_number}; {stands.en}.",
            )
        )
    return notes


def notes_on_revoked(decisions: Iterable[Recognition], period: int) -> list[Step]:
    """Per decision on a standard for the period that was revoked, by whom, why, and whether it still counts."""
    law, day = _law(period), cut_off(period)
    notes = []
    for one in in_order(decisions):
        name = None if law is None or one.standard is None else _name(law, one.standard)
        if one.period != period or one.revocation is None or name is None:
            continue
        said = named_decision(one)
        of = Text(vi=f"{name.vi}: {said.vi}", en=f"{name.en}: {said.en}")
        counts = day < one.revocation.effective_from
        notes.append(revoked(one.revocation, of, counts, readings_on(day).recognised_standard))
    return notes


def _name(law: StandardsRubric, standard: str) -> Text | None:
    return next((each.name for each in law.standards if each.id == standard), None)


def _law(period: int) -> StandardsRubric | None:
    try:
        rule = rubric_for(SERIES, period)
    except NoRuleInForce:
        return None
    assert isinstance(rule, StandardsRubric)
    return rule
