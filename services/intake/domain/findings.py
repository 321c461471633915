"""What a check of a submission looks at, and what it finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from shared.contracts.base import Problem
from shared.contracts.facts import Accepted, MinistryOrder, RegistrationAccepted, Withdrawn
from shared.registry import Registry, Unit
from shared.rulebook import HANOI


class Subject(NamedTuple):
    """What an assessment speaks of, as the register has it."""

    id: str
    name: str
    holder: str
    """Province that held it on the cut-off date, in the codes of that day."""


class Awaited(NamedTuple):
    """A code that meant nothing yet on a day before the register reaches back; or the registration of a centre that on
    this day did not exist by it."""

    code: str
    on: date


@dataclass(slots=True)
class Findings:
    """Everything found about one submission."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    held: list[Problem] = field(default_factory=list)
    """Grounds on which it cannot be decided now, though nothing is wrong with it."""
    awaited: Awaited | None = None
    """What the register must know, or a registration say, before it can be decided."""
    unit: Unit | None = None
    subject: Subject | None = None
    deadline: datetime | None = None
    closed: Problem | None = None
    """Its period is closed to it."""
    under: MinistryOrder | None = None
    """The ministry's order under which it is taken."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """By whom and when, from the channel, never from the body."""

    province: str
    received_at: datetime

    @property
    def day(self) -> date:
        """The legal day of reception."""
        return self.received_at.astimezone(HANOI).date()


@dataclass(frozen=True, slots=True)
class Known:
    """What intake holds that a submission is checked against."""

    register: Registry
    centres: Mapping[str, RegistrationAccepted | Withdrawn | None] = field(default_factory=dict)
    """The registrations of the centres that the submission names."""
    owner: str | None = None
    """Province that was the first to speak of the learning unit."""
    current: Accepted | None = None
    """What is accepted now of the subject and period, or its withdrawal."""

    def centre(self, centre_id: str) -> RegistrationAccepted | None:
        """A centre that is registered now."""
        found = self.centres[centre_id]
        return found if isinstance(found, RegistrationAccepted) else None

    def registrar(self, centre_id: str, on: date) -> str | None:
        """The province to which a centre's id belongs on a day: the one that speaks for its commune then.

        Where the register does not tell it is whoever registered it; a withdrawal gives it to nobody else.
        """
        found = self.centres[centre_id]
        if isinstance(found, RegistrationAccepted) and (unit := self.register.counterpart(found.unit_id, on)):
            return self.register.speaker(unit.province_code, on)
        return found.province if found else None
