"""Why a centre takes no part in a budget year any more, with the decision or withdrawal that says so."""

from __future__ import annotations

from datetime import date

from services.funding.decisions.proposal.calculating import Rules, counts_suspension
from services.funding.decisions.proposal.inputs import ProvinceInputs
from services.funding.domain import withdrawn
from shared.contracts.facts import Allocation, Departure, NamedDecision, RegistrationAccepted


def closing_line(line: Allocation, inputs: ProvinceInputs, rules: Rules) -> Allocation:
    """The line of 0 đồng of a centre that had one, and has no part in what is proposed now."""
    return withdrawn(line, _departure(line.centre_id, inputs, rules))


def _departure(centre_id: str, inputs: ProvinceInputs, rules: Rules) -> Departure:
    if inputs.envelope is None:
        return Departure(why="no_envelope")
    for withdrawal in inputs.gone:
        if withdrawal.subject == centre_id:
            return Departure(why="registration_withdrawn", reason=withdrawal.reason)
    for centre in inputs.centres:
        if centre.centre_id == centre_id:
            return _by_decision(centre, date(inputs.year, 12, 31), rules)
    return Departure(why="left")


def _by_decision(centre: RegistrationAccepted, last: date, rules: Rules) -> Departure:
    decided = decision_of(centre)
    closed, suspended = centre.closed_on, centre.suspended_on
    if closed is not None and closed <= last and decided is not None:
        return Departure(why="closed", on=closed, decision=decided)
    if suspended is not None and suspended <= last and counts_suspension(rules.policy):
        return Departure(why="suspended", on=suspended, decision=decided)
    return Departure(why="left")


def decision_of(centre: RegistrationAccepted) -> NamedDecision | None:
    """Which decision led to this state of the register: act, number, day and signer, as far as they are named."""
    if centre.act is None and centre.decision_number is None:
        return None
    return NamedDecision(act=centre.act, number=centre.decision_number, on=centre.decided_on, by=centre.decided_by)
