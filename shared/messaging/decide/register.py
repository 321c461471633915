"""The corrected register among a service's own documents: a decision asks for `REGISTER` like for any other.

So the register that a decision saw is a document like the others, loaded with them, and no process holds another one.
"""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from shared.contracts.register import RegisterCorrected
from shared.messaging.decide.asking import STALE, Ask, Known, Outcome
from shared.messaging.decide.documents import Collection, Document, Growing
from shared.messaging.messages import Received
from shared.registry import Registry, corrected_register, with_correction

REGISTERS: Collection[Document] = Collection(
    "register", TypeAdapter(dict[str, Any]), grows=Growing("corrections", "version", "hash")
)
REGISTER = REGISTERS.ref("corrections")
"""What `shared.registry.copies` makes of the corrections."""


async def register_now(ask: Ask) -> Registry:
    """The register as this service knows it now."""
    return corrected_register(await ask.one(REGISTER))


async def keep(received: Received[RegisterCorrected], ask: Ask) -> Outcome:
    """For a service that only has to keep up with the corrections."""
    document = with_correction(await ask.one(REGISTER), received.data)
    return Outcome(verdict=STALE) if document is None else Outcome({REGISTER: document})


async def read_register(known: Known) -> Registry:
    """The same, for an answer that decides nothing."""
    await known.load([REGISTER])
    return corrected_register(known[REGISTER])
