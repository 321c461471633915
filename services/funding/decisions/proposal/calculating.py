"""A province's budget as its inputs and the rules give it. Pure: same inputs, same bytes, in whatever order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from services.funding.decisions.journal import OPERATING
from services.funding.decisions.proposal.imported import marked
from services.funding.decisions.proposal.inputs import (
    Clock,
    Files,
    GradeDecided,
    Pending,
    ProvinceInputs,
    Score,
    debts_of,
)
from services.funding.domain import (
    NO_ENVELOPE,
    Assessment,
    Budget,
    Centre,
    Frozen,
    Grade,
    Registered,
    allocate,
    grade_of,
    participants,
)
from shared.contracts.base import Text
from shared.contracts.facts import RegistrationAccepted
from shared.rulebook import FundingNorms, FundingPolicy, NoRuleInForce, funding_norms, funding_policy
from shared.rulebook.funding import Proration

LAST_YEAR_DIFFERS = "last_year_differs"
"""Flag of a line (and its run): the province states another support of last year than was decided."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What law and policy a budget is computed with."""

    norms: FundingNorms
    policy: FundingPolicy
    before: Proration | None
    """How the year before was prorated; `None`: no policy was in force."""
    grades: Mapping[str, Text] = field(default_factory=dict)
    """Names of grades by `<rubric>/<grade>`, where they are frozen; others are asked of the rulebook."""


def rules_in_force(year: int, province: str) -> Rules:
    """A province's rules of a budget year: those of its first day. Raises `NoRuleInForce`, `RulebookError`."""
    first = date(year, 1, 1)
    try:
        before = funding_policy(date(year - 1, 1, 1), province).proration
    except NoRuleInForce:
        before = None
    return Rules(funding_norms(first, province), funding_policy(first, province), before)


def calculated(inputs: ProvinceInputs, rules: Rules, approved: Frozen | None = None) -> Budget:
    """The province's budget as its inputs and the rules give it. Without an envelope nobody gets anything.

    Args:
        approved: the run that is being corrected, where each centre is corrected alone.

    Raises:
        RulebookError: the rules do not fit the centres (see `allocate`).
        LookupError: the rulebook does not know a result's rubric or grade.
    """
    if inputs.envelope is None:
        nothing = allocate((), 0, period=inputs.year - 1, norms=rules.norms, policy=rules.policy)
        return replace(nothing, flags=(NO_ENVELOPE,))
    kin = {centre.centre_id for centre in inputs.kin}
    debts = debts_of(inputs.decided, inputs.year)
    budget = allocate(
        _centres(inputs, rules),
        inputs.envelope.amount,
        period=inputs.year - 1,
        norms=rules.norms,
        policy=rules.policy,
        carried={key: amount for key, amount in debts.items() if key not in kin},
        approved=approved,
    )
    return marked(_told_apart(budget, inputs), inputs)


def _told_apart(budget: Budget, inputs: ProvinceInputs) -> Budget:
    """The budget with a flag on each line whose last year's support the province states otherwise than it was decided.

    The province's own statement counts (it knows what was paid), but not in silence.
    """
    stated, decided = _stated(inputs), _decided(inputs)
    both = [key for key in stated.keys() & decided.keys() if stated[key] != decided[key]]
    differing = {centre_id for centre_id, year in both if year == inputs.year - 1}
    if not differing:
        return budget
    lines = tuple(
        line.model_copy(update={"flags": [*line.flags, LAST_YEAR_DIFFERS]}) if line.centre_id in differing else line
        for line in budget.lines
    )
    return replace(budget, lines=lines, flags=tuple(sorted({*budget.flags, LAST_YEAR_DIFFERS})))


def _stated(inputs: ProvinceInputs) -> dict[tuple[str, int], int]:
    """Support of earlier years as the province states it."""
    return {
        (support.centre_id, support.year): support.amount for support in inputs.supports if support.year < inputs.year
    }


def _decided(inputs: ProvinceInputs) -> dict[tuple[str, int], int]:
    """Support of earlier years as it was decided: with its adjustments and what they carry over."""
    return {
        (line.centre_id, line.year): line.amount + line.carried_total
        for line in inputs.decided
        if line.purpose == OPERATING
    }


def counts_suspension(policy: FundingPolicy) -> bool:
    """Whether a suspended centre takes no part."""
    return policy.suspension is not None and policy.suspension.use == "takes_no_part"


def _equipment(inputs: ProvinceInputs) -> dict[str, int]:
    """What is on record of the initial equipment, by centre.

    Of a year the province states all that was paid, a decision of that year included. So the two are not added up:
    what was decided is paid or will be, on top of what was stated when it was decided; the higher one counts.
    """
    stated = {(payment.centre_id, payment.year): payment.amount for payment in inputs.equipment}
    found = dict(stated)
    for line in inputs.decided:
        if line.purpose == "equipment":
            now = stated.get((line.centre_id, line.year), 0)
            found[line.centre_id, line.year] = max(now, line.amount + min(line.on_record, now))
    paid: dict[str, int] = {}
    for (centre_id, _), amount in found.items():
        paid[centre_id] = paid.get(centre_id, 0) + amount
    return paid


