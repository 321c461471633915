"""The corrected register among a service's own documents: a decision asks for `REGISTER` like for any other.

So the register that a decision saw is a document like the others, loaded with them, and no process holds another one.
"""

from __future__ import annotations

from typing import Any, Protocol

from pydantic import TypeAdapter

from shared.contracts.register import RegisterCorrected
from shared.messaging.decide.asking import STALE, Ask, Outcome
from shared.messaging.decide.documents import Collection, Document, Ref
from shared.messaging.messages import Received
from shared.registry import Registry, corrected_register, with_correction

REGISTERS: Collection[Document] = Collection("register", TypeAdapter(dict[str, Any]))
REGISTER = REGISTERS.ref("corrections")
"""What `shared.registry.copies` makes of the corrections."""


async def register_now(ask: Ask) -> Registry:
    """The register as this service knows it now."""
    return corrected_register(await ask.one(REGISTER))


async def keep(received: Received[RegisterCorrected], ask: Ask) -> Outcome:
    """For a service that only has to keep up with the corrections."""
    document = with_correction(await ask.one(REGISTER), received.data)
    return Outcome(verdict=STALE) if document is None else Outcome({REGISTER: document})


KEEP = keep


def register_of(states: Any) -> Registry:
    """The register as this service knows it now."""
    return corrected_register(states[REGISTER])


class Documents(Protocol):
    """Whatever reads documents of the service's database."""

    async def get(self, ref: Ref[Any]) -> Any:
        """One document."""
        ...


async def read_register(reader: Documents) -> Registry:
    """The same, for what is computed over sets."""
    return corrected_register(await reader.get(REGISTER))
