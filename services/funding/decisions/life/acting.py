"""What people do to a province's budget, from the proposal to its publication."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from services.funding.decisions.journal import DECISIONS
from services.funding.decisions.life.approving import approve
from services.funding.decisions.life.publishing import publish
from services.funding.decisions.life.records import LIVES, Command, beside, order_of, recorded, refused
from services.funding.decisions.proposal.proposing import ALLOCATIONS, RUNS
from services.funding.domain import NO_ENVELOPE, WITHDRAWN, Life, proposed, refusals, step
from shared.contracts.facts import BudgetProposed, BudgetRunProposed
from shared.contracts.life import Action, State
from shared.messaging.decide.asking import Ask, Outcome


class Absent(LookupError):
    """There is no such budget or adjustment: nothing that an action could be recorded of."""


def life_of(province: str, year: int, kept: Life | None, run: BudgetRunProposed | None) -> Life:
    """Where a budget stands. Until somebody acts on it nothing is kept: its proposal is its state."""
    if kept is not None:
        return kept
    if run is None:
        return Life(province=province, year=year, state=State.RECEIVED, version=0, hash="")
    state = State.NO_ENVELOPE if NO_ENVELOPE in run.flags else State.PROPOSED
    return Life(province=province, year=year, state=state, version=run.version, hash=run.hash)


async def life_and_run(ask: Ask, province: str, year: int) -> tuple[Life, BudgetRunProposed | None]:
    """Where a budget stands, and its proposal."""
    kept, run = await ask.one(LIVES.ref(province, year)), await ask.one(RUNS.ref(province, year))
    return life_of(province, year, kept, run), run


async def act(province: str, year: int, command: Command, ask: Ask) -> Outcome:
    """A person's action on a budget, decided on what stands now. Raises `Absent`."""
    life, run = await life_and_run(ask, province, year)
    if run is None:
        raise Absent(life.key)
    command = await beside(command, province, year, ask)
    match Action(command.action):
        case Action.APPROVE:
            return await approve(life, run, command, ask)
        case Action.PUBLISH:
            return publish(life, run, await ask.all(DECISIONS, {"province": province, "year": year}), command)
        case _:
            lines = await ask.all(ALLOCATIONS, {"province": province, "year": year})
            return move(life, command, open_centres(run, lines))


def open_centres(run: BudgetRunProposed, lines: Iterable[BudgetProposed]) -> frozenset[str]:
    """Centres of a proposal whose file may still come, or whose support of last year is on nobody's record."""
    standing = (line.allocation for line in lines if WITHDRAWN not in line.allocation.flags)
    awaited = (line.centre_id for line in standing if line.assessment == "awaited")
    return frozenset([*awaited, *run.last_year_unknown])


def move(life: Life, command: Command, open_: Collection[str] = ()) -> Outcome:
    """Simulate, submit, withdraw or return. `open_`: the centres that a submission has to accept by name."""
    order = order_of(command)
    if problems := refusals(life, order, open_):
        return refused(life, command, problems)
    outcome = Outcome(verdict=order.action)
    recorded(outcome, life, step(life, order), command, moved=order.action)
    return outcome


def proposed_anew(outcome: Outcome, life: Life, run: BudgetRunProposed, command: Command) -> None:
    """Note in a proposal's outcome that it replaces a version on which people had acted."""
    after = proposed(life, run.version, run.hash, envelope=NO_ENVELOPE not in run.flags)
    recorded(outcome, life, after, command, moved=Action.PROPOSE)
