"""HTTP side of the views of funding: what if, and support beside results over the years."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import Field

from services.funding import queries
from services.funding.decisions import ProvinceInputs
from services.funding.domain import Side
from shared.answers.budgets import AreaAnswer, ChangeAnswer, ComparisonAnswer, SideAnswer, ViewAnswer
from shared.contracts.base import Claim, Dong, Year
from shared.rulebook import RulebookError
from shared.rulebook.given import given_policy
from shared.web.auth import Who
from shared.web.beside import Beside
from shared.web.bodies import MAX_BYTES as MAX_BODY
from shared.web.parameters import KnownYear, Province
from shared.web.problems import not_found, refused

router = APIRouter(tags=["views"])
MAX_YEARS = 20
SIMULATIONS = Beside(2)
"""Two of a process at once: one person waits for another's, and the consumer keeps its share of the machine."""


class Simulating(Claim):
    """What is to be tried; what is left out stays as it is."""

    year: Year
    envelope: Dong | None = None
    policy: Annotated[str | None, Field(max_length=MAX_BODY)] = None
    """A file of the form of `funding_policy.yaml`, held to the limits of a rule's file."""


@router.post("/simulations/{province}", summary="What another envelope or policy would change; nothing is written")
async def simulate(request: Request, who: Who, province: Province, what: Simulating) -> ComparisonAnswer:
    who.require(province, "envelope", f"{province}/{what.year}")
    now = request.app.state.runtime.clock.now()
    inputs = await queries.known(request.app.state.mongo, province, what.year, now)
    if inputs is None:
        raise not_found("envelope", f"{province}/{what.year}")
    return await SIMULATIONS.run(partial(_answer, inputs, what))


def _answer(inputs: ProvinceInputs, what: Simulating) -> ComparisonAnswer:
    """Reads the policy too: that alone takes long."""
    try:
        policy = None if what.policy is None else given_policy(what.policy, date(what.year, 1, 1))
        found = queries.simulated(inputs, envelope=what.envelope, policy=policy)
    except RulebookError as error:
        raise refused("funding.policy_unusable", error.problems) from error
    return ComparisonAnswer(
        province=inputs.province,
        year=inputs.year,
        before=_side(found.before, found.gini_before),
        after=_side(found.after, found.gini_after),
        winners=found.winners,
        losers=found.losers,
        unchanged=found.unchanged,
        by_area_class=[
            AreaAnswer(area_class=area, centres=all_.centres, before=all_.before, after=all_.after, delta=all_.delta)
            for area, all_ in found.by_area_class.items()
        ],
        changes=[ChangeAnswer.model_validate(one, from_attributes=True) for one in found.changes],
    )


def _side(side: Side, gini: Fraction) -> SideAnswer:
    allocated = sum(line.amount for line in side.lines)
    return SideAnswer(
        envelope=side.envelope,
        besides=side.envelope - side.operating,
        allocated=allocated,
        reserve=side.reserve,
        case=side.case,
        gini=str(gini),
    )


Only = Literal["effective_under_supported", "weak_over_supported"]


@router.get("/sustainability/{province}", summary="Per centre over years: support, score, trend, and who stands out")
async def get_sustainability(
    request: Request,
    who: Who,
    province: Province,
    last: KnownYear,
    first: KnownYear | None = None,
    only: Only | None = None,
) -> list[ViewAnswer]:
    who.require(province, "province", province)
    start = last - 4 if first is None else first
    if not last - MAX_YEARS < start <= last:
        raise refused("funding.years_out_of_range", first=start, last=last, most=MAX_YEARS)
    found = await queries.sustainability(request.app.state.mongo, province, start, last)
    return [ViewAnswer.model_validate(view, from_attributes=True) for view in found if only in (None, view.finding)]
