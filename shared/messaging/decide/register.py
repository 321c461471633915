"""The corrected register among a service's own documents: a handler names `REGISTER` in its needs and reads it there.

So the register that a decision saw is a document like the others, loaded with them, and no process holds another one.
"""

from __future__ import annotations

from typing import Protocol

from shared.contracts.register import RegisterCorrected
from shared.messaging.decide.handling import STALE, Document, Outcome, Ref, Route, States
from shared.messaging.messages import Received
from shared.registry import Registry, corrected_register, with_correction

REGISTER = Ref("register", "corrections")


def register_of(states: States) -> Registry:
    """The register as this service knows it now."""
    return corrected_register(states[REGISTER])


class Documents(Protocol):
    """Whatever reads documents of the service's database."""

    async def get(self, ref: Ref) -> Document | None:
        """One document."""
        ...


async def read_register(reader: Documents) -> Registry:
    """The same, for what is computed over sets."""
    return corrected_register(await reader.get(REGISTER))


def _keep(received: Received[RegisterCorrected], states: States) -> Outcome:
    document = with_correction(states[REGISTER], received.data)
    return Outcome(verdict=STALE) if document is None else Outcome(puts={REGISTER: document})


KEEP: Route[RegisterCorrected] = Route(lambda received: [REGISTER], _keep)
"""For a service that only has to keep up with the corrections."""
