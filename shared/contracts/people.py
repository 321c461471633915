"""Who may act: what the ministry enters of a person, and the fact that every service reads of it.

A token names an *account*: an issuer, and its subject. The directory says which *person* that is, in which role, of
which province, on which days. Facts, journals and orders name the person by an id that tells nothing of it; names and
accounts stay with intake, and what is published of an account is a keyed hash.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from shared.contracts.base import Claim, Contract, Identifier, Instant, Label, ProvinceCode, Version

PERSON_ID = r"^[a-z][a-z0-9._-]{0,63}$"
PersonId = Annotated[str, StringConstraints(pattern=PERSON_ID)]
"""Of the directory: chosen by whoever enters the person, and no name of it. ASCII, in small letters alone, so that none
looks like another one."""
ACCOUNT_TEXT = r"^[\x21-\x7e]{1,255}$"
AccountText = Annotated[str, StringConstraints(pattern=ACCOUNT_TEXT)]
"""An issuer or a subject, as OpenID Connect has them: visible ASCII without spaces."""
Day = Annotated[date, Field(ge=date(2013, 1, 1), le=date(2100, 12, 31))]
MOST_ACCOUNTS = 20
"""Of one person, those that have ended among them."""


class Role(StrEnum):
    """What a person may do."""

    MINISTRY = "ministry"
    PROVINCE = "province"
    FINANCE = "finance"
    AUDITOR = "auditor"


class Assignment(Contract):
    """In which role a person acts, and from when to when."""

    role: Role
    province: ProvinceCode | None = None
    """Of the role `province`, and of no other."""
    first_day: date
    last_day: date | None = None
    """The last day on which it holds, in Hanoi; `None`: no end is known."""

    def holds(self, day: date) -> bool:
        """Whether it is in force on that day."""
        return self.first_day <= day and (self.last_day is None or day <= self.last_day)


@dataclass(frozen=True, slots=True)
class Hand:
    """Who acts, as it is compared with who acted before: by person, whichever account was used."""

    person: str
    formerly: Container[str] = ()
    """What the person was called before the directory knew it."""

    def is_among(self, hands: Iterable[str]) -> bool:
        """Whether this is one of those."""
        return any(hand == self.person or hand in self.formerly for hand in hands)


class PersonEntered(Contract):
    """`langhoc.person.entered.v1`, subject = person id: who may act through which accounts, as it was entered last."""

    person_id: str
    version: Version
    assignments: list[Assignment]
    """In order of time; no two of them on the same day."""
    accounts: list[str]
    """Keyed hashes (`account_key`) of all that ever were this person's."""
    ended: list[str] = []
    """Those of them that act no more."""
    entered_by: str
    entered_at: Instant
    confirmed_by: str | None = None
    """The second person. `None`: what one may do alone, and what older releases let one do."""


def in_force(assignments: Iterable[Assignment], day: date) -> Assignment | None:
    """What a person is on that day."""
    return next((one for one in assignments if one.holds(day)), None)


def keyed(secret: bytes, *parts: str) -> str:
    """HMAC-SHA256 (hex) of texts: whoever lacks the secret cannot try out who may be meant.

    The texts are taken as they are, letter for letter: what only looks the same has another hash.
    """
    return hmac.new(secret, json.dumps(parts).encode(), hashlib.sha256).hexdigest()


def account_key(secret: bytes, issuer: str, subject: str) -> str | None:
    """Under which an account is published; `None`: no directory has an account that is written like this."""
    if not all(re.fullmatch(ACCOUNT_TEXT[1:-1], one) for one in (issuer, subject)):
        return None
    return keyed(secret, issuer, subject)


# ------------------------------------------------------------------------------------------------- orders


class Assigned(Claim):
    """An assignment as it is ordered. From its first day on it stands in the place of all others of the person."""

    role: Role
    province: ProvinceCode | None = None
    first_day: Day
    last_day: Day | None = None


class NamedAccount(Claim):
    """An account as the identity provider has it."""

    issuer: AccountText
    subject: AccountText


class PersonOrder(Claim):
    """What every order on the directory says."""

    order_id: Identifier
    """The sender's own; the same id with the same content is the same order."""
    reason: Label


class Naming(PersonOrder):
    """An order after which a person may look like another one."""

    distinct_from: Annotated[list[PersonId], Field(max_length=100)] = []
    """Persons that have the same name, or an account that is written alike, and are somebody else nevertheless."""


class PersonAdded(Naming):
    """That somebody may act."""

    person_id: PersonId
    name: Label
    assignment: Assigned
    account: NamedAccount | None = None


class PersonChanged(Naming):
    """Another name, or another assignment; what is left out stays."""

    name: Label | None = None
    assignment: Assigned | None = None


class PersonEnded(PersonOrder):
    """That a person acts no more after a day."""

    last_day: Day


class AccountAdded(Naming):
    """Another account of the same person."""

    account: NamedAccount


class AccountEnded(PersonOrder):
    """That an account acts no more, from now on. It stays this person's: nobody else is ever given it."""

    account: NamedAccount


class PersonConfirmation(Claim):
    """That another person looked at an order on the directory and has it carried out."""

    why: Label


class FirstOperator(Claim):
    """One of those whom the ministry names itself, while nobody can enter them."""

    person_id: PersonId
    name: Label
    issuer: AccountText
    subject: AccountText


AnyPersonOrder = PersonAdded | PersonChanged | PersonEnded | AccountAdded | AccountEnded