def _centres(inputs: ProvinceInputs, rules: Rules) -> list[Centre]:
    """The centres that take part, each with its result and its support of last year."""
    period, policy = inputs.year - 1, rules.policy
    registered = {each.centre_id: each for each in inputs.centres}
    taking_part = participants(
        [_registered(data, policy) for data in registered.values()],
        inputs.year,
        policy,
        _decided(inputs) | _stated(inputs),
        before=rules.before,
        kin=[_registered(data, policy) for data in inputs.kin] if policy.transition.measured == "last_year" else (),
        equipment=_equipment(inputs),
    )
    pending: dict[str, Pending] = {}
    for file in inputs.pending:
        if file.period == period:
            known = pending.get(file.centre_id)
            pending[file.centre_id] = file.beside(known) if known else file
    files = {each.centre_id: each for each in inputs.files if each.period == period}
    scores: dict[str, dict[int, Score]] = {}
    for score in inputs.scores:
        scores.setdefault(score.centre_id, {})[score.period] = score
    decisions: dict[str, dict[int, GradeDecided]] = {}
    for one in inputs.graded:
        decisions.setdefault(one.centre_id, {})[one.period] = one

    centres = []
    for centre_id, part in taking_part.items():
        data, results = registered[centre_id], scores.get(centre_id, {})
        told = (results.get(period), files.get(centre_id), pending.get(centre_id))
        assessment = _standing(*told, data.opened_on.year, inputs, policy)
        centres.append(
            Centre(
                centre_id=centre_id,
                name=data.name,
                commune_code=data.commune_code,
                area_class=data.area_class,
                population_served=data.population_served,
                last_year=part.last_year,
                assessment=assessment,
                grade=_grade(results, decisions.get(centre_id, {}), period, assessment, rules),
                result_version=results[period].version if period in results else None,
                months=part.months,
                last_months=part.last_months,
                succession=part.succession,
                lineage=part.lineage,
                unknown=part.unknown,
                waits_until=_waits_until(assessment, inputs.clock, policy),
                equipment=part.equipment,
            )
        )
    return centres


def _registered(data: RegistrationAccepted, policy: FundingPolicy) -> Registered:
    return Registered(
        centre_id=data.centre_id,
        population_served=data.population_served,
        opened_on=data.opened_on,
        closed_on=data.closed_on,
        predecessors=tuple(data.predecessors),
        suspended_on=data.suspended_on if counts_suspension(policy) else None,
        resumed_on=data.resumed_on,
        province=data.province,
    )


def _standing(
    current: Score | None,
    files: Files | None,
    open_one: Pending | None,
    opened: int,
    inputs: ProvinceInputs,
    policy: FundingPolicy,
) -> Assessment:
    """Where a centre's assessment stands.

    A grade of the period stands until it is corrected: a correction that was rejected or held takes nothing away. An
    incomplete result, or a file that intake did not let through, is pending; a withdrawn one is no file, nor is one
    that came before it. From a centre that opened after the period nothing was due.
    """
    period, clock = inputs.year - 1, inputs.clock
    if current and current.state == "scored" and current.grade:
        return "scored"
    if _waits(current, files, open_one, clock, policy):
        return "pending"
    if opened > period:
        return "not_due"
    return "awaited" if policy.awaited and clock and clock.phase == "open" else "not_submitted"


def _waits(
    current: Score | None, files: Files | None, open_one: Pending | None, clock: Clock | None, policy: FundingPolicy
) -> bool:
    """Whether an unsettled file counts as pending. When an older release's came is not known: it was in time."""
    came = [files.arrived if files else None] if current and current.state != "unassessed" else []
    if open_one and not (files and files.withdrawn):
        came.append(open_one.received_at)
    elif open_one and files and (since := open_one.since(files.withdrawn_at)):
        came.append(since)
    if policy.pending.until is None or clock is None:
        return bool(came)
    return clock.phase != "closed" and any(at is None or at < clock.deadline for at in came)


def _waits_until(assessment: Assessment, clock: Clock | None, policy: FundingPolicy) -> datetime | None:
    """Until when an awaited or pending file may still change the amount by itself."""
    if clock is None or (assessment == "pending" and policy.pending.until is None):
        return None
    return {"awaited": clock.deadline, "pending": clock.closes}.get(assessment)


def _grade(
    scores: Mapping[int, Score],
    decisions: Mapping[int, GradeDecided],
    period: int,
    assessment: Assessment,
    rules: Rules,
) -> Grade | None:
    """The grade that counts: that of the period's result, or while it may still come the latest earlier one. Of one
    period the computed grade counts before the decided one."""
    if assessment == "scored":
        return graded(scores[period], rules)
    if assessment in ("awaited", "pending"):
        known: dict[int, Score | GradeDecided] = {**decisions}
        known |= {at: score for at, score in scores.items() if score.grade}
        earlier = [at for at in known if at < period]
        return graded(known[max(earlier)], rules) if earlier else None
    return None


def graded(result: Score | GradeDecided, rules: Rules) -> Grade:
    """The grade of a score that has one, or of a decision, with its name."""
    assert result.grade is not None
    total, decision = (result.total, None) if isinstance(result, Score) else (None, result.decision_number)
    name = rules.grades.get(f"{result.rubric}/{result.grade}")
    if name is None:
        name = grade_of(result.rubric, result.grade, result.period).name
    return Grade(result.grade, name, result.period, total, result.rubric, decision)
