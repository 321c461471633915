"""The life of a province's budget over HTTP."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import APIRouter, Request

from services.funding import queries
from services.funding.api.orders import IdempotencyKey, Stepping, on_whole_books, ordered
from services.funding.decisions import REFUSALS, Snapshot, act, is_booked, is_whole
from services.funding.domain import Life, proof_of
from shared.answers.budgets import BudgetView, Misfits, ProofView, ToldDecision
from shared.answers.page import Page
from shared.contracts.facts import BudgetRunProposed
from shared.contracts.life import BudgetAction, Refusals
from shared.web.auth import Caller, Who
from shared.web.paging import After, Limit
from shared.web.parameters import KnownYear, Province
from shared.web.problems import not_found

router = APIRouter(prefix="/budgets/{province}/{year}", tags=["life of a budget"])


@router.get("", summary="State, proposal, journal heads and history of a budget")
async def get_budget(request: Request, who: Who, province: Province, year: KnownYear) -> BudgetView:
    life, run = await _found(request, who, province, year)
    await on_whole_books(request, who, province, year)
    return await _view(request, life, run)


@router.get("/refusals", summary="Orders on a budget that were refused: the latest of each sender, and how many")
async def list_refusals(
    request: Request, who: Who, province: Province, year: KnownYear, limit: Limit = 100, after: After = None
) -> Page[Refusals]:
    await _found(request, who, province, year)
    found = await queries.refusals(request.app.state.mongo, province, year, after=after, limit=limit + 1)
    items = found[:limit]
    last = REFUSALS.ref(province, year, items[-1].who).id if len(found) > limit else None
    return Page(items=items, next=last)


@router.get("/proof", summary="That all amounts of the proposal (once approved: of what was approved) add up")
async def get_proof(request: Request, who: Who, province: Province, year: KnownYear) -> ProofView:
    _, run = await _found(request, who, province, year)
    await on_whole_books(request, who, province, year)
    lines = await queries.allocations(request.app.state.mongo, {"province": province, "year": year})
    proof = proof_of(run, [line.allocation for line in lines])
    return ProofView.model_validate(proof, from_attributes=True)


@router.get("/decisions", summary="What each centre was given, as it stands now")
async def list_decisions(request: Request, who: Who, province: Province, year: KnownYear) -> list[ToldDecision]:
    await _found(request, who, province, year)
    books = (await queries.books(request.app.state.mongo, province, year)).whole
    return await queries.told_decisions(request.app.state.mongo, books.decisions)


@router.get("/snapshot", summary="The frozen inputs and rules of the approval, from which it can be computed again")
async def get_snapshot(request: Request, who: Who, province: Province, year: KnownYear) -> dict[str, Any]:
    return await _snapshot(request, who, province, year)


class SnapshotCheck(Misfits):
    """Whether a snapshot is whole and still gives every figure that was approved, to the last fraction."""

    hash: str
    result: str
    same: bool


@router.get("/snapshot/verify", summary="Compute the budget again from the snapshot alone, and compare")
async def verify_snapshot(request: Request, who: Who, province: Province, year: KnownYear) -> SnapshotCheck:
    """The figures that it gives are compared with the entries of the approval, and its hash with what was approved."""
    kept = await _snapshot(request, who, province, year)
    books = await queries.books(request.app.state.mongo, province, year)
    same = is_whole(kept) and is_booked(kept, books.life, books.journals)
    return SnapshotCheck(hash=kept["hash"], result=kept["result"], same=same, altered=list(books.altered))


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
    await on_whole_books(request, who, province, year)
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
