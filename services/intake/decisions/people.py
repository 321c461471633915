"""The ministry's orders on the directory: what intake keeps of a person, and what the other services are told.

Rights are given by two persons: one orders, and nothing is done until another one confirms. One alone may end an
account, at once: it is in wrong hands, and nobody is given anything by it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.intake import domain
from services.intake.decisions.documents import ACCOUNTS, PEOPLE_ORDERS, PERSONS, AccountOwner, PersonOrdered
from services.intake.decisions.register import Unsound
from shared.answers.people import HeldAccount, PersonView, Proposed
from shared.contracts.base import content_hash
from shared.contracts.people import (
    AccountAdded,
    AccountEnded,
    AnyPersonOrder,
    Assigned,
    FirstOperator,
    Hand,
    NamedAccount,
    PersonAdded,
    PersonConfirmation,
    PersonEntered,
    Role,
    account_key,
    keyed,
)
from shared.messaging.decide.asking import Ask, Order, Outcome
from shared.messaging.decide.documents import Ref
from shared.messaging.decide.people import PEOPLE
from shared.messaging.messages import Outgoing
from shared.refusals import problem
from shared.rulebook import HANOI

TOPIC = "people"
REPEATED = "repeated"
FIRST = "setting:first-operators"
"""In whose name the first operators are entered: of the file that the ministry has named."""


class NobodySuch(LookupError):
    """There is no such person in the directory."""


class Operated(Exception):
    """The ministry has operators, and needs no first ones."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What every order on the directory is judged by beside the directory."""

    secret: bytes
    """Key of the hashes of accounts."""
    provinces: Collection[str]


@dataclass(frozen=True, slots=True)
class Entry:
    """An order on a person, and who gives it."""

    person_id: str
    order: AnyPersonOrder
    by: Hand
    rules: Rules

    @property
    def id(self) -> str:
        """Of the command."""
        return f"people/{self.order.order_id}"

    @property
    def asked(self) -> str:
        """By which another content under the same id is told from a repeat; without the key it tells nothing."""
        kind = type(self.order).__name__
        return keyed(self.rules.secret, self.person_id, kind, content_hash(self.order.model_dump(mode="json")))


@dataclass(frozen=True, slots=True)
class Confirming:
    """Who confirms an order on a person."""

    order_id: str
    confirmation: PersonConfirmation
    by: Hand
    rules: Rules

    @property
    def id(self) -> str:
        """Of the command."""
        return f"people/{self.order_id}/confirm/{keyed(self.rules.secret, self.by.person, self.confirmation.why)}"


@dataclass(frozen=True, slots=True)
class Declining:
    """Who will not have an order on a person confirmed."""

    order_id: str
    by: Hand

    @property
    def id(self) -> str:
        """Of the command."""
        return f"people/{self.order_id}/decline"


async def propose(order: Order[Entry], ask: Ask) -> Outcome:
    """Keep an order until another person confirms it. Raises `NobodySuch`, and `Unsound` with everything wrong."""
    entry = order.data
    await _judged(entry.person_id, entry.order, entry.rules, ask, entry.by)
    proposed = Proposed(
        order_id=entry.order.order_id,
        person_id=entry.person_id,
        deed=domain.deed_of(entry.order),
        by=entry.by.person,
        at=order.at,
        order=entry.order.model_dump(mode="json"),
    )
    place = await _free(entry, ask)
    return Outcome({place: PersonOrdered(person_id=entry.person_id, asked=entry.asked, proposed=proposed)})


async def enter(order: Order[Entry], ask: Ask) -> Outcome:
    """Carry out at once what one may do alone. Raises as `propose` does."""
    entry = order.data
    person = await _judged(entry.person_id, entry.order, entry.rules, ask, entry.by)
    place = await _free(entry, ask)
    outcome = Outcome({place: PersonOrdered(person_id=entry.person_id, asked=entry.asked)})
    given = domain.Given(entry.by.person, order.at)
    await _carry_out(entry.person_id, entry.order, person, given, entry.rules.secret, outcome, ask)
    return outcome


