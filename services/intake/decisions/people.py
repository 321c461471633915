"""The ministry's orders on the directory: what intake keeps of a person, and what the other services are told."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from services.intake import domain
from services.intake.decisions.documents import ACCOUNTS, PEOPLE_ORDERS, PERSONS, AccountOwner, PersonOrdered
from services.intake.decisions.register import Unsound
from shared.answers.people import HeldAccount, PersonView
from shared.contracts.base import content_hash
from shared.contracts.people import (
    AccountAdded,
    AccountEnded,
    AnyPersonOrder,
    NamedAccount,
    PersonAdded,
    PersonEntered,
    account_key,
    keyed,
)
from shared.messaging.decide.asking import Ask, Order, Outcome
from shared.messaging.decide.people import PEOPLE
from shared.messaging.messages import Outgoing
from shared.privacy import ERASED_LINE
from shared.refusals import problem

TOPIC = "people"
REPEATED = "repeated"


class NobodySuch(LookupError):
    """There is no such person in the directory."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An order on a person, and who gives it."""

    person_id: str
    order: AnyPersonOrder
    by: str
    secret: bytes
    """Key of the hashes of accounts."""
    provinces: Collection[str]

    @property
    def id(self) -> str:
        """Of the command."""
        return f"people/{self.order.order_id}"

    @property
    def asked(self) -> str:
        """By which another content under the same id is told from a repeat; without the key it tells nothing."""
        kind = type(self.order).__name__
        return keyed(self.secret, self.person_id, kind, content_hash(self.order.model_dump(mode="json")))


async def enter(order: Order[Entry], ask: Ask) -> Outcome:
    """Carry an order out. Raises `NobodySuch`, and `Unsound` with everything that is wrong."""
    entry = order.data
    wanted, ref, published = entry.order, PERSONS.ref(entry.person_id), PEOPLE.ref(entry.person_id)
    place = PEOPLE_ORDERS.ref(wanted.order_id)
    await ask.many([ref, published, place])
    person = await ask.one(ref)
    if person is None and not isinstance(wanted, PersonAdded):
        raise NobodySuch(entry.person_id)
    everybody = await ask.all(PERSONS, {})
    account = wanted.account if isinstance(wanted, PersonAdded | AccountAdded | AccountEnded) else None
    held = ACCOUNTS.ref(_key(entry.secret, account)) if account else None
    owner = await ask.one(held) if held else None
    known = domain.Directory(
        person,
        [one for one in everybody if one.person_id != entry.person_id],
        owner.person_id if owner else None,
        owner is not None and owner.person_id is None,
        entry.provinces,
    )
    if problems := domain.check_person(entry.person_id, wanted, known, entry.by):
        raise Unsound(*problems)
    after = domain.entered(entry.person_id, wanted, person, entry.by, order.at)
    outcome = Outcome()
    _put(after, entry.secret, outcome)
    outcome.put(place, PersonOrdered(person_id=after.person_id, asked=entry.asked))
    if held is not None:
        outcome.put(held, AccountOwner(person_id=after.person_id))
    return outcome


async def forgettable(person_id: str, at: datetime, said: Mapping[str, str], ask: Ask) -> PersonView:
    """The person, whom nothing keeps from being erased. Raises `Unsound`."""
    person = await ask.one(PERSONS.ref(person_id))
    if person is None:
        raise Unsound(problem("privacy.person_unknown", "/person", person=person_id))
    if problems := domain.check_forgettable(person, at, said):
        raise Unsound(*problems)
    return person


@dataclass(frozen=True, slots=True)
class Forgetting:
    """The confirmed order by which somebody is erased."""

    order_id: str
    by: str
    at: datetime
    secret: bytes
    """Key of the hashes of accounts."""


async def forget(person: PersonView, order: Forgetting, outcome: Outcome, ask: Ask) -> None:
    """Leave nothing of a person but the id and what that was entitled to.

    The accounts are barred, and nobody can tell any more whose they were: else whoever holds the key could try out
    whether an account is the one behind an id. Were they free, the same human being could come back as somebody else by
    the same account, unnoticed by who enters it.
    """
    accounts = [ACCOUNTS.ref(_key(order.secret, one)) for one in person.accounts]
    orders = [PEOPLE_ORDERS.ref(one.order_id) for one in person.changes]
    await ask.many([PEOPLE.ref(person.person_id), *accounts, *orders])
    _put(domain.forgotten(person, order.order_id, order.by, order.at), order.secret, outcome)
    for account in accounts:
        outcome.put(account, AccountOwner(person_id=None))
    for place in orders:  # what is kept to know a repeat tells whoever holds the key whether he guessed the name
        outcome.put(place, PersonOrdered(person_id=person.person_id, asked=ERASED_LINE))


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
    )
    outcome.events.append(Outgoing(TOPIC, person.person_id, person.person_id, fact))
    outcome.put(PERSONS.ref(person.person_id), person)
    outcome.put(PEOPLE.ref(person.person_id), fact)


def _key(secret: bytes, account: NamedAccount | HeldAccount) -> str:
    key = account_key(secret, account.issuer, account.subject)
    assert key is not None, "the contract lets no other account in"
    return key
