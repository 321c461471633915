"""The directory among a service's own documents: who may act here, as far as the service knows it now.

A change that intake has taken counts in another service when it has been read there; nothing is judged again by it.
"""

from __future__ import annotations

from pydantic import TypeAdapter

from shared.contracts.people import PersonEntered
from shared.messaging.decide.asking import STALE, Ask, Outcome
from shared.messaging.decide.documents import Collection
from shared.messaging.messages import Received

PEOPLE: Collection[PersonEntered] = Collection("people", TypeAdapter(PersonEntered))
"""By the person's id. Without names; an account is a keyed hash."""


async def keep(received: Received[PersonEntered], ask: Ask) -> Outcome:
    """The newest version of a person, in whatever order they come."""
    person = received.data
    known = await ask.one(PEOPLE.ref(person.person_id))
    if known is not None and known.version >= person.version:
        return Outcome(verdict=STALE)
    return Outcome({PEOPLE.ref(person.person_id): person})
