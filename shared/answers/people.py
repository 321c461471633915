"""Answers of intake about the directory: who a person is, for those who may know it."""

from __future__ import annotations

from typing import Any, Literal

from shared.contracts.base import Contract, Instant
from shared.contracts.people import Assignment

Ordered = Literal["added", "changed", "ended", "account_added", "account_ended"]
"""What an order on the directory does."""
Deed = Ordered | Literal["erased"]


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
    confirmed_by: str | None = None
    """The second person. `None`: what one may do alone, and what older releases let one do."""
    confirmed_why: str | None = None


class Proposed(Contract):
    """An order on a person that nothing is done about until another person confirms it; or what became of it."""

    order_id: str
    person_id: str
    deed: Ordered
    by: str
    at: Instant
    order: dict[str, Any] | None
    """What it says, as long as it waits."""
    confirmed_by: str | None = None
    declined_by: str | None = None
    settled_at: Instant | None = None
    """`None` of one that says nothing more: it was not confirmed in time."""


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
