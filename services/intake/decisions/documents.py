"""What intake holds. The names in the database, the `_id`s and the fields stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from pydantic import AliasChoices, AliasPath, Field, SerializeAsAny, TypeAdapter, ValidationInfo, field_validator

from shared.answers.imports import HistorySigned
from shared.answers.people import PersonView, Proposed
from shared.answers.periods import HistoryImported
from shared.answers.privacy import Erasure
from shared.answers.register import AcceptedVersion
from shared.contracts.base import Contract, Status
from shared.contracts.facts import (
    Accepted,
    Act,
    AssessmentAccepted,
    CentreAccepted,
    CommuneAccepted,
    EnvelopeAccepted,
    LateDecision,
    LateRequested,
    Original,
    PaymentAccepted,
    PeriodReopened,
    Receipt,
    RecognitionAccepted,
    RegistrationAccepted,
    SubmissionKind,
    SupportAccepted,
    TitleAccepted,
    Withdrawn,
)
from shared.messaging.decide.documents import Collection
from shared.privacy import ERASED_LINE, Erased, erased_words

_FACTS: Mapping[SubmissionKind, type[Accepted]] = {
    "commune": CommuneAccepted,
    "centre": CentreAccepted,
    "assessment": AssessmentAccepted,
    "registration": RegistrationAccepted,
    "envelope": EnvelopeAccepted,
    "support": SupportAccepted,
    "payment": PaymentAccepted,
    "recognition": RecognitionAccepted,
    "title": TitleAccepted,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A receipt, the bytes that it answers, and beside it what receipts are looked for by."""

    receipt: Receipt
    province: str
    status: Status
    kind: SubmissionKind | None
    subject: str | None
    period: int | None
    submission_id: str | None
    received_at: datetime
    decided_at: datetime | None = None
    """When it was decided: of what was held, read late or replayed long after it arrived. `None` while it is held, and
    in documents of a release before."""
    traceparent: str | None = None
    raw: bytes | None
    """`None`: they are erased."""
    awaits: str | None = None
    """The code for which a held submission waits, and the day on which it must mean something; or the registration of a
    centre (`domain.awaited_of`), and the day on which the centre must have existed."""
    awaits_on: date | None = None
    released: str | None = None
    """The receipt under which a held submission was decided in the end."""
    erased: Erased | None = None
    """What is left of its bytes."""
    wordless: bool = False
    """Whether the receipt's problems no longer repeat what was sent."""

    @property
    def waits(self) -> bool:
        """Whether its submission is still held, and can still be decided."""
        return self.status is Status.HELD and self.released is None and self.raw is not None

    def without_bytes(self, at: datetime, by: str) -> Answer:
        """The same answer; of the bytes that it answers the hash is left. What was held waits no longer."""
        if self.raw is None:
            return self
        return replace(self, raw=None, erased=Erased.of(self.raw, at=at, by=by), awaits=None, awaits_on=None)

    def without_words(self) -> Answer:
        """The same answer; its problems keep their codes and say nothing of what was sent."""
        problems, warnings = erased_words(self.receipt.problems), erased_words(self.receipt.warnings)
        receipt = self.receipt.model_copy(update={"problems": problems, "warnings": warnings})
        return replace(self, receipt=receipt, wordless=True)


class Waiting(Contract):
    """Of the answer to a submission that is still held: for what it waits."""

    receipt_id: str = Field(alias="_id")
    awaits: str
    awaits_on: date
    period: int | None
    province: str
    submission_id: str


class Used(Contract):
    """An id that a submission took."""

    body_hash: str
    original: Original


class Freed(Contract):
    """An id that a held submission gave back, because it was refused in the end."""

    freed_by: str


class Aggregate(Contract):
    """What is accepted of a subject in a period, or that it was withdrawn."""

    kind: SubmissionKind
    subject: str
    period: int | None
    province: str
    version: int
    act: Act = "submission"
    """What made this version."""
    content_hash: str
    accepted: SerializeAsAny[Accepted]
    history: list[AcceptedVersion] = Field(default=[], exclude_if=lambda lines: not lines)
    """Lines that an older release kept here; they move to `VERSIONS` with the next version."""

    @field_validator("accepted", mode="before")
    @classmethod
    def _of_its_kind(cls, fact: Any, info: ValidationInfo) -> Accepted:
        form = Withdrawn if info.data["act"] == "withdrawal" else _FACTS[info.data["kind"]]
        return form.model_validate(fact)


