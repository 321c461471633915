"""The directory of who may act: the ministry's orders on it, and who a person is for those who may know it.

An order that gives, changes or takes rights is carried out when another person confirms it. One alone may end an
account, at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Request

from services.intake import queries
from services.intake.api import orders
from services.intake.decisions import Unsound, people
from shared.answers.page import Page
from shared.answers.people import PersonName, PersonView, Proposed
from shared.contracts.people import (
    PERSON_ID,
    AccountAdded,
    AccountEnded,
    AnyPersonOrder,
    PersonAdded,
    PersonChanged,
    PersonConfirmation,
    PersonEnded,
    Role,
)
from shared.messaging.operate import personal
from shared.messaging.operate.topics import province_codes
from shared.refusals import problem
from shared.web.auth import Caller, Operator, Who, require_role
from shared.web.paging import After, Limit
from shared.web.parameters import Name
from shared.web.problems import not_found

router = APIRouter(tags=["people"])
WHOLE = frozenset({Role.MINISTRY, Role.AUDITOR})
"""Who sees accounts, and what was entered why."""
Inspector = Annotated[Caller, Depends(require_role(*WHOLE))]
PersonPath = Annotated[str, Path(pattern=PERSON_ID, description="Id of the person")]
AnyBody = Annotated[dict[str, Any], Body()]


@router.get("/people", summary="Everybody in the directory with accounts and history, in order of their ids")
async def list_people(request: Request, who: Inspector, limit: Limit = 100, after: After = None) -> Page[PersonView]:
    found = await queries.people(request.app.state.mongo, after=after, limit=limit + 1)
    items = found[:limit]
    if items:
        await _looked(request, who, f"{items[0].person_id}…{items[-1].person_id}", "list")
    return Page(items=items, next=items[-1].person_id if len(found) > limit else None)


@router.get("/people/{person_id}", summary="Who a person is, by its id")
async def get_person(request: Request, who: Who, person_id: PersonPath) -> PersonView | PersonName:
    """National roles see every name, a province those of its own officers; ministry and auditors see the rest too."""
    person = await queries.person(request.app.state.mongo, person_id)
    if person is not None and who.role in WHOLE:  # also one who was ended before the first day
        await _looked(request, who, person_id, "")
        return person
    if person is None or not any(one.province is None or who.may_see(one.province) for one in person.assignments):
        raise not_found("person", person_id)
    return PersonName(person_id=person.person_id, name=person.name, assignments=person.assignments)


@router.post("/people", summary="Order that a person may act; nothing is done until another person confirms it")
async def add(request: Request, who: Operator, body: AnyBody) -> Proposed:
    """Each order has an id of its sender's: the same again changes nothing. Nobody enters or changes himself."""
    order = orders.read(PersonAdded, body)
    return await _proposed(request, who, order.person_id, order)


@router.post("/people/{person_id}/change", summary="Order another name, or another role or province from a day on")
async def change(request: Request, who: Operator, person_id: PersonPath, body: AnyBody) -> Proposed:
    return await _proposed(request, who, person_id, orders.read(PersonChanged, body))


@router.post("/people/{person_id}/end", summary="Order that a person acts no more after a day")
async def end(request: Request, who: Operator, person_id: PersonPath, body: AnyBody) -> Proposed:
    """What was done stays done, and was done by this person."""
    return await _proposed(request, who, person_id, orders.read(PersonEnded, body))


@router.post("/people/{person_id}/accounts", summary="Order another account of the same person")
async def add_account(request: Request, who: Operator, person_id: PersonPath, body: AnyBody) -> Proposed:
    return await _proposed(request, who, person_id, orders.read(AccountAdded, body))


@router.post(
    "/people/{person_id}/accounts/end", summary="Let an account act no more, from now on: one person alone may"
)
async def end_account(request: Request, who: Operator, person_id: PersonPath, body: AnyBody) -> PersonView:
    """It stays this person's: nobody else is ever given it."""
    entry = _entry(request, who, person_id, orders.read(AccountEnded, body))
    with _in_words():
        await request.app.state.runtime.commands.order(entry.id, entry, people.enter)
    await _as_asked(request, entry)
    return await _person(request, person_id)


@router.get("/people-orders", summary="The orders on the directory that wait for another person, in order of their ids")
async def list_orders(request: Request, who: Inspector, limit: Limit = 100, after: After = None) -> Page[Proposed]:
    found = await queries.waiting_people(request.app.state.mongo, after=after, limit=limit + 1)
    items = found[:limit]
    if items:
        await _looked(request, who, f"{items[0].order_id}…{items[-1].order_id}", "orders")
    return Page(items=items, next=items[-1].order_id if len(found) > limit else None)


@router.post("/people-orders/{order_id:path}/confirm", summary="Carry out an order that another person has given")
async def confirm(request: Request, who: Operator, order_id: Name, body: AnyBody) -> PersonView:
    """It is judged again as the directory stands now. Neither of the two may be whom it is about."""
    wanted = people.Confirming(order_id, orders.read(PersonConfirmation, body), who.hand, _rules(request))
    with _in_words():
        await request.app.state.runtime.commands.order(wanted.id, wanted, people.confirm)
    return await _person(request, (await _order(request, order_id)).person_id)


@router.post("/people-orders/{order_id:path}/decline", summary="Let an order wait no more; what it said is dropped")
async def decline(request: Request, who: Operator, order_id: Name) -> Proposed:
    declined = people.Declining(order_id, who.hand)
    with _in_words():
        await request.app.state.runtime.commands.order(declined.id, declined, people.decline)
    return await _order(request, order_id)


async def _looked(request: Request, who: Caller, about: str, why: str) -> None:
    """Record a look at names, accounts and reasons together. Raises `MongoError`: nothing is shown."""
    state = request.app.state
    await personal.note_read(
        state.mongo, state.runtime.clock, who=who.person, role=who.role.value, what="person", about=about, why=why
    )


@contextmanager
def _in_words() -> Iterator[None]:
    """Turn what stops an order into problem details."""
    try:
        yield
    except people.NobodySuch as nobody:
        raise not_found("person or order", str(nobody)) from nobody
    except Unsound as unsound:
        raise orders.unsound(unsound.problems) from unsound


def _rules(request: Request) -> people.Rules:
    return people.Rules(request.app.state.verifier.directory.key, province_codes())


def _entry(request: Request, who: Caller, person_id: str, order: AnyPersonOrder) -> people.Entry:
    return people.Entry(person_id, order, who.hand, _rules(request))


async def _proposed(request: Request, who: Caller, person_id: str, order: AnyPersonOrder) -> Proposed:
    entry = _entry(request, who, person_id, order)
    with _in_words():
        await request.app.state.runtime.commands.order(entry.id, entry, people.propose)
    await _as_asked(request, entry)
    return await _order(request, order.order_id)


async def _as_asked(request: Request, entry: people.Entry) -> None:
    """Raises `ApiProblem` where the order of this id is another one."""
    id = entry.order.order_id
    done = await queries.ordered(request.app.state.mongo, id)
    if done is None or done.asked != entry.asked:
        raise orders.unsound([problem("intake.order_id_reused", "/order_id", id=id)])


async def _order(request: Request, order_id: str) -> Proposed:
    found = await queries.ordered(request.app.state.mongo, order_id)
    if found is None or found.proposed is None:  # one that an older release carried out
        raise not_found("order", order_id)
    return found.proposed


async def _person(request: Request, person_id: str) -> PersonView:
    person = await queries.person(request.app.state.mongo, person_id)
    if person is None:
        raise not_found("person", person_id)
    return person
