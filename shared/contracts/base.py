"""Building blocks of every contract: strictness, bilingual text, exact numbers."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from shared.texts import code_point, stranger


class Contract(BaseModel):
    """A fact published by Langhoc itself: immutable; unknown fields are ignored, so that old readers read new facts."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="null")


class Claim(BaseModel):
    """What an outside sender says: immutable; an unknown field is an error, never silently dropped."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Text(Contract):
    """One message in the two languages every message has."""

    vi: str
    en: str


def to_nfc(value: str) -> str:
    """Vietnamese has two spellings of the same letter in Unicode; ours is NFC."""
    return unicodedata.normalize("NFC", value)


def _text_to_nfc(value: object) -> object:
    return to_nfc(value) if isinstance(value, str) else value


MAX_DIGITS = 18
"""Of a whole number, and of an exact decimal before and after its point: what is whole fits into 64 bits, as the
database asks, and sums and products of fractions stay short."""


def _of_bounded_exponent(value: Decimal) -> Decimal:
    """A zero may have any exponent: `0e-999999999` passes every limit of digits, and written out it has a billion.

    A zero has no sign: -0 is 0, and shown as such.
    """
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or abs(exponent) > MAX_DIGITS:
        raise PydanticCustomError(
            "decimal_max_exponent",
            "Decimal input should have an exponent from -{limit} to {limit}",
            {"limit": MAX_DIGITS},
        )
    return value if value else value.copy_abs()


Exponent = AfterValidator(_of_bounded_exponent)
"""Every exact number from outside has this limit, besides those of its digits."""
Nfc = Annotated[str, AfterValidator(to_nfc)]
Label = Annotated[str, BeforeValidator(_text_to_nfc), StringConstraints(min_length=1, max_length=300)]
"""At most 300 characters as we keep it, so that whoever reads it again finds it as valid as it was."""


def _of_one_line(value: str) -> str:
    found = stranger(value)
    if found is not None:
        raise PydanticCustomError(
            "text_unclean", "Text should have one line without the character {found}", {"found": code_point(found)}
        )
    return value


OneLine = AfterValidator(_of_one_line)
"""For texts of requests, whose bodies may have files of many lines. Texts of facts need no such rule: the border held
it when they came, and those that are older than the border are still read."""
Line = Annotated[Label, OneLine]
"""A label in the body of a request."""
IDENTIFIER = r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$"
Identifier = Annotated[str, StringConstraints(pattern=IDENTIFIER)]
CommuneCode = Annotated[str, StringConstraints(pattern=r"^([0-9]{5}|D[0-9]{3})$")]
ProvinceCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{2}$")]
Year = Annotated[int, Field(ge=2013, le=2100, strict=True)]
Dong = Annotated[int, Field(ge=0, le=10**15, strict=True)]
"""Money: whole đồng. The upper limit is about half of what the state spends on everything in a year (some 2·10^15), so
no amount for learning centres comes near it, and 9,000 such amounts still add up within 64 bits."""
People = Annotated[int, Field(ge=0, le=200_000_000, strict=True)]
Points = Annotated[Decimal, Field(ge=0, le=1000, max_digits=8, decimal_places=4), Exponent]
Quantity = Annotated[Decimal, Field(ge=0, lt=10**16, max_digits=20, decimal_places=4), Exponent]
"""A measured quantity that is no count of people and no money: exact, at most four places."""
Version = Annotated[int, Field(ge=1, le=10**9, strict=True)]
"""Versions count one by one; no subject ever has that many."""
Instant = AwareDatetime


class Provenance(StrEnum):
    """How well a value of the rulebook is supported by a source (kept all the way to the screen)."""

    FOUND = "found"
    PARTLY = "partly"
    READING = "reading"
    """Ours, of a text that leaves it open."""
    PROVISIONAL = "provisional"
    """A working default of ours where the law leaves the value open or its text was not found."""
    NOT_FOUND = "not_found"
    """Something the law must say and that nobody found: told, never guessed."""


class Status(StrEnum):
    """The one list of what can become of a submission; received = the sum of all of them."""

    ACCEPTED = "accepted"
    ACCEPTED_LATE = "accepted_late"
    HELD = "held"
    REJECTED = "rejected"
    CONFLICT = "conflict"
    DUPLICATE = "duplicate"
    UNCHANGED = "unchanged"


class Problem(Contract):
    """One thing wrong (or doubtful) in one place of a submission, and how to mend it."""

    code: str
    """Stable, machine-readable."""
    field: str
    """JSON pointer into the submission's body; empty for the submission as a whole."""
    message: Text
    expected: Text
    mend: Text


class Step(Contract):
    """One line of an explanation: what was done, by which rule, on which ground."""

    what: Text
    citation: str
    provenance: Provenance


_GROUNDS = frozenset({"citation", "provenance"})


def ungrounded(value: Any) -> Any:
    """A JSON value without citations and how well they are supported: these may be corrected, and nothing is another
    for it (ADR 25)."""
    match value:
        case dict():
            return {name: ungrounded(each) for name, each in value.items() if name not in _GROUNDS}
        case list():
            return [ungrounded(each) for each in value]
        case _:
            return value


def figures(value: Any) -> Any:
    """A JSON value without any words for it: what `ungrounded` leaves, with nothing in the place of texts."""
    match value:
        case {"vi": str(), "en": str(), **more} if not more:
            return None
        case dict():
            return {name: figures(each) for name, each in value.items() if name not in _GROUNDS}
        case list():
            return [figures(each) for each in value]
        case _:
            return value


def canonical(value: Any) -> bytes:
    """The defined form over which contents are hashed: UTF-8, sorted keys, no white space, text in NFC."""
    return to_nfc(json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))).encode()


def content_hash(value: Any) -> str:
    """SHA-256 (hex) of the defined form of a JSON value."""
    return hashlib.sha256(canonical(value)).hexdigest()