class Standing(Contract):
    """Of an aggregate: what it speaks of."""

    kind: SubmissionKind
    subject: str
    period: int | None
    province: str
    version: int
    unit: str | None = Field(
        default=None,
        validation_alias=AliasChoices(AliasPath("accepted", "unit_id"), AliasPath("accepted", "subject_id")),
    )


class VersionLine(AcceptedVersion):
    """A version that was accepted once, without its content."""

    aggregate: str


class Owner(Contract):
    """The province to which the id of a learning unit belongs."""

    province: str


class AccountOwner(Contract):
    """The person to whom an account has belonged since it was first entered, for ever."""

    person_id: str | None
    """`None`: of somebody who is erased. It is nobody's any more, and nobody is ever given it."""


class PersonOrdered(Contract):
    """An order on a person."""

    person_id: str
    asked: str
    """By which another content under the same id is told from a repeat; without the key it tells nothing."""
    proposed: Proposed | None = None
    """`None`: one person alone had it carried out."""

    def without_words(self) -> PersonOrdered:
        """The same order, of which nobody can be told any more what it said; what waited waits no longer."""
        proposed = self.proposed and self.proposed.model_copy(update={"order": None})
        return self.model_copy(update={"asked": ERASED_LINE, "proposed": proposed})


class LateRequest(LateRequested):
    """A request for late acceptance, and the ministry's decision."""

    decision: LateDecision | None = None

    @property
    def is_open(self) -> bool:
        """Whether it waits for a decision."""
        return self.decision is None and self.withdrawn is None


class Reopened(Contract):
    """The orders that opened a period again, by their ids, in the order in which they were given."""

    orders: list[str]


_TAKEN: TypeAdapter[Used | Freed] = TypeAdapter(Used | Freed)

RECEIPTS: Collection[Answer] = Collection(
    "receipts", TypeAdapter(Answer), schema=2, native=frozenset({"received_at", "decided_at", "raw"})
)
"""Every answer ever given, by the receipt's id. Schema 2: its bytes may be erased."""
SUBMISSIONS: Collection[Used | Freed] = Collection("submissions", _TAKEN)
"""By sender and submission id."""
AGGREGATES: Collection[Aggregate] = Collection("aggregates", TypeAdapter(Aggregate), schema=2)
"""By kind, subject and period; period 0 for facts without one. Schema 2: it may be withdrawn."""
VERSIONS: Collection[VersionLine] = Collection("versions", TypeAdapter(VersionLine), entries=True)
"""By aggregate and version."""
LEARNING_UNITS: Collection[Owner] = Collection("learning_units", TypeAdapter(Owner))
"""By the learning unit's id."""
REOPENINGS: Collection[PeriodReopened] = Collection("reopenings", TypeAdapter(PeriodReopened))
"""By the order's id."""
REOPENED: Collection[Reopened] = Collection("reopened", TypeAdapter(Reopened))
"""By what closes, and its period; orders of one subject alone also by province and subject."""
LATE_REQUESTS: Collection[LateRequest] = Collection("late_requests", TypeAdapter(LateRequest))
"""By province and the request's id."""
PERSONS: Collection[PersonView] = Collection("persons", TypeAdapter(PersonView))
"""By the person's id: everything personal that there is of people who act, names and accounts, is here and nowhere
else, but for what still waits (`PEOPLE_ORDERS`). Of who is erased the place stays, so that the id is never given to
anybody else."""
ACCOUNTS: Collection[AccountOwner] = Collection("accounts", TypeAdapter(AccountOwner))
"""By the keyed hash of an account."""
PEOPLE_ORDERS: Collection[PersonOrdered] = Collection("people_orders", TypeAdapter(PersonOrdered))
"""By the order's id. What an order says is here as long as it waits for its confirmation."""
HISTORIES: Collection[HistoryImported] = Collection("histories", TypeAdapter(HistoryImported))
"""By the order's id."""
IMPORTS: Collection[HistorySigned] = Collection("imports", TypeAdapter(HistorySigned))
"""By the import's id."""
ERASURES: Collection[Erasure] = Collection("erasures", TypeAdapter(Erasure))
"""By the order's id."""
