"""A province's proposal for a budget year, as far as it differs from the one before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from pydantic import TypeAdapter

from services.funding.decisions.journal import OF_LINES, TOPIC
from services.funding.decisions.proposal.calculating import Rules, calculated, rules_in_force
from services.funding.decisions.proposal.departures import closing_line
from services.funding.decisions.proposal.inputs import ProvinceInputs
from services.funding.domain import NO_ENVELOPE, Budget, explained, head_of, references
from shared.contracts.base import Step, ungrounded
from shared.contracts.facts import Allocation, BudgetProposed, BudgetRunProposed
from shared.messaging.decide.asking import Ask, Outcome
from shared.messaging.decide.documents import Collection
from shared.messaging.messages import Outgoing

RUNS: Collection[BudgetRunProposed] = Collection("runs", TypeAdapter(BudgetRunProposed))
ALLOCATIONS: Collection[BudgetProposed] = Collection(
    "allocations", TypeAdapter(BudgetProposed), schema=2, upgrades=OF_LINES
)


def propose(
    inputs: ProvinceInputs,
    previous_run: BudgetRunProposed | None,
    previous_lines: Iterable[BudgetProposed],
    proposed_at: datetime,
) -> Outcome:
    """The province's proposal for one budget year, as far as it differs from the previous one.

    Publishes one `BudgetProposed` per centre whose line changed, hung under that centre's latest scored
    event, and the `BudgetRunProposed` that proves the whole. Nothing is published where nothing changed, or no envelope
    was ever known; where it was withdrawn, a run that shares nothing takes back what was proposed.

    Args:
        inputs: what is known of the province.
        previous_run: the latest proof, or `None` for the first proposal.
        previous_lines: the latest lines of that year, of the province and of its centres (a centre that has moved
            carries its versions on).
        proposed_at: business time of the proposal.

    Raises:
        RulebookError: no norms or policy cover the year, or they do not fit the centres (see `allocate`).
        LookupError: the rulebook does not know a result's rubric or grade.
    """
    if inputs.envelope is None and previous_run is None:
        return Outcome(verdict=NO_ENVELOPE)
    rules = rules_in_force(inputs.year, inputs.province)
    budget = calculated(inputs, rules)
    version = previous_run.version + 1 if previous_run else 1
    head = proof_of(budget, inputs, rules, version, proposed_at)

    before = {line.allocation.centre_id: line for line in previous_lines}
    lines = {line.centre_id: line for line in budget.lines}
    for centre_id in sorted(before.keys() - lines.keys()):
        if before[centre_id].province == inputs.province:
            lines[centre_id] = closing_line(before[centre_id].allocation, inputs, rules)
    grants = grants_of(budget)
    changed = [
        line
        for line in lines.values()
        if not same_line(before.get(line.centre_id), head, line, grants.get(line.centre_id))
    ]
    if not changed and previous_run and says_the_same(head, previous_run):
        return Outcome(verdict="unchanged")

    traces = _latest_traces(inputs)
    outcome = Outcome()
    for line in changed:
        last_line = before.get(line.centre_id)
        proposed = BudgetProposed(
            province=inputs.province,
            year=inputs.year,
            version=last_line.version + 1 if last_line else 1,
            run_version=version,
            allocation=line,
            previous_amount=last_line.allocation.amount if last_line else None,
            grant=grants.get(line.centre_id),
        )
        outcome.put(ALLOCATIONS.ref(line.centre_id, inputs.year), proposed)
        outcome.events.append(
            Outgoing(TOPIC, line.centre_id, line.centre_id, proposed, parent=traces.get(line.centre_id))
        )
    outcome.put(RUNS.ref(inputs.province, inputs.year), head)
    outcome.events.append(Outgoing(TOPIC, inputs.province, inputs.province, head))
    return outcome


def grants_of(budget: Budget) -> dict[str, Allocation]:
    """The initial equipment of newly established centres, by centre."""
    return {line.centre_id: line for line in budget.equipment.lines} if budget.equipment else {}


def proof_of(
    budget: Budget, inputs: ProvinceInputs, rules: Rules, version: int, proposed_at: datetime
) -> BudgetRunProposed:
    """The proof of a budget, with the rules that its lines' words stand in."""
    graded = {line.basis.graded.rubric for line in budget.lines if line.basis and line.basis.graded}
    return head_of(
        budget,
        province=inputs.province,
        year=inputs.year,
        version=version,
        proposed_at=proposed_at,
        rules=references(rules.norms, rules.policy, inputs.year, graded),
    )


def same_line(known: BudgetProposed | None, run: BudgetRunProposed, line: Allocation, grant: Allocation | None) -> bool:
    """Whether a line of a run, and the grant beside it, say what was already proposed, on whatever citation."""
    if known is None or known.province != run.province:
        return False
    return same_values(known.allocation, line, run) and same_values(known.grant, grant, run)


def same_values(known: Allocation | None, line: Allocation | None, run: BudgetRunProposed) -> bool:
    """Whether two lines say the same. What an earlier release told in words is compared by its words."""
    if known is None or line is None or not known.told:
        return known == line
    if known.model_copy(update=_UNTOLD) != line.model_copy(update=_UNTOLD):
        return False
    return _said(known.told) == _said(explained(line, run))


_UNTOLD: Mapping[str, object] = {"basis": None, "departure": None, "correction": None, "told": ()}


def _said(steps: Iterable[Step]) -> object:
    return [ungrounded(step.model_dump(mode="json")) for step in steps]


def says_the_same(head: BudgetRunProposed, run: BudgetRunProposed) -> bool:
    """Whether a proof says what a run says, whatever its version, time and provenance.

    The run of an earlier release names no rules, and says less of what lines share.
    """
    version = {name: getattr(run, name) for name in ("version", "proposed_at", "provenance")}
    unsaid = {} if run.rules else {name: getattr(run, name) for name in ("rules", "floors", "grants")}
    return run == head.model_copy(update=version | unsaid)


async def lines_of(ask: Ask, inputs: ProvinceInputs) -> dict[str, BudgetProposed]:
    """The lines that stand, by centre: of the province, and of its centres wherever they came from."""
    of_province = await ask.all(ALLOCATIONS, {"province": inputs.province, "year": inputs.year})
    ids = {line.allocation.centre_id for line in of_province} | {centre.centre_id for centre in inputs.centres}
    found = await ask.many(ALLOCATIONS.ref(centre_id, inputs.year) for centre_id in sorted(ids))
    return {line.allocation.centre_id: line for line in found if line}


def _latest_traces(inputs: ProvinceInputs) -> dict[str, str | None]:
    """Per centre the trace of its latest score that could have moved the money."""
    ordered = sorted(inputs.scores, key=lambda score: score.period)
    return {score.centre_id: score.traceparent for score in ordered if score.period < inputs.year}