async def confirm(order: Order[Confirming], ask: Ask) -> Outcome:
    """Carry out what another person has ordered, if nothing stands in its way now. Raises as `propose` does."""
    wanted = order.data
    place = PEOPLE_ORDERS.ref(wanted.order_id)
    before, proposed = await _waiting(place, ask)
    if proposed.confirmed_by is not None:
        return Outcome(verdict=REPEATED)
    if proposed.order is None:
        raise Unsound(problem("intake.entry_settled", "/order_id", id=wanted.order_id))
    if wanted.by.is_among([proposed.by]):
        raise Unsound(problem("intake.entry_same_person"))
    entry = domain.ORDERS[proposed.deed].model_validate(proposed.order)
    person = await _judged(proposed.person_id, entry, wanted.rules, ask, Hand(proposed.by), wanted.by)
    outcome = Outcome()
    settled = {"order": None, "confirmed_by": wanted.by.person, "settled_at": order.at}
    outcome.put(place, before.model_copy(update={"proposed": proposed.model_copy(update=settled)}))
    given = domain.Given(proposed.by, order.at, wanted.by.person, wanted.confirmation.why)
    await _carry_out(proposed.person_id, entry, person, given, wanted.rules.secret, outcome, ask)
    return outcome


async def decline(order: Order[Declining], ask: Ask) -> Outcome:
    """Let an order wait no more; its sender may, too. Raises `NobodySuch`, `Unsound`."""
    place = PEOPLE_ORDERS.ref(order.data.order_id)
    before, proposed = await _waiting(place, ask)
    if proposed.declined_by is not None:
        return Outcome(verdict=REPEATED)
    if proposed.order is None:
        raise Unsound(problem("intake.entry_settled", "/order_id", id=order.data.order_id))
    settled = {"order": None, "declined_by": order.data.by.person, "settled_at": order.at}
    return Outcome({place: before.model_copy(update={"proposed": proposed.model_copy(update=settled)})})


# ------------------------------------------------------------------------------------------------- the first ones


@dataclass(frozen=True, slots=True)
class Opening:
    """The operators whom the ministry names while nobody can enter them."""

    operators: Sequence[FirstOperator]
    rules: Rules


async def open_directory(order: Order[Opening], ask: Ask) -> Outcome:
    """Enter them all, or none. Raises `Operated` where two operators can act, and `Unsound`."""
    day = order.at.astimezone(HANOI).date()
    everybody = await ask.all(PERSONS, {})
    if sum(domain.operates(one, day) for one in everybody) >= domain.FEWEST_OPERATORS:
        raise Operated
    outcome = Outcome()
    ask.over(outcome)
    for one in order.data.operators:
        added = PersonAdded(
            order_id=f"first-operators/{one.person_id}",
            reason=FIRST,
            person_id=one.person_id,
            name=one.name,
            assignment=Assigned(role=Role.MINISTRY, first_day=day),
            account=NamedAccount(issuer=one.issuer, subject=one.subject),
        )
        entry = Entry(one.person_id, added, Hand(FIRST), order.data.rules)
        await _judged(one.person_id, added, entry.rules, ask, entry.by, beside=_put_so_far(outcome))
        outcome.put(await _free(entry, ask), PersonOrdered(person_id=one.person_id, asked=entry.asked))
        given = domain.Given(FIRST, order.at)
        await _carry_out(one.person_id, added, None, given, entry.rules.secret, outcome, ask)
    return outcome


def _put_so_far(outcome: Outcome) -> list[PersonView]:
    return [state for ref, state in outcome.puts.items() if ref.collection == PERSONS.name]


# ------------------------------------------------------------------------------------------------- erasing


@dataclass(frozen=True, slots=True)
class Forgetting:
    """The confirmed order by which somebody is erased."""

    order_id: str
    by: str
    at: datetime
    secret: bytes
    """Key of the hashes of accounts."""


async def forgettable(person_id: str, at: datetime, said: Mapping[str, str], ask: Ask) -> PersonView:
    """The person, whom nothing keeps from being erased. Raises `Unsound`."""
    person = await ask.one(PERSONS.ref(person_id))
    if person is None:
        raise Unsound(problem("privacy.person_unknown", "/person", person=person_id))
    if problems := domain.check_forgettable(person, at, said):
        raise Unsound(*problems)
    return person


