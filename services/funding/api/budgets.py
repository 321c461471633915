"""The life of a province's budget over HTTP."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from services.funding import queries
from services.funding.api.orders import IdempotencyKey, Stepping, ordered
from services.funding.decisions import Decision, Snapshot, act, is_whole
from services.funding.domain import Life, proof_of
from shared.answers.budgets import BudgetView, ProofView
from shared.contracts.facts import BudgetRunProposed
from shared.contracts.life import BudgetAction
from shared.web.auth import Caller, Who
from shared.web.parameters import KnownYear, Province
from shared.web.problems import not_found

router = APIRouter(prefix="/budgets/{province}/{year}", tags=["life of a budget"])


@router.get("", summary="State, proposal, journal heads and history of a budget")
async def get_budget(request: Request, who: Who, province: Province, year: KnownYear) -> BudgetView:
    return await _view(request, *await _found(request, who, province, year))


@router.get("/proof", summary="That all amounts of the proposal (once approved: of what was approved) add up")
async def get_proof(request: Request, who: Who, province: Province, year: KnownYear) -> ProofView:
    _, run = await _found(request, who, province, year)
    lines = await queries.allocations(request.app.state.mongo, {"province": province, "year": year})
    proof = proof_of(run, [line.allocation for line in lines])
    return ProofView.model_validate(proof, from_attributes=True)


@router.get("/decisions", summary="What each centre was given, as it stands now")
async def list_decisions(request: Request, who: Who, province: Province, year: KnownYear) -> list[Decision]:
    await _found(request, who, province, year)
    return await queries.decisions(request.app.state.mongo, province, year)


@router.get("/snapshot", summary="The frozen inputs and rules of the approval, from which it can be computed again")
async def get_snapshot(request: Request, who: Who, province: Province, year: KnownYear) -> dict[str, Any]:
    return await _snapshot(request, who, province, year)


class SnapshotCheck(BaseModel):
    """Whether a snapshot is whole and still gives every figure that was approved, to the last fraction."""

    hash: str
    result: str
    same: bool


@router.get("/snapshot/verify", summary="Compute the budget again from the snapshot alone, and compare")
async def verify_snapshot(request: Request, who: Who, province: Province, year: KnownYear) -> SnapshotCheck:
    kept = await _snapshot(request, who, province, year)
    return SnapshotCheck(hash=kept["hash"], result=kept["result"], same=is_whole(kept))


@router.post("/{action}", summary="Simulate, submit, withdraw, return, approve or publish")
async def take_step(
    request: Request,
    who: Who,
    province: Province,
    year: KnownYear,
    action: BudgetAction,
    body: Stepping,
    key: IdempotencyKey = None,
) -> BudgetView:
    """The order names version and hash of the proposal that the caller has seen, and why.

    A province simulates, submits and withdraws its own budget, as finance does; finance or the ministry returns or
    publishes; finance approves, and never somebody who simulated or submitted it. Who submits before every file and
    figure is there accepts the others by name (`accepts`).
    """
    who.require(province, "budget", f"{province}/{year}")
    await ordered(request, who, key, body, action, f"{province}/{year}", partial(act, province, year))
    return await _view(request, *await _found(request, who, province, year))


async def _found(request: Request, who: Caller, province: str, year: int) -> tuple[Life, BudgetRunProposed]:
    who.require(province, "budget", f"{province}/{year}")
    found = await queries.budget(request.app.state.mongo, province, year)
    if found is None:
        raise not_found("budget", f"{province}/{year}")
    return found


async def _view(request: Request, life: Life, run: BudgetRunProposed) -> BudgetView:
    return BudgetView(
        province=life.province,
        year=life.year,
        state=life.state,
        version=life.version,
        hash=life.hash,
        submitted_by=life.submitted_by,
        accepted=list(life.accepted),
        approval=life.approval,
        envelope=run.envelope if life.envelope is None else life.envelope,
        reserve=run.reserve if life.reserve is None else life.reserve,
        journals=life.journals,
        run=run,
        history=await queries.actions(request.app.state.mongo, life.province, life.year),
    )


async def _snapshot(request: Request, who: Caller, province: str, year: int) -> Snapshot:
    who.require(province, "approved budget", f"{province}/{year}")
    kept = await queries.snapshot(request.app.state.mongo, province, year)
    if kept is None:
        raise not_found("approved budget", f"{province}/{year}")
    return kept
