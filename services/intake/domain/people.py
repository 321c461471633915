"""What an order makes of a person in the directory, and everything that is wrong with it. Pure.

Persons are told apart by their ids. What makes two of them look like one human being — the same name however it is
written, accounts that differ in small and capital letters — is refused until whoever enters them says that they are
two: whoever had two persons could approve what he has prepared. For the same reason rights are given by two persons.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from shared.answers.people import HeldAccount, Ordered, PersonChange, PersonView
from shared.contracts.base import Problem
from shared.contracts.people import (
    MOST_ACCOUNTS,
    AccountAdded,
    AccountEnded,
    AnyPersonOrder,
    Assigned,
    Assignment,
    Hand,
    NamedAccount,
    Naming,
    PersonAdded,
    PersonChanged,
    PersonEnded,
    Role,
    in_force,
)
from shared.refusals import problem
from shared.rulebook import HANOI

RESERVED = frozenset({"langhoc", "service"})
"""What the platform itself is called where it acts."""
MOST_CHANGES = 500
"""Of one person: all of them are in one document."""
MOST_NAME = 100
ORDERS: Mapping[Ordered, type[AnyPersonOrder]] = {
    "added": PersonAdded,
    "changed": PersonChanged,
    "ended": PersonEnded,
    "account_added": AccountAdded,
    "account_ended": AccountEnded,
}
FEWEST_OPERATORS = 2
"""Of the ministry, by whom everybody else is entered."""


@dataclass(frozen=True, slots=True)
class Directory:
    """What an order is judged against."""

    person: PersonView | None
    """Whom it is about, as it stands."""
    others: Sequence[PersonView]
    """Everybody else."""
    owner: str | None
    """The person to whom the named account has belonged, whether it has ended or not."""
    barred: bool
    """Whether the named account was that of somebody who is erased."""
    provinces: Collection[str]


def check_person(person_id: str, order: AnyPersonOrder, known: Directory, *by: Hand) -> list[Problem]:
    """Everything that stands in the way of an order of these persons; a person that is changed is there."""
    return list(_problems(person_id, order, known, by))


def deed_of(order: AnyPersonOrder) -> Ordered:
    """What an order does."""
    return next(deed for deed, model in ORDERS.items() if type(order) is model)


def operates(person: PersonView, day: date) -> bool:
    """Whether this is an operator of the ministry who can act on that day."""
    now = in_force(person.assignments, day)
    return now is not None and now.role is Role.MINISTRY and any(one.ended_at is None for one in person.accounts)


def _problems(person_id: str, order: AnyPersonOrder, known: Directory, by: Sequence[Hand]) -> Iterator[Problem]:
    if any(one.is_among([person_id]) for one in by):
        yield problem("intake.own_entry", "/person_id", person=person_id)
    person = known.person
    if person is not None and len(person.changes) >= MOST_CHANGES:
        yield problem("intake.too_many_changes", "/person_id", most=MOST_CHANGES)
    if person is not None and person.erased_at is not None and not isinstance(order, PersonAdded):
        yield problem(
            "intake.person_erased", "/person_id", person=person_id, at=person.erased_at.astimezone(HANOI).date()
        )
    match order:
        case PersonAdded():
            if person is not None or person_id in RESERVED:
                yield problem("intake.person_id_taken", "/person_id", id=person_id)
            yield from _assigned(order.assignment, known.provinces)
        case PersonChanged():
            if order.name is None and order.assignment is None:
                yield problem("intake.nothing_to_change", "/name")
            if order.assignment is not None:
                yield from _assigned(order.assignment, known.provinces)
        case AccountEnded(account=account):
            held = _held(person, account)
            if held is None or held.ended_at is not None:
                yield problem("intake.account_not_held", "/account/subject", person=person_id)
    if isinstance(order, PersonAdded | AccountAdded) and order.account is not None:
        yield from _given(person_id, order.account, known)
    if isinstance(order, PersonAdded | PersonChanged) and order.name is not None:
        yield from _named(order.name)
    if isinstance(order, Naming):
        alike = [one.person_id for one in known.others if _alike(one, order)]
        if unsaid := sorted(set(alike) - set(order.distinct_from)):
            yield problem("intake.person_alike", "/distinct_from", persons=", ".join(unsaid[:10]))


def _assigned(assigned: Assigned, provinces: Collection[str]) -> Iterator[Problem]:
    if (assigned.role is Role.PROVINCE) != (assigned.province is not None):
        yield problem("intake.role_and_province", "/assignment/province", role=assigned.role)
    elif assigned.province is not None and assigned.province not in provinces:
        yield problem("intake.province_without_channel", "/assignment/province", code=assigned.province)
    if assigned.last_day is not None and assigned.last_day < assigned.first_day:
        first, last = assigned.first_day, assigned.last_day
        yield problem("intake.days_reversed", "/assignment/last_day", first=first, last=last)


def _given(person_id: str, account: NamedAccount, known: Directory) -> Iterator[Problem]:
    if known.barred:
        yield problem("intake.account_barred", "/account/subject")
    elif known.owner not in (None, person_id):
        yield problem("intake.account_of_another", "/account/subject", person=known.owner)
    held = _held(known.person, account)
    if held is not None and held.ended_at is None:
        yield problem("intake.account_held", "/account/subject", person=person_id)
    if held is None and known.person is not None and len(known.person.accounts) >= MOST_ACCOUNTS:
        yield problem("intake.too_many_accounts", "/account", most=MOST_ACCOUNTS)


def _named(name: str) -> Iterator[Problem]:
    foreign = [sign for sign in name if not _of_names(sign)]
    if foreign or len(name) > MOST_NAME or not _folded(name):
        found = ", ".join(f"U+{ord(sign):04X}" for sign in dict.fromkeys(foreign[:5]))
        yield problem("intake.person_name", "/name", found=found or str(len(name)), most=MOST_NAME)


def _of_names(sign: str) -> bool:
    """A Latin letter, or what stands between them: a letter of another alphabet looks like one and is another name."""
    return sign in " .'-" or (sign.isalpha() and unicodedata.name(sign, "").startswith("LATIN "))


def _alike(other: PersonView, order: Naming) -> bool:
    name = order.name if isinstance(order, PersonAdded | PersonChanged) else None
    account = order.account if isinstance(order, PersonAdded | AccountAdded) else None
    named = name is not None and other.erased_at is None and _folded(name) == _folded(other.name)
    return named or (account is not None and any(_written_alike(account, one) for one in other.accounts))


def _written_alike(account: NamedAccount, held: HeldAccount) -> bool:
    """Alike, and not the same one: that is refused by itself."""
    one, two = (account.issuer, account.subject), (held.issuer, held.subject)
    return one != two and one[0].casefold() == two[0].casefold() and one[1].casefold() == two[1].casefold()


def _folded(name: str) -> str:
    """A name without anything in which its spellings differ: `Nguyễn Văn An`, `NGUYEN VAN AN`."""
    plain = unicodedata.normalize("NFKD", name).casefold().replace("đ", "d")
    return "".join(sign for sign in plain if sign.isalnum())


def _held(person: PersonView | None, account: NamedAccount) -> HeldAccount | None:
    asked = (account.issuer, account.subject)
    return next((one for one in person.accounts if (one.issuer, one.subject) == asked), None) if person else None


# ------------------------------------------------------------------------------------------------- what becomes


@dataclass(frozen=True, slots=True)
class Given:
    """By whom an order is given, and when."""

    by: str
    at: datetime
    confirmed_by: str | None = None
    confirmed_why: str | None = None


def entered(person_id: str, order: AnyPersonOrder, before: PersonView | None, given: Given) -> PersonView:
    """The person after an order that nothing stands in the way of."""
    person = before or PersonView(person_id=person_id, version=0, name="", assignments=[])
    updates: dict[str, object] = {}
    match order:
        case PersonAdded():
            updates = {"name": order.name, "assignments": [_assignment(order.assignment)]}
            if order.account is not None:
                updates["accounts"] = [_account(order.account)]
        case PersonChanged():
            if order.name is not None:
                updates["name"] = order.name
            if order.assignment is not None:
                kept = _until(person.assignments, order.assignment.first_day - timedelta(days=1))
                updates["assignments"] = [*kept, _assignment(order.assignment)]
        case PersonEnded():
            updates = {"assignments": _until(person.assignments, order.last_day)}
        case AccountAdded():
            updates = {"accounts": [*_others(person, order.account), _account(order.account)]}
        case AccountEnded():
            updates = {"accounts": [*_others(person, order.account), _account(order.account, given.at)]}
    version = person.version + 1
    change = PersonChange(
        version=version,
        deed=deed_of(order),
        order_id=order.order_id,
        by=given.by,
        at=given.at,
        reason=order.reason,
        confirmed_by=given.confirmed_by,
        confirmed_why=given.confirmed_why,
    )
    return person.model_copy(update={**updates, "version": version, "changes": [*person.changes, change]})


def _until(assignments: Sequence[Assignment], last: date) -> list[Assignment]:
    """What of them lies before or on a day."""
    return [
        one if one.last_day is not None and one.last_day <= last else one.model_copy(update={"last_day": last})
        for one in assignments
        if one.first_day <= last
    ]


def _assignment(assigned: Assigned) -> Assignment:
    return Assignment.model_validate(assigned.model_dump())


def _account(account: NamedAccount, ended_at: datetime | None = None) -> HeldAccount:
    return HeldAccount(issuer=account.issuer, subject=account.subject, ended_at=ended_at)


def _others(person: PersonView, account: NamedAccount) -> list[HeldAccount]:
    asked = (account.issuer, account.subject)
    return [one for one in person.accounts if (one.issuer, one.subject) != asked]