async def forget(person: PersonView, order: Forgetting, outcome: Outcome, ask: Ask) -> None:
    """Leave nothing of a person but the id and what that was entitled to.

    The accounts are barred, and nobody can tell any more whose they were: else whoever holds the key could try out
    whether an account is the one behind an id. Were they free, the same human being could come back as somebody else by
    the same account, unnoticed by who enters it.
    """
    accounts = [ACCOUNTS.ref(_key(order.secret, one)) for one in person.accounts]
    open_ = await ask.all(PEOPLE_ORDERS, {"person_id": person.person_id})
    named = {one.proposed.order_id for one in open_ if one.proposed} | {one.order_id for one in person.changes}
    places = [PEOPLE_ORDERS.ref(id) for id in sorted(named)]
    await ask.many([PEOPLE.ref(person.person_id), *accounts])
    _put(domain.forgotten(person, order.order_id, order.by, order.at), order.secret, outcome)
    for account in accounts:
        outcome.put(account, AccountOwner(person_id=None))
    # What is kept to know a repeat tells whoever holds the key whether he guessed the name.
    for place, ordered in zip(places, await ask.many(places), strict=True):
        if ordered is not None:
            outcome.put(place, ordered.without_words())


# ------------------------------------------------------------------------------------------------- parts


async def _judged(
    person_id: str,
    wanted: AnyPersonOrder,
    rules: Rules,
    ask: Ask,
    *by: Hand,
    beside: Sequence[PersonView] = (),
) -> PersonView | None:
    """The person as it stands, if nothing is in the way of the order. `beside`: who is entered in the same breath."""
    person = await ask.one(PERSONS.ref(person_id))
    if person is None and not isinstance(wanted, PersonAdded):
        raise NobodySuch(person_id)
    everybody = [*await ask.all(PERSONS, {}), *beside]
    account = _account_of(wanted)
    owner = await ask.one(ACCOUNTS.ref(_key(rules.secret, account))) if account else None
    known = domain.Directory(
        person,
        [one for one in everybody if one.person_id != person_id],
        owner.person_id if owner else None,
        owner is not None and owner.person_id is None,
        rules.provinces,
    )
    if problems := domain.check_person(person_id, wanted, known, *by):
        raise Unsound(*problems)
    return person


async def _free(entry: Entry, ask: Ask) -> Ref[PersonOrdered]:
    """The place of an order that nobody has taken. Raises `Unsound`."""
    place = PEOPLE_ORDERS.ref(entry.order.order_id)
    if await ask.one(place) is not None:
        raise Unsound(problem("intake.order_id_reused", "/order_id", id=entry.order.order_id))
    return place


async def _waiting(place: Ref[PersonOrdered], ask: Ask) -> tuple[PersonOrdered, Proposed]:
    before = await ask.one(place)
    if before is None or before.proposed is None:
        raise NobodySuch(place.id)
    return before, before.proposed


async def _carry_out(
    person_id: str,
    wanted: AnyPersonOrder,
    person: PersonView | None,
    given: domain.Given,
    secret: bytes,
    outcome: Outcome,
    ask: Ask,
) -> None:
    await ask.one(PEOPLE.ref(person_id))
    _put(domain.entered(person_id, wanted, person, given), secret, outcome)
    if account := _account_of(wanted):
        outcome.put(ACCOUNTS.ref(_key(secret, account)), AccountOwner(person_id=person_id))


def _account_of(wanted: AnyPersonOrder) -> NamedAccount | None:
    return wanted.account if isinstance(wanted, PersonAdded | AccountAdded | AccountEnded) else None


def _put(person: PersonView, secret: bytes, outcome: Outcome) -> None:
    """Keep a person as it is now, and tell it to the other services."""
    last = person.changes[-1]
    fact = PersonEntered(
        person_id=person.person_id,
        version=person.version,
        assignments=person.assignments,
        accounts=sorted(_key(secret, one) for one in person.accounts),
        ended=sorted(_key(secret, one) for one in person.accounts if one.ended_at is not None),
        entered_by=last.by,
        entered_at=last.at,
        confirmed_by=last.confirmed_by,
    )
    outcome.events.append(Outgoing(TOPIC, person.person_id, person.person_id, fact))
    outcome.put(PERSONS.ref(person.person_id), person)
    outcome.put(PEOPLE.ref(person.person_id), fact)


def _key(secret: bytes, account: NamedAccount | HeldAccount) -> str:
    key = account_key(secret, account.issuer, account.subject)
    assert key is not None, "the contract lets no other account in"
    return key
