"""The ministry's orders on the directory: what intake keeps of a person, and what the other services are told."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from services.intake import domain
from services.intake.decisions.documents import ACCOUNTS, PEOPLE_ORDERS, PERSONS, AccountOwner, PersonOrdered
from services.intake.decisions.register import Unsound
from shared.answers.people import HeldAccount
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
    held = ACCOUNTS.ref(_key(entry, account)) if account else None
    owner = await ask.one(held) if held else None
    known = domain.Directory(
        person,
        [one for one in everybody if one.person_id != entry.person_id],
        owner.person_id if owner else None,
        entry.provinces,
    )
    if problems := domain.check_person(entry.person_id, wanted, known, entry.by):
        raise Unsound(*problems)
    after = domain.entered(entry.person_id, wanted, person, entry.by, order.at)
    fact = PersonEntered(
        person_id=after.person_id,
        version=after.version,
        assignments=after.assignments,
        accounts=sorted(_key(entry, one) for one in after.accounts),
        ended=sorted(_key(entry, one) for one in after.accounts if one.ended_at is not None),
        entered_by=entry.by,
        entered_at=order.at,
    )
    outcome = Outcome(events=[Outgoing(TOPIC, after.person_id, after.person_id, fact)])
    outcome.put(ref, after)
    outcome.put(published, fact)
    outcome.put(place, PersonOrdered(person_id=after.person_id, asked=entry.asked))
    if held is not None:
        outcome.put(held, AccountOwner(person_id=after.person_id))
    return outcome


def _key(entry: Entry, account: NamedAccount | HeldAccount) -> str:
    key = account_key(entry.secret, account.issuer, account.subject)
    assert key is not None, "the contract lets no other account in"
    return key
