"""The journal of a budget over HTTP: all entries, and whether the chain is whole."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel

from services.funding import queries
from shared.answers.budgets import Journal, Misfits
from shared.contracts.base import Text
from shared.contracts.facts import JournalMark, Purpose
from shared.contracts.journal import Broken, balances, verify
from shared.web.auth import Who
from shared.web.parameters import KnownYear, Province
from shared.web.problems import not_found

router = APIRouter(prefix="/journal/{province}/{year}", tags=["journal"])


class Found(BaseModel):
    """One thing wrong with a journal."""

    broken: Broken
    number: int
    text: Text


class Verified(Misfits):
    """What the entries give. Money in đồng."""

    whole: bool
    """Nothing is broken, and every document of the budget says what is booked."""
    breaches: list[Found]
    head: JournalMark
    entries: int
    total: int
    """Support, settlements and reserve together: what the purpose has of the envelope."""
    reserve: int
    centres: dict[str, int]
    settled: dict[str, int]
    carried: dict[str, int]


@router.get("", summary="All entries, in their order")
async def get_journal(
    request: Request, who: Who, province: Province, year: KnownYear, purpose: Purpose = "operating"
) -> Journal:
    who.require(province, "journal", f"{province}/{year}/{purpose}")
    found = await queries.budget(request.app.state.mongo, province, year)
    head = found[0].journals.get(purpose) if found else None
    if head is None:
        raise not_found("journal", f"{province}/{year}/{purpose}")
    entries = await queries.journal(request.app.state.mongo, province, year, purpose)
    return Journal(province=province, year=year, purpose=purpose, head=head, entries=entries)


@router.get("/verify", summary="Every hash computed again, and the balances")
async def verify_journal(
    request: Request, who: Who, province: Province, year: KnownYear, purpose: Purpose = "operating"
) -> Verified:
    """Who trusts no server verifies on their own machine: `langhoc journal verify`."""
    who.require(province, "journal", f"{province}/{year}/{purpose}")
    books = await queries.books(request.app.state.mongo, province, year)
    life = books.whole.life if books.life is None else books.life  # no head without it
    head = life.journals.get(purpose) if life else None
    if head is None:
        raise not_found("journal", f"{province}/{year}/{purpose}")
    entries = books.journals[purpose]
    breaches, sums = verify(entries, head), balances(entries)
    return Verified(
        whole=not breaches and not books.altered,
        altered=list(books.altered),
        breaches=[Found(broken=each.broken, number=each.number, text=each.text) for each in breaches],
        head=head,
        entries=len(entries),
        total=sums.total,
        reserve=sums.reserve,
        centres=sums.centres,
        settled=sums.settled,
        carried=sums.carried,
    )
