"""When nobody needs to know any more who a person of the directory was, and what is left of it then. Pure.

The id stays where it acted, and with it what it was entitled to: that a decision was taken by somebody who might take
it can be shown for as long as the decision stands.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date, datetime

from shared.answers.people import PersonChange, PersonView
from shared.contracts.base import Problem
from shared.privacy import ERASED_LINE
from shared.refusals import problem
from shared.rulebook import HANOI


def check_forgettable(person: PersonView, at: datetime, said: Mapping[str, str]) -> list[Problem]:
    """Everything that stands in the way of erasing a person.

    Args:
        at: when it is to be done; the days of a term are those of Hanoi.
        said: what the order says in free words, by the field: it stays on record, and must not name whom it erases.
    """
    return list(_problems(person, at.astimezone(HANOI).date(), said))


def _problems(person: PersonView, today: date, said: Mapping[str, str]) -> Iterator[Problem]:
    if person.erased_at is not None:
        yield problem("privacy.person_erased", "/person", person=person.person_id)
    elif any(one.last_day is None or one.last_day >= today for one in person.assignments):
        yield problem("privacy.person_acts", "/person", person=person.person_id)
    for field, text in said.items():
        if _tells(text, person):
            yield problem("privacy.names_the_person", field)


def _tells(text: str, person: PersonView) -> bool:
    words = _words(text)
    return any(f" {own} " in f" {words} " for own in map(_words, _names(person)) if own)


def _names(person: PersonView) -> Iterator[str]:
    yield person.name
    for account in person.accounts:
        yield account.subject


def _words(text: str) -> str:
    """The words without anything in which their spellings differ."""
    plain = unicodedata.normalize("NFKD", text).casefold().replace("đ", "d")
    return " ".join(re.findall(r"[^\W_]+", "".join(sign for sign in plain if not unicodedata.combining(sign))))


def forgotten(person: PersonView, order_id: str, by: str, at: datetime) -> PersonView:
    """The person without name, accounts and reasons."""
    version = person.version + 1
    erased = PersonChange(version=version, deed="erased", order_id=order_id, by=by, at=at, reason=ERASED_LINE)
    changes = [
        one.model_copy(update={"reason": ERASED_LINE, "confirmed_why": one.confirmed_why and ERASED_LINE})
        for one in person.changes
    ]
    updates = {"name": ERASED_LINE, "accounts": [], "changes": [*changes, erased], "version": version, "erased_at": at}
    return person.model_copy(update=updates)
