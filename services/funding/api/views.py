"""HTTP side of the views of funding: what if, and support beside results over the years."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from services.funding.decisions.proposals import ProvinceInputs
from services.funding.domain.simulation import Comparison, Outcome, Side
from services.funding.domain.sustainability import Finding, Trend, View
from services.funding.queries import views as queries
from shared.contracts.base import Claim, Dong, Text, Year
from shared.contracts.facts import AllocationCase
from shared.contracts.submissions import AreaClass
from shared.rulebook import RulebookError
from shared.rulebook.given import given_policy
from shared.web.auth import Caller, caller
from shared.web.beside import Beside
from shared.web.bodies import MAX_BYTES as MAX_BODY
from shared.web.problems import ApiProblem, not_found

router = APIRouter(tags=["views"])
Who = Annotated[Caller, Depends(caller)]
MAX_YEARS = 20
SIMULATIONS = Beside(2)
"""Two of a process at once: one person waits for another's, and the consumer keeps its share of the machine."""
BudgetYear = Annotated[int, Query(ge=2013, le=2100)]


class Simulating(Claim):
    """What is to be tried; what is left out stays as it is."""

    year: Year
    envelope: Dong | None = None
    policy: Annotated[str | None, Field(max_length=MAX_BODY)] = None
    """A file of the form of `funding_policy.yaml`, held to the limits of a rule's file."""


class SideAnswer(BaseModel):
    """One of the two allocations. Money in đồng."""

    envelope: int
    allocated: int
    reserve: int
    case: AllocationCase
    gini: str
    """Gini coefficient of the amounts, exact as `p/q`."""

    @classmethod
    def of(cls, side: Side, gini: Fraction) -> SideAnswer:
        """As it is answered."""
        allocated = sum(line.amount for line in side.lines)
        return cls(envelope=side.envelope, allocated=allocated, reserve=side.reserve, case=side.case, gini=str(gini))


class ChangeAnswer(BaseModel):
    """One centre before and after; `null` where it has no line on that side."""

    centre_id: str
    name: str
    area_class: AreaClass | None
    before: int | None
    after: int | None
    delta: int
    outcome: Outcome


class AreaAnswer(BaseModel):
    """All centres of one area class."""

    area_class: AreaClass
    centres: int
    before: int
    after: int
    delta: int


class ComparisonAnswer(BaseModel):
    """Before and after. Nothing of it was written."""

    province: str
    year: int
    before: SideAnswer
    after: SideAnswer
    winners: int
    losers: int
    unchanged: int
    by_area_class: list[AreaAnswer]
    changes: list[ChangeAnswer]

    @classmethod
    def of(cls, province: str, year: int, found: Comparison) -> ComparisonAnswer:
        """As it is answered."""
        return cls(
            province=province,
            year=year,
            before=SideAnswer.of(found.before, found.gini_before),
            after=SideAnswer.of(found.after, found.gini_after),
            winners=found.winners,
            losers=found.losers,
            unchanged=found.unchanged,
            by_area_class=[
                AreaAnswer(
                    area_class=area, centres=total.centres, before=total.before, after=total.after, delta=total.delta
                )
                for area, total in found.by_area_class.items()
            ],
            changes=[ChangeAnswer.model_validate(one, from_attributes=True) for one in found.changes],
        )


@router.post("/simulations/{province}", summary="What another envelope or policy would change; nothing is written")
async def simulate(request: Request, who: Who, province: str, what: Simulating) -> ComparisonAnswer:
    who.require(province)
    inputs = await queries.known(request.app.state.mongo, province, what.year)
    if inputs is None:
        raise not_found("envelope", f"{province}/{what.year}")
    return await SIMULATIONS.run(partial(_answer, inputs, what))


def _answer(inputs: ProvinceInputs, what: Simulating) -> ComparisonAnswer:
    """Reads the policy too: that alone takes long."""
    try:
        policy = None if what.policy is None else given_policy(what.policy, date(what.year, 1, 1))
        found = queries.simulated(inputs, envelope=what.envelope, policy=policy)
    except RulebookError as error:
        raise ApiProblem(
            422,
            "policy_unusable",
            Text(vi="Chính sách gửi kèm không dùng được.", en="The policy that was sent cannot be used."),
            Text(vi="Sửa từng mục dưới đây rồi thử lại.", en="Mend what is listed and try again."),
            [one.problem for one in error.all],
        ) from error
    return ComparisonAnswer.of(inputs.province, inputs.year, found)


class YearAnswer(BaseModel):
    """One budget year and the assessment before it."""

    year: int
    support: int | None
    total: str | None
    grade: str | None


class ViewAnswer(BaseModel):
    """One centre over the years, oldest first."""

    centre_id: str
    name: str
    area_class: AreaClass
    years: list[YearAnswer]
    support_trend: Trend
    score_trend: Trend
    median: str | None
    """Median support of its area class in the last year, exact, in đồng."""
    finding: Finding

    @classmethod
    def of(cls, view: View) -> ViewAnswer:
        """As it is answered."""
        years = [
            YearAnswer(
                year=one.year,
                support=one.support,
                total=None if one.total is None else str(one.total),
                grade=one.grade,
            )
            for one in view.years
        ]
        return cls(
            centre_id=view.centre_id,
            name=view.name,
            area_class=view.area_class,
            years=years,
            support_trend=view.support_trend,
            score_trend=view.score_trend,
            median=None if view.median is None else str(view.median),
            finding=view.finding,
        )


Only = Literal["effective_under_supported", "weak_over_supported"]


@router.get("/sustainability/{province}", summary="Per centre over years: support, score, trend, and who stands out")
async def get_sustainability(
    request: Request,
    who: Who,
    province: str,
    last: BudgetYear,
    first: BudgetYear | None = None,
    only: Only | None = None,
) -> list[ViewAnswer]:
    who.require(province)
    start = last - 4 if first is None else first
    if not last - MAX_YEARS < start <= last:
        raise ApiProblem(
            422,
            "years_out_of_range",
            Text(vi=f"Không thể xem từ năm {start} đến năm {last}.", en=f"{start} to {last} cannot be shown."),
            Text(vi=f"Chọn tối đa {MAX_YEARS} năm liên tiếp.", en=f"Choose at most {MAX_YEARS} years in a row."),
        )
    found = await queries.sustainability(request.app.state.mongo, province, start, last)
    return [ViewAnswer.of(view) for view in found if only in (None, view.finding)]
