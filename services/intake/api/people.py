"""The directory of who may act: the ministry's orders on it, and who a person is for those who may know it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Request

from services.intake import queries
from services.intake.api import orders
from services.intake.decisions import Unsound, people
from shared.answers.page import Page
from shared.answers.people import PersonName, PersonView
from shared.contracts.people import (
    PERSON_ID,
    AccountAdded,
    AccountEnded,
    AnyPersonOrder,
    PersonAdded,
    PersonChanged,
    PersonEnded,
    Role,
)
from shared.messaging.operate import personal
from shared.messaging.operate.topics import province_codes
from shared.refusals import problem
from shared.web.auth import Caller, Operator, Who, require_role
from shared.web.paging import After, Limit
from shared.web.problems import not_found

router = APIRouter(prefix="/people", tags=["people"])
WHOLE = frozenset({Role.MINISTRY, Role.AUDITOR})
"""Who sees accounts, and what was entered why."""
Inspector = Annotated[Caller, Depends(require_role(*WHOLE))]
PersonPath = Annotated[str, Path(pattern=PERSON_ID, description="Id of the person")]
AnyBody = Annotated[dict[str, Any], Body()]


@router.get("", summary="Everybody in the directory with accounts and history, in order of their ids")
async def list_people(request: Request, who: Inspector, limit: Limit = 100, after: After = None) -> Page[PersonView]:
    found = await queries.people(request.app.state.mongo, after=after, limit=limit + 1)
    items = found[:limit]
    if items:
        await _looked(request, who, f"{items[0].person_id}…{items[-1].person_id}", "list")
    return Page(items=items, next=items[-1].person_id if len(found) > limit else None)


@router.get("/{person_id}", summary="Who a person is, by its id")
async def get_person(request: Request, who: Who, person_id: PersonPath) -> PersonView | PersonName:
    """National roles see every name, a province those of its own officers; ministry and auditors see the rest too."""
    person = await queries.person(request.app.state.mongo, person_id)
    if person is not None and who.role in WHOLE:  # also one who was ended before the first day
        await _looked(request, who, person_id, "")
        return person
    if person is None or not any(one.province is None or who.may_see(one.province) for one in person.assignments):
        raise not_found("person", person_id)
    return PersonName(person_id=person.person_id, name=person.name, assignments=person.assignments)


@router.post("", summary="Enter a person who may act")
async def add(request: Request, who: Operator, body: AnyBody) -> PersonView:
    """Each order has an id of its sender's: the same again changes nothing. Nobody enters or changes himself."""
    order = orders.read(PersonAdded, body)
    return await _carried_out(request, who, order.person_id, order)


@router.post("/{person_id}/change", summary="Another name, or another role or province from a day on")
async def change(request: Request, who: Operator, person_id: PersonPath, body: AnyBody) -> PersonView:
    return await _carried_out(request, who, person_id, orders.read(PersonChanged, body))


@router.post("/{person_id}/end", summary="Let a person act no more after a day")
async def end(request: Request, who: Operator, person_id: PersonPath, body: AnyBody) -> PersonView:
    """What was done stays done, and was done by this person."""
    return await _carried_out(request, who, person_id, orders.read(PersonEnded, body))


@router.post("/{person_id}/accounts", summary="Another account of the same person")
async def add_account(request: Request, who: Operator, person_id: PersonPath, body: AnyBody) -> PersonView:
    return await _carried_out(request, who, person_id, orders.read(AccountAdded, body))


@router.post("/{person_id}/accounts/end", summary="Let an account act no more, from now on")
async def end_account(request: Request, who: Operator, person_id: PersonPath, body: AnyBody) -> PersonView:
    """It stays this person's: nobody else is ever given it."""
    return await _carried_out(request, who, person_id, orders.read(AccountEnded, body))


async def _looked(request: Request, who: Caller, about: str, why: str) -> None:
    """Record a look at names, accounts and reasons together. Raises `MongoError`: nothing is shown."""
    state = request.app.state
    await personal.note_read(
        state.mongo, state.runtime.clock, who=who.person, role=who.role.value, what="person", about=about, why=why
    )


async def _carried_out(request: Request, who: Caller, person_id: str, order: AnyPersonOrder) -> PersonView:
    state = request.app.state
    entry = people.Entry(person_id, order, who.person, state.verifier.directory.key, province_codes())
    try:
        await state.runtime.commands.order(entry.id, entry, people.enter)
    except people.NobodySuch as nobody:
        raise not_found("person", person_id) from nobody
    except Unsound as unsound:
        raise orders.unsound(unsound.problems) from unsound
    done = await queries.ordered(state.mongo, order.order_id)
    if done is None or done.asked != entry.asked:
        raise orders.unsound([problem("intake.order_id_reused", "/order_id", id=order.order_id)])
    person = await queries.person(state.mongo, person_id)
    if person is None:  # erased since
        raise not_found("person", person_id)
    return person
