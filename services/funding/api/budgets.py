"""The life of a province's budget over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from services.funding import queries
from services.funding.api.orders import Deciding, IdempotencyKey, ordered
from services.funding.decisions.records import Command
from services.funding.decisions.snapshots import is_whole
from services.funding.domain import proof_of
from services.funding.domain.life import Life
from shared.answers.budgets import BudgetView, ProofView
from shared.contracts.facts import (
    Allocation,
    BudgetAdjusted,
    BudgetApproved,
    BudgetRunProposed,
)
from shared.contracts.life import BudgetAction
from shared.messaging.decide.handling import Document, Outcome
from shared.messaging.decide.reader import Reader
from shared.web.auth import Caller, Who
from shared.web.parameters import AnyYear
from shared.web.problems import not_found

router = APIRouter(prefix="/budgets/{province}/{year}", tags=["life of a budget"])


@router.get("", summary="State, proposal, journal heads and history of a budget")
async def get_budget(request: Request, who: Who, province: str, year: AnyYear) -> BudgetView:
    who.require(province)
    found = await queries.budget(request.app.state.mongo, province, year)
    if found is None:
        raise not_found("budget", f"{province}/{year}")
    return await _view(request, *found)


@router.get("/proof", summary="That all amounts of the proposal (once approved: of what was approved) add up")
async def get_proof(request: Request, who: Who, province: str, year: AnyYear) -> ProofView:
    who.require(province)
    found = await queries.budget(request.app.state.mongo, province, year)
    if found is None:
        raise not_found("budget", f"{province}/{year}")
    rows = await queries.allocations(request.app.state.mongo, {"province": province, "year": year}, after=None, limit=0)
    lines = [Allocation.model_validate(row["allocation"]) for row in rows]
    proof = proof_of(BudgetRunProposed.model_validate(found[1]), lines)
    return ProofView.model_validate(proof, from_attributes=True)


@router.get("/decisions", summary="What each centre was given, as it stands now")
async def list_decisions(
    request: Request, who: Who, province: str, year: AnyYear
) -> list[BudgetApproved | BudgetAdjusted]:
    who.require(province)
    rows = await queries.decisions(request.app.state.mongo, {"province": province, "year": year})
    return [(BudgetAdjusted if "adjustment_id" in row else BudgetApproved).model_validate(row) for row in rows]


@router.get("/snapshot", summary="The frozen inputs and rules of the approval, from which it can be computed again")
async def get_snapshot(request: Request, who: Who, province: str, year: AnyYear) -> dict[str, Any]:
    return await _snapshot(request, who, province, year)


class SnapshotCheck(BaseModel):
    """Whether a snapshot is whole and still gives every figure that was approved, to the last fraction."""

    hash: str
    result: str
    same: bool


@router.get("/snapshot/verify", summary="Compute the budget again from the snapshot alone, and compare")
async def verify_snapshot(request: Request, who: Who, province: str, year: AnyYear) -> SnapshotCheck:
    kept = await _snapshot(request, who, province, year)
    return SnapshotCheck(hash=kept["hash"], result=kept["result"], same=is_whole(kept))


@router.post("/{action}", summary="Simulate, submit, withdraw, return, approve or publish")
async def take_step(
    request: Request,
    who: Who,
    province: str,
    year: AnyYear,
    action: BudgetAction,
    body: Deciding,
    key: IdempotencyKey = None,
) -> BudgetView:
    """The order names version and hash of the proposal that the caller has seen, and why.

    A province simulates, submits and withdraws its own budget, as finance does; finance or the ministry returns or
    publishes; finance approves, and never somebody who simulated or submitted it.
    """

    async def decide(reader: Reader, command: Command, now: datetime) -> Outcome:
        return await queries.act(reader, province, year, command, now)

    await ordered(request, who, key, body, action, f"{province}/{year}", decide)
    found = await queries.budget(request.app.state.mongo, province, year)
    if found is None:
        raise not_found("budget", f"{province}/{year}")
    return await _view(request, *found)


async def _view(request: Request, life: Life, run: Document) -> BudgetView:
    proposal = BudgetRunProposed.model_validate(run)
    return BudgetView(
        province=life.province,
        year=life.year,
        state=life.state,
        version=life.version,
        hash=life.hash,
        submitted_by=life.submitted_by,
        approval=life.approval,
        envelope=proposal.envelope if life.envelope is None else life.envelope,
        reserve=proposal.reserve if life.reserve is None else life.reserve,
        journals=life.journals,
        run=proposal,
        history=await queries.actions(request.app.state.mongo, life.province, life.year),
    )


async def _snapshot(request: Request, who: Caller, province: str, year: int) -> Document:
    who.require(province)
    kept = await queries.snapshot(request.app.state.mongo, province, year)
    if kept is None:
        raise not_found("approved budget", f"{province}/{year}")
    return kept
