"""What the ministry orders of intake: that a closed period is open for a while, that history is taken in, and that the
words of submissions, or the names of persons, are erased; and what a province asks of the ministry, which for appeals
is scoring's to take."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from shared.contracts.base import (
    Claim,
    Identifier,
    Instant,
    Label,
    Line,
    ProvinceCode,
    SupportYear,
    Version,
    Year,
)
from shared.contracts.facts import AppealFollows, Closable
from shared.contracts.people import PersonId
from shared.contracts.submissions import AssessmentSeries

MOST_SUBMISSIONS = 100
"""Of one order of history: it is decided and written as one."""
MOST_ERASED = 50
"""Receipts of one order to erase, likewise."""


class PeriodReopening(Claim):
    """That senders may change a closed period for a while. Whatever it does not name is not restricted."""

    order_id: Identifier
    """The ministry's own; the same id with the same content is the same order."""
    what: Closable
    period: SupportYear
    province: ProvinceCode | None = None
    subject: Identifier | None = None
    """As submissions name it: commune code, centre id, … Only with the province that speaks for it."""
    reason: Label
    until: Instant
    """First instant at which it is closed again."""
    decision_number: Label | None = None


class ReopeningEnd(Claim):
    """That a reopening ends before its time."""

    reason: Label


class LateRequest(Claim):
    """That a province asks for a file to be taken whose period is closed to it."""

    request_id: Annotated[Identifier, StringConstraints(max_length=80)]
    """The province's own; the same id with the same content is the same request."""
    receipt_id: Identifier
    """Of the file that was refused. It says of what and which period the request speaks."""
    reason: Label


class LateAnswer(Claim):
    """What the ministry decides on such a request."""

    granted: bool
    reason: Label
    until: Instant | None = None
    """Granted: first instant at which the period is closed again."""
    decision_number: Label | None = None


class LateWithdrawal(Claim):
    """That the province asks no more."""

    reason: Label


class Appeal(Claim):
    """That a province asks the ministry to look again at a version of a result."""

    appeal_id: Annotated[Identifier, StringConstraints(max_length=80)]
    """The province's own; the same id with the same content is the same appeal."""
    series: Literal["commune", "centre"] | AssessmentSeries
    subject: Line
    """Unit id, centre id, or subject id within the series."""
    period: Year
    result_version: Version
    result_hash: Line
    """Version and hash of the result that was looked at."""
    reason: Line


class AppealAnswer(Claim):
    """What the ministry decides on an appeal."""

    upheld: bool
    follows: AppealFollows | None = None
    """Upheld: what changes the figures."""
    reason: Line
    decision_number: Line | None = None


class AppealWithdrawal(Claim):
    """That the province asks no more."""

    reason: Line


class HistoricSubmission(Claim):
    """A submission as the province would have sent it."""

    type: str
    """Its `ce_type`."""
    province: ProvinceCode
    data: dict[str, Any]


class HistoryImport(Claim):
    """History that the ministry takes in under its own name. It is judged like anything else, but no period is closed
    to it."""

    order_id: Identifier
    """The ministry's own; the same id with the same content is the same order."""
    why: Label
    decision_number: Label
    submissions: Annotated[list[HistoricSubmission], Field(min_length=1)]
    """In their order: a registration before what speaks of its centre."""


class ErasureRequest(Claim):
    """That nothing of submissions is kept but the decisions on them and the hashes of what was sent; or nothing of a
    person of the directory but the id, and what that was entitled to. One or the other."""

    order_id: Identifier
    """The ministry's own; the same id with the same content is the same order."""
    receipts: Annotated[list[Identifier], Field(max_length=MOST_ERASED)] = []
    person: PersonId | None = None
    why: Label
    """Kept with the order: it names the ground, not the person."""


class ErasureConfirmation(Claim):
    """That another person looked at an order to erase and has it carried out. There is no way back."""

    why: Label
