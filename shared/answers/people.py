"""Answers of intake about the directory: who a person is, for those who may know it."""

from __future__ import annotations

from typing import Literal

from shared.contracts.base import Contract, Instant
from shared.contracts.people import Assignment

Deed = Literal["added", "changed", "ended", "account_added", "account_ended", "erased"]


class HeldAccount(Contract):
    """An account of a person."""

    issuer: str
    subject: str
    ended_at: Instant | None = None
    """Since when it acts no more."""


class PersonChange(Contract):
    """One order on a person that was carried out."""

    version: int
    deed: Deed
    order_id: str
    by: str
    at: Instant
    reason: str


class PersonName(Contract):
    """What those see who see what a person did."""

    person_id: str
    name: str
    assignments: list[Assignment]


class PersonView(PersonName):
    """A person whole, as the ministry's operators and auditors see it."""

    version: int
    accounts: list[HeldAccount] = []
    changes: list[PersonChange] = []
    """Oldest first."""
    erased_at: Instant | None = None
    """Since when nobody knows who this was: name, accounts and reasons are gone, for ever."""
