"""Answers of funding about payments: what was paid beside what was decided, centre by centre."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel

from shared.contracts.facts import PaymentState, Purpose, PurposeReconciled


class PaymentLine(BaseModel):
    """One centre and purpose of a budget year. Money in đồng."""

    centre_id: str
    name: str | None
    """As it is registered; `None`: it is not in the register."""
    purpose: Purpose
    decided: int | None
    """As published, with what is settled of earlier years; `None`: nothing was decided."""
    stated: int | None
    """What the province stated as approved, where nothing was decided here."""
    paid: int | None
    """Less what came back; `None`: nothing is on record, which is not 0."""
    difference: int
    """Paid less what is due."""
    payments: int
    paid_on: date | None
    """Day of the latest movement."""
    state: PaymentState
    differs: bool


class ReconciliationView(BaseModel):
    """What was paid of a province's budget year. No amount rests on it."""

    province: str
    year: int
    paid_by: date
    """Last day by which payments are expected, by the policy in force."""
    overdue: bool
    """Whether that day has passed: what is not on record then is missing."""
    purposes: list[PurposeReconciled]
    """The sums of all lines."""
    lines: list[PaymentLine]
    """Those that differ first, each in order of centre and purpose."""
