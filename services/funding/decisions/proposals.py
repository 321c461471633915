"""How a province's proposal is made of what is known of it. Pure: same documents, same bytes, in whatever order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from services.funding.domain import Assessment, Budget, Centre, Grade, allocate, grade_of, head_of, withdrawn
from services.funding.domain.roster import Registered, participants
from shared.contracts.base import Text, ungrounded
from shared.contracts.facts import Allocation, BudgetProposed, EnvelopeAccepted, RegistrationAccepted, SupportAccepted
from shared.messaging.decide.handling import Document, Outcome, Ref
from shared.messaging.messages import Outgoing
from shared.rulebook import FundingNorms, FundingPolicy, NoRuleInForce, funding_norms, funding_policy
from shared.rulebook.funding import Proration

TOPIC = "budgets"
LAST_YEAR_DIFFERS = "last_year_differs"
"""Flag of a line (and its run): the province states another support of last year than was decided."""


@dataclass(frozen=True, slots=True)
class ProvinceInputs:
    """All input documents of one province, without `_id` (see the table above).

    More years than needed do no harm: each proposal picks its own.
    """

    province: str
    year: int
    envelope: Document | None
    """Of the province and year."""
    centres: Sequence[Document]
    """Of the province."""
    scores: Sequence[Document]
    """Of the province, at least of every period before the year: an earlier grade stands in for a pending file."""
    supports: Sequence[Document]
    """Of the province, of the years before: as far back as the transition of merged centres looks."""
    pending: Sequence[Document]
    """Of the province, at least of the period before the year."""
    decided: Sequence[Document] = ()
    """Decisions of the years before on the province's centres, whoever took them: what counts of each, and of the
    latest one on a centre with a debt (`debts_of`) its `allocation`. Of later years those that were decided first and
    have paid what this year would pay again: debts, and the initial equipment."""


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


def calculated(inputs: ProvinceInputs, rules: Rules) -> Budget:
    """The province's budget as its inputs and the rules give it. There must be an envelope.

    Raises:
        RulebookError: the rules do not fit the centres (see `allocate`).
        LookupError: the rulebook does not know a result's rubric or grade.
    """
    envelope = EnvelopeAccepted.model_validate(inputs.envelope)
    budget = allocate(
        _centres(inputs, rules),
        envelope.amount,
        period=inputs.year - 1,
        norms=rules.norms,
        policy=rules.policy,
        carried=debts_of(inputs.decided, inputs.year),
    )
    return _told_apart(budget, inputs)


def debts_of(decided: Iterable[Document], year: int) -> dict[str, int]:
    """What the years before carried over and no other year has paid, in đồng, by centre; only where there is some.

    The debt follows the centre: whoever has it in the register pays. A later year that was decided first has paid too.
    """
    sums: dict[str, int] = {}
    for line in decided:
        if line["purpose"] == "operating":
            carried = line["carried_total"] if line["year"] < year else 0
            sums[line["centre_id"]] = sums.get(line["centre_id"], 0) + carried - line["settled"]
    return {centre_id: amount for centre_id, amount in sums.items() if amount > 0}


def propose(
    inputs: ProvinceInputs,
    previous_run: Document | None,
    previous_allocations: Iterable[Document],
    proposed_at: datetime,
) -> Outcome:
    """The province's proposal for one budget year, as far as it differs from the previous one.

    Publishes one `BudgetProposed` per centre whose line changed, hung under that centre's latest scored
    event, and the `BudgetRunProposed` that proves the whole. Nothing is published where nothing changed or no
    envelope is known.

    Args:
        inputs: what is known of the province.
        previous_run: the document of `runs`, or `None` for the first proposal.
        previous_allocations: the documents of `allocations` of that year, of the province and of its centres (a
            centre that has moved carries its versions on).
        proposed_at: business time of the proposal.

    Raises:
        RulebookError: no norms or policy cover the year, or they do not fit the centres (see `allocate`).
        LookupError: the rulebook does not know a result's rubric or grade.
    """
    if inputs.envelope is None:
        return Outcome(verdict="no_envelope")
    rules = rules_in_force(inputs.year, inputs.province)
    budget = calculated(inputs, rules)

    before = {line["allocation"]["centre_id"]: line for line in previous_allocations}
    lines = {line.centre_id: line for line in budget.lines}
    for centre_id in sorted(before.keys() - lines.keys()):
        if before[centre_id]["province"] == inputs.province:
            lines[centre_id] = withdrawn(Allocation.model_validate(before[centre_id]["allocation"]), rules.policy)
    grants = grants_of(budget)
    changed = [
        line
        for line in lines.values()
        if not same_line(before.get(line.centre_id), inputs.province, line, grants.get(line.centre_id))
    ]

    version = previous_run["version"] + 1 if previous_run else 1
    head = head_of(budget, province=inputs.province, year=inputs.year, version=version, proposed_at=proposed_at)
    run = head.model_dump(mode="json")
    if not changed and previous_run and proves_the_same(run, previous_run):
        return Outcome(verdict="unchanged")

    traces = _latest_traces(inputs)
    outcome = Outcome()
    for line in changed:
        last_line = before.get(line.centre_id)
        proposed = BudgetProposed(
            province=inputs.province,
            year=inputs.year,
            version=last_line["version"] + 1 if last_line else 1,
            run_version=version,
            allocation=line,
            previous_amount=last_line["allocation"]["amount"] if last_line else None,
            grant=grants.get(line.centre_id),
        )
        outcome.puts[Ref("allocations", f"{line.centre_id}/{inputs.year}")] = proposed.model_dump(mode="json")
        outcome.events.append(
            Outgoing(TOPIC, line.centre_id, line.centre_id, proposed, parent=traces.get(line.centre_id))
        )
    outcome.puts[Ref("runs", f"{inputs.province}/{inputs.year}")] = run
    outcome.events.append(Outgoing(TOPIC, inputs.province, inputs.province, head))
    return outcome


def grants_of(budget: Budget) -> dict[str, Allocation]:
    """The initial equipment of newly established centres, by centre."""
    return {line.centre_id: line for line in budget.equipment.lines} if budget.equipment else {}


def same_line(document: Document | None, province: str, line: Allocation, grant: Allocation | None) -> bool:
    """Whether a line, and the grant beside it, say what was already proposed, on whatever citation."""
    return (
        document is not None
        and document["province"] == province
        and ungrounded(document["allocation"]) == ungrounded(line.model_dump(mode="json"))
        and ungrounded(document.get("grant")) == ungrounded(grant.model_dump(mode="json") if grant else None)
    )


def proves_the_same(run: Document, previous: Document) -> bool:
    """Whether two runs say the same of the same lines, whatever their version, time and provenance."""
    return all(previous.get(name) == run[name] for name in run.keys() - {"version", "proposed_at", "provenance"})


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
        (support["centre_id"], support["year"]): SupportAccepted.model_validate(support).amount
        for support in inputs.supports
        if support["year"] < inputs.year
    }


def _decided(inputs: ProvinceInputs) -> dict[tuple[str, int], int]:
    """Support of earlier years as it was decided: with its adjustments and what they carry over."""
    return {
        (line["centre_id"], line["year"]): line["amount"] + line["carried_total"]
        for line in inputs.decided
        if line["purpose"] == "operating"
    }


def _centres(inputs: ProvinceInputs, rules: Rules) -> list[Centre]:
    """The centres that take part, each with its result and its support of last year."""
    period = inputs.year - 1
    registered = {each["centre_id"]: RegistrationAccepted.model_validate(each) for each in inputs.centres}
    taking_part = participants(
        [
            Registered(
                centre_id=data.centre_id,
                population_served=data.population_served,
                opened_on=data.opened_on,
                closed_on=data.closed_on,
                predecessors=tuple(data.predecessors),
            )
            for data in registered.values()
        ],
        inputs.year,
        rules.policy,
        _decided(inputs) | _stated(inputs),
        before=rules.before,
        granted={line["centre_id"] for line in inputs.decided if line["purpose"] == "equipment"},
    )
    pending = {file["centre_id"] for file in inputs.pending if file["period"] == period}
    scores: dict[str, dict[int, Document]] = {}
    for score in inputs.scores:
        scores.setdefault(score["centre_id"], {})[score["period"]] = score

    centres = []
    for centre_id, part in taking_part.items():
        data, known = registered[centre_id], scores.get(centre_id, {})
        assessment, grade = _standing(known, period, data.opened_on.year, rules, file_open=centre_id in pending)
        centres.append(
            Centre(
                centre_id=centre_id,
                name=data.name,
                commune_code=data.commune_code,
                area_class=data.area_class,
                population_served=data.population_served,
                last_year=part.last_year,
                assessment=assessment,
                grade=grade,
                result_version=known[period]["version"] if period in known else None,
                months=part.months,
                last_months=part.last_months,
                succession=part.succession,
                newly_established=part.newly_established,
            )
        )
    return centres


def _standing(
    scores: Mapping[int, Document], period: int, opened: int, rules: Rules, *, file_open: bool
) -> tuple[Assessment, Grade | None]:
    """Where a centre's assessment stands, and the result that counts.

    A grade of the period stands until it is corrected: a correction that was rejected or held takes nothing
    away. An incomplete result, or a file that intake did not let through, is pending; then the latest earlier
    grade counts. From a centre that opened after the period nothing was due.
    """
    current = scores.get(period)
    if current and current["state"] == "scored" and current["grade"]:
        return "scored", graded(current, rules)
    if current is None and not file_open:
        return ("not_submitted" if opened <= period else "not_due"), None
    for earlier in sorted((p for p in scores if p < period), reverse=True):
        if scores[earlier]["grade"]:
            return "pending", graded(scores[earlier], rules)
    return "pending", None


def graded(score: Document, rules: Rules) -> Grade:
    """The result in a document of `scores`, with its grade's name."""
    total = None if score.get("total") is None else Decimal(score["total"])
    name = rules.grades.get(f"{score['rubric']}/{score['grade']}")
    if name is not None:
        return Grade(score["grade"], name, score["period"], total)
    return grade_of(score["rubric"], score["grade"], score["period"], total)


def _latest_traces(inputs: ProvinceInputs) -> dict[str, str | None]:
    """Per centre the trace of its latest score that could have moved the money."""
    ordered = sorted(inputs.scores, key=lambda score: score["period"])
    return {score["centre_id"]: score["traceparent"] for score in ordered if score["period"] < inputs.year}
